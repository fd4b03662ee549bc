#include "engine/timed_wakes.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

std::vector<std::string> Names(const std::vector<ReadyKey>& keys) {
  std::vector<std::string> names;
  for (const ReadyKey& key : keys) names.push_back(std::to_string(key.database) + ":" + key.name);
  return names;
}

TEST(TimedWakes, EachKeyOnceAtItsEarliestTime) {
  TimedWakes wakes;
  int earlier = 0;
  wakes.SetEarlierCallback([&] { earlier++; });
  EXPECT_EQ(wakes.next_ms(), INT64_MAX);
  wakes.Add(0, "a", 100);
  wakes.Add(1, "a", 50);
  wakes.Add(0, "b", 70);
  EXPECT_EQ(earlier, 2);
  EXPECT_EQ(wakes.next_ms(), 50);
  wakes.Add(0, "a", 200);  // later than it will be looked at anyway
  wakes.Add(0, "a", 60);
  EXPECT_EQ(earlier, 2);
  EXPECT_TRUE(wakes.TakeDue(49).empty());
  EXPECT_EQ(Names(wakes.TakeDue(60)), (std::vector<std::string>{"1:a", "0:a"}));
  EXPECT_EQ(wakes.next_ms(), 70);
  wakes.Add(0, "a", 65);
  EXPECT_EQ(earlier, 3);
  EXPECT_EQ(Names(wakes.TakeDue(1000)), (std::vector<std::string>{"0:a", "0:b"}));
  EXPECT_EQ(wakes.next_ms(), INT64_MAX);
}

}  // namespace
}  // namespace cairn
