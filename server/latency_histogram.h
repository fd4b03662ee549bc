// How long calls took: counts in buckets that are exact to about 3 % (32 to a power of two), from 1 ns to 2^40 ns.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <vector>

namespace cairn {

struct LatencyBuckets {
  static constexpr uint32_t kSubBits = 5;
  static constexpr uint32_t kSubBuckets = 1u << kSubBits;
  static constexpr uint32_t kOctaves = 40 - kSubBits;
  static constexpr uint32_t kCount = (kOctaves + 1) * kSubBuckets;

  static uint32_t IndexOf(uint64_t duration_ns) {
    if (duration_ns < kSubBuckets) return static_cast<uint32_t>(duration_ns);
    const uint32_t octave = static_cast<uint32_t>(std::bit_width(duration_ns)) - kSubBits;  // >= 1
    if (octave > kOctaves) return kCount - 1;
    return octave * kSubBuckets + static_cast<uint32_t>((duration_ns >> (octave - 1)) & (kSubBuckets - 1));
  }
  // The largest duration that falls into a bucket.
  static uint64_t UpperNs(uint32_t index) {
    if (index < kSubBuckets) return index;
    const uint32_t octave = index / kSubBuckets;
    const uint64_t sub = index % kSubBuckets + kSubBuckets;
    return ((sub + 1) << (octave - 1)) - 1;
  }
};

// Written by one thread, read by any.
class SharedLatencyHistogram {
 public:
  void Add(uint64_t duration_ns) {
    auto& count = counts_[LatencyBuckets::IndexOf(duration_ns)];
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  uint64_t Get(uint32_t index) const { return counts_[index].load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, LatencyBuckets::kCount> counts_{};
};

// A copy that belongs to its reader; empty (no memory) until something is added.
class LatencyHistogram {
 public:
  void AddAll(const SharedLatencyHistogram& other);
  void AddAll(const LatencyHistogram& other);
  void Subtract(const LatencyHistogram& other);  // of counts that were all in this one
  uint64_t total() const { return total_; }
  // The duration that `percentile` (0..100) percent of the calls did not exceed; 0 where there were none.
  uint64_t PercentileNs(double percentile) const;
  // Calls of at most `duration_ns`, to the bucket's exactness.
  uint64_t CountUpTo(uint64_t duration_ns) const;
  uint64_t MaxNs() const;

 private:
  std::vector<uint64_t> counts_;
  uint64_t total_ = 0;
};

}  // namespace cairn
