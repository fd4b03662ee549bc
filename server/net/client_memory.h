// What all clients hold together, by size classes, so that maxmemory-clients finds the largest without asking everybody.
//
// Threads: any. Network threads count their own sessions (Session::Io::CountMemory); the sums may lag by what is being changed.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/thread_annotations.h"

namespace cairn {

class ClientMemory {
 public:
  // Sizes from 2^(n-1) up to 2^n bytes are class n.
  static constexpr size_t kClasses = 48;
  static size_t ClassOf(uint64_t bytes) { return std::min<size_t>(static_cast<size_t>(std::bit_width(bytes)), kClasses - 1); }

  // One client's share changed. `evictable`: it may be closed for its memory.
  struct Share {
    uint64_t bytes = 0;
    bool evictable = false;
    bool operator==(const Share&) const = default;
  };
  void Change(const Share& from, const Share& to) {
    total_.fetch_add(static_cast<int64_t>(to.bytes - from.bytes), std::memory_order_relaxed);
    if (from.evictable) classes_[ClassOf(from.bytes)].fetch_sub(static_cast<int64_t>(from.bytes), std::memory_order_relaxed);
    if (to.evictable) classes_[ClassOf(to.bytes)].fetch_add(static_cast<int64_t>(to.bytes), std::memory_order_relaxed);
  }

  uint64_t total_bytes() const { return static_cast<uint64_t>(std::max<int64_t>(0, total_.load(std::memory_order_relaxed))); }

  // Clients of this class and those above hold enough for the rest to fit into the limit; class 1 where all that may go are needed.
  size_t SmallestClassToEvict(uint64_t limit_bytes) const {
    int64_t excess = static_cast<int64_t>(total_bytes()) - static_cast<int64_t>(limit_bytes);
    for (size_t i = kClasses - 1; i > 1; i--) {
      excess -= classes_[i].load(std::memory_order_relaxed);
      if (excess <= 0) return i;
    }
    return 1;
  }

  // Held while a thread closes clients: two at once could each close one where one is enough.
  Mutex& eviction_mutex() CAIRN_RETURN_CAPABILITY(eviction_mutex_) { return eviction_mutex_; }

 private:
  std::atomic<int64_t> total_{0};
  std::array<std::atomic<int64_t>, kClasses> classes_{};
  Mutex eviction_mutex_;
};

}  // namespace cairn
