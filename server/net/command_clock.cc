#include "server/net/command_clock.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <string>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace cairn {
namespace {

constexpr uint64_t kWindowNs = 10'000'000;  // at least: the rate is then known to some millionths
// More ticks than that between two looks at the counter: the thread was interrupted, and the two clocks were not read together.
constexpr uint64_t kTogetherTicks = 10'000;
constexpr int kReadingTries = 4;
// Rates are in whole numbers: a conversion to floating point and back takes longer than reading the counter.
constexpr int kRateShift = 32;

uint64_t SystemNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

#if defined(__x86_64__)
uint64_t Ticks() { return __rdtsc(); }

// The kernel chooses the counter only where it is steady and the same on all cores, and gives it up where it finds otherwise.
bool KernelTrustsCounter() {
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string name;
  return file >> name && name == "tsc";
}
#else
uint64_t Ticks() { return 0; }
bool KernelTrustsCounter() { return false; }
#endif

struct Reading {
  uint64_t ns, ticks;
  bool together;
};

// Both clocks; again where the thread was interrupted between them: all times until the next reading would be wrong by as much.
Reading ReadClocks() {
  Reading reading;
  for (int tries = 0; tries < kReadingTries; tries++) {
    const uint64_t before_ticks = Ticks();
    reading.ns = SystemNs();
    reading.ticks = Ticks();
    reading.together = reading.ticks - before_ticks < kTogetherTicks;
    if (reading.together) break;
  }
  return reading;
}

}  // namespace

CommandClock::CommandClock() : counter_usable_(KernelTrustsCounter()) {
  const Reading now = ReadClocks();
  window_ns_ = now.ns;
  window_ticks_ = now.ticks;
}

uint64_t CommandClock::Read() {
  if (!counter_usable_) return last_ns_ = std::max(last_ns_, SystemNs());
  const Reading now = ReadClocks();
  const uint64_t window_ns = now.ns - window_ns_;
  if (!now.together) {
    rate_ = 0;  // Now() asks the system until the next rate is known
  } else if (window_ns >= kWindowNs) {
    const auto scaled_ns = static_cast<unsigned __int128>(window_ns) << kRateShift;
    rate_ = now.ticks > window_ticks_ ? static_cast<uint64_t>(scaled_ns / (now.ticks - window_ticks_)) : 0;
    window_ns_ = now.ns;
    window_ticks_ = now.ticks;
  }
  read_ns_ = now.ns;
  read_ticks_ = now.ticks;
  return last_ns_ = std::max(last_ns_, now.ns);
}

uint64_t CommandClock::Now() {
  if (rate_ == 0) return Read();
  const uint64_t ticks = Ticks();
  if (ticks < read_ticks_) [[unlikely]]
    return Read();
  const auto since_ns = static_cast<uint64_t>((static_cast<unsigned __int128>(ticks - read_ticks_) * rate_) >> kRateShift);
  return last_ns_ = std::max(last_ns_, read_ns_ + since_ns);
}

}  // namespace cairn
