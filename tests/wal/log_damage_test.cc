// Torn tails, damage, clean ends and read errors are told apart: every truncation, every flipped bit.
#include <cerrno>

#include "tests/wal/log_test_support.h"

namespace cairn {
namespace {

// A log of small groups, each durable before the next, as it lies on disk while it is open: the last group carries no mark.
struct SmallLog : LogFixture {
  std::string expected;
  std::vector<Lsn> ends{0};  // of the groups
  std::string path;
  std::string bytes;  // without the zeros behind, but for a few

  explicit SmallLog(bool close, size_t groups = 6) {
    options.max_frame_bytes = 80;
    auto log = Open();
    for (uint64_t i = 0; i < groups; i++) {
      const std::string unit = TestUnit(i, i == 3 ? 200 : 30);
      expected += unit;
      EXPECT_TRUE(log->WaitDurable(log->Append(unit)).ok());
      ends.push_back(expected.size());
    }
    if (close) EXPECT_TRUE(log->CloseCleanly().ok());
    log.reset();
    path = SegmentPaths().front();
    bytes = Content(path);
    const size_t last = bytes.find_last_not_of('\0');
    if (bytes.size() > last + 150) bytes.resize(last + 150);
    SetContent(path, bytes);
  }

  // The stream is a whole number of units, from the start.
  void ExpectPrefix(Lsn at_least, const std::string& what) {
    EXPECT_EQ(stream, expected.substr(0, stream.size())) << what;
    EXPECT_TRUE(std::find(ends.begin(), ends.end(), stream.size()) != ends.end()) << what << " ends at " << stream.size();
    EXPECT_GE(stream.size(), at_least) << what;
  }
};

TEST(LogDamage, TruncatedAnywhereTheWholeUnitsBeforeAreThere) {
  for (const bool close : {false, true}) {
    SmallLog log(close);
    Lsn longest = 0;
    for (size_t size = 0; size < log.bytes.size(); size++) {
      log.SetContent(log.path, std::string_view(log.bytes).substr(0, size));
      ASSERT_TRUE(log.Read().ok()) << size;
      log.ExpectPrefix(longest, "cut at " + std::to_string(size));
      longest = log.stream.size();
      if (size < kSegmentHeaderBytes) continue;
      EXPECT_EQ(log.found.end, LogEnd::kTornTail) << size;
      EXPECT_EQ(log.found.next_lsn, log.stream.size() + kUncleanLsnGap);
      EXPECT_LE(log.found.end_offset + log.found.torn_bytes, size);
    }
    EXPECT_EQ(longest, log.expected.size());
  }
}

TEST(LogDamage, EveryFlippedBitIsFoundOrBeyondTheLastMark) {
  for (const bool close : {false, true}) {
    SmallLog log(close);
    ASSERT_TRUE(log.Read().ok());
    const Lsn mark = log.found.durable_mark;
    EXPECT_EQ(mark, close ? log.expected.size() : log.ends[log.ends.size() - 2]);
    const size_t written = log.bytes.find_last_not_of('\0') + 1;
    for (size_t at = 0; at < log.bytes.size(); at++) {
      std::string flipped = log.bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
      log.SetContent(log.path, flipped);
      const std::string what = "flipped at " + std::to_string(at);
      Status status = log.Read();
      if (!status.ok()) {
        EXPECT_EQ(status.code(), StatusCode::kDamaged) << what;
        EXPECT_EQ(log.found.end, LogEnd::kDamaged) << what;
        EXPECT_NE(status.message().find(log.path), std::string::npos) << status.ToString();
        continue;
      }
      // Without an error nothing that was durable may be missing. The frame with the last mark may itself be the flipped one.
      EXPECT_GE(at, kSegmentHeaderBytes) << what;
      log.ExpectPrefix(log.ends[log.ends.size() - 2], what);
      if (at < written) EXPECT_EQ(log.found.end, LogEnd::kTornTail) << what;
    }
  }
}

TEST(LogDamage, ARunOfZerosBeforeAMarkIsDamage) {
  SmallLog log(false);
  std::string holed = log.bytes;
  std::fill(holed.begin() + 200, holed.begin() + 300, '\0');
  log.SetContent(log.path, holed);
  const Status status = log.Read();
  EXPECT_EQ(status.code(), StatusCode::kDamaged);
  EXPECT_NE(status.message().find("offset"), std::string::npos);
  EXPECT_NE(status.message().find("LSN"), std::string::npos);
  // Recovery changes nothing then.
  EXPECT_FALSE(log.Recover().ok());
  EXPECT_EQ(log.Content(log.path), holed);
}

TEST(LogDamage, AFrameInsideAValueIsNotAFrame) {
  LogFixture fixture;
  {
    auto log = fixture.Open();
    ASSERT_TRUE(log->WaitDurable(log->Append(TestUnit(1, 100))).ok());
    // A user stores the log's own file in a key, and the tail is torn before it.
    const std::string copy = fixture.Content(fixture.SegmentPaths().front()).substr(0, 400);
    ASSERT_TRUE(log->WaitDurable(log->Append(TestUnit(2, 50))).ok());
    ASSERT_TRUE(log->WaitDurable(log->Append(copy)).ok());
  }
  const std::string path = fixture.SegmentPaths().front();
  std::string bytes = fixture.Content(path);
  ASSERT_TRUE(fixture.Read().ok());
  bytes[fixture.found.end_offset - 1] ^= 1;
  fixture.SetContent(path, bytes);
  ASSERT_TRUE(fixture.Read().ok());
  EXPECT_EQ(fixture.found.end, LogEnd::kTornTail);
}

TEST(LogDamage, ATornTailIsCopiedAndCutBeforeAnythingIsServed) {
  SmallLog log(false);
  const Lsn last = log.ends[log.ends.size() - 2];
  ASSERT_TRUE(log.Read().ok());
  const uint64_t end_offset = log.found.end_offset;
  std::string torn = log.bytes;
  torn.replace(end_offset, 40, 40, 'x');
  log.SetContent(log.path, torn);
  ASSERT_TRUE(log.Recover().ok());
  EXPECT_EQ(log.found.end, LogEnd::kTornTail);
  EXPECT_EQ(log.found.torn_bytes, 40u);
  EXPECT_EQ(log.found.durable_mark, log.expected.size());
  ASSERT_EQ(log.SegmentPaths().size(), 2u);
  // The old file ends at the mark, and the rest is durable in the new one.
  EXPECT_LT(log.Content(log.path).size(), end_offset);
  log.memory.CrashAndDropUnsynced();
  ASSERT_TRUE(log.Read(last).ok());
  EXPECT_EQ(log.stream, log.expected.substr(last));
  ASSERT_TRUE(log.Recover().ok());
  EXPECT_EQ(log.stream, log.expected);
  EXPECT_EQ(log.SegmentPaths().size(), 2u);
  {
    auto writer = log.Open();
    EXPECT_GE(writer->end_lsn(), log.expected.size() + kUncleanLsnGap);
    writer->Append(TestUnit(99, 9));
    ASSERT_TRUE(writer->CloseCleanly().ok());
  }
  ASSERT_TRUE(log.Read().ok());
  EXPECT_EQ(log.stream, log.expected + TestUnit(99, 9));
}

TEST(LogDamage, AnUnfinishedUnitIsPartOfTheTornTail) {
  LogFixture fixture;
  fixture.options.max_frame_bytes = 100;
  {
    auto log = fixture.Open();
    ASSERT_TRUE(log->WaitDurable(log->Append(TestUnit(1, 10))).ok());
    ASSERT_TRUE(log->WaitDurable(log->Append(TestUnit(2, 1000))).ok());
  }
  const std::string path = fixture.SegmentPaths().front();
  std::string bytes = fixture.Content(path);
  ASSERT_TRUE(fixture.Read().ok());
  bytes.resize(fixture.found.end_offset - 1);
  fixture.SetContent(path, bytes);
  ASSERT_TRUE(fixture.Recover().ok());
  EXPECT_EQ(fixture.stream, TestUnit(1, 10));
  ASSERT_TRUE(fixture.Recover().ok());
  EXPECT_EQ(fixture.stream, TestUnit(1, 10));
  auto log = fixture.Open();
  EXPECT_GT(log->end_lsn(), 2000u);
}

struct ManySegments : LogFixture {
  std::string expected;
  std::vector<std::string> paths;
  ManySegments() {
    options.segment_bytes = 500;
    auto log = Open();
    for (uint64_t i = 0; i < 12; i++) {
      expected += TestUnit(i, 150);
      EXPECT_TRUE(log->WaitDurable(log->Append(TestUnit(i, 150))).ok());
    }
    EXPECT_TRUE(log->CloseCleanly().ok());
    paths = SegmentPaths();
    EXPECT_GE(paths.size(), 4u);
  }
};

TEST(LogDamage, AMissingSegmentIsDamage) {
  for (size_t missing = 0; missing < 4; missing++) {
    ManySegments log;
    const size_t index = missing < 3 ? missing : log.paths.size() - 1;
    ASSERT_TRUE(log.memory.RemoveFile(log.paths[index]).ok());
    EXPECT_EQ(log.Read().code(), StatusCode::kDamaged) << index;
    if (index < 3) {
      const Lsn later = 9 * TestUnit(0, 150).size();
      EXPECT_TRUE(log.Read(later).ok()) << "what a newer snapshot covers is not needed";
    }
  }
}

TEST(LogDamage, AShortSegmentInTheMiddleIsDamage) {
  for (const size_t size : {size_t{0}, size_t{40}, size_t{72}, size_t{200}, size_t{300}}) {
    ManySegments log;
    log.SetContent(log.paths[1], log.Content(log.paths[1]).substr(0, size));
    EXPECT_EQ(log.Read().code(), StatusCode::kDamaged) << size;
  }
}

TEST(LogDamage, TheLastFrameOfAFinishedSegmentMayBeMissing) {
  ManySegments log;
  const std::string bytes = log.Content(log.paths[1]);
  log.SetContent(log.paths[1], bytes.substr(0, bytes.size() - kFrameHeaderBytes - kSuccessorPayloadBytes));
  ASSERT_TRUE(log.Read().ok());
  EXPECT_EQ(log.stream, log.expected);
}

TEST(LogDamage, ARenamedSegmentIsDamage) {
  ManySegments log;
  ASSERT_TRUE(log.memory.Rename(log.paths.back(), "log/00000000000000000099.log").ok());
  EXPECT_EQ(log.Read().code(), StatusCode::kDamaged);
}

TEST(LogDamage, ASegmentOfAnotherDirectoryIsDamage) {
  LogFixture fixture;
  fixture.options.directory_id = 77;
  fixture.options.segment_bytes = 500;
  {
    auto log = fixture.Open();
    for (uint64_t i = 0; i < 12; i++) ASSERT_TRUE(log->WaitDurable(log->Append(TestUnit(i, 150))).ok());
    ASSERT_TRUE(log->CloseCleanly().ok());
    EXPECT_EQ(SegmentFileName(log->newest_file_id()), fixture.SegmentPaths().back().substr(4));
  }
  ASSERT_TRUE(fixture.Read().ok());
  const std::string path = fixture.SegmentPaths()[1];
  std::string bytes = fixture.Content(path);
  SegmentHeader header = *DecodeSegmentHeader(bytes, path);
  EXPECT_EQ(header.directory_id, 77u);
  for (const uint32_t id : {76u, 0u}) {  // 0: an older version's
    header.directory_id = id;
    EncodeSegmentHeader(header, bytes.data());
    fixture.SetContent(path, bytes);
    const Status status = fixture.Read();
    EXPECT_EQ(status.code(), id == 0 ? StatusCode::kOk : StatusCode::kDamaged);
    if (id != 0) EXPECT_NE(status.message().find(path), std::string::npos) << status.ToString();
  }
}

TEST(LogDamage, AnInterruptedCreationIsPassedOver) {
  for (const std::string& content : {std::string(), std::string(10, 'C'), std::string(5000, '\0')}) {
    ManySegments log;
    log.SetContent("log/00000000000000000099.log", content);
    ASSERT_TRUE(log.Read().ok());
    EXPECT_EQ(log.stream, log.expected);
    EXPECT_EQ(log.found.end, LogEnd::kClean);
    auto writer = log.Open();
    writer->Append(TestUnit(100, 1));
    ASSERT_TRUE(writer->DropSegmentsBefore(0).ok());
    EXPECT_FALSE(*log.memory.Exists("log/00000000000000000099.log"));
    ASSERT_TRUE(writer->CloseCleanly().ok());
    ASSERT_TRUE(log.Read().ok());
    EXPECT_EQ(log.stream, log.expected + TestUnit(100, 1));
  }
}

TEST(LogDamage, ANewerFormatIsNamedAndLeftAlone) {
  SmallLog log(true);
  std::string bytes = log.bytes;
  StoreLittleEndian<uint32_t>(bytes.data() + kSegmentVersionAt, kLogFormatVersion + 1);
  SegmentHeader header = *DecodeSegmentHeader(log.bytes, "x");
  header.version = kLogFormatVersion + 1;
  EncodeSegmentHeader(header, bytes.data());
  log.SetContent(log.path, bytes);
  const Status status = log.Recover();
  EXPECT_EQ(status.code(), StatusCode::kNewerFormat);
  EXPECT_NE(status.message().find(log.path), std::string::npos);
  EXPECT_EQ(log.Content(log.path), bytes);
}

TEST(LogDamage, AReadErrorIsNotAnEnd) {
  for (uint64_t pass = 0; pass < 3; pass++) {
    SmallLog log(false);
    FileFault fault;
    fault.operation = FileOperation::kRead;
    fault.path_part = ".log";
    fault.let_pass = pass;
    log.faulty.AddFault(fault);
    const Status status = log.Recover();
    EXPECT_EQ(status.code(), StatusCode::kIoError) << pass;
    EXPECT_EQ(log.found.end, LogEnd::kReadError) << pass;
    EXPECT_EQ(log.Content(log.path), log.bytes);
  }
}

TEST(LogDamage, ASnapshotNewerThanTheLogIsEnough) {
  SmallLog log(false);
  const Lsn from = log.expected.size() + 1000;
  auto writer = log.Open(from);
  EXPECT_EQ(log.stream, "");
  EXPECT_GE(writer->end_lsn(), from + kUncleanLsnGap);
  writer->Append("after");
  ASSERT_TRUE(writer->CloseCleanly().ok());
  ASSERT_TRUE(log.Read(from).ok());
  EXPECT_EQ(log.stream, "after");
  EXPECT_EQ(log.Read(0).code(), StatusCode::kDamaged);
}

}  // namespace
}  // namespace cairn
