// The LSN of the last write that touched each of 1,024 groups of keys: what a reply must wait for so that nobody sees a value that a
// crash could still undo (promise P1). Two keys in one stripe make a reader wait for the other's write: harmless, and rare.
//
// Invariant: before a write's shard locks are released, the stripes of its keys hold at least its LSN; so whoever reads a value under
// the key's lock finds its LSN here. Keys of different shards share stripes, hence the maximum below.
// Threads: any.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "engine/keyspace/key_ref.h"

namespace cairn {

class alignas(64) LsnStripes {
 public:
  // Raises the stripe to `lsn`; a stripe never goes back.
  void Raise(uint16_t stripe, Lsn lsn) {
    std::atomic<Lsn>& cell = stripes_[stripe];
    Lsn seen = cell.load(std::memory_order_relaxed);
    while (seen < lsn && !cell.compare_exchange_weak(seen, lsn, std::memory_order_relaxed)) {
    }
  }
  void Raise(std::span<const uint16_t> stripes, Lsn lsn) {
    for (const uint16_t stripe : stripes) Raise(stripe, lsn);
  }
  Lsn Get(uint16_t stripe) const { return stripes_[stripe].load(std::memory_order_relaxed); }
  // The newest of several stripes; 0 for none.
  Lsn Newest(std::span<const uint16_t> stripes) const {
    Lsn newest = 0;
    for (const uint16_t stripe : stripes) newest = std::max(newest, Get(stripe));
    return newest;
  }

 private:
  std::array<std::atomic<Lsn>, kStripeCount> stripes_{};
};

}  // namespace cairn
