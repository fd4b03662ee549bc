// The shards of the requests that a thread was told it will execute (Executor::Prefetch), so that the lock of one that another core has
// taken since is fetched again a little ahead of its use. What is executed may differ: then the hints are useless, and harmless.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "engine/store_core.h"

namespace cairn {

class UpcomingShards {
 public:
  static UpcomingShards& OfThread() {
    thread_local UpcomingShards upcoming;
    return upcoming;
  }
  void Set(std::span<const KeyRef> keys) {
    next_ = 0;
    count_ = static_cast<uint32_t>(std::min<size_t>(keys.size(), kMost));
    for (uint32_t i = 0; i < count_; i++) stripes_[i] = static_cast<uint16_t>(keys[i].stripe());
  }
  // One more request begins: fetches for the one after the next.
  void Advance(StoreCore& core) {
    constexpr uint32_t kAhead = 2;  // a few hundred nanoseconds
    const uint32_t ahead = kAhead + next_++;
    if (ahead >= count_) return;
    core.keyspace->PrefetchShard(KeyRef::ShardOfStripe(stripes_[ahead]));
    if (core.log->enabled()) core.stripes.Prefetch(stripes_[ahead]);
  }

 private:
  static constexpr uint32_t kMost = 64;
  uint16_t stripes_[kMost];
  uint32_t next_ = 0, count_ = 0;
};

}  // namespace cairn
