// What is appended is read back: units, databases, segments, switching, positions.
#include "tests/wal/log_test_support.h"

namespace cairn {
namespace {

TEST(Log, AFreshDirectoryIsAnEmptyLogThatEndedCleanly) {
  LogFixture fixture;
  ASSERT_TRUE(fixture.Read(17).ok());
  EXPECT_EQ(fixture.found.end, LogEnd::kClean);
  EXPECT_EQ(fixture.found.end_lsn, 17u);
  EXPECT_EQ(fixture.found.next_lsn, 17u);
  EXPECT_FALSE(*fixture.memory.Exists("log"));
}

TEST(Log, UnitsComeBackInOrder) {
  for (const FsyncPolicy policy : {FsyncPolicy::kAlways, FsyncPolicy::kEverySecond, FsyncPolicy::kNo}) {
    LogFixture fixture;
    fixture.options.policy = policy;
    std::string expected;
    {
      auto log = fixture.Open();
      for (uint64_t i = 0; i < 500; i++) {
        const std::string unit = TestUnit(i, i % 90);
        expected += unit;
        ASSERT_EQ(log->Admit(unit.size()), Admission::kAdmitted);
        ASSERT_EQ(log->Append(unit), expected.size());
      }
      ASSERT_TRUE(log->WaitDurable(log->end_lsn()).ok());
      EXPECT_EQ(log->durable_lsn(), expected.size());
      ASSERT_TRUE(log->CloseCleanly().ok());
    }
    fixture.memory.CrashAndDropUnsynced();
    ASSERT_TRUE(fixture.Read().ok());
    EXPECT_EQ(fixture.stream, expected);
    EXPECT_EQ(fixture.found.end, LogEnd::kClean);
    EXPECT_EQ(fixture.found.next_lsn, expected.size());
  }
}

TEST(Log, GoesOnAfterACleanEndWithoutAGap) {
  LogFixture fixture;
  std::string expected;
  for (uint64_t run = 0; run < 4; run++) {
    auto log = fixture.Open();
    ASSERT_EQ(log->end_lsn(), expected.size());
    expected += TestUnit(run, 40);
    log->Append(TestUnit(run, 40));
    ASSERT_TRUE(log->CloseCleanly().ok());
  }
  ASSERT_TRUE(fixture.Read().ok());
  EXPECT_EQ(fixture.stream, expected);
  ASSERT_TRUE(fixture.Read(10).ok());
  EXPECT_EQ(fixture.stream, expected.substr(10));
  EXPECT_EQ(fixture.SegmentPaths().size(), 4u);
}

TEST(Log, ASelectPrecedesAChangeOfDatabaseAndACut) {
  LogFixture fixture;
  auto log = fixture.Open();
  const std::string select0 = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n";
  const std::string select15 = "*2\r\n$6\r\nSELECT\r\n$2\r\n15\r\n";
  log->Append(0, "a");
  log->Append(0, "b");
  log->Append(15, "c");
  log->Append(15, "d", 0);
  const Lsn end = log->Append(0, "e");
  EXPECT_EQ(log->Cut(), end);
  const LogPiece pieces[] = {{"f", {}}, {"g", {}}};
  log->Append(0, pieces);
  ASSERT_TRUE(log->CloseCleanly().ok());
  ASSERT_TRUE(fixture.Read().ok());
  EXPECT_EQ(fixture.stream, select0 + "ab" + select15 + "cde" + select0 + "fg");
  ASSERT_TRUE(fixture.Read(end).ok());
  EXPECT_EQ(fixture.stream, select0 + "fg");
}

TEST(Log, LargeUnitsAreLinkedAndComeBackWhole) {
  LogFixture fixture;
  auto log = fixture.Open();
  const std::string small = TestUnit(1, 100);
  const std::string medium = TestUnit(2, 40'000);
  std::string large = TestUnit(3, 5'000'000);
  SharedBytes owned = SharedBytes::Copy(large);
  const std::string_view view = owned.view();
  log->Append(small);
  log->Append(medium);
  const LogPiece pieces[] = {
      {view.substr(0, 10), {}}, {view.substr(10, 3'000'000), owned}, {"", {}}, {view.substr(3'000'010), owned}};
  log->Append(pieces);
  log->Append(large);
  const Lsn end = log->Append(small);
  ASSERT_TRUE(log->WaitDurable(end).ok());
  EXPECT_TRUE(Eventually([&] { return log->durable_lsn() == log->end_lsn(); }));
  ASSERT_TRUE(log->CloseCleanly().ok());
  ASSERT_TRUE(fixture.Read().ok());
  EXPECT_EQ(fixture.stream, small + medium + large + large + small);
  // A unit is handed out in one piece, and may be entered only at its ends.
  EXPECT_TRUE(fixture.Read(small.size() + medium.size()).ok());
  EXPECT_EQ(fixture.frames.front().second, large);
  EXPECT_EQ(fixture.Read(small.size() + medium.size() + 5).code(), StatusCode::kDamaged);
}

TEST(Log, SmallFramesCarryUnitsOfEverySize) {
  LogFixture fixture;
  fixture.options.max_frame_bytes = kMinFrameBytes;
  fixture.options.segment_bytes = 600;
  std::string expected;
  {
    auto log = fixture.Open();
    for (uint64_t i = 0; i < 300; i++) {
      expected += TestUnit(i, i);
      log->Append(TestUnit(i, i));
      if (i % 7 == 0) ASSERT_TRUE(log->WaitDurable(log->end_lsn()).ok());
    }
    ASSERT_TRUE(log->CloseCleanly().ok());
  }
  ASSERT_TRUE(fixture.Read().ok());
  EXPECT_EQ(fixture.stream, expected);
  EXPECT_GT(fixture.SegmentPaths().size(), 20u);
  for (Lsn from = 0; const auto& frame : std::vector(fixture.frames)) {
    ASSERT_EQ(frame.first, from);
    from += frame.second.size();
    if (from % 16 != 0) continue;
    ASSERT_TRUE(fixture.Read(from).ok());
    EXPECT_EQ(fixture.stream, expected.substr(from));
  }
}

TEST(Log, SegmentsBeforeASnapshotAreDropped) {
  LogFixture fixture;
  auto log = fixture.Open();
  std::string expected;
  Lsn middle = 0;
  for (uint64_t i = 0; i < 6; i++) {
    expected += TestUnit(i, 100);
    log->Append(TestUnit(i, 100));
    ASSERT_TRUE(log->WaitDurable(log->end_lsn()).ok());
    if (i == 2) middle = log->end_lsn();
    ASSERT_TRUE(log->RotateSegment().ok());
    ASSERT_TRUE(Eventually([&] { return log->stats().segments == i + 2; }));
  }
  EXPECT_EQ(log->stats().segments, 7u);
  EXPECT_EQ(log->StreamBytesBetween(0, middle), middle);
  EXPECT_EQ(log->StreamBytesBetween(middle - 1, log->end_lsn()), log->end_lsn() - middle + 1);
  ASSERT_TRUE(log->DropSegmentsBefore(middle - 1).ok());
  EXPECT_EQ(log->stats().segments, 5u);
  ASSERT_TRUE(log->DropSegmentsBefore(middle).ok());
  EXPECT_EQ(log->stats().segments, 4u);
  EXPECT_EQ(log->stats().first_lsn, middle);
  EXPECT_EQ(fixture.Read(0).code(), StatusCode::kDamaged);
  ASSERT_TRUE(fixture.Read(middle).ok());
  EXPECT_EQ(fixture.stream, expected.substr(middle));
  ASSERT_TRUE(log->DropSegmentsBefore(UINT64_MAX).ok());
  EXPECT_EQ(log->stats().segments, 1u);
  ASSERT_TRUE(log->CloseCleanly().ok());
}

TEST(Log, SwitchedOffOnlyLsnsGrow) {
  LogFixture fixture;
  fixture.options.enabled = false;
  auto log = fixture.Open();
  EXPECT_FALSE(log->enabled());
  const Lsn before = log->end_lsn();
  EXPECT_LE(log->Append(0, "unlogged"), log->durable_lsn());
  const Lsn first = log->end_lsn();
  EXPECT_EQ(first, before + 8);
  EXPECT_EQ(log->durable_lsn(), first);
  EXPECT_EQ(log->Admit(uint64_t{1} << 40), Admission::kAdmitted);
  EXPECT_FALSE(*fixture.memory.Exists("log"));

  ASSERT_TRUE(log->Enable().ok());
  ASSERT_TRUE(log->Enable().ok());
  log->Append("logged-1 ");
  ASSERT_TRUE(log->WaitDurable(log->end_lsn()).ok());
  ASSERT_TRUE(fixture.Read(first).ok());
  EXPECT_EQ(fixture.stream, "logged-1 ");

  log->Append("logged-2 ");
  ASSERT_TRUE(log->Disable().ok());
  const Lsn off = log->end_lsn();
  EXPECT_EQ(log->durable_lsn(), off);
  log->Append("unlogged again");
  EXPECT_EQ(log->durable_lsn(), log->end_lsn());
  ASSERT_TRUE(fixture.Read(first).ok());
  EXPECT_EQ(fixture.stream, "logged-1 logged-2 ");
  EXPECT_EQ(fixture.found.end, LogEnd::kClean);

  // A snapshot from before the pause cannot be brought up to date any more; one from after it can.
  const Lsn on = log->end_lsn();
  ASSERT_TRUE(log->Enable().ok());
  log->Append("logged-3");
  ASSERT_TRUE(log->CloseCleanly().ok());
  EXPECT_EQ(fixture.Read(first).code(), StatusCode::kDamaged);
  ASSERT_TRUE(fixture.Read(on).ok());
  EXPECT_EQ(fixture.stream, "logged-3");
}

TEST(Log, PoliciesChangeAtRunTime) {
  LogFixture fixture;
  auto log = fixture.Open();
  uint64_t number = 0;
  for (const FsyncPolicy policy : {FsyncPolicy::kNo, FsyncPolicy::kEverySecond, FsyncPolicy::kAlways, FsyncPolicy::kEverySecond,
                                   FsyncPolicy::kNo, FsyncPolicy::kAlways}) {
    log->SetPolicy(policy);
    EXPECT_EQ(log->policy(), policy);
    for (int i = 0; i < 20; i++) log->Append(TestUnit(number++, 50));
    ASSERT_TRUE(log->WaitDurable(log->end_lsn()).ok());
  }
  EXPECT_TRUE(Eventually([&] { return log->stats().synced_lsn == log->end_lsn(); }));
  log->SetPolicy(FsyncPolicy::kNo);
  log->Append(TestUnit(number++, 50));
  ASSERT_TRUE(log->RequestSync().ok());
  EXPECT_TRUE(Eventually([&] { return log->stats().synced_lsn == log->end_lsn(); }));
  fixture.memory.CrashAndDropUnsynced();
  log.reset();
  ASSERT_TRUE(fixture.Read().ok());
  std::vector<uint64_t> numbers;
  ASSERT_TRUE(ParseUnits(fixture.stream, &numbers));
  EXPECT_EQ(numbers.size(), number);
}

TEST(Log, OpenRefusesLsnsThatMayHaveBeenUsed) {
  LogFixture fixture;
  { fixture.Open()->Append("x"); }
  ASSERT_TRUE(fixture.Recover().ok());
  auto log = LogWriter::Open(fixture.options, fixture.found.next_lsn - 1, fixture.found);
  EXPECT_EQ(log.status().code(), StatusCode::kInvalidArgument);
}

TEST(Log, AnIdleLogWritesItsMark) {
  LogFixture fixture;
  ManualClock clock;
  fixture.options.clock = &clock;
  auto log = fixture.Open();
  const Lsn end = log->Append("unit");
  ASSERT_TRUE(log->WaitDurable(end).ok());
  ASSERT_TRUE(fixture.Read().ok());
  EXPECT_LT(fixture.found.durable_mark, end);
  clock.Advance(1'500'000);
  EXPECT_TRUE(Eventually([&] { return fixture.Read().ok() && fixture.found.durable_mark == end; }));
}

TEST(Log, TimeInFramesNeverGoesBack) {
  LogFixture fixture;
  ManualClock clock;
  fixture.options.clock = &clock;
  auto log = fixture.Open();
  ASSERT_TRUE(log->WaitDurable(log->Append("one")).ok());
  const uint64_t before = static_cast<uint64_t>(clock.WallUs());
  clock.SetWallUs(5);
  ASSERT_TRUE(log->WaitDurable(log->Append("two")).ok());
  ASSERT_TRUE(log->CloseCleanly().ok());
  uint64_t last = 0;
  LogRecoveryResult result;
  const auto check = [&](const LogFrame& frame) {
    EXPECT_GE(frame.wall_us, before);
    EXPECT_GE(frame.wall_us, last);
    last = frame.wall_us;
    return Status::Ok();
  };
  ASSERT_TRUE(ReadLog(fixture.options, 0, check, &result).ok());
  EXPECT_GE(result.last_wall_us, before);
}

TEST(Log, AnErrorOfTheCallbackStopsTheReading) {
  LogFixture fixture;
  {
    auto log = fixture.Open();
    log->Append("one");
    ASSERT_TRUE(log->CloseCleanly().ok());
  }
  LogRecoveryResult result;
  Status status = RecoverLog(
      fixture.options, 0, [](const LogFrame&) { return Status::InvalidArgument("no"); }, &result);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace cairn
