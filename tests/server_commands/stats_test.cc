// Counters, histograms, the slow log and latency events.
#include "server/stats.h"

#include <gtest/gtest.h>

#include <thread>

#include "server/config/config.h"

namespace cairn {
namespace {

constexpr CommandRow kGet{.name = "get"};
constexpr CommandRow kSet{.name = "set"};

TEST(LatencyBuckets, CoverEverythingInOrder) {
  uint32_t last = 0;
  for (uint64_t ns = 0; ns < 100'000; ns++) {
    const uint32_t index = LatencyBuckets::IndexOf(ns);
    ASSERT_GE(index, last);
    ASSERT_LE(index, last + 1);
    ASSERT_GE(LatencyBuckets::UpperNs(index), ns);
    ASSERT_LE(static_cast<double>(LatencyBuckets::UpperNs(index)), static_cast<double>(ns) * 1.04 + 1);
    last = index;
  }
  EXPECT_EQ(LatencyBuckets::IndexOf(UINT64_MAX), LatencyBuckets::kCount - 1);
}

TEST(LatencyHistogram, PercentilesAndLevels) {
  SharedLatencyHistogram shared;
  for (uint64_t i = 1; i <= 1000; i++) shared.Add(i * 1000);
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.PercentileNs(50), 0u);
  histogram.AddAll(shared);
  EXPECT_EQ(histogram.total(), 1000u);
  EXPECT_NEAR(static_cast<double>(histogram.PercentileNs(50)), 500e3, 500e3 * 0.04);
  EXPECT_NEAR(static_cast<double>(histogram.PercentileNs(100)), 1000e3, 1000e3 * 0.04);
  EXPECT_EQ(histogram.CountUpTo(histogram.MaxNs()), 1000u);
  LatencyHistogram none = histogram;
  none.Subtract(histogram);
  EXPECT_EQ(none.total(), 0u);
}

// Four thousand million calls are a day's work.
TEST(LatencyHistogram, CountsAreWide) {
  EXPECT_GE(sizeof(SharedLatencyHistogram), LatencyBuckets::kCount * sizeof(uint64_t));
  static_assert(sizeof(SharedLatencyHistogram().Get(0)) == sizeof(uint64_t));
}

TEST(ServerStats, SumsOverThreadsAndResets) {
  const Config config;
  ServerStats stats(config, 2);
  std::thread other([&] {
    for (int i = 0; i < 1000; i++) stats.thread(1).CommandDone(kGet, 2000, i % 10 == 0);
  });
  for (int i = 0; i < 500; i++) stats.thread(0).CommandDone(kGet, 4000, false);
  stats.thread(0).CommandRejected(kSet);
  stats.thread(0).CountError("ERR wrong");
  stats.thread(0).CountError("WRONGTYPE Operation");
  stats.thread(0).CountError("ERR other");
  other.join();
  auto commands = stats.CommandsByName();
  EXPECT_EQ(commands["get"].calls, 1500u);
  EXPECT_EQ(commands["get"].usec, 4000u);
  EXPECT_EQ(commands["get"].failed, 100u);
  EXPECT_EQ(commands["get"].latency.total(), 1500u);
  EXPECT_EQ(commands["set"].calls, 0u);
  EXPECT_EQ(commands["set"].rejected, 1u);
  EXPECT_EQ(stats.Total(Counter::kCommands), 1500u);
  EXPECT_EQ(stats.Total(Counter::kErrorReplies), 3u);
  EXPECT_EQ(stats.Errors(), (std::map<std::string, uint64_t>{{"ERR", 2}, {"WRONGTYPE", 1}}));
  for (int round = 0; round < 2; round++) {  // a reset on top of a reset
    stats.Reset();
    EXPECT_EQ(stats.Total(Counter::kCommands), 0u);
    EXPECT_EQ(stats.CommandsByName()["get"].latency.total(), 0u);
    stats.thread(0).CommandDone(kGet, 1000, false);
    commands = stats.CommandsByName();
    EXPECT_EQ(commands["get"].calls, 1u);
    EXPECT_EQ(commands["get"].usec, 1u);
    EXPECT_EQ(commands["get"].latency.total(), 1u);
  }
}

TEST(ServerStats, RatesAreAveraged) {
  const Config config;
  ServerStats stats(config, 1);
  stats.Sample(1000);
  for (int i = 1; i <= 16; i++) {
    for (int j = 0; j < 100; j++) stats.thread(0).CommandDone(kGet, 1, false);
    stats.Sample(1000 + i * 100);
  }
  EXPECT_DOUBLE_EQ(stats.PerSecond(ServerStats::Rate::kOperations), 1000.0);
}

TEST(SlowLog, CutsAndForgets) {
  Config config;
  ASSERT_TRUE(config.LoadText("slowlog-log-slower-than 100\nslowlog-max-len 3", "a test").ok());
  SlowLog log(config);
  EXPECT_FALSE(log.IsSlow(99));
  EXPECT_TRUE(log.IsSlow(100));
  std::vector<std::string_view> many(33, "x");
  const std::string long_argument(129, 'A');
  log.Add(many, 100, "a:1", "me");
  log.Add(std::vector<std::string_view>{"set", long_argument}, 200, "a:1", "me");
  auto entries = log.Get(10);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].args[1], std::string(128, 'A') + "... (1 more bytes)");
  ASSERT_EQ(entries[1].args.size(), 32u);
  EXPECT_EQ(entries[1].args[31], "... (2 more arguments)");
  for (int i = 0; i < 5; i++) log.Add(many, 100, "", "");
  EXPECT_EQ(log.size(), 3u);
  EXPECT_EQ(log.Get(1)[0].id, 6);
  log.Reset();
  EXPECT_EQ(log.size(), 0u);
}

TEST(LatencyEvents, OneSampleASecond) {
  Config config;
  ASSERT_TRUE(config.LoadText("latency-monitor-threshold 10", "a test").ok());
  LatencyEvents events(config);
  EXPECT_FALSE(events.IsLate(9));
  EXPECT_TRUE(events.IsLate(10));
  for (const int64_t ms : {10, 30, 20}) events.Add("command", ms);
  EXPECT_LE(events.History("command").size(), 2u);
  ASSERT_EQ(events.All().size(), 1u);
  EXPECT_EQ(events.All()[0].max_ms, 30);
  EXPECT_EQ(events.Reset(std::vector<std::string_view>{"other"}), 0u);
  EXPECT_EQ(events.Reset(std::vector<std::string_view>{"command"}), 1u);
  EXPECT_TRUE(events.History("command").empty());
}

}  // namespace
}  // namespace cairn
