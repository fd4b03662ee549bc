// When commands begin and end, in nanoseconds of the monotonic clock.
//
// A short command takes some 100 ns, of which asking the system for the time would be a fifth: its fences wait for everything before them.
// Between two readings of the system's clock, which every round makes, the processor's time-stamp counter serves instead, at the rate that
// it had lately. Only where the kernel itself keeps time by that counter; elsewhere the system is asked each time.
// For one thread.
#pragma once

#include <cstdint>

namespace cairn {

class CommandClock {
 public:
  CommandClock();
  // The system's time. At the beginning of a round; what Now() returns until the next one differs from the system's by less than 1 us for
  // each millisecond since.
  uint64_t Read();
  // No function returns less than one before.
  uint64_t Now();
  // What the last of them returned, and what has gone by since.
  uint64_t last_ns() const { return last_ns_; }
  uint64_t Lap() {
    const uint64_t before_ns = last_ns_;
    return Now() - before_ns;
  }

 private:
  const bool counter_usable_;
  uint64_t rate_ = 0;                          // nanoseconds in 2^32 ticks; 0: not known yet
  uint64_t window_ns_ = 0, window_ticks_ = 0;  // where the measuring of the next rate began
  uint64_t read_ns_ = 0, read_ticks_ = 0;      // by Read()
  uint64_t last_ns_ = 0;
};

}  // namespace cairn
