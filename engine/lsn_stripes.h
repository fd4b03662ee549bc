// The LSN of the last write that touched each of 1,024 groups of keys: what a reply must wait for so that nobody sees a value that a
// crash could still undo (promise P1). Two keys in one stripe make a reader wait for the other's write: harmless, and rare.
//
// Invariant: before a write's shard locks are released, the stripes of its keys hold at least its LSN; so whoever reads a value under
// the key's lock finds its LSN here. Each stripe belongs to one shard.
// Threads: any, with the stripe's shard locked to raise it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/cpu.h"
#include "engine/keyspace/key_ref.h"

namespace cairn {

class alignas(64) LsnStripes {
 public:
  // Raises the stripe to `lsn`; a stripe never goes back.
  void Raise(uint16_t stripe, Lsn lsn) {
    if (Get(stripe) < lsn) stripes_[stripe].store(lsn, std::memory_order_relaxed);
  }
  void Raise(std::span<const uint16_t> stripes, Lsn lsn) {
    for (const uint16_t stripe : stripes) Raise(stripe, lsn);
  }
  Lsn Get(uint16_t stripe) const { return stripes_[stripe].load(std::memory_order_relaxed); }
  // The stripe is about to be raised or looked at. No lock needed.
  void Prefetch(uint16_t stripe) const { PrefetchForWrite(&stripes_[stripe]); }
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
