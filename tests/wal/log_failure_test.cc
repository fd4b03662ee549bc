// A failed write or sync is final for its file, refuses writes, loses nothing, and ends by itself when the disk works again.
#include <atomic>
#include <cerrno>

#include "tests/wal/log_test_support.h"

namespace cairn {
namespace {

FileFault Fault(FileOperation operation, uint64_t count, int error_number = EIO) {
  FileFault fault;
  fault.operation = operation;
  fault.path_part = ".log";
  fault.fail_count = count;
  fault.error_number = error_number;
  return fault;
}

struct FailingLog : LogFixture {
  ManualClock clock;
  std::atomic<int> calls{0};
  std::unique_ptr<LogWriter> log;
  std::string expected;
  uint64_t number = 0;

  explicit FailingLog(FsyncPolicy policy = FsyncPolicy::kAlways) {
    options.clock = &clock;
    options.policy = policy;
    log = Open();
    log->SetCommitListener([this](Lsn) { calls++; });
  }
  Lsn Append(size_t size = 40) {
    expected += TestUnit(number, size);
    return log->Append(TestUnit(number++, size));
  }
  // Lets the manual clock run until `condition` holds.
  bool Within(const std::function<bool()>& condition) {
    return Eventually([&] {
      clock.Advance(20'000);
      return condition();
    });
  }
  void ExpectAllThereAfterCrash() {
    EXPECT_EQ(faulty.syncs_after_failure(), 0u);
    log.reset();
    memory.CrashAndDropUnsynced();
    ASSERT_TRUE(Read().ok());
    EXPECT_EQ(stream, expected);
  }
};

TEST(LogFailure, WritesAreRefusedUntilEverythingIsRewritten) {
  for (const FsyncPolicy policy : {FsyncPolicy::kAlways, FsyncPolicy::kEverySecond}) {
    for (const FileOperation operation : {FileOperation::kSync, FileOperation::kWrite}) {
      FailingLog test(policy);
      const Lsn before = test.Append();
      ASSERT_TRUE(test.Within([&] { return test.log->durable_lsn() == before; }));
      // The file, and the first attempt at a new one.
      FileFault fault = Fault(operation, 2);
      fault.written_bytes = 17;
      test.faulty.AddFault(fault);
      const Lsn lost = test.Append();
      ASSERT_TRUE(test.Within([&] { return test.faulty.failures(operation) == 2; }));
      ASSERT_TRUE(Eventually([&] { return test.log->Admit(10) == Admission::kRefused; }));
      EXPECT_EQ(test.log->durable_lsn(), before);
      EXPECT_FALSE(test.log->WaitDurable(lost).ok());
      EXPECT_FALSE(test.log->refusal_reason().empty());
      EXPECT_TRUE(test.log->stats().refusing);
      EXPECT_FALSE(test.log->stats().last_sync_ok);
      EXPECT_FALSE(test.log->RequestSync().ok());
      // What was admitted before still goes in.
      const Lsn late = test.Append(50'000);
      const int calls = test.calls;
      ASSERT_TRUE(test.Within([&] { return test.log->Admit(10) == Admission::kAdmitted; }));
      ASSERT_TRUE(test.Within([&] { return test.log->durable_lsn() == late; }));
      EXPECT_TRUE(test.log->refusal_reason().empty());
      EXPECT_GT(test.calls, calls);
      const Lsn after = test.Append();
      ASSERT_TRUE(test.Within([&] { return test.log->durable_lsn() == after; }));
      test.ExpectAllThereAfterCrash();
    }
  }
}

TEST(LogFailure, ASingleFailureIsBridgedAtOnce) {
  FailingLog test;
  test.faulty.AddFault(Fault(FileOperation::kSync, 1));
  const Lsn end = test.Append();
  ASSERT_TRUE(test.Within([&] { return test.log->durable_lsn() == end; }));
  EXPECT_EQ(test.log->stats().failed_syncs, 1u);
  EXPECT_EQ(test.log->stats().segments, 2u);
  ASSERT_TRUE(test.log->CloseCleanly().ok());
  test.ExpectAllThereAfterCrash();
  EXPECT_EQ(test.found.end, LogEnd::kClean);
}

TEST(LogFailure, WhatABatchFailsToCommitTheLogThreadRewrites) {
  for (const FileOperation operation : {FileOperation::kSync, FileOperation::kWrite}) {
    FailingLog test;
    test.faulty.AddFault(Fault(operation, 2));
    test.log->BeginBatch();
    const Lsn end = test.Append();
    test.log->EndBatch();
    ASSERT_TRUE(test.Within([&] { return test.faulty.failures(operation) == 2; }));
    ASSERT_TRUE(test.Within([&] { return test.log->durable_lsn() == end; }));
    ASSERT_TRUE(test.Within([&] { return test.log->Admit(10) == Admission::kAdmitted; }));
    test.ExpectAllThereAfterCrash();
  }
}

TEST(LogFailure, ASyncThatFailedButHappenedIsNotTrusted) {
  FailingLog test;
  FileFault fault = Fault(FileOperation::kSync, 1);
  fault.sync_happened = true;
  test.faulty.AddFault(fault);
  const Lsn end = test.Append();
  ASSERT_TRUE(test.Within([&] { return test.log->durable_lsn() == end; }));
  test.Append();
  ASSERT_TRUE(test.log->CloseCleanly().ok());
  test.ExpectAllThereAfterCrash();
}

TEST(LogFailure, WithoutSyncsAFailedWriteIsBridgedToo) {
  FailingLog test(FsyncPolicy::kNo);
  const Lsn first = test.Append();
  ASSERT_TRUE(test.Within([&] { return test.log->durable_lsn() == first; }));
  test.faulty.AddFault(Fault(FileOperation::kWrite, 3));
  const Lsn second = test.Append();
  ASSERT_TRUE(test.Within([&] { return test.log->durable_lsn() == second; }));
  ASSERT_TRUE(test.log->CloseCleanly().ok());
  // Without a loss of power all is there.
  ASSERT_TRUE(test.Read().ok());
  EXPECT_EQ(test.stream, test.expected);
}

TEST(LogFailure, ADirectoryThatCannotBeSyncedFailsARotation) {
  FailingLog test;
  test.Append();
  FileFault fault;
  fault.operation = FileOperation::kSyncDirectory;
  fault.fail_count = 2;
  test.faulty.AddFault(fault);
  ASSERT_TRUE(test.log->RotateSegment().ok());
  ASSERT_TRUE(test.Within([&] { return test.faulty.failures(FileOperation::kSyncDirectory) == 2; }));
  const Lsn end = test.Append();
  ASSERT_TRUE(test.Within([&] { return test.log->durable_lsn() == end; }));
  test.ExpectAllThereAfterCrash();
}

TEST(LogFailure, ASuccessorFrameThatCannotBeWrittenIsNotMissed) {
  FailingLog test;
  ASSERT_TRUE(test.log->WaitDurable(test.Append()).ok());
  // In a rotation: sync of the old, the new one's header and sync, then the old one's last frame.
  FileFault fault = Fault(FileOperation::kWrite, 1);
  fault.let_pass = 1;
  test.faulty.AddFault(fault);
  ASSERT_TRUE(test.log->RotateSegment().ok());
  ASSERT_TRUE(test.Within([&] { return test.faulty.failures(FileOperation::kWrite) == 1; }));
  ASSERT_TRUE(test.log->WaitDurable(test.Append()).ok());
  EXPECT_EQ(test.log->Admit(1), Admission::kAdmitted);
  test.ExpectAllThereAfterCrash();
}

// What is rewritten may be more than a segment takes. The first of them is then a part of the log like any other, and names the one
// that the next failure hits: that one must stay, or the next start misses it.
TEST(LogFailure, ASecondFailureWhileSeveralSegmentsAreRewritten) {
  for (const bool crash_meanwhile : {true, false}) {
    FailingLog test;
    test.log.reset();
    test.options.segment_bytes = 4'096;
    test.options.max_frame_bytes = 256;
    test.log = test.Open();
    const Lsn before = test.Append();
    ASSERT_TRUE(test.Within([&] { return test.log->durable_lsn() == before; }));
    test.faulty.AddFault(Fault(FileOperation::kSync, UINT64_MAX));
    Lsn end = test.Append();
    ASSERT_TRUE(test.Within([&] { return test.log->Admit(10) == Admission::kRefused; }));
    const uint64_t failed_syncs = test.faulty.failures(FileOperation::kSync);
    ASSERT_TRUE(test.Within([&] { return test.faulty.failures(FileOperation::kSync) > failed_syncs; }));
    for (int i = 0; i < 150; i++) end = test.Append();
    // Now the clock stands still. The next attempt writes a header, frames until the segment is full, the next one's header and the
    // frame that names it; the fifth write goes there.
    test.faulty.ClearFaults();
    FileFault fault = Fault(FileOperation::kWrite, 2);
    fault.let_pass = 4;
    test.faulty.AddFault(fault);
    const uint64_t failed_writes = test.faulty.failures(FileOperation::kWrite);
    ASSERT_TRUE(test.Within([&] { return test.faulty.failures(FileOperation::kWrite) > failed_writes; }));
    if (crash_meanwhile) {
      ASSERT_TRUE(test.memory.SyncDirectory("log").ok());  // as a file system may do by itself
      test.log.reset();
      test.memory.CrashAndDropUnsynced();
      const Status read = test.Read();
      ASSERT_TRUE(read.ok()) << read.ToString();
      EXPECT_EQ(test.stream, test.expected.substr(0, test.stream.size()));
      EXPECT_GT(test.stream.size(), 4'096u / 2);
      continue;
    }
    ASSERT_TRUE(test.Within([&] { return test.log->durable_lsn() == end; }));
    test.Append();
    ASSERT_TRUE(test.log->CloseCleanly().ok());
    test.ExpectAllThereAfterCrash();
  }
}

TEST(LogFailure, AFullDiskRefusesAndRecoversByItself) {
  FailingLog test;
  ASSERT_TRUE(test.log->WaitDurable(test.Append()).ok());
  test.memory.SetCapacityBytes(0);
  const Lsn end = test.Append(2'000'000);
  ASSERT_TRUE(test.Within([&] { return test.log->Admit(1) == Admission::kRefused; }));
  EXPECT_NE(test.log->durable_lsn(), end);
  test.memory.SetCapacityBytes(UINT64_MAX);
  ASSERT_TRUE(test.Within([&] { return test.log->Admit(1) == Admission::kAdmitted; }));
  EXPECT_EQ(test.log->durable_lsn(), end);
  test.ExpectAllThereAfterCrash();
}

// A log with a reserve beside it.
struct LogWithReserve : FailingLog {
  static constexpr uint64_t kMegabyte = 1 << 20;
  const std::string reserve = "log/" + std::string(kReserveFileName);

  void Reopen(uint64_t segment_bytes) {
    log.reset();
    options.segment_bytes = segment_bytes;
    log = Open();
  }
  uint64_t ReserveBytes() { return *memory.Exists(reserve) ? *memory.FileSize(reserve) : 0; }
  // Writes, and lets time pass, until the reserve has so many bytes.
  void AwaitReserve(uint64_t bytes) {
    for (int i = 0; i < 3; i++) ASSERT_TRUE(log->WaitDurable(Append(400'000)).ok());
    ASSERT_TRUE(Eventually([&] {
      if (ReserveBytes() < bytes) clock.Advance(60'000);
      return log->WaitDurable(Append(10)).ok() && ReserveBytes() >= bytes;
    }));
  }
  // What was let in before the disk was full is durable; new writes wait for room, and go on when it is there.
  void FillTheDiskAndMakeRoom(uint64_t capacity_bytes = UINT64_MAX) {
    memory.SetCapacityBytes(0);
    Lsn end = 0;
    ASSERT_TRUE(Within([&] {
      if (log->Admit(1) == Admission::kAdmitted) end = Append(5'000);
      return log->Admit(1) == Admission::kRefused;
    }));
    ASSERT_TRUE(Within([&] { return log->durable_lsn() == end; }));
    EXPECT_EQ(log->Admit(1), Admission::kRefused);
    EXPECT_FALSE(log->refusal_reason().empty());
    memory.SetCapacityBytes(capacity_bytes);
    ASSERT_TRUE(Within([&] { return log->Admit(1) == Admission::kAdmitted; }));
    ASSERT_TRUE(log->WaitDurable(Append()).ok());
    ExpectAllThereAfterCrash();
  }
};

TEST(LogFailure, TheReserveTakesWhatWasAdmitted) {
  LogWithReserve test;
  test.Reopen(64 << 10);
  test.AwaitReserve(64 << 10);
  test.clock.Advance(60'000);
  ASSERT_TRUE(test.log->WaitDurable(test.Append(10)).ok());

  test.FillTheDiskAndMakeRoom();
}

// A disk may be full before the reserve is whole.
TEST(LogFailure, AReserveThatStillGrowsIsUsed) {
  LogWithReserve test;
  test.Reopen(8 * LogWithReserve::kMegabyte);
  test.AwaitReserve(LogWithReserve::kMegabyte);
  ASSERT_LT(test.ReserveBytes(), test.options.segment_bytes);
  // It is synced as it grows: commits would wait for a sync of all of it.
  ASSERT_TRUE(Eventually([&] { return test.faulty.synced_bytes(test.reserve) == test.ReserveBytes(); }));
  test.FillTheDiskAndMakeRoom();
}

// ... or while it grows, which is tried again with the next segment.
TEST(LogFailure, AReserveThatFoundNoRoomToGrowIsUsed) {
  for (const bool tried_again : {false, true}) {
    LogWithReserve test;
    test.Reopen(8 * LogWithReserve::kMegabyte);
    test.AwaitReserve(LogWithReserve::kMegabyte);
    FileFault fault = Fault(FileOperation::kZeroFill, UINT64_MAX, ENOSPC);
    fault.path_part = kReserveFileName;
    test.faulty.AddFault(fault);
    test.clock.Advance(60'000);
    ASSERT_TRUE(test.log->WaitDurable(test.Append(10)).ok());
    ASSERT_TRUE(Eventually([&] { return test.faulty.failures(FileOperation::kZeroFill) > 0; }));
    test.faulty.ClearFaults();
    if (tried_again) {
      ASSERT_TRUE(test.log->RotateSegment().ok());
      test.AwaitReserve(2 * LogWithReserve::kMegabyte);
    }
    test.FillTheDiskAndMakeRoom();
  }
}

// ... however soon after a new segment it was spent.
TEST(LogFailure, ASpentReserveComesBack) {
  LogWithReserve test;
  test.Reopen(8 * LogWithReserve::kMegabyte);
  test.AwaitReserve(LogWithReserve::kMegabyte);
  const uint64_t segments = test.log->stats().segments;
  ASSERT_TRUE(test.log->RotateSegment().ok());
  ASSERT_TRUE(Eventually([&] { return test.log->stats().segments == segments + 1; }));
  test.FillTheDiskAndMakeRoom();
  EXPECT_EQ(test.ReserveBytes(), test.options.segment_bytes);
}

TEST(LogFailure, ASmallDiskGetsASmallReserve) {
  LogWithReserve test;
  test.memory.SetCapacityBytes(20 * LogWithReserve::kMegabyte);
  test.Reopen(64 * LogWithReserve::kMegabyte);
  test.AwaitReserve(LogWithReserve::kMegabyte);
  EXPECT_LT(test.ReserveBytes(), 3 * LogWithReserve::kMegabyte);
  test.FillTheDiskAndMakeRoom(20 * LogWithReserve::kMegabyte);
}

// Also where the disk has become so full meanwhile that no new one could be made.
TEST(LogFailure, AReserveLeftByAnEarlierStartIsTakenOver) {
  LogWithReserve test;
  test.Reopen(LogWithReserve::kMegabyte);
  test.AwaitReserve(LogWithReserve::kMegabyte);
  ASSERT_TRUE(test.log->CloseCleanly().ok());
  test.Reopen(LogWithReserve::kMegabyte);
  test.memory.SetCapacityBytes(4 * LogWithReserve::kMegabyte);
  test.clock.Advance(60'000);
  ASSERT_TRUE(test.log->WaitDurable(test.Append(10)).ok());
  test.clock.Advance(60'000);
  ASSERT_TRUE(test.log->WaitDurable(test.Append(10)).ok());
  test.FillTheDiskAndMakeRoom();
}

TEST(LogFailure, ClosingOnABrokenDiskSaysSo) {
  FailingLog test;
  test.faulty.AddFault(Fault(FileOperation::kSync, UINT64_MAX));
  test.Append();
  EXPECT_FALSE(test.log->CloseCleanly().ok());
  EXPECT_EQ(test.faulty.syncs_after_failure(), 0u);
  EXPECT_FALSE(test.log->CloseCleanly().ok());
}

TEST(LogFailure, ClosingTriesOnceMore) {
  for (const size_t size : {size_t{40}, size_t{50'000}}) {
    FailingLog test;
    test.faulty.AddFault(Fault(FileOperation::kSync, 2));
    test.Append(size);
    test.Append(size);
    ASSERT_TRUE(Eventually([&] { return test.faulty.failures(FileOperation::kSync) == 2; }));
    ASSERT_TRUE(Eventually([&] { return test.log->Admit(1) == Admission::kRefused; }));
    test.Append(size);
    ASSERT_TRUE(test.log->CloseCleanly().ok());
    test.ExpectAllThereAfterCrash();
    EXPECT_EQ(test.found.end, LogEnd::kClean);
  }
}

TEST(LogFailure, OpeningOnABrokenDiskSaysSo) {
  for (const FileOperation operation : {FileOperation::kOpen, FileOperation::kWrite, FileOperation::kSync}) {
    LogFixture fixture;
    ASSERT_TRUE(fixture.Recover().ok());
    fixture.faulty.AddFault(Fault(operation, UINT64_MAX, ENOSPC));
    auto log = LogWriter::Open(fixture.options, 0, fixture.found);
    EXPECT_EQ(log.status().code(), StatusCode::kNoSpace);
    EXPECT_TRUE(fixture.SegmentPaths().empty());
  }
}

TEST(LogFailure, SwitchingOffOnABrokenDiskWorks) {
  FailingLog test;
  test.faulty.AddFault(Fault(FileOperation::kWrite, UINT64_MAX));
  test.Append();
  ASSERT_TRUE(test.Within([&] { return test.log->Admit(1) == Admission::kRefused; }));
  EXPECT_FALSE(test.log->Disable().ok());
  EXPECT_FALSE(test.log->enabled());
  EXPECT_EQ(test.log->Admit(1), Admission::kAdmitted);
  test.log->Append("x");
  EXPECT_EQ(test.log->durable_lsn(), test.log->end_lsn());
  EXPECT_FALSE(test.log->Enable().ok());
  EXPECT_FALSE(test.log->enabled());
  test.log->Append("x");
  EXPECT_EQ(test.log->durable_lsn(), test.log->end_lsn());
  test.faulty.ClearFaults();
  EXPECT_TRUE(test.log->Enable().ok());
  EXPECT_TRUE(test.log->WaitDurable(test.log->Append("y")).ok());
}

// What is being rewritten has no name yet that a start would find: the segment that it is to replace is the newest there is.
TEST(LogFailure, ADropLeavesWhatAnUnfinishedReplacementIsToReplace) {
  LogFixture fixture;
  std::atomic<LogWriter*> dropping{nullptr};
  std::atomic<Lsn> cut{0};
  std::atomic<bool> dropped{false};
  fixture.faulty.SetHook([&](FileOperation operation, const std::string& path) {
    if (operation != FileOperation::kSync || !path.ends_with(kReplacementSuffix)) return;
    LogWriter* log = dropping.exchange(nullptr);
    if (log == nullptr) return;
    EXPECT_TRUE(log->DropSegmentsBefore(cut).ok());
    dropped = true;
  });
  auto log = fixture.Open();
  ASSERT_TRUE(log->WaitDurable(log->Append(TestUnit(1, 40))).ok());
  cut = log->Cut();
  const uint64_t newest = log->newest_file_id();
  const std::string newest_path = JoinPath("log", SegmentFileName(newest));
  fixture.faulty.AddFault(Fault(FileOperation::kSync, UINT64_MAX));
  dropping = log.get();
  const Lsn end = log->Append(TestUnit(2, 40));
  ASSERT_TRUE(Eventually([&] { return dropped.load(); }));
  EXPECT_TRUE(*fixture.memory.Exists(newest_path));
  EXPECT_EQ(log->newest_file_id(), newest);

  // When the replacement is a part of the log, it may be dropped.
  fixture.faulty.ClearFaults();
  ASSERT_TRUE(Eventually([&] { return log->durable_lsn() == end; }));
  EXPECT_GT(log->newest_file_id(), newest);
  ASSERT_TRUE(log->DropSegmentsBefore(cut).ok());
  EXPECT_FALSE(*fixture.memory.Exists(newest_path));
  log.reset();
  fixture.memory.CrashAndDropUnsynced();
  ASSERT_TRUE(fixture.Read(cut).ok());
  EXPECT_EQ(fixture.stream, TestUnit(2, 40));
}

}  // namespace
}  // namespace cairn
