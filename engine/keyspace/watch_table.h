// Which clients watch which keys of one shard. Guarded by the shard's lock.
//
// A key that had expired when it was watched (it may still be there, or be deleted unnoticed) is marked: its disappearance is no
// change, and afterwards it counts as absent.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/client.h"

namespace cairn {

class WatchTable {
 public:
  bool empty() const { return keys_.empty(); }
  // False where the client watches the key already.
  bool Add(const std::shared_ptr<WatchState>& watch, uint32_t database, std::string_view name, bool expired);
  void Remove(const WatchState* watch, uint32_t database, std::string_view name);
  // The key was changed, or is gone.
  void KeyChanged(uint32_t database, std::string_view name, bool gone);
  // What a watched key was and is when its whole database was emptied or replaced.
  struct Fate {
    bool existed = false;
    bool exists = false;
    bool is_expired = false;  // exists, but its time has come
  };
  template <typename FateOf>
  void DatabaseReplaced(uint32_t database, FateOf fate_of) {
    for (auto& [key, watchers] : keys_) {
      if (key.database != database) continue;
      const Fate fate = fate_of(std::string_view(key.name));
      if (fate.existed || fate.exists) Replaced(watchers, fate);
    }
  }
  bool ExpiredWhenWatched(const WatchState* watch, uint32_t database, std::string_view name) const;
  uint64_t memory_bytes() const { return memory_bytes_; }

 private:
  struct Watcher {
    std::shared_ptr<WatchState> watch;
    bool expired;
  };
  struct Key {
    uint32_t database;
    std::string name;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& key) const { return std::hash<std::string_view>()(key.name) + key.database; }
  };
  static uint64_t KeyBytes(const Key& key);
  static void Replaced(std::vector<Watcher>& watchers, const Fate& fate);

  std::unordered_map<Key, std::vector<Watcher>, Hash> keys_;
  uint64_t memory_bytes_ = 0;
};

}  // namespace cairn
