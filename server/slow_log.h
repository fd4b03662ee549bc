// The slow log (SLOWLOG) and the latency monitor's events (LATENCY): small histories behind a lock, written only when something was slow.
// Both may be used from any thread. Thresholds and lengths are the directives' current values.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/thread_annotations.h"
#include "engine/commands/command_table.h"

namespace cairn {

class Config;

struct SlowEntry {
  int64_t id = 0;
  int64_t unix_s = 0;
  int64_t duration_us = 0;
  std::vector<std::string> args;  // at most 32 of at most 128 bytes, with notes on what was left out
  std::string address, client_name;
};

class SlowLog {
 public:
  explicit SlowLog(const Config& config);
  // The test for the hot path.
  bool IsSlow(int64_t duration_us) const {
    const int64_t threshold = threshold_us_.load(std::memory_order_relaxed);
    return threshold >= 0 && duration_us >= threshold;
  }
  // Records a call that IsSlow(); arguments of rows with secrets (AUTH, CONFIG SET requirepass...) are to be redacted by the caller.
  void Add(ArgSpan args, int64_t duration_us, std::string_view address, std::string_view client_name);
  std::vector<SlowEntry> Get(size_t count) const;  // newest first
  size_t size() const;
  void Reset();

 private:
  const std::atomic<int64_t>& threshold_us_;  // negative: off
  const std::atomic<int64_t>& max_length_;
  mutable Mutex mutex_;
  std::deque<SlowEntry> entries_ CAIRN_GUARDED_BY(mutex_);
  int64_t next_id_ CAIRN_GUARDED_BY(mutex_) = 0;
};

class LatencyEvents {
 public:
  explicit LatencyEvents(const Config& config);
  // The test for the hot path: latency-monitor-threshold is set and reached.
  bool IsLate(int64_t duration_ms) const {
    const int64_t threshold = threshold_ms_.load(std::memory_order_relaxed);
    return threshold > 0 && duration_ms >= threshold;
  }
  bool enabled() const { return threshold_ms_.load(std::memory_order_relaxed) > 0; }
  // "command", "fast-command", "expire-cycle"...; samples of one second are one, the longest.
  void Add(std::string_view event, int64_t duration_ms);

  struct Sample {
    int64_t unix_s;
    int64_t duration_ms;
  };
  struct Latest {
    std::string event;
    int64_t unix_s, latest_ms, max_ms;
  };
  std::vector<Latest> All() const;
  std::vector<Sample> History(std::string_view event) const;  // oldest first, at most 160
  // Forgets the named events, or all where none is named; returns how many there were.
  size_t Reset(std::span<const std::string_view> events);

 private:
  static constexpr size_t kHistory = 160;
  struct Series {
    std::deque<Sample> samples;
    int64_t max_ms = 0;
  };
  const std::atomic<int64_t>& threshold_ms_;
  mutable Mutex mutex_;
  std::map<std::string, Series, std::less<>> series_ CAIRN_GUARDED_BY(mutex_);
};

}  // namespace cairn
