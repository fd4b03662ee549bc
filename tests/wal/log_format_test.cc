// The bytes on disk do not change: constants, the golden files of every format version, and the example of FORMAT.md.
#include <fstream>

#include "base/crc32c.h"
#include "tests/wal/log_test_support.h"

namespace cairn {
namespace {

TEST(LogFormat, PersistedNumbersStayAsTheyAre) {
  EXPECT_EQ(kSegmentMagic, "CAIRNLOG");
  EXPECT_EQ(kLogFormatVersion, 1u);
  EXPECT_EQ(kSegmentHeaderBytes, 72u);
  EXPECT_EQ(kSegmentCrcAt, 68u);
  EXPECT_EQ(kFrameHeaderBytes, 56u);
  EXPECT_EQ(kMaxPayloadBytes, 1048576u);
  EXPECT_EQ(kSuccessorPayloadBytes, 16u);
  EXPECT_EQ(kUncleanLsnGap, uint64_t{1} << 40);
  EXPECT_EQ(static_cast<int>(FrameKind::kData), 1);
  EXPECT_EQ(static_cast<int>(FrameKind::kBegin), 2);
  EXPECT_EQ(static_cast<int>(FrameKind::kMiddle), 3);
  EXPECT_EQ(static_cast<int>(FrameKind::kCommit), 4);
  EXPECT_EQ(static_cast<int>(FrameKind::kSuccessor), 5);
  EXPECT_EQ(static_cast<int>(FrameKind::kCleanEnd), 6);
  EXPECT_EQ(static_cast<int>(FrameKind::kMark), 7);
  EXPECT_EQ(SegmentFileName(42), "00000000000000000042.log");
  EXPECT_EQ(SegmentFileName(UINT64_MAX), "18446744073709551615.log");
  EXPECT_EQ(ParseSegmentFileName("18446744073709551615.log"), UINT64_MAX);
  for (const char* name : {"18446744073709551616.log", "0000000000000000042.log", "00000000000000000042.log.new", "reserve",
                           "0000000000000000004x.log", ""}) {
    EXPECT_FALSE(ParseSegmentFileName(name).has_value()) << name;
  }
}

// Builds segments byte by byte, with fixed salts and times.
class Golden {
 public:
  static constexpr uint64_t kWallUs = 1'700'000'000'000'000;

  void Begin(uint64_t file_id, uint64_t predecessor, Lsn continues_from, Lsn first_lsn, Lsn durable) {
    header_.salt = 0x5a17'0000u + static_cast<uint32_t>(file_id);
    header_.file_id = file_id;
    header_.predecessor = predecessor;
    header_.continues_from = continues_from;
    header_.first_lsn = lsn_ = first_lsn;
    header_.durable_lsn = durable;
    header_.wall_us = kWallUs + file_id;
    bytes_.assign(kSegmentHeaderBytes, '\0');
    EncodeSegmentHeader(header_, bytes_.data());
  }
  void Add(FrameKind kind, std::string_view payload, Lsn durable, uint64_t unit_bytes = 0) {
    FrameHeader frame;
    frame.kind = kind;
    frame.payload_bytes = static_cast<uint32_t>(payload.size());
    frame.file_id = header_.file_id;
    frame.first_lsn = lsn_;
    frame.durable_lsn = durable;
    frame.wall_us = kWallUs + 1000 * ++frames_;
    frame.unit_bytes = unit_bytes;
    const size_t at = bytes_.size();
    bytes_.append(kFrameHeaderBytes, '\0');
    bytes_.append(payload);
    SealFrame(frame, header_.salt, bytes_.data() + at);
    lsn_ = frame.end_lsn();
  }
  const std::string& bytes() const { return bytes_; }

 private:
  SegmentHeader header_;
  Lsn lsn_ = 0;
  uint64_t frames_ = 0;
  std::string bytes_;
};

constexpr std::string_view kSet = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";

std::string FirstSegment() {
  Golden golden;
  golden.Begin(1, 0, 0, 0, 0);
  golden.Add(FrameKind::kData, kSet, 0);
  golden.Add(FrameKind::kBegin, "begin ", 27, 19);
  golden.Add(FrameKind::kMiddle, "middle ", 27);
  golden.Add(FrameKind::kCommit, "commit", 27);
  golden.Add(FrameKind::kMark, {}, 46);
  char payload[kSuccessorPayloadBytes];
  EncodeSuccessor(2, 46, payload);
  golden.Add(FrameKind::kSuccessor, {payload, sizeof(payload)}, 46);
  return golden.bytes();
}

std::string SecondSegment() {
  Golden golden;
  golden.Begin(2, 1, 46, 1046, 1046);
  golden.Add(FrameKind::kData, kSet, 1046);
  golden.Add(FrameKind::kCleanEnd, {}, 1073);
  return golden.bytes();
}

std::string GoldenPath(std::string_view name) {
  return std::string(CAIRN_SOURCE_DIR) + "/tests/golden/wal/v1/" + std::string(name);
}

TEST(LogFormat, GoldenFilesAreWrittenTheSameToday) {
  const std::pair<std::string, std::string> files[] = {{GoldenPath(SegmentFileName(1)), FirstSegment()},
                                                       {GoldenPath(SegmentFileName(2)), SecondSegment()}};
  for (const auto& [path, bytes] : files) {
    if (std::getenv("CAIRN_WRITE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << bytes;
    Result<std::string> golden = ReadWholeFile(RealFileSystem(), path, 1 << 20);
    ASSERT_TRUE(golden.ok()) << golden.status().ToString();
    EXPECT_EQ(*golden, bytes) << path;
  }
}

TEST(LogFormat, GoldenFilesAreRead) {
  LogOptions options;
  options.directory = GoldenPath("");
  options.fs = &RealFileSystem();
  options.clock = &RealClock();
  LogRecoveryResult found;
  std::vector<std::pair<Lsn, std::string>> frames;
  const auto take = [&](const LogFrame& frame) {
    frames.emplace_back(frame.first_lsn, std::string(frame.payload));
    return Status::Ok();
  };
  ASSERT_TRUE(ReadLog(options, 0, take, &found).ok());
  const std::vector<std::pair<Lsn, std::string>> expected = {
      {0, std::string(kSet)}, {27, "begin middle commit"}, {1046, std::string(kSet)}};
  EXPECT_EQ(frames, expected);
  EXPECT_EQ(found.end, LogEnd::kClean);
  EXPECT_EQ(found.end_lsn, 1073u);
  EXPECT_EQ(found.durable_mark, 1073u);
}

TEST(LogFormat, HeadersThatContradictThemselvesAreRefused) {
  char bytes[kSegmentHeaderBytes];
  SegmentHeader good;
  good.file_id = 5;
  good.predecessor = 4;
  EncodeSegmentHeader(good, bytes);
  EXPECT_TRUE(DecodeSegmentHeader({bytes, sizeof(bytes)}, "x").ok());
  for (int wrong = 0; wrong < 5; wrong++) {
    SegmentHeader header = good;
    if (wrong == 0) header.predecessor = 5;
    if (wrong == 1) header.continues_from = 1;
    if (wrong == 2) header.version = 0;
    if (wrong == 3) header.first_lsn = UINT64_MAX;
    if (wrong == 4) header.first_lsn = 10, header.durable_lsn = 9;
    EncodeSegmentHeader(header, bytes);
    EXPECT_EQ(DecodeSegmentHeader({bytes, sizeof(bytes)}, "x").status().code(), StatusCode::kDamaged) << wrong;
  }
  EXPECT_FALSE(DecodeSegmentHeader({bytes, sizeof(bytes) - 1}, "x").ok());
}

}  // namespace
}  // namespace cairn
