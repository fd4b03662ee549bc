#include "server/slow_log.h"

#include <algorithm>

#include "base/clock.h"
#include "server/config/config.h"

namespace cairn {
namespace {

constexpr size_t kArgumentsMax = 32;
constexpr size_t kArgumentBytesMax = 128;

std::string Shortened(std::string_view argument) {
  if (argument.size() <= kArgumentBytesMax) return std::string(argument);
  std::string text(argument.substr(0, kArgumentBytesMax));
  text += "... (" + std::to_string(argument.size() - kArgumentBytesMax) + " more bytes)";
  return text;
}

}  // namespace

SlowLog::SlowLog(const Config& config)
    : threshold_us_(config.NumberRef("slowlog-log-slower-than")), max_length_(config.NumberRef("slowlog-max-len")) {}

void SlowLog::Add(ArgSpan args, int64_t duration_us, std::string_view address, std::string_view client_name) {
  SlowEntry entry;
  entry.unix_s = RealClock().WallUs() / 1'000'000;
  entry.duration_us = duration_us;
  entry.address = address;
  entry.client_name = client_name;
  const size_t shown = std::min(args.size(), kArgumentsMax);
  for (size_t i = 0; i < shown; i++) {
    if (i + 1 == kArgumentsMax && args.size() > kArgumentsMax) {
      entry.args.push_back("... (" + std::to_string(args.size() - kArgumentsMax + 1) + " more arguments)");
    } else {
      entry.args.push_back(Shortened(args[i]));
    }
  }
  const auto max_length = static_cast<size_t>(std::max<int64_t>(0, max_length_.load(std::memory_order_relaxed)));
  MutexLock lock(mutex_);
  entry.id = next_id_++;
  entries_.push_front(std::move(entry));
  while (entries_.size() > max_length) entries_.pop_back();
}

std::vector<SlowEntry> SlowLog::Get(size_t count) const {
  MutexLock lock(mutex_);
  const size_t shown = std::min(count, entries_.size());
  return {entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(shown)};
}

size_t SlowLog::size() const {
  MutexLock lock(mutex_);
  return entries_.size();
}

void SlowLog::Reset() {
  MutexLock lock(mutex_);
  entries_.clear();
}

LatencyEvents::LatencyEvents(const Config& config) : threshold_ms_(config.NumberRef("latency-monitor-threshold")) {}

void LatencyEvents::Add(std::string_view event, int64_t duration_ms) {
  const int64_t now_s = RealClock().WallUs() / 1'000'000;
  MutexLock lock(mutex_);
  auto found = series_.find(event);
  if (found == series_.end()) found = series_.emplace(std::string(event), Series()).first;
  Series& series = found->second;
  series.max_ms = std::max(series.max_ms, duration_ms);
  if (!series.samples.empty() && series.samples.back().unix_s == now_s) {
    series.samples.back().duration_ms = std::max(series.samples.back().duration_ms, duration_ms);
    return;
  }
  series.samples.push_back({now_s, duration_ms});
  if (series.samples.size() > kHistory) series.samples.pop_front();
}

std::vector<LatencyEvents::Latest> LatencyEvents::All() const {
  MutexLock lock(mutex_);
  std::vector<Latest> all;
  for (const auto& [event, series] : series_) {
    all.push_back({event, series.samples.back().unix_s, series.samples.back().duration_ms, series.max_ms});
  }
  return all;
}

std::vector<LatencyEvents::Sample> LatencyEvents::History(std::string_view event) const {
  MutexLock lock(mutex_);
  const auto found = series_.find(event);
  if (found == series_.end()) return {};
  return {found->second.samples.begin(), found->second.samples.end()};
}

size_t LatencyEvents::Reset(std::span<const std::string_view> events) {
  MutexLock lock(mutex_);
  if (events.empty()) {
    const size_t count = series_.size();
    series_.clear();
    return count;
  }
  size_t count = 0;
  for (const std::string_view event : events) {
    const auto found = series_.find(event);
    if (found == series_.end()) continue;
    series_.erase(found);
    count++;
  }
  return count;
}

}  // namespace cairn
