// How far the memory in use is from `maxmemory`, cheaply enough to be asked before every write, and honest about what the process
// really takes.
//
// "Used" is what Redis counts: the keyspace by its own accounting and what clients hold. Resident memory is more: the program, the
// log's and snapshots' buffers, the allocator's fragmentation. A sampler measures that and lowers the effective limit by it, from the
// start and not only when the limit is reached, because memory that was once resident seldom goes back. Fragmentation counts by half,
// since evicting to make up for it leaves holes, which are fragmentation again; but fully where resident memory is well above the limit
// all the same: what is written next then fills the holes. Small limits are left alone: there the program itself would be the difference.
//
// Threads: Configure and Sample from one thread at a time; the rest from any.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/allocator.h"

namespace cairn {

class MemoryLimit {
 public:
  static constexpr uint64_t kCorrectedFromBytes = 32ull << 20;

  void Configure(uint64_t limit_bytes) {
    if (limit_.exchange(limit_bytes, std::memory_order_relaxed) != limit_bytes) correction_.store(0, std::memory_order_relaxed);
    spent_.store(kRecheck, std::memory_order_relaxed);
  }
  uint64_t limit_bytes() const { return limit_.load(std::memory_order_relaxed); }
  bool limited() const { return limit_bytes() != 0; }
  // The limit for used memory: `maxmemory` less the correction; without one, no number is too large.
  uint64_t effective_bytes() const {
    const uint64_t limit = limit_bytes();
    if (limit == 0) return UINT64_MAX;
    const uint64_t correction = correction_.load(std::memory_order_relaxed);
    return correction < limit ? limit - correction : 0;
  }

  // Memory that clients' buffers take, kept up to date by whoever owns them.
  void AddClientBytes(int64_t delta) {
    client_bytes_.fetch_add(delta, std::memory_order_relaxed);
    if (delta > 0 && limited()) NoteGrowth(delta);
  }
  uint64_t client_bytes() const {
    const int64_t bytes = client_bytes_.load(std::memory_order_relaxed);
    return bytes > 0 ? static_cast<uint64_t>(bytes) : 0;
  }

  // Looks at what the process takes beyond used memory; `purge` is called where giving unused pages back would help.
  template <typename Purge>
  void Sample(uint64_t resident_bytes, const AllocatorStats& allocator, uint64_t used_bytes, Purge purge) {
    const uint64_t limit = limit_bytes();
    NotePeak(used_bytes);
    if (limit < kCorrectedFromBytes) {
      correction_.store(0, std::memory_order_relaxed);
      return;
    }
    const uint64_t fragmentation = Excess(allocator.active_bytes, allocator.allocated_bytes);
    const uint64_t unused_pages = Excess(allocator.resident_bytes, allocator.active_bytes + allocator.metadata_bytes);
    const bool well_above = resident_bytes > limit + limit / 20;
    const uint64_t overhead =
        Excess(resident_bytes, used_bytes + unused_pages + fragmentation) + (well_above ? fragmentation : fragmentation / 2);
    if (resident_bytes > limit && unused_pages > limit / 32) purge();
    const uint64_t wanted = std::min(Excess(overhead, limit / 32), limit / 2);
    // Rises at once and falls slowly: what the log's buffers took in one burst they will take in the next.
    const uint64_t before = correction_.load(std::memory_order_relaxed);
    correction_.store(wanted >= before ? wanted : before - (before - wanted + 63) / 64, std::memory_order_relaxed);
  }

  void NotePeak(uint64_t used_bytes) {
    uint64_t peak = peak_.load(std::memory_order_relaxed);
    while (used_bytes > peak && !peak_.compare_exchange_weak(peak, used_bytes, std::memory_order_relaxed)) {
    }
  }
  uint64_t peak_bytes() const { return peak_.load(std::memory_order_relaxed); }

  // --- a cheap bound between exact checks -----------------------------------------------------------------------------------
  // Writers add what they made the keyspace grow by; once that exceeds the room last measured, somebody must measure again.
  bool MustMeasure() const { return spent_.load(std::memory_order_relaxed) >= 0; }
  void NoteGrowth(int64_t bytes) { spent_.fetch_add(bytes, std::memory_order_relaxed); }
  void NoteMeasured(uint64_t used_bytes) {
    const uint64_t limit = effective_bytes();
    // Half of the room: the other half is for what writers did not say (indexes, buffers).
    const int64_t room = used_bytes < limit ? static_cast<int64_t>((limit - used_bytes) / 2) : 0;
    spent_.store(-room, std::memory_order_relaxed);
  }

 private:
  static constexpr int64_t kRecheck = 0;
  static uint64_t Excess(uint64_t more, uint64_t less) { return more > less ? more - less : 0; }

  std::atomic<uint64_t> limit_{0};
  std::atomic<uint64_t> correction_{0};
  std::atomic<uint64_t> peak_{0};
  std::atomic<int64_t> client_bytes_{0};
  std::atomic<int64_t> spent_{kRecheck};  // negative: room left
};

}  // namespace cairn
