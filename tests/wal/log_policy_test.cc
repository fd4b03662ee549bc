// Switching the policy while the log runs, and syncs that somebody asked for.
#include <atomic>

#include "tests/wal/log_test_support.h"

namespace cairn {
namespace {

struct SwitchedLog : GatedLog {
  uint64_t number = 0;

  explicit SwitchedLog(FsyncPolicy policy, FileOperation operation = FileOperation::kSync) : GatedLog(policy, operation) {}
  void Append() { log->Append(TestUnit(number++, 40)); }
  bool AllIsDurable() {
    return Eventually([&] { return log->durable_lsn() == log->end_lsn(); }, 3'000);
  }
  bool AllIsSynced() {
    return Eventually([&] { return log->stats().synced_lsn == log->end_lsn(); }, 3'000);
  }
  // Appends a unit that is written and not synced.
  void AppendUnsynced() {
    const uint64_t groups = log->stats().groups;
    Append();
    ASSERT_TRUE(Eventually([&] { return log->stats().groups > groups; }));
    EXPECT_LT(log->stats().synced_lsn, log->end_lsn());
  }
  // Long enough for the log thread to find that there is nothing to do for now, or for ever.
  void LetItSleep(bool for_ever) {
    if (for_ever) clock.Advance(2'000'000);
    std::this_thread::sleep_for(std::chrono::milliseconds(for_ever ? 400 : 200));
  }
};

TEST(LogPolicy, WithoutSyncsWhatWasWrittenBeforeTheSwitchIsReleased) {
  for (const bool from_always : {false, true}) {
    SwitchedLog test(from_always ? FsyncPolicy::kAlways : FsyncPolicy::kEverySecond);
    test.Append();
    if (from_always) ASSERT_TRUE(test.AllIsDurable());
    test.log->SetPolicy(FsyncPolicy::kEverySecond);
    test.AppendUnsynced();
    EXPECT_LT(test.log->durable_lsn(), test.log->end_lsn());
    const uint64_t syncs = test.log->stats().syncs;
    test.log->SetPolicy(FsyncPolicy::kNo);
    EXPECT_TRUE(test.AllIsDurable());
    EXPECT_EQ(test.log->stats().syncs, syncs);
    ASSERT_TRUE(test.log->CloseCleanly().ok());
  }
}

// The switch comes after the step has looked at the policy, and before it would have another reason to look again.
TEST(LogPolicy, ASwitchInTheMiddleOfACommitLeavesNothingBehind) {
  for (const FsyncPolicy before : {FsyncPolicy::kAlways, FsyncPolicy::kEverySecond, FsyncPolicy::kNo}) {
    for (const FsyncPolicy after : {FsyncPolicy::kAlways, FsyncPolicy::kEverySecond, FsyncPolicy::kNo}) {
      for (const FileOperation operation : {FileOperation::kWrite, FileOperation::kSync}) {
        if (before != FsyncPolicy::kAlways && operation == FileOperation::kSync) continue;
        SwitchedLog test(before, operation);
        test.gate.Close();
        test.Append();
        ASSERT_TRUE(Eventually([&] { return test.gate.Blocked(); }));
        test.log->SetPolicy(after);
        test.gate.Open();
        if (after == FsyncPolicy::kEverySecond) test.clock.Advance(600'000);
        EXPECT_TRUE(test.AllIsDurable()) << static_cast<int>(before) << " to " << static_cast<int>(after);
        if (after != FsyncPolicy::kNo) EXPECT_TRUE(test.AllIsSynced());
      }
    }
  }
}

TEST(LogPolicy, ASwitchWakesASleepingLog) {
  for (const FsyncPolicy after : {FsyncPolicy::kAlways, FsyncPolicy::kEverySecond}) {
    for (const bool for_ever : {false, true}) {
      SwitchedLog test(FsyncPolicy::kNo);
      test.AppendUnsynced();
      ASSERT_TRUE(test.AllIsDurable());
      test.LetItSleep(for_ever);
      test.log->SetPolicy(after);
      EXPECT_TRUE(test.AllIsSynced());
      EXPECT_EQ(test.log->Admit(1), Admission::kAdmitted);
    }
  }
}

// Who reads by the new policy may not be shown what only the system's cache holds.
TEST(LogPolicy, WhatNoSyncHasReachedIsNotDurableByAStricterPolicy) {
  for (const FsyncPolicy after : {FsyncPolicy::kAlways, FsyncPolicy::kEverySecond}) {
    SwitchedLog test(FsyncPolicy::kNo);
    test.AppendUnsynced();
    ASSERT_TRUE(test.AllIsDurable());
    test.gate.Close();
    test.log->SetPolicy(after);
    EXPECT_LT(test.log->durable_lsn(), test.log->end_lsn());
    ASSERT_TRUE(Eventually([&] { return test.gate.Blocked(); }));
    Lsn end = 0;
    EXPECT_FALSE(test.log->VisitUndurable([](std::string_view) { FAIL() << "not all of it is known"; }, &end));
    test.gate.Open();
    EXPECT_TRUE(test.AllIsDurable());
    EXPECT_TRUE(test.AllIsSynced());
    ASSERT_TRUE(test.log->CloseCleanly().ok());
  }
}

TEST(LogPolicy, ASyncThatIsAskedForDuringACommitComesAfterIt) {
  for (const int units : {1, 400}) {  // of the second kind more than fit into a segment
    SwitchedLog test(FsyncPolicy::kNo, FileOperation::kWrite);
    test.gate.Close();
    test.Append();
    ASSERT_TRUE(Eventually([&] { return test.gate.Blocked(); }));
    for (int i = 0; i < units; i++) test.Append();
    ASSERT_TRUE(test.log->RequestSync().ok());
    test.gate.Open();
    EXPECT_TRUE(test.AllIsSynced()) << units;
    ASSERT_TRUE(test.log->CloseCleanly().ok());
  }
}

TEST(LogPolicy, ASyncThatIsAskedForAndFailsIsMadeUpFor) {
  SwitchedLog test(FsyncPolicy::kNo);
  test.AppendUnsynced();
  ASSERT_TRUE(test.AllIsDurable());
  FileFault fault;
  fault.operation = FileOperation::kSync;
  fault.path_part = ".log";
  test.faulty.AddFault(fault);
  ASSERT_TRUE(test.log->RequestSync().ok());
  EXPECT_TRUE(test.AllIsSynced());
  EXPECT_EQ(test.log->stats().failed_syncs, 1u);
  // What is appended later was not asked for.
  test.LetItSleep(false);
  test.AppendUnsynced();
  ASSERT_TRUE(test.AllIsDurable());
  EXPECT_LT(test.log->stats().synced_lsn, test.log->end_lsn());
}

}  // namespace
}  // namespace cairn
