#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "snapshot/snapshot_directory.h"
#include "tests/snapshot/snapshot_fixture.h"

namespace cairn {
namespace {

class SnapshotTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_STATUS_OK(fs_.CreateDirectory("data")); }

  SnapshotContent RoundTrip(const SnapshotContent& content, const SnapshotWriterOptions& options) {
    const Result<SnapshotInfo> info = WriteContent(fs_, "data", next_lsn_++, content, options);
    EXPECT_STATUS_OK(info.status());
    if (!info.ok()) return {};
    EXPECT_EQ(info->entry_count, content.entries.size());
    const Result<SnapshotContent> read = OpenAndRead(fs_, "data", *info);
    EXPECT_STATUS_OK(read.status());
    return read.ok() ? *read : SnapshotContent();
  }

  MemoryFileSystem fs_;
  Lsn next_lsn_ = 100;
};

TEST_F(SnapshotTest, AnEmptyKeyspaceRoundTrips) { EXPECT_EQ(RoundTrip({}, {}), SnapshotContent()); }

TEST_F(SnapshotTest, ContentOfEveryShapeRoundTrips) {
  const SnapshotContent content = MakeContent(20'000, 64, true);
  for (const uint32_t data_files : {1u, 3u}) {
    for (const int acceleration : {0, 1, 8}) {
      EXPECT_EQ(RoundTrip(content, {.data_files = data_files, .lz4_acceleration = acceleration}), content);
    }
  }
  EXPECT_EQ(RoundTrip(content, {.sync_every_bytes = 1}), content);
  for (const size_t block_bytes : {kEntryHeadMaxBytes, size_t{4096}})
    EXPECT_EQ(RoundTrip(content, {.block_bytes = block_bytes}), content);
}

TEST_F(SnapshotTest, MetadataAndCountsAreKept) {
  const SnapshotContent content = MakeContent(1000, 8, true);
  const Result<SnapshotInfo> info = WriteContent(
      fs_, "data", 77, content, {.shard_count = 8, .data_files = 2, .wall_time_unix_ms = 123456, .created_by = "test 1"});
  ASSERT_STATUS_OK(info.status());
  EXPECT_EQ(info->directory_name, "00000000000000000077");
  const auto reader = SnapshotReader::Open(fs_, "data", *info);
  ASSERT_STATUS_OK(reader.status());
  EXPECT_EQ((*reader)->lsn(), 77u);
  EXPECT_EQ((*reader)->wall_time_unix_ms(), 123456);
  EXPECT_EQ((*reader)->created_by(), "test 1");
  EXPECT_EQ((*reader)->shard_count(), 8u);
  std::map<std::pair<uint16_t, uint32_t>, std::pair<uint64_t, uint64_t>> expected;
  for (const auto& [key, entry] : content.entries) {
    auto& count = expected[{entry.shard, key.first}];
    count.first++;
    count.second += entry.has_expiry;
  }
  ASSERT_EQ((*reader)->counts().size(), expected.size());
  for (const ShardCount& count : (*reader)->counts()) {
    EXPECT_EQ(std::make_pair(count.entries, count.expiring), (expected[{count.shard, count.database}]));
  }
}

TEST_F(SnapshotTest, CompressibleBlocksShrinkAndOthersAreStoredRaw) {
  for (const bool compressible : {true, false}) {
    auto writer = SnapshotWriter::Create(fs_, "data", next_lsn_++, {});
    ASSERT_STATUS_OK(writer.status());
    EntryBlock block(5);
    for (int i = 0; !block.full(); i++) {
      const std::string value = compressible ? std::string(100, 'c') : RandomBytes(100, static_cast<uint64_t>(i));
      block.Append({{}, RandomBytes(8, static_cast<uint64_t>(i)), value});
    }
    ASSERT_STATUS_OK((*writer)->AddBlock(block));
    EXPECT_TRUE(block.empty());
    EXPECT_EQ(block.shard(), 5);
    const SnapshotProgress progress = (*writer)->progress();
    EXPECT_EQ(progress.blocks, 1u);
    EXPECT_GE(progress.raw_bytes, kBlockTargetBytes);
    if (compressible) {
      EXPECT_LT(progress.stored_bytes, progress.raw_bytes / 2);
    } else {
      EXPECT_EQ(progress.stored_bytes, progress.raw_bytes + kBlockHeaderBytes);
    }
    ASSERT_STATUS_OK((*writer)->Finish().status());
  }
}

TEST_F(SnapshotTest, BlocksAndPiecesAreAsLargeAsAskedFor) {
  auto writer = SnapshotWriter::Create(fs_, "data", next_lsn_++, {.block_bytes = 4096, .lz4_acceleration = 0});
  ASSERT_STATUS_OK(writer.status());
  EntryBlock block(0, (*writer)->block_bytes());
  for (int i = 0; !block.full(); i++) block.Append({{}, "key" + std::to_string(i), RandomBytes(100, static_cast<uint64_t>(i))});
  EXPECT_LT(block.raw_bytes(), 4096u + 200);
  auto big = (*writer)->BeginBigEntry(0, {}, "big", 10 * 4096);
  ASSERT_STATUS_OK(big.status());
  ASSERT_STATUS_OK((*big)->Append(std::string(10 * 4096, 'b')));
  ASSERT_STATUS_OK((*big)->Finish());
  EXPECT_EQ((*writer)->progress().blocks, 11u);  // the last holds what the head and the key pushed out of the others
}

TEST_F(SnapshotTest, ValuesInPartsAreTheSameEntries) {
  EntryBlock whole;
  EntryBlock parts;
  const std::string value = RandomBytes(1000, 1);
  whole.Append({{.database = 2}, "key", value});
  parts.BeginEntry({.database = 2}, "key", value.size());
  parts.AppendValue(std::string_view(value).substr(0, 1));
  parts.AppendValue(std::string_view(value).substr(1));
  EXPECT_EQ(whole.raw(), parts.raw());
}

TEST_F(SnapshotTest, ManyThreadsWriteAndReadOneSnapshot) {
  constexpr int kThreads = 4;
  constexpr int kEntriesEach = 20'000;
  auto writer = SnapshotWriter::Create(fs_, "data", 9, {.data_files = 2});
  ASSERT_STATUS_OK(writer.status());
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([&, t] {
      EntryBlock block(static_cast<uint16_t>(t));
      for (int i = 0; i < kEntriesEach; i++) {
        block.Append({{}, std::to_string(t) + ":" + std::to_string(i), RandomBytes(64, static_cast<uint64_t>(i))});
        if (block.full()) EXPECT_STATUS_OK((*writer)->AddBlock(block));
        if (i % 5000 != 0) continue;
        const std::string value(700'000, static_cast<char>('a' + t));
        auto big = (*writer)->BeginBigEntry(block.shard(), {}, "b" + std::to_string(t) + ":" + std::to_string(i), value.size());
        ASSERT_STATUS_OK(big.status());
        EXPECT_STATUS_OK((*big)->Append(value));
        EXPECT_STATUS_OK((*big)->Finish());
      }
      EXPECT_STATUS_OK((*writer)->AddBlock(block));
      EXPECT_STATUS_OK((*writer)->AddSection("of " + std::to_string(t), RandomBytes(300'000, 7)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto info = (*writer)->Finish();
  ASSERT_STATUS_OK(info.status());
  const auto reader = SnapshotReader::Open(fs_, "data", *info);
  ASSERT_STATUS_OK(reader.status());
  std::atomic<size_t> next{0};
  std::atomic<uint64_t> entries{0};
  threads.clear();
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([&] {
      BlockBuffer buffer;
      for (size_t i; (i = next++) < (*reader)->block_count();) {
        const BlockHeader& header = (*reader)->block(i).header;
        if (header.kind == BlockKind::kBigEntry && header.first()) {
          auto big = (*reader)->OpenBigEntry(i);
          ASSERT_STATUS_OK(big.status());
          uint64_t left = (*big)->value_bytes();
          const char letter = static_cast<char>('a' + ((*big)->key()[1] - '0'));
          for (std::string_view part = *(*big)->NextPart(); !part.empty(); part = *(*big)->NextPart()) {
            EXPECT_EQ(part.find_first_not_of(letter), std::string_view::npos);
            left -= part.size();
          }
          EXPECT_EQ(left, 0u);
          entries++;
        }
        if (header.kind != BlockKind::kEntries) continue;
        const auto bytes = (*reader)->ReadBlock(i, buffer);
        ASSERT_STATUS_OK(bytes.status());
        EntryReader in_block(*bytes, header.entry_count);
        for (EntryView entry; in_block.Next(&entry);) {
          EXPECT_EQ(entry.key[0] - '0', header.shard);
          entries++;
        }
        EXPECT_STATUS_OK(in_block.status());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(entries, static_cast<uint64_t>(kThreads * (kEntriesEach + kEntriesEach / 5000)));
  EXPECT_EQ((*reader)->entry_count(), entries);
}

TEST_F(SnapshotTest, ASecondSnapshotAtOneLsnGetsItsOwnName) {
  const SnapshotContent first = MakeContent(10, 2, false);
  const SnapshotContent second = MakeContent(20, 2, false);
  const auto a = WriteContent(fs_, "data", 5, first, {});
  const auto b = WriteContent(fs_, "data", 5, second, {});
  ASSERT_STATUS_OK(a.status());
  ASSERT_STATUS_OK(b.status());
  EXPECT_EQ(b->directory_name, "00000000000000000005.2");
  EXPECT_EQ(*OpenAndRead(fs_, "data", *a), first);
  EXPECT_EQ(*OpenAndRead(fs_, "data", *b), second);
  SnapshotInfo mixed = *a;
  mixed.directory_name = b->directory_name;
  EXPECT_EQ(SnapshotReader::Open(fs_, "data", mixed).status().code(), StatusCode::kDamaged);
}

TEST_F(SnapshotTest, WhatNoManifestNamesIsRemovedAndNothingElse) {
  Manifest manifest;
  const SnapshotContent content = MakeContent(10, 2, false);
  manifest.older_snapshots.push_back(*WriteContent(fs_, "data", 5, content, {}));
  (void)WriteContent(fs_, "data", 6, content, {});
  manifest.current_snapshot = *WriteContent(fs_, "data", 7, content, {});
  ASSERT_STATUS_OK(fs_.CreateDirectory("data/snapshots/00000000000000000008.tmp"));
  ASSERT_STATUS_OK(ReplaceFileDurably(fs_, "data/snapshots/00000000000000000008.tmp/data-00000", "half"));
  ASSERT_STATUS_OK(fs_.CreateDirectory("data/snapshots/lost+found"));
  const auto removed = RemoveStaleSnapshots(fs_, "data", manifest);
  ASSERT_STATUS_OK(removed.status());
  EXPECT_EQ(*removed, (std::vector<std::string>{"00000000000000000006", "00000000000000000008.tmp"}));
  EXPECT_EQ(*fs_.ListDirectory("data/snapshots"),
            (std::vector<std::string>{"00000000000000000005", "00000000000000000007", "lost+found"}));
  MemoryFileSystem empty;
  ASSERT_STATUS_OK(empty.CreateDirectory("data"));
  EXPECT_STATUS_OK(RemoveStaleSnapshots(empty, "data", manifest).status());
}

TEST_F(SnapshotTest, MisuseIsRefusedAndLeavesNothing) {
  auto writer = SnapshotWriter::Create(fs_, "data", 5, {});
  ASSERT_STATUS_OK(writer.status());
  EXPECT_STATUS_OK((*writer)->AddSection("one", "1"));
  EXPECT_EQ((*writer)->AddSection("one", "2").code(), StatusCode::kInvalidArgument);
  auto big = (*writer)->BeginBigEntry(0, {}, "key", 10);
  ASSERT_STATUS_OK(big.status());
  EXPECT_EQ((*big)->Append(std::string(11, 'x')).code(), StatusCode::kInternal);
  EXPECT_STATUS_OK((*big)->Append("123456789"));
  EXPECT_EQ((*big)->Finish().code(), StatusCode::kInternal);
  EXPECT_EQ((*writer)->Finish().status().code(), StatusCode::kInternal);
  EXPECT_TRUE(fs_.ListDirectory("data/snapshots")->empty());
}

TEST_F(SnapshotTest, AnAbortedOrForgottenSnapshotIsRemoved) {
  for (const bool abort : {true, false}) {
    auto writer = SnapshotWriter::Create(fs_, "data", 5, {});
    ASSERT_STATUS_OK(writer.status());
    EntryBlock block;
    block.Append({{}, "key", "value"});
    ASSERT_STATUS_OK((*writer)->AddBlock(block));
    EXPECT_EQ(fs_.ListDirectory("data/snapshots")->size(), 1u);
    if (abort) {
      (*writer)->Abort();
      block.Append({{}, "key", "value"});
      EXPECT_EQ((*writer)->AddBlock(block).code(), StatusCode::kUnavailable);
    }
    *writer = nullptr;
    EXPECT_TRUE(fs_.ListDirectory("data/snapshots")->empty());
  }
}

TEST_F(SnapshotTest, NamesOfSnapshots) {
  EXPECT_EQ(SnapshotDirectoryName(UINT64_MAX, 1), "18446744073709551615");
  EXPECT_EQ(ParseSnapshotDirectoryName("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(ParseSnapshotDirectoryName("00000000000000000012.3"), 12u);
  for (const char* wrong : {"", "12", "18446744073709551616", "00000000000000000012.", "00000000000000000012.tmp",
                            "00000000000000000012.3.tmp", "0000000000000000001x", "../00000000000000000012"}) {
    EXPECT_EQ(ParseSnapshotDirectoryName(wrong), std::nullopt) << wrong;
  }
}

// The bytes of format version 1, as the first release wrote them.
TEST_F(SnapshotTest, GoldenSnapshotIsReadAndWritten) {
  const SnapshotContent content = MakeContent(30, 4, false);
  const std::string golden = std::string(CAIRN_SOURCE_DIR) + "/tests/golden/snapshot/";
  for (const char* name : {"v1", "v1-lz4"}) {
    const auto reader = SnapshotReader::OpenPath(RealFileSystem(), golden + name);
    ASSERT_STATUS_OK(reader.status());
    EXPECT_EQ((*reader)->lsn(), 4321u);
    const auto read = ReadContent(**reader);
    ASSERT_STATUS_OK(read.status());
    EXPECT_EQ(*read, content);
  }
  const auto info =
      WriteContent(fs_, "data", 4321, content,
                   {.shard_count = 4, .wall_time_unix_ms = 1700000000000, .created_by = "golden", .lz4_acceleration = 0});
  ASSERT_STATUS_OK(info.status());
  EXPECT_EQ(*fs_.Content("data/snapshots/" + info->directory_name + "/data-00000"),
            *ReadWholeFile(RealFileSystem(), golden + "v1/data-00000", 1 << 20));
}

}  // namespace
}  // namespace cairn
