// Damage and failing disks: whatever happens to the bytes, a reader gives the right ones or says
// what is wrong with them.
#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/faulty_file_system.h"
#include "snapshot/snapshot_directory.h"
#include "tests/snapshot/snapshot_fixture.h"

namespace cairn {
namespace {

constexpr char kPath[] = "data/snapshots/00000000000000000500";

// A snapshot of some kilobytes with blocks of every kind.
class SnapshotDamageTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_STATUS_OK(fs_.CreateDirectory("data"));
    content_ = MakeContent(60, 4, false);
    const auto written = Write();
    ASSERT_STATUS_OK(written.status());
    info_ = *written;
    bytes_ = *fs_.Content(std::string(kPath) + "/data-00000");
  }

  Result<SnapshotInfo> Write() {
    CAIRN_ASSIGN_OR_RETURN(auto writer, SnapshotWriter::Create(fs_, "data", 500, {.shard_count = 4}));
    EntryBlock block(1);
    for (const auto& [key, entry] : content_.entries) {
      block.Append({HeadOf(key.first, entry), key.second, entry.value});
    }
    for (auto& [key, entry] : content_.entries) entry.shard = 1;
    CAIRN_RETURN_IF_ERROR(writer->AddBlock(block));
    StoredEntry big{.shard = 2, .value = "small for its kind"};
    content_.entries[{0, "big"}] = big;
    CAIRN_ASSIGN_OR_RETURN(auto stream, writer->BeginBigEntry(2, HeadOf(0, big), "big", big.value.size()));
    CAIRN_RETURN_IF_ERROR(stream->Append(big.value));
    CAIRN_RETURN_IF_ERROR(stream->Finish());
    for (const auto& [name, bytes] : content_.sections) {
      CAIRN_RETURN_IF_ERROR(writer->AddSection(name, bytes));
    }
    return writer->Finish();
  }

  // Reads a file with these bytes in place of the right one.
  Result<SnapshotContent> ReadWith(const std::string& bytes) {
    MemoryFileSystem fs;
    EXPECT_STATUS_OK(fs.CreateDirectory("s"));
    const auto file = fs.OpenForWriting("s/data-00000", FileSystem::OpenMode::kCreateNew);
    EXPECT_STATUS_OK((*file)->Append(bytes));
    CAIRN_ASSIGN_OR_RETURN(auto reader, SnapshotReader::OpenPath(fs, "s"));
    return ReadContent(*reader);
  }

  MemoryFileSystem fs_;
  SnapshotContent content_;
  SnapshotInfo info_;
  std::string bytes_;
};

TEST_F(SnapshotDamageTest, TheUndamagedFileReads) {
  const auto read = ReadWith(bytes_);
  ASSERT_STATUS_OK(read.status());
  EXPECT_EQ(*read, content_);
}

TEST_F(SnapshotDamageTest, EveryFlippedByteIsNoticed) {
  for (size_t at = 0; at < bytes_.size(); at++) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string flipped = bytes_;
      flipped[at] = static_cast<char>(flipped[at] ^ mask);
      const auto read = ReadWith(flipped);
      ASSERT_FALSE(read.ok()) << "byte " << at;
      EXPECT_EQ(read.status().code(), StatusCode::kDamaged) << "byte " << at << read.status().ToString();
      EXPECT_NE(read.status().message().find("s/data-00000"), std::string_view::npos);
    }
  }
}

TEST_F(SnapshotDamageTest, EveryTruncationIsNoticed) {
  for (size_t length = 0; length < bytes_.size(); length++) {
    EXPECT_EQ(ReadWith(bytes_.substr(0, length)).status().code(), StatusCode::kDamaged) << length;
  }
  EXPECT_EQ(ReadWith(bytes_ + '\0').status().code(), StatusCode::kDamaged);
  EXPECT_EQ(ReadWith(bytes_ + bytes_).status().code(), StatusCode::kDamaged);
}

TEST_F(SnapshotDamageTest, EveryRemovedOrRepeatedByteIsNoticed) {
  for (size_t at = 0; at < bytes_.size(); at++) {
    std::string shorter = bytes_;
    shorter.erase(at, 1);
    EXPECT_FALSE(ReadWith(shorter).ok()) << at;
    std::string longer = bytes_;
    longer.insert(at, 1, bytes_[at]);
    EXPECT_FALSE(ReadWith(longer).ok()) << at;
  }
}

TEST_F(SnapshotDamageTest, DamageNamesFileOffsetAndBlock) {
  const size_t in_payload = kFileHeaderBytes + kBlockHeaderBytes + 10;
  std::string flipped = bytes_;
  flipped[in_payload] = static_cast<char>(flipped[in_payload] ^ 4);
  const std::string message(ReadWith(flipped).status().message());
  EXPECT_NE(message.find("s/data-00000 at offset 32 (block 0)"), std::string::npos) << message;
}

TEST_F(SnapshotDamageTest, ANewerVersionIsNotDamage) {
  std::string newer = bytes_;
  StoreLittleEndian<uint32_t>(newer.data() + 8, kSnapshotFormatVersion + 1);
  StoreLittleEndian<uint32_t>(newer.data() + 28, Crc32c(newer.substr(0, 28)));
  const Status status = ReadWith(newer).status();
  EXPECT_EQ(status.code(), StatusCode::kNewerFormat);
  EXPECT_NE(status.message().find("s/data-00000"), std::string_view::npos) << status.ToString();
}

TEST_F(SnapshotDamageTest, AMissingOrForeignFileIsNoticed) {
  const SnapshotContent content = MakeContent(200, 4, false);
  const auto two = WriteContent(fs_, "data", 600, content, {.shard_count = 4, .data_files = 2});
  const auto other = WriteContent(fs_, "data", 601, content, {.shard_count = 4, .data_files = 2});
  ASSERT_STATUS_OK(two.status());
  ASSERT_STATUS_OK(other.status());
  const std::string path = SnapshotPath("data", two->directory_name);
  ASSERT_STATUS_OK(fs_.RemoveFile(path + "/data-00001"));
  const Status missing = SnapshotReader::Open(fs_, "data", *two).status();
  EXPECT_EQ(missing.code(), StatusCode::kDamaged);
  EXPECT_NE(missing.message().find("data-00001"), std::string_view::npos);
  ASSERT_STATUS_OK(fs_.HardLink(SnapshotPath("data", other->directory_name) + "/data-00001", path + "/data-00001"));
  EXPECT_EQ(SnapshotReader::Open(fs_, "data", *two).status().code(), StatusCode::kDamaged);
  ASSERT_STATUS_OK(fs_.RemoveFile(path + "/data-00001"));
  ASSERT_STATUS_OK(fs_.HardLink(path + "/data-00000", path + "/data-00001"));
  EXPECT_EQ(SnapshotReader::Open(fs_, "data", *two).status().code(), StatusCode::kDamaged);
}

TEST_F(SnapshotDamageTest, AReadErrorStaysAReadError) {
  FaultyFileSystem faulty(fs_);
  for (uint64_t let_pass = 0;; let_pass++) {
    faulty.ClearFaults();
    faulty.AddFault({.operation = FileOperation::kRead, .let_pass = let_pass});
    const auto read = OpenAndRead(faulty, "data", info_);
    if (read.ok()) {
      EXPECT_EQ(*read, content_);
      EXPECT_GE(let_pass, 6u);
      break;
    }
    EXPECT_EQ(read.status().code(), StatusCode::kIoError) << read.status().ToString();
  }
}

// Fails each operation of each kind in turn while a second snapshot is written and named. What the
// manifest on disk names after a crash is whole, and after a restart nothing else is left.
TEST_F(SnapshotDamageTest, AFailingDiskNeverHurtsTheOldSnapshot) {
  Manifest old_manifest;
  old_manifest.current_snapshot = info_;
  const SnapshotContent next_content = MakeContent(40, 4, true);
  int failures = 0;
  for (const FileOperation operation : {FileOperation::kOpen, FileOperation::kWrite, FileOperation::kSync,
                                        FileOperation::kSyncDirectory, FileOperation::kRename, FileOperation::kCreateDirectory}) {
    for (uint64_t let_pass = 0;; let_pass++) {
      MemoryFileSystem memory;
      ASSERT_STATUS_OK(memory.CreateDirectory("data"));
      ASSERT_STATUS_OK(memory.SyncDirectory("."));
      const auto first = WriteContent(memory, "data", 500, next_content, {.shard_count = 4, .created_by = "old"});
      ASSERT_STATUS_OK(first.status());
      Manifest manifest;
      manifest.current_snapshot = *first;
      ASSERT_STATUS_OK(StoreManifest(memory, "data", manifest));

      FaultyFileSystem faulty(memory);
      faulty.AddFault({.operation = operation,
                       .let_pass = let_pass,
                       .fail_count = let_pass % 2 == 0 ? 1 : UINT64_MAX,
                       .error_number = 28,
                       .written_bytes = 5});
      const auto second =
          WriteContent(faulty, "data", 900, next_content, {.shard_count = 4, .data_files = 2, .sync_every_bytes = 100'000});
      Status stored = second.status();
      if (second.ok()) {
        manifest.current_snapshot = *second;
        stored = StoreManifest(faulty, "data", manifest);
      }
      EXPECT_EQ(faulty.syncs_after_failure(), 0u);
      memory.CrashAndDropUnsynced();
      const auto loaded = LoadManifest(memory, "data");
      ASSERT_STATUS_OK(loaded.status());
      if (stored.ok()) EXPECT_EQ(loaded->current_snapshot->lsn, 900u);
      if (!second.ok()) EXPECT_EQ(loaded->current_snapshot->lsn, 500u);
      const auto read = OpenAndRead(memory, "data", *loaded->current_snapshot);
      ASSERT_STATUS_OK(read.status());
      EXPECT_TRUE(*read == next_content);
      EXPECT_STATUS_OK(RemoveStaleSnapshots(memory, "data", *loaded).status());
      EXPECT_EQ(*memory.ListDirectory("data/snapshots"), std::vector<std::string>{loaded->current_snapshot->directory_name});
      if (faulty.failures(operation) == 0) break;
      failures++;
      EXPECT_FALSE(stored.ok());
      EXPECT_EQ(stored.code(), StatusCode::kNoSpace) << stored.ToString();
    }
  }
  EXPECT_GE(failures, 25);
}

TEST_F(SnapshotDamageTest, AFailedWriteIsFinalAndNamesFileAndOffset) {
  FaultyFileSystem faulty(fs_);
  auto writer = SnapshotWriter::Create(faulty, "data", 700, {.shard_count = 4});
  ASSERT_STATUS_OK(writer.status());
  faulty.AddFault({.operation = FileOperation::kWrite});
  EntryBlock block;
  block.Append({{}, "key", "value"});
  const Status first = (*writer)->AddBlock(block);
  EXPECT_EQ(first.code(), StatusCode::kIoError);
  EXPECT_NE(first.message().find("offset 32 of data/snapshots/00000000000000000700.tmp/data-00000"), std::string_view::npos)
      << first.ToString();
  EXPECT_FALSE(block.empty());
  EXPECT_EQ((*writer)->AddBlock(block).message(), first.message());
  EXPECT_EQ((*writer)->AddSection("name", "bytes").message(), first.message());
  EXPECT_EQ((*writer)->BeginBigEntry(0, {}, "key", 1).status().message(), first.message());
  EXPECT_EQ((*writer)->Finish().status().message(), first.message());
  EXPECT_FALSE(*fs_.Exists("data/snapshots/00000000000000000700.tmp"));
}

}  // namespace
}  // namespace cairn
