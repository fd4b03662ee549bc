#include "snapshot/manifest.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/crc32c.h"
#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"
#include "snapshot/snapshot_directory.h"
#include "tests/snapshot/snapshot_fixture.h"

namespace cairn {
namespace {

Manifest FullManifest() {
  Manifest manifest;
  manifest.current_snapshot = SnapshotInfo{.directory_name = SnapshotDirectoryName(1234, 2),
                                           .lsn = 1234,
                                           .wall_time_unix_ms = 1700000000123,
                                           .entry_count = 42,
                                           .size_bytes = 4096};
  manifest.older_snapshots = {{.directory_name = SnapshotDirectoryName(1000, 1), .lsn = 1000},
                              {.directory_name = SnapshotDirectoryName(0, 1), .lsn = 0}};
  manifest.has_log = true;
  manifest.log_first_segment_lsn = 900;
  manifest.timelines = {{.id = std::string(40, 'a'), .fork_lsn = 0, .base = 0},
                        {.id = std::string(40, 'b'), .fork_lsn = 700, .base = -123456789}};
  manifest.lsn_ceiling = UINT64_MAX;
  manifest.clean_shutdown = true;
  manifest.created_unix_ms = 1690000000000;
  manifest.created_by = "cairn 0.1.0";
  manifest.imported_from = "dump-\xff.rdb";
  return manifest;
}

// With the fields that came later.
Manifest BoundManifest() {
  Manifest manifest = FullManifest();
  manifest.current_snapshot->index_checksum = 0;
  manifest.older_snapshots[1].index_checksum = 0xfedcba98;
  manifest.directory_id = 0x89abcdef;
  manifest.log_newest_file_id = 42;
  return manifest;
}

class ManifestTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_STATUS_OK(fs_.CreateDirectory("data")); }
  MemoryFileSystem fs_;
};

TEST_F(ManifestTest, StoresAndLoadsEveryField) {
  EXPECT_EQ(LoadManifest(fs_, "data").status().code(), StatusCode::kNotFound);
  Manifest whole_log;
  whole_log.empty_at_lsn = 0;
  for (const Manifest& manifest : {Manifest(), FullManifest(), BoundManifest(), whole_log}) {
    ASSERT_STATUS_OK(StoreManifest(fs_, "data", manifest));
    const Result<Manifest> loaded = LoadManifest(fs_, "data");
    ASSERT_STATUS_OK(loaded.status());
    EXPECT_EQ(*loaded, manifest);
  }
}

TEST_F(ManifestTest, SurvivesPowerLossOnceStored) {
  ASSERT_STATUS_OK(fs_.SyncDirectory("."));
  ASSERT_STATUS_OK(StoreManifest(fs_, "data", FullManifest()));
  fs_.CrashAndDropUnsynced();
  const Result<Manifest> loaded = LoadManifest(fs_, "data");
  ASSERT_STATUS_OK(loaded.status());
  EXPECT_EQ(*loaded, FullManifest());
}

TEST_F(ManifestTest, EveryFlippedBitIsNoticed) {
  const std::string bytes = *EncodeManifest(FullManifest());
  for (size_t at = 0; at < bytes.size(); at++) {
    for (int bit = 0; bit < 8; bit++) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      EXPECT_EQ(DecodeManifest(flipped).status().code(), StatusCode::kDamaged) << at;
    }
  }
}

TEST_F(ManifestTest, EveryOtherLengthIsNoticed) {
  const std::string bytes = *EncodeManifest(FullManifest());
  for (size_t length = 0; length < bytes.size(); length++) {
    EXPECT_EQ(DecodeManifest(bytes.substr(0, length)).status().code(), StatusCode::kDamaged);
  }
  EXPECT_EQ(DecodeManifest(bytes + '\0').status().code(), StatusCode::kDamaged);
}

// With the checksum made right again, as somebody would who can write the file.
std::string Resealed(std::string bytes) {
  StoreLittleEndian<uint32_t>(bytes.data() + 12, static_cast<uint32_t>(bytes.size() - kManifestEnvelopeBytes));
  StoreLittleEndian<uint32_t>(bytes.data() + 16, Crc32c(bytes.substr(kManifestEnvelopeBytes), Crc32c(bytes.substr(0, 16))));
  return bytes;
}

TEST_F(ManifestTest, NewerVersionsAreNamedAndNotRead) {
  std::string bytes = *EncodeManifest(FullManifest());
  bytes[8] = 2;
  const std::string newer = Resealed(bytes);
  ASSERT_STATUS_OK(ReplaceFileDurably(fs_, "data/MANIFEST", newer));
  const Status status = LoadManifest(fs_, "data").status();
  EXPECT_EQ(status.code(), StatusCode::kNewerFormat);
  EXPECT_NE(status.message().find("data/MANIFEST"), std::string_view::npos) << status.ToString();
  bytes[8] = 0;
  EXPECT_EQ(DecodeManifest(Resealed(bytes)).status().code(), StatusCode::kDamaged);
}

TEST_F(ManifestTest, ContentThatNobodyWritesIsDamage) {
  const std::string bytes = *EncodeManifest(Manifest());
  EXPECT_EQ(DecodeManifest(Resealed(bytes + "\xff")).status().code(), StatusCode::kDamaged);
  // A snapshot named "../x": field 1, 8 bytes, with its own field 1 of 4 bytes.
  const std::string escaping = bytes + std::string("\x0a\x06\x0a\x04../x", 8);
  EXPECT_EQ(DecodeManifest(Resealed(escaping)).status().code(), StatusCode::kDamaged);
  Manifest wrong_name = FullManifest();
  wrong_name.current_snapshot->lsn++;
  EXPECT_EQ(StoreManifest(fs_, "data", wrong_name).code(), StatusCode::kInternal);
}

TEST_F(ManifestTest, AFailingDiskLeavesTheOldOrTheNewOne) {
  Manifest before;
  before.lsn_ceiling = 1;
  const Manifest after = FullManifest();
  for (const FileOperation operation : {FileOperation::kOpen, FileOperation::kWrite, FileOperation::kSync, FileOperation::kRename,
                                        FileOperation::kSyncDirectory}) {
    MemoryFileSystem memory;
    ASSERT_STATUS_OK(memory.CreateDirectory("data"));
    ASSERT_STATUS_OK(memory.SyncDirectory("."));
    ASSERT_STATUS_OK(StoreManifest(memory, "data", before));
    FaultyFileSystem faulty(memory);
    faulty.AddFault({.operation = operation, .error_number = 28, .written_bytes = 7});
    const Status failed = StoreManifest(faulty, "data", after);
    EXPECT_EQ(failed.code(), StatusCode::kNoSpace) << static_cast<int>(operation);
    EXPECT_EQ(faulty.syncs_after_failure(), 0u);
    memory.CrashAndDropUnsynced();
    const Result<Manifest> loaded = LoadManifest(memory, "data");
    ASSERT_STATUS_OK(loaded.status());
    EXPECT_TRUE(*loaded == before || *loaded == after);
    ASSERT_STATUS_OK(StoreManifest(memory, "data", after));
    EXPECT_EQ(*LoadManifest(memory, "data"), after);
  }
}

// The bytes of format version 1: as the first release wrote them, and with the fields that came later.
TEST_F(ManifestTest, GoldenFilesAreReadAndWritten) {
  const std::pair<const char*, Manifest> known[] = {{"manifest-v1", FullManifest()}, {"manifest-v1-bound", BoundManifest()}};
  for (const auto& [name, manifest] : known) {
    const std::string path = std::string(CAIRN_SOURCE_DIR) + "/tests/golden/snapshot/" + name;
    if (std::getenv("CAIRN_WRITE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << *EncodeManifest(manifest);
    const Result<std::string> golden = ReadWholeFile(RealFileSystem(), path, 1 << 20);
    ASSERT_STATUS_OK(golden.status());
    const Result<Manifest> decoded = DecodeManifest(*golden);
    ASSERT_STATUS_OK(decoded.status());
    EXPECT_EQ(*decoded, manifest);
    EXPECT_EQ(*EncodeManifest(manifest), *golden);
  }
}

}  // namespace
}  // namespace cairn
