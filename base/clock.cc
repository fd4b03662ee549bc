#include "base/clock.h"

#include <ctime>

namespace cairn {
namespace {

int64_t ReadUs(clockid_t id) {
  timespec now;
  clock_gettime(id, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

class SystemClock : public Clock {
 public:
  int64_t WallUs() override { return ReadUs(CLOCK_REALTIME); }
  int64_t MonotonicUs() override { return ReadUs(CLOCK_MONOTONIC); }
};

}  // namespace

Clock& RealClock() {
  static auto* clock = new SystemClock;
  return *clock;
}

}  // namespace cairn
