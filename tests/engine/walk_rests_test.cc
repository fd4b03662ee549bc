#include "engine/walk_rests.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

constexpr int64_t kBeganUs = 7'000'000;
constexpr int64_t kSecondUs = 1'000'000;

// The rests of a worker that sees clients access so many keys a second, and a part of the entries done, so long after the beginning.
WalkRests After(int64_t seconds, uint64_t accesses_per_second, double done) {
  WalkRests rests(kBeganUs);
  WalkRests::View view{.now_us = kBeganUs + seconds * kSecondUs, .accesses = 1000, .entries = 1'000'000};
  view.entries_done = static_cast<uint64_t>(done * static_cast<double>(view.entries));
  rests.Look(view);
  view.now_us += kSecondUs;
  view.accesses += accesses_per_second;
  rests.Look(view);
  return rests;
}

TEST(WalkRests, TakesAThirtiethOfACoreFromBusyClients) {
  EXPECT_EQ(After(1, 20'000, 0.1).RestUs(100), 2'900);
  EXPECT_EQ(After(1, 1'000'000, 0.1).RestUs(100), 2'900);
}

TEST(WalkRests, CountsClientsAsBusyUntilItHasSeenThem) {
  WalkRests rests(kBeganUs);
  EXPECT_EQ(rests.RestUs(100), 2'900);
  rests.Look({.now_us = kBeganUs, .accesses = 5, .entries = 10});
  EXPECT_EQ(rests.RestUs(100), 2'900);
}

TEST(WalkRests, TakesMoreWhereClientsAreLessBusy) {
  EXPECT_EQ(After(1, 10'000, 0.1).RestUs(100), 1'450);
  EXPECT_EQ(After(1, 2'000, 0.1).RestUs(100), 290);
  EXPECT_EQ(After(1, 0, 0.1).RestUs(100), 0);
}

TEST(WalkRests, HurriesWhileItIsBehindTheSchedule) {
  EXPECT_EQ(After(59, 20'000, 0.51).RestUs(100), 2'900);
  EXPECT_EQ(After(59, 20'000, 0.49).RestUs(100), 900);
  EXPECT_EQ(After(3'600, 20'000, 0.99).RestUs(100), 900);
}

TEST(WalkRests, RestsForMillisecondsAtMost) { EXPECT_EQ(After(1, 20'000, 0.1).RestUs(5'000), 20'000); }

TEST(WalkRests, LooksEachFiveMilliseconds) {
  WalkRests rests(kBeganUs);
  EXPECT_TRUE(rests.LookIsDue(kBeganUs));
  rests.Look({.now_us = kBeganUs});
  EXPECT_FALSE(rests.LookIsDue(kBeganUs + 4'999));
  EXPECT_TRUE(rests.LookIsDue(kBeganUs + 5'000));
}

}  // namespace
}  // namespace cairn
