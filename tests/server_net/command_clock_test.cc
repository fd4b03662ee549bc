#include "server/net/command_clock.h"

#include <gtest/gtest.h>
#include <sys/time.h>

#include <chrono>
#include <csignal>
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

// An interruption between the two clocks of one reading would put every time until the next reading wrong by its length.
TEST(CommandClock, KeepsTheSystemsTimeWhereReadingsAreInterrupted) {
  constexpr uint64_t kInterruptionNs = 300'000, kToleranceNs = 100'000, kPeriodUs = 1'000;
  struct sigaction interrupt = {}, before_interrupt;
  interrupt.sa_handler = [](int) {
    for (const uint64_t end_ns = SystemNs() + kInterruptionNs; SystemNs() < end_ns;) {
    }
  };
  ASSERT_EQ(sigaction(SIGALRM, &interrupt, &before_interrupt), 0);
  const itimerval often = {{0, kPeriodUs}, {0, kPeriodUs}}, never = {};
  ASSERT_EQ(setitimer(ITIMER_REAL, &often, nullptr), 0);
  CommandClock clock;
  int wrong = 0;
  for (const uint64_t end_ns = SystemNs() + 300'000'000; SystemNs() < end_ns;) {
    clock.Read();
    const uint64_t before_ns = SystemNs();
    const uint64_t now_ns = clock.Now();
    wrong += now_ns + kToleranceNs < before_ns || now_ns > SystemNs() + kToleranceNs;
  }
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &before_interrupt, nullptr);
  EXPECT_EQ(wrong, 0);
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
