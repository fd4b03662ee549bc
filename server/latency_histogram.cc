#include "server/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace cairn {

void LatencyHistogram::AddAll(const SharedLatencyHistogram& other) {
  for (uint32_t i = 0; i < LatencyBuckets::kCount; i++) {
    const uint64_t count = other.Get(i);
    if (count == 0) continue;
    if (counts_.empty()) counts_.resize(LatencyBuckets::kCount);
    counts_[i] += count;
    total_ += count;
  }
}

void LatencyHistogram::AddAll(const LatencyHistogram& other) {
  if (other.counts_.empty()) return;
  if (counts_.empty()) counts_.resize(LatencyBuckets::kCount);
  for (size_t i = 0; i < counts_.size(); i++) counts_[i] += other.counts_[i];
  total_ += other.total_;
}

void LatencyHistogram::Subtract(const LatencyHistogram& other) {
  if (counts_.empty()) return;
  for (size_t i = 0; i < other.counts_.size(); i++) {
    const uint64_t taken = std::min(counts_[i], other.counts_[i]);
    counts_[i] -= taken;
    total_ -= taken;
  }
}

uint64_t LatencyHistogram::PercentileNs(double percentile) const {
  if (total_ == 0) return 0;
  const auto wanted = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(static_cast<double>(total_) * percentile / 100.0)));
  uint64_t seen = 0;
  for (uint32_t i = 0; i < counts_.size(); i++) {
    seen += counts_[i];
    if (seen >= wanted) return LatencyBuckets::UpperNs(i);
  }
  return MaxNs();
}

uint64_t LatencyHistogram::CountUpTo(uint64_t duration_ns) const {
  if (counts_.empty()) return 0;
  uint64_t count = 0;
  const uint32_t last = LatencyBuckets::IndexOf(duration_ns);
  for (uint32_t i = 0; i <= last; i++) count += counts_[i];
  return count;
}

uint64_t LatencyHistogram::MaxNs() const {
  for (size_t i = counts_.size(); i > 0; i--) {
    if (counts_[i - 1] > 0) return LatencyBuckets::UpperNs(static_cast<uint32_t>(i - 1));
  }
  return 0;
}

}  // namespace cairn
