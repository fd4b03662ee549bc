#include "server/net/command_clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace cairn {
namespace {

uint64_t SystemNs() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

TEST(CommandClock, KeepsTheSystemsTimeBetweenReadings) {
  CommandClock clock;
  for (int i = 0; i < 3; i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(12));  // the rate is known from the first round on
    clock.Read();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const uint64_t before_ns = SystemNs();
    const uint64_t now_ns = clock.Now();
    const uint64_t after_ns = SystemNs();
    constexpr uint64_t kToleranceNs = 100'000;
    EXPECT_GE(now_ns + kToleranceNs, before_ns);
    EXPECT_LE(now_ns, after_ns + kToleranceNs);
  }
}

TEST(CommandClock, NeverGoesBack) {
  CommandClock clock;
  uint64_t last_ns = 0;
  const uint64_t end_ns = SystemNs() + 50'000'000;
  for (int i = 0; last_ns < end_ns; i++) {
    const uint64_t now_ns = i % 16 == 0 ? clock.Read() : clock.Now();
    ASSERT_GE(now_ns, last_ns);
    last_ns = now_ns;
  }
}

}  // namespace
}  // namespace cairn
