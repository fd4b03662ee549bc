#include "engine/timed_wakes.h"

namespace cairn {

void TimedWakes::SetEarlierCallback(std::function<void()> callback) {
  MutexLock lock(mutex_);
  earlier_ = std::move(callback);
}

void TimedWakes::Add(uint32_t database, std::string_view name, int64_t at_ms) {
  MutexLock lock(mutex_);
  const auto [at, added] = times_.try_emplace(Key(database, name), at_ms);
  if (!added) {
    if (at->second <= at_ms) return;
    by_time_.erase({at->second, &at->first});
    at->second = at_ms;
  }
  by_time_.insert({at_ms, &at->first});
  const bool earlier = at_ms < next_ms();
  UpdateNext();
  if (earlier && earlier_ != nullptr) earlier_();
}

std::vector<ReadyKey> TimedWakes::TakeDue(int64_t now_ms) {
  std::vector<ReadyKey> due;
  MutexLock lock(mutex_);
  while (!by_time_.empty() && by_time_.begin()->first <= now_ms) {
    const Key* const key = by_time_.begin()->second;
    due.push_back({key->first, key->second});
    by_time_.erase(by_time_.begin());
    times_.erase(*key);
  }
  UpdateNext();
  return due;
}

void TimedWakes::UpdateNext() {
  next_ms_.store(by_time_.empty() ? INT64_MAX : by_time_.begin()->first, std::memory_order_relaxed);
}

}  // namespace cairn
