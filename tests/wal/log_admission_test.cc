// Promise P2, and the bound on memory: when writes are admitted, wait and are refused while the disk takes its time.
#include <atomic>

#include "tests/wal/log_test_support.h"

namespace cairn {
namespace {

// One that syncs every second, and how often its listener was called.
struct EverySecondLog : GatedLog {
  std::atomic<int> calls{0};

  explicit EverySecondLog(FileOperation operation = FileOperation::kSync, FsyncPolicy policy = FsyncPolicy::kEverySecond)
      : GatedLog(policy, operation) {
    log->SetCommitListener([this](Lsn) { calls++; });
  }
  ~EverySecondLog() {
    gate.Open();
    log.reset();  // before what its listener counts
  }
  bool Answers(Admission expected) {
    return Eventually([&] { return log->Admit(1) == expected; });
  }
  bool AllIsDurable() {
    return Eventually([&] { return log->durable_lsn() == log->end_lsn(); });
  }
};

TEST(LogEverySecond, AcknowledgedWritesOlderThanASecondStopTheNext) {
  EverySecondLog test;
  test.gate.Close();
  test.log->Append(TestUnit(1, 10));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(test.log->durable_lsn(), 0u);
  EXPECT_EQ(test.log->Admit(1), Admission::kAdmitted);

  // At half a second the sync begins; until a second is over nobody waits.
  test.clock.Advance(600'000);
  ASSERT_TRUE(Eventually([&] { return test.gate.Blocked(); }));
  EXPECT_EQ(test.log->Admit(1), Admission::kAdmitted);
  test.clock.Advance(399'000);
  EXPECT_EQ(test.log->Admit(1), Admission::kAdmitted);
  test.clock.Advance(2'000);
  EXPECT_EQ(test.log->Admit(1), Admission::kWait);
  EXPECT_TRUE(test.log->refusal_reason().empty());
  ASSERT_TRUE(Eventually([&] { return test.calls == 1; })) << "the monitor tells that writes wait";
  EXPECT_EQ(test.log->stats().delayed_syncs, 1u);
  test.clock.Advance(2'900'000);
  EXPECT_EQ(test.log->Admit(1), Admission::kWait);
  test.clock.Advance(200'000);
  EXPECT_EQ(test.log->Admit(1), Admission::kRefused);
  EXPECT_FALSE(test.log->refusal_reason().empty());
  ASSERT_TRUE(Eventually([&] { return test.calls == 2; })) << "the monitor tells that writes are refused";

  test.gate.Open();
  ASSERT_TRUE(test.AllIsDurable());
  ASSERT_TRUE(test.Answers(Admission::kAdmitted));
  EXPECT_GE(test.calls, 3);
  EXPECT_TRUE(test.log->refusal_reason().empty());
  ASSERT_TRUE(test.log->CloseCleanly().ok());
}

// A call that the log makes while all is durable may hang as well as any other; what is appended then is not durable either.
TEST(LogEverySecond, NoCallIntoTheDiskIsUnwatched) {
  enum class Cause { kIdle, kRotation };
  struct Hang {
    Cause cause;
    FileOperation operation;
    uint64_t let_pass;  // calls of the operation that come before
    const char* what;
  };
  const Hang hangs[] = {
      {Cause::kIdle, FileOperation::kWrite, 0, "the mark's write"},
      {Cause::kIdle, FileOperation::kSync, 0, "the mark's sync"},
      {Cause::kRotation, FileOperation::kSync, 0, "the old segment's sync"},
      {Cause::kRotation, FileOperation::kOpen, 0, "the new segment's creation"},
      {Cause::kRotation, FileOperation::kWrite, 0, "the new segment's header"},
      {Cause::kRotation, FileOperation::kSync, 1, "the new segment's sync"},
      {Cause::kRotation, FileOperation::kSyncDirectory, 0, "the directory's sync"},
      {Cause::kRotation, FileOperation::kWrite, 1, "the frame that names the successor"},
      {Cause::kRotation, FileOperation::kSync, 2, "the old segment's last sync"},
      {Cause::kRotation, FileOperation::kZeroFill, 0, "the reserve's growth"},
  };
  for (const Hang& hang : hangs) {
    SCOPED_TRACE(hang.what);
    EverySecondLog test(hang.operation);
    test.log->Append(TestUnit(1, 10));
    ASSERT_TRUE(test.log->RequestSync().ok());
    ASSERT_TRUE(test.AllIsDurable());
    test.gate.LetPass(hang.let_pass);
    if (hang.cause == Cause::kIdle) {
      test.clock.Advance(1'100'000);
    } else {
      ASSERT_TRUE(test.log->RotateSegment().ok());
    }
    ASSERT_TRUE(Eventually([&] { return test.gate.Blocked(); }));
    test.calls = 0;

    EXPECT_EQ(test.log->Admit(1), Admission::kAdmitted);
    test.log->Append(TestUnit(2, 10));
    test.clock.Advance(900'000);
    EXPECT_EQ(test.log->Admit(1), Admission::kAdmitted);
    test.clock.Advance(150'000);
    ASSERT_TRUE(test.Answers(Admission::kWait));
    ASSERT_TRUE(Eventually([&] { return test.calls == 1; })) << "the monitor tells that writes wait";
    test.clock.Advance(3'000'000);
    ASSERT_TRUE(test.Answers(Admission::kRefused));
    EXPECT_FALSE(test.log->refusal_reason().empty());
    ASSERT_TRUE(Eventually([&] { return test.calls == 2; })) << "the monitor tells that writes are refused";

    test.gate.Open();
    ASSERT_TRUE(test.AllIsDurable());
    ASSERT_TRUE(test.Answers(Admission::kAdmitted));
    ASSERT_TRUE(Eventually([&] { return test.calls >= 3; })) << "who waits is told that the disk works again";
    ASSERT_TRUE(test.log->CloseCleanly().ok());
  }
}

// What came while the disk hung in something else is as old as it is when the hang ends.
TEST(LogEverySecond, WhatCameDuringAHangIsNotYoungAfterIt) {
  EverySecondLog test(FileOperation::kZeroFill);
  test.log->Append(TestUnit(1, 10));
  ASSERT_TRUE(test.log->RequestSync().ok());
  ASSERT_TRUE(test.AllIsDurable());
  test.gate.Close();
  ASSERT_TRUE(test.log->RotateSegment().ok());
  ASSERT_TRUE(Eventually([&] { return test.gate.Blocked(); }));
  test.log->Append(TestUnit(2, 10));
  test.clock.Advance(3'000'000);
  ASSERT_TRUE(test.Answers(Admission::kWait));
  // Until it is durable nothing else is let in.
  const Lsn end = test.log->end_lsn();
  test.gate.Open();
  while (test.log->Admit(1) == Admission::kWait) std::this_thread::yield();
  EXPECT_EQ(test.log->durable_lsn(), end);
}

// Calls that are slow but succeed each begin anew: what is appended during the second is not as old as the first.
TEST(LogEverySecond, ASlowCallDoesNotCountForTheNext) {
  EverySecondLog test;
  test.log->Append(TestUnit(1, 10));
  ASSERT_TRUE(test.log->RequestSync().ok());
  ASSERT_TRUE(test.AllIsDurable());
  const uint64_t syncs = test.log->stats().syncs;
  test.gate.Close();
  ASSERT_TRUE(test.log->RotateSegment().ok());
  ASSERT_TRUE(Eventually([&] { return test.gate.Blocked(); }));
  test.clock.Advance(700'000);
  test.gate.LetPass(1);
  ASSERT_TRUE(Eventually([&] { return test.log->stats().syncs > syncs && test.gate.Blocked(); }));
  test.log->Append(TestUnit(2, 10));
  test.clock.Advance(700'000);
  std::this_thread::sleep_for(std::chrono::milliseconds(150));  // the monitor looks
  EXPECT_EQ(test.log->Admit(1), Admission::kAdmitted);
  test.clock.Advance(350'000);
  EXPECT_TRUE(test.Answers(Admission::kWait));
}

TEST(LogEverySecond, AnIdleLogAdmits) {
  EverySecondLog test;
  test.log->Append(TestUnit(1, 10));
  ASSERT_TRUE(test.log->RequestSync().ok());
  ASSERT_TRUE(test.AllIsDurable());
  // Long enough for the log thread to sleep until an append, once the mark is written.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const uint64_t syncs = test.log->stats().syncs;
  test.clock.Advance(1'100'000);
  ASSERT_TRUE(Eventually([&] { return test.log->stats().syncs > syncs; })) << "the mark";
  // The monitor looks on.
  for (int i = 0; i < 3; i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    test.clock.Advance(10'000'000);
  }
  EXPECT_TRUE(test.Answers(Admission::kAdmitted));
  std::this_thread::sleep_for(std::chrono::milliseconds(120));
  EXPECT_EQ(test.log->Admit(1), Admission::kAdmitted);
}

TEST(LogEverySecond, APolicyThatComesWhileTheDiskHangsCounts) {
  for (const FsyncPolicy before : {FsyncPolicy::kAlways, FsyncPolicy::kNo}) {
    EverySecondLog test(before == FsyncPolicy::kAlways ? FileOperation::kSync : FileOperation::kWrite, before);
    test.gate.Close();
    test.log->Append(TestUnit(1, 10));
    ASSERT_TRUE(Eventually([&] { return test.gate.Blocked(); }));
    test.clock.Advance(2'000'000);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(test.log->Admit(1), Admission::kAdmitted);
    test.log->SetPolicy(FsyncPolicy::kEverySecond);
    EXPECT_TRUE(test.Answers(Admission::kWait));
    test.gate.Open();
    EXPECT_TRUE(test.Answers(Admission::kAdmitted));
  }
}

// A group that is longer than a segment is synced in parts; what is left of it is no younger for that.
TEST(LogEverySecond, ARotationMakesTheRestOfAGroupNoYounger) {
  EverySecondLog test;
  test.gate.Close();
  test.log->Append(TestUnit(1, 10));
  test.clock.Advance(600'000);
  ASSERT_TRUE(Eventually([&] { return test.gate.Blocked(); }));
  for (uint64_t i = 2; i < 150; i++) test.log->Append(TestUnit(i, 60));
  test.clock.Advance(2'000'000);
  ASSERT_TRUE(test.Answers(Admission::kWait));
  // The sync that hung, and the next one, of as much of the rest as fits into the segment; then the new segment's hangs.
  test.gate.LetPass(2);
  ASSERT_TRUE(Eventually([&] { return test.log->stats().segments == 1 && test.log->stats().syncs == 2 && test.gate.Blocked(); }));
  EXPECT_EQ(test.log->Admit(1), Admission::kWait);
  test.gate.Open();
  ASSERT_TRUE(test.AllIsDurable());
  ASSERT_TRUE(test.Answers(Admission::kAdmitted));
}

TEST(LogAdmission, MemoryIsBounded) {
  LogFixture fixture;
  DiskGate gate;
  fixture.options.max_undurable_bytes = 100'000;
  fixture.faulty.SetHook([&](FileOperation operation, const std::string& path) {
    if (operation == FileOperation::kSync && path.ends_with(".log")) gate.Pass();
  });
  auto log = fixture.Open();
  gate.Close();
  int admitted = 0;
  while (log->Admit(1000) == Admission::kAdmitted) {
    log->Append(TestUnit(1, 1000));
    ASSERT_LT(++admitted, 200);
  }
  EXPECT_GE(admitted, 95);
  EXPECT_EQ(log->Admit(1000), Admission::kWait);
  gate.Open();
  ASSERT_TRUE(log->WaitDurable(log->end_lsn()).ok());
  // One larger than the bound is admitted when there is little else.
  EXPECT_EQ(log->Admit(10'000'000), Admission::kAdmitted);
  ASSERT_TRUE(log->CloseCleanly().ok());
}

}  // namespace
}  // namespace cairn
