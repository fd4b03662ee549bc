// Many appenders, one log thread, and everybody who looks on.
#include <atomic>
#include <thread>

#include "tests/wal/log_test_support.h"

namespace cairn {
namespace {

TEST(LogThreads, AppendersOfAllKindsAtOnce) {
  for (const FsyncPolicy policy : {FsyncPolicy::kAlways, FsyncPolicy::kEverySecond, FsyncPolicy::kNo}) {
    LogFixture fixture;
    fixture.options.policy = policy;
    fixture.options.segment_bytes = 300'000;
    fixture.options.group_commit_wait_us = 200;
    auto log = fixture.Open();
    std::atomic<Lsn> last_told{0};
    std::atomic<uint64_t> told{0};
    log->SetCommitListener([&](Lsn durable) {
      EXPECT_GE(durable, last_told.exchange(durable));
      EXPECT_LE(durable, log->durable_lsn());
      told++;
    });
    constexpr int kThreads = 4;
    constexpr uint64_t kUnits = 1'500;
    std::atomic<bool> done{false};
    std::thread watcher([&] {
      while (!done) {
        (void)log->stats();
        EXPECT_LE(log->durable_lsn(), log->end_lsn());
        (void)log->DropSegmentsBefore(0);
        if (policy == FsyncPolicy::kAlways) (void)log->RotateSegment();
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    });
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; t++) {
      threads.emplace_back([&, t] {
        Random random(static_cast<uint64_t>(t) + 1);
        for (uint64_t i = 0; i < kUnits; i++) {
          const uint64_t number = static_cast<uint64_t>(t) * kUnits + i;
          const std::string unit = TestUnit(number, random.OneIn(50) ? 20'000 : random.Uniform(100));
          while (log->Admit(unit.size()) != Admission::kAdmitted) std::this_thread::yield();
          Lsn end;
          if (random.OneIn(4)) {
            const SharedBytes owned = SharedBytes::Copy(unit);
            const LogPiece pieces[] = {{owned.view().substr(0, 3), {}}, {owned.view().substr(3), owned}};
            end = log->Append(pieces);
          } else {
            end = log->Append(unit);
          }
          if (random.OneIn(500)) EXPECT_TRUE(log->WaitDurable(end).ok());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(log->WaitDurable(log->end_lsn()).ok());
    done = true;
    watcher.join();
    EXPECT_TRUE(log->CloseCleanly().ok());
    EXPECT_EQ(last_told, log->end_lsn());
    EXPECT_GT(told, 0u);
    ASSERT_TRUE(fixture.Read().ok());
    std::vector<uint64_t> numbers;
    ASSERT_TRUE(ParseUnits(fixture.stream, &numbers));
    ASSERT_EQ(numbers.size(), kThreads * kUnits);
    std::vector<uint64_t> next(kThreads, 0);
    for (const uint64_t number : numbers) {
      ASSERT_EQ(number % kUnits, next[number / kUnits]++);
    }
  }
}

TEST(LogThreads, ASmallBatchIsDurableWhenItEnds) {
  LogFixture fixture;
  auto log = fixture.Open();
  std::string expected;
  int durable_at_end = 0;
  for (uint64_t i = 0; i < 200; i++) {
    log->BeginBatch();
    Lsn end = 0;
    for (uint64_t unit = 0; unit <= i % 5; unit++) {
      expected += TestUnit(i * 10 + unit, 30);
      end = log->Append(TestUnit(i * 10 + unit, 30));
    }
    log->EndBatch();
    if (log->durable_lsn() == end) durable_at_end++;
    ASSERT_TRUE(log->WaitDurable(end).ok());
  }
  // Sometimes the log thread is about to look at the same moment.
  EXPECT_GT(durable_at_end, 100);
  log->BeginBatch();
  log->EndBatch();
  // Whoever waits in the middle of a batch is not kept waiting for its end.
  log->BeginBatch();
  expected += TestUnit(5'000, 30);
  const Lsn within = log->Append(TestUnit(5'000, 30));
  std::thread([&] { EXPECT_TRUE(log->WaitDurable(within).ok()); }).join();
  log->EndBatch();
  EXPECT_TRUE(log->CloseCleanly().ok());
  ASSERT_TRUE(fixture.Read().ok());
  EXPECT_EQ(fixture.stream, expected);
}

TEST(LogThreads, BatchesOfSeveralThreads) {
  LogFixture fixture;
  fixture.options.segment_bytes = 100'000;
  auto log = fixture.Open();
  constexpr int kThreads = 3;
  constexpr uint64_t kUnits = 6'000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([&, t] {
      Random random(static_cast<uint64_t>(t) + 1);
      for (uint64_t i = 0; i < kUnits;) {
        const uint64_t until = std::min(kUnits, i + 1 + random.Uniform(LogWriter::kBatchUnitsMost + 20));
        Lsn end = 0;
        log->BeginBatch();
        for (; i < until; i++) {
          end = log->Append(TestUnit(static_cast<uint64_t>(t) * kUnits + i, random.OneIn(200) ? 20'000 : random.Uniform(100)));
        }
        log->EndBatch();
        // Whoever commits it, and without another append to wake anybody.
        EXPECT_TRUE(log->WaitDurable(end).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(log->CloseCleanly().ok());
  ASSERT_TRUE(fixture.Read().ok());
  std::vector<uint64_t> numbers;
  ASSERT_TRUE(ParseUnits(fixture.stream, &numbers));
  ASSERT_EQ(numbers.size(), kThreads * kUnits);
  std::vector<uint64_t> next(kThreads, 0);
  for (const uint64_t number : numbers) ASSERT_EQ(number % kUnits, next[number / kUnits]++);
}

TEST(LogThreads, LsnsThatEachThreadCountsAddUp) {
  LogFixture fixture;
  auto log = fixture.Open();
  uint64_t expected = log->end_lsn();
  constexpr int kThreads = 3;
  for (int round = 0; round < 3; round++) {
    ASSERT_TRUE(log->Disable().ok());
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; t++) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1'000; i++) EXPECT_LE(log->Append(0, "twelve bytes"), log->durable_lsn());
      });
    }
    for (std::thread& thread : threads) thread.join();
    expected += kThreads * 1'000 * 12;
    EXPECT_EQ(log->end_lsn(), expected);
    ASSERT_TRUE(log->Enable().ok());
    EXPECT_EQ(log->end_lsn(), expected);
    EXPECT_EQ(log->durable_lsn(), expected);
    expected = log->Append("kept");
    EXPECT_TRUE(log->WaitDurable(expected).ok());
  }
  EXPECT_TRUE(log->CloseCleanly().ok());
}

TEST(LogThreads, SwitchingWhileAppending) {
  LogFixture fixture;
  auto log = fixture.Open();
  std::atomic<bool> done{false};
  std::thread appender([&] {
    for (uint64_t i = 0; !done; i++) {
      const Lsn end = log->Append(0, TestUnit(i, i % 200 == 0 ? 30'000 : 20));
      if (i % 50 == 0) EXPECT_TRUE(log->WaitDurable(end).ok());
    }
  });
  for (int i = 0; i < 20; i++) {
    EXPECT_TRUE(log->Disable().ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(log->Enable().ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  done = true;
  appender.join();
  const Lsn end = log->end_lsn();
  EXPECT_TRUE(log->WaitDurable(end).ok());
  EXPECT_EQ(log->durable_lsn(), end);
  EXPECT_TRUE(log->CloseCleanly().ok());
  const Lsn from = ListSegments(fixture.memory, "log")->chain.back().header.continues_from;
  ASSERT_TRUE(fixture.Read(from).ok());
  EXPECT_EQ(fixture.found.end_lsn, end);
}

TEST(LogThreads, ALogIsReadWhileItIsWritten) {
  LogFixture fixture;
  fixture.options.segment_bytes = 100'000;
  auto log = fixture.Open();
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) {
      std::string stream;
      LogRecoveryResult found;
      const Lsn durable = log->durable_lsn();
      const auto take = [&](const LogFrame& frame) {
        stream.append(frame.payload);
        return Status::Ok();
      };
      const Status status = ReadLogUntil(fixture.options, 0, durable, take, &found);
      EXPECT_TRUE(status.ok()) << status.ToString();
      EXPECT_EQ(stream.size(), durable);
      std::vector<uint64_t> numbers;
      EXPECT_TRUE(ParseUnits(stream, &numbers));
    }
  });
  for (uint64_t i = 0; i < 400; i++) {
    const Lsn end = log->Append(TestUnit(i, i % 20 == 0 ? 40'000 : 100));
    if (i % 8 == 0) ASSERT_TRUE(log->WaitDurable(end).ok());
  }
  done = true;
  reader.join();
  EXPECT_TRUE(log->CloseCleanly().ok());
}

}  // namespace
}  // namespace cairn
