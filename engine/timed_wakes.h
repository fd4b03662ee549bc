// Keys whose waiters may find something at a known time although nobody touches the key: pending entries of a stream become old enough
// for XREADGROUP ... CLAIM. Each key has one time, the earliest that was asked for; whoever still waits when it has come asks again.
//
// Threads: any; Add is called with shard locks held.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/thread_annotations.h"
#include "engine/keyspace/change_scope.h"

namespace cairn {

class TimedWakes {
 public:
  // Called when the next time has become earlier, with locks held: it must only hand on. Once this returns no other one is called.
  void SetEarlierCallback(std::function<void()> callback) CAIRN_EXCLUDES(mutex_);
  void Add(uint32_t database, std::string_view name, int64_t at_ms) CAIRN_EXCLUDES(mutex_);
  // The earliest time, Unix milliseconds; INT64_MAX: none.
  int64_t next_ms() const { return next_ms_.load(std::memory_order_relaxed); }
  // The keys whose time has come, which are forgotten.
  std::vector<ReadyKey> TakeDue(int64_t now_ms) CAIRN_EXCLUDES(mutex_);

 private:
  using Key = std::pair<uint32_t, std::string>;  // database and name
  void UpdateNext() CAIRN_REQUIRES(mutex_);

  Mutex mutex_;
  std::function<void()> earlier_ CAIRN_GUARDED_BY(mutex_);
  std::map<Key, int64_t> times_ CAIRN_GUARDED_BY(mutex_);
  std::set<std::pair<int64_t, const Key*>> by_time_ CAIRN_GUARDED_BY(mutex_);  // keys: those of times_
  std::atomic<int64_t> next_ms_{INT64_MAX};                                    // written under mutex_
};

}  // namespace cairn
