// What the snapshot tests share: a small snapshot with every kind of content, and a reader of all
// of it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/memory_file_system.h"
#include "snapshot/entry_block.h"
#include "snapshot/manifest.h"
#include "snapshot/snapshot_reader.h"
#include "snapshot/snapshot_writer.h"

#define ASSERT_STATUS_OK(expr)                       \
  do {                                               \
    const ::cairn::Status status_ = (expr);          \
    ASSERT_TRUE(status_.ok()) << status_.ToString(); \
  } while (false)
#define EXPECT_STATUS_OK(expr)                       \
  do {                                               \
    const ::cairn::Status status_ = (expr);          \
    EXPECT_TRUE(status_.ok()) << status_.ToString(); \
  } while (false)

namespace cairn {

struct StoredEntry {
  uint16_t shard = 0;
  uint8_t value_type = 0;
  bool has_expiry = false;
  int64_t expiry_unix_ms = 0;
  AccessKind access_kind = AccessKind::kNone;
  uint32_t access = 0;
  std::string value;
  bool operator==(const StoredEntry&) const = default;
};
using EntryKey = std::pair<uint32_t, std::string>;  // database and key

struct SnapshotContent {
  std::map<EntryKey, StoredEntry> entries;
  std::map<std::string, std::string> sections;
  bool operator==(const SnapshotContent&) const = default;
};

// Bytes that LZ4 cannot shorten, the same for the same seed.
std::string RandomBytes(size_t size_bytes, uint64_t seed);

EntryHead HeadOf(uint32_t database, const StoredEntry& entry);

// Entries of all shapes in `shards` shards, `count` small ones; with `big` also entries larger than
// a block.
SnapshotContent MakeContent(size_t count, uint16_t shards, bool big);

// Writes `content` with one thread and publishes it. The manifest is left to the caller.
Result<SnapshotInfo> WriteContent(FileSystem& fs, const std::string& directory, Lsn lsn, const SnapshotContent& content,
                                  SnapshotWriterOptions options);

// Reads everything; the first problem ends it.
Result<SnapshotContent> ReadContent(const SnapshotReader& reader);
Result<SnapshotContent> OpenAndRead(FileSystem& fs, const std::string& directory, const SnapshotInfo& info);

}  // namespace cairn
