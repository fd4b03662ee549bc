// How far the memory in use is from `maxmemory`, cheaply enough to be asked before every write, and honest about what the process
// really takes.
//
// "Used" is what Redis counts: the keyspace by its own accounting, what clients hold, the log's buffers. Resident memory differs from
// that by the allocator's fragmentation and the program itself; a sampler compares the two and lowers the effective limit by the
// difference, so that resident memory stays near the limit under a write load of any size. Small limits are left alone: there the
// program itself would be the difference.
//
// Threads: Configure and Sample from one thread at a time; the rest from any.
#pragma once

#include <atomic>
#include <cstdint>

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
  void AddClientBytes(int64_t delta) { client_bytes_.fetch_add(delta, std::memory_order_relaxed); }
  uint64_t client_bytes() const {
    const int64_t bytes = client_bytes_.load(std::memory_order_relaxed);
    return bytes > 0 ? static_cast<uint64_t>(bytes) : 0;
  }

  // Compares resident with used bytes. `purge` is called, at most once, where giving back unused pages may help, and returns the
  // resident bytes after it.
  template <typename Purge>
  void Sample(uint64_t resident_bytes, uint64_t used_bytes, Purge purge) {
    const uint64_t limit = limit_bytes();
    NotePeak(used_bytes);
    if (limit < kCorrectedFromBytes || used_bytes < limit / 2) {
      correction_.store(0, std::memory_order_relaxed);
      return;
    }
    if (Excess(resident_bytes, used_bytes, limit) > limit / 50) resident_bytes = purge();
    const uint64_t wanted = Excess(resident_bytes, used_bytes, limit);
    // Falls slowly and rises at once, so that it does not swing; never more than two fifths of the limit.
    const uint64_t before = correction_.load(std::memory_order_relaxed);
    uint64_t next = wanted >= before ? wanted : before - (before - wanted) / 8;
    if (next > limit / 5 * 2) next = limit / 5 * 2;
    correction_.store(next, std::memory_order_relaxed);
  }
  uint64_t correction_bytes() const { return correction_.load(std::memory_order_relaxed); }

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
  // Resident memory may exceed the limit by a twentieth before anything is done about it.
  static uint64_t Excess(uint64_t resident_bytes, uint64_t used_bytes, uint64_t limit) {
    const uint64_t overhead = resident_bytes > used_bytes ? resident_bytes - used_bytes : 0;
    const uint64_t allowed = limit / 20;
    return overhead > allowed ? overhead - allowed : 0;
  }

  std::atomic<uint64_t> limit_{0};
  std::atomic<uint64_t> correction_{0};
  std::atomic<uint64_t> peak_{0};
  std::atomic<int64_t> client_bytes_{0};
  std::atomic<int64_t> spent_{kRecheck};  // negative: room left
};

}  // namespace cairn
