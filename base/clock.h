// Time as an interface, so that tests decide what time it is.
#pragma once

#include <atomic>
#include <cstdint>

namespace cairn {

// Any thread may ask. Neither function fails.
class Clock {
 public:
  virtual ~Clock() = default;
  // Unix time in microseconds; may jump in both directions when the machine's clock is set.
  virtual int64_t WallUs() = 0;
  // Microseconds since an arbitrary moment; never goes back. For measuring durations and deadlines.
  virtual int64_t MonotonicUs() = 0;

  int64_t WallMs() { return WallUs() / 1000; }
  int64_t MonotonicMs() { return MonotonicUs() / 1000; }
};

// The machine's clock; lives for the whole process.
Clock& RealClock();

// A clock that stands still until told otherwise.
class ManualClock : public Clock {
 public:
  explicit ManualClock(int64_t wall_us = 1'700'000'000'000'000) : wall_us_(wall_us) {}
  int64_t WallUs() override { return wall_us_.load(std::memory_order_relaxed); }
  int64_t MonotonicUs() override { return monotonic_us_.load(std::memory_order_relaxed); }

  // Both clocks move on; `duration_us` >= 0.
  void Advance(int64_t duration_us) {
    wall_us_.fetch_add(duration_us, std::memory_order_relaxed);
    monotonic_us_.fetch_add(duration_us, std::memory_order_relaxed);
  }
  // As if somebody set the machine's clock: monotonic time does not notice.
  void SetWallUs(int64_t wall_us) { wall_us_.store(wall_us, std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> wall_us_;
  std::atomic<int64_t> monotonic_us_{1'000'000};
};

}  // namespace cairn
