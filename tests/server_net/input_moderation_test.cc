#include "server/net/input_moderation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace cairn {
namespace {

constexpr int64_t kLimitUs = 100;

// A network thread's clock and its sessions, as the moderation sees them.
class Rounds {
 public:
  // `round_us`: what a round takes beside its wait.
  Rounds(size_t sessions, int64_t round_us) : windows_(sessions, 0), round_us_(round_us) {}

  // One round in which the next `turns` sessions, going round, have input. Returns the wait after it, which passes.
  int64_t Run(size_t turns, int64_t limit_us = kLimitUs) {
    for (size_t i = 0; i < turns; i++) moderation_.Count(windows_[next_++ % windows_.size()]);
    now_us_ += round_us_;
    const int64_t wait_us = moderation_.EndRound(now_us_, limit_us);
    now_us_ += wait_us;
    return wait_us;
  }
  // The longest wait in `rounds` rounds with `turns` each.
  int64_t LongestWait(int rounds, size_t turns, int64_t limit_us = kLimitUs) {
    int64_t longest_us = 0;
    for (int i = 0; i < rounds; i++) longest_us = std::max(longest_us, Run(turns, limit_us));
    return longest_us;
  }
  int64_t now_us() const { return now_us_; }

 private:
  InputModeration moderation_;
  std::vector<uint32_t> windows_;
  const int64_t round_us_;
  size_t next_ = 0;
  int64_t now_us_ = 1'000'000;
};

TEST(InputModeration, ManySessionsWithFewRequestsARoundWait) {
  Rounds rounds(100, 50);
  EXPECT_EQ(rounds.LongestWait(5000, 5), kLimitUs);
  EXPECT_EQ(rounds.Run(5), kLimitUs);
}

TEST(InputModeration, AWaitIsATenthOfASessionsCycleAtMost) {
  Rounds rounds(40, 20);  // ten rounds of 20 us give each session a turn
  int64_t first_wait_us = 0;
  while (first_wait_us == 0) first_wait_us = rounds.Run(4);
  EXPECT_LE(first_wait_us, 20);
}

TEST(InputModeration, FewSessionsNeverWait) {
  for (const size_t sessions : {1, 2, 10, 20}) {
    Rounds rounds(sessions, 10);
    EXPECT_EQ(rounds.LongestWait(10'000, 1), 0) << sessions << " sessions";
  }
}

TEST(InputModeration, RoundsWithManyRequestsNeedNoWait) {
  Rounds rounds(100, 50);
  EXPECT_EQ(rounds.LongestWait(5000, 16), 0);
}

TEST(InputModeration, SeldomRequestsNeverWait) {
  Rounds rounds(100, 1000);
  EXPECT_EQ(rounds.LongestWait(2000, 1), 0);
}

TEST(InputModeration, ARoundWithoutRequestsIsNotFollowedByAWait) {
  Rounds rounds(100, 50);
  rounds.LongestWait(5000, 5);
  ASSERT_GT(rounds.Run(5), 0);
  EXPECT_EQ(rounds.Run(0), 0);
}

TEST(InputModeration, OneCallerThatTakesItsConnectionsInTurnIsHardlyHeldUp) {
  Rounds rounds(100, 10);
  int64_t waited_us = 0;
  const int64_t began_us = rounds.now_us();
  // However long it waits, there is one request afterwards.
  while (rounds.now_us() - began_us < 10'000'000) waited_us += rounds.Run(1);
  EXPECT_GT(waited_us, 0) << "it should have looked like many callers";
  EXPECT_LT(waited_us, 10'000'000 / 200);
}

TEST(InputModeration, ALimitOfZeroTurnsItOff) {
  Rounds rounds(100, 50);
  EXPECT_EQ(rounds.LongestWait(5000, 5, 0), 0);
  ASSERT_GT(rounds.LongestWait(5000, 5), 0);
  rounds.LongestWait(1000, 5, 0);
  EXPECT_EQ(rounds.LongestWait(5000, 5, 0), 0);
}

}  // namespace
}  // namespace cairn
