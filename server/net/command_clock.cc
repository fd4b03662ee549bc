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

}  // namespace

CommandClock::CommandClock() : counter_usable_(KernelTrustsCounter()) {
  window_ns_ = SystemNs();
  window_ticks_ = Ticks();
}

uint64_t CommandClock::Read() {
  const uint64_t before_ticks = Ticks();
  read_ns_ = SystemNs();
  if (counter_usable_) {
    read_ticks_ = Ticks();
    const uint64_t window_ns = read_ns_ - window_ns_;
    if (window_ns >= kWindowNs && read_ticks_ - before_ticks < kTogetherTicks) {
      const auto scaled_ns = static_cast<unsigned __int128>(window_ns) << kRateShift;
      rate_ = read_ticks_ > window_ticks_ ? static_cast<uint64_t>(scaled_ns / (read_ticks_ - window_ticks_)) : 0;
      window_ns_ = read_ns_;
      window_ticks_ = read_ticks_;
    }
  }
  return last_ns_ = std::max(last_ns_, read_ns_);
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
