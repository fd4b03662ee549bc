// Requests parsed together before the first of them runs, so that the cache misses of all their keys overlap. Views into the input; the
// memory is a thread's and is kept between batches, unless one took a lot.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/scratch.h"
#include "engine/commands/command_table.h"
#include "engine/keyspace/key_ref.h"
#include "engine/store.h"

namespace cairn {

class RequestBatch {
 public:
  static constexpr size_t kMaxRequests = 64;

  struct Item {
    const CommandRow* row = nullptr;
    uint32_t first_arg = 0, arg_count = 0;
    uint32_t first_key = 0, key_count = 0;
    size_t begin = 0, end = 0;  // in the input
    bool ends_batch = false;    // see RequestParser::Result
  };

  void Clear() {
    items.clear();
    ClearScratch(args);
    ClearScratch(keys);
  }
  ArgSpan ArgsOf(const Item& item) const { return ArgSpan(args).subspan(item.first_arg, item.arg_count); }
  std::span<const KeyRef> KeysOf(const Item& item) const { return std::span(keys).subspan(item.first_key, item.key_count); }
  // Finds the rows, and hashes the keys where they stand at fixed places. `hash_keys` false: commands that will only be queued.
  void Resolve(const CommandTable& table, bool hash_keys);
  // Touches what the commands will look at.
  void Prefetch(Store& store, uint32_t database) const;

  std::vector<Item> items;
  std::vector<std::string_view> args;
  std::vector<KeyRef> keys;

 private:
  const CommandRow* RowOf(const CommandTable& table, const Item& item, const Item* before) const;
  void HashKeys(Item& item);
  void AddKey(std::string_view name);
};

}  // namespace cairn
