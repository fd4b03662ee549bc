#include "base/cpu.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "base/scheduling.h"

namespace cairn {
namespace {

TEST(ThreadNumbers, AreDistinctAmongLivingThreadsAndGivenOutAgain) {
  constexpr int kThreads = 8;
  const uint32_t own = ThisThreadNumber();
  EXPECT_EQ(ThisThreadNumber(), own);
  uint32_t highest = 0;
  for (int round = 0; round < 3; round++) {
    std::vector<uint32_t> numbers(kThreads);
    std::atomic<int> arrived{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; i++) {
      threads.emplace_back([&, i] {
        numbers[static_cast<size_t>(i)] = ThisThreadNumber();
        arrived++;
        while (arrived < kThreads) std::this_thread::yield();
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::set<uint32_t> distinct(numbers.begin(), numbers.end());
    distinct.insert(own);
    EXPECT_EQ(distinct.size(), static_cast<size_t>(kThreads) + 1);
    if (round == 0) highest = *distinct.rbegin();
    EXPECT_LE(*distinct.rbegin(), highest);
  }
}

TEST(Scheduling, ShortSlicesAreAHintAtMost) {
  std::thread([] { PreferShortSlices(); }).join();
}

}  // namespace
}  // namespace cairn
