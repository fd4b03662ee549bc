// Reads one snapshot. Opening checks headers, footers and indexes of all data files; blocks are
// read and checked one by one, by as many threads as there are:
//
//   for each i below block_count(), in any order and on any thread:
//     block(i).header.kind == kEntries: ReadBlock, then an EntryReader over the bytes
//     kBigEntry and first():            OpenBigEntry, which reads the whole run; skip the run's
//     other blocks kSection:                         skip; sections are read by name
//
// Failure: kDamaged names the file, the offset and the block, and comes before any of its bytes are
// used; kNewerFormat is for files of a later version; a file system's error stays what it is. Sizes
// are checked before memory is taken for them. A reader that was opened is constant: all its
// functions may be called from several threads at once. It must outlive the BigEntryReaders made
// from it; the FileSystem must outlive it. It holds about 60 bytes a block.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/status.h"
#include "snapshot/entry_codec.h"
#include "snapshot/manifest.h"
#include "snapshot/snapshot_format.h"

namespace cairn {

// A loading thread's memory for one block, used again for the next; at most 2 MiB.
class BlockBuffer {
 public:
  char* Stored(size_t size_bytes) { return Grow(stored_, stored_capacity_, size_bytes); }
  char* Raw(size_t size_bytes) { return Grow(raw_, raw_capacity_, size_bytes); }

 private:
  static char* Grow(std::unique_ptr<char[]>& memory, size_t& capacity, size_t size_bytes) {
    if (capacity < size_bytes || memory == nullptr) {
      memory.reset(new char[size_bytes]);
      capacity = size_bytes;
    }
    return memory.get();
  }
  std::unique_ptr<char[]> stored_;
  std::unique_ptr<char[]> raw_;
  size_t stored_capacity_ = 0;
  size_t raw_capacity_ = 0;
};

inline constexpr size_t kNoBlock = SIZE_MAX;

struct SnapshotBlock {
  BlockHeader header;
  uint32_t file = 0;
  uint64_t offset = 0;           // of the header in the file
  size_t next_piece = kNoBlock;  // the block that continues this one's run
};

// How many entries of one shard and database the snapshot holds; `expiring` of them have an expiry.
struct ShardCount {
  uint16_t shard = 0;
  uint32_t database = 0;
  uint64_t entries = 0;
  uint64_t expiring = 0;
};

class BigEntryReader;

class SnapshotReader {
 public:
  // Opens the snapshot that a manifest of `directory` names; kDamaged also where the two contradict
  // each other.
  static Result<std::unique_ptr<SnapshotReader>> Open(FileSystem& fs, const std::string& directory, const SnapshotInfo& expected);
  // Opens the snapshot in `path` itself, for tools.
  static Result<std::unique_ptr<SnapshotReader>> OpenPath(FileSystem& fs, const std::string& path);
  // kDamaged where this, opened from `path`, is not what the manifest says.
  Status CheckExpected(const SnapshotInfo& expected, const std::string& path) const;

  Lsn lsn() const { return lsn_; }
  int64_t wall_time_unix_ms() const { return wall_time_unix_ms_; }
  const std::string& created_by() const { return created_by_; }
  // Shards are below it. A loader with another number of shards routes each key itself.
  uint32_t shard_count() const { return shard_count_; }
  uint64_t entry_count() const { return entry_count_; }
  uint64_t size_bytes() const { return size_bytes_; }          // of all files
  uint32_t index_checksum() const { return index_checksum_; }  // as in SnapshotInfo
  const std::vector<ShardCount>& counts() const { return counts_; }

  size_t file_count() const { return files_.size(); }
  const std::string& file_path(uint32_t file) const { return files_[file].path; }
  size_t block_count() const { return blocks_.size(); }
  const SnapshotBlock& block(size_t i) const { return blocks_[i]; }

  // Reads, checks and decompresses a block. The bytes live in `buffer` until its next use.
  Result<std::string_view> ReadBlock(size_t i, BlockBuffer& buffer) const;
  // The same where the block's own header may be damaged: the index has all of it, so a payload that fits the index is right.
  // `*healed` says whether that was needed.
  Result<std::string_view> ReadBlockByIndex(size_t i, BlockBuffer& buffer, bool* healed) const;

  // Begins to read the big entry whose first piece is block `i`; its key is in memory afterwards.
  Result<std::unique_ptr<BigEntryReader>> OpenBigEntry(size_t i) const;

  // The opaque sections' names in the order they were added, and one section's bytes (kNotFound for
  // other names).
  const std::vector<std::string>& section_names() const { return section_names_; }
  Result<std::string> ReadSection(std::string_view name) const;

  // `problem` with the file, offset and number of block `i` in front; OK stays OK. For what an
  // EntryReader found inside.
  Status Located(size_t i, const Status& problem) const;

 private:
  friend class SnapshotOpener;
  friend class BigEntryReader;
  Status ReadStored(size_t i, BlockBuffer& buffer, char** stored) const;
  Result<std::string_view> Unpack(size_t i, const char* stored, BlockBuffer& buffer) const;
  struct File {
    std::string path;
    std::unique_ptr<RandomAccessFile> file;
  };
  SnapshotReader() = default;

  std::vector<File> files_;
  std::vector<SnapshotBlock> blocks_;
  std::vector<ShardCount> counts_;  // by shard and database, one each
  std::vector<std::string> section_names_;
  std::vector<size_t> section_blocks_;  // the first piece of each, or kNoBlock
  std::string created_by_;
  Lsn lsn_ = 0;
  int64_t wall_time_unix_ms_ = 0;
  uint32_t shard_count_ = 0;
  uint64_t entry_count_ = 0;
  uint64_t size_bytes_ = 0;
  uint32_t index_checksum_ = 0;
  bool by_index_ = false;  // opened for a survey: big entries are read with ReadBlockByIndex
};

// One entry too large for a block: its head and key at once, its value in parts. One thread at a
// time.
class BigEntryReader {
 public:
  const EntryHead& head() const { return head_; }
  std::string_view key() const { return key_; }  // lives as long as the reader
  uint64_t value_bytes() const { return value_bytes_; }

  // The next bytes of the value, empty after the last; they live until the next call. All parts
  // together have exactly value_bytes().
  Result<std::string_view> NextPart();

 private:
  friend class SnapshotReader;
  BigEntryReader(const SnapshotReader& snapshot, size_t first_block)
      : snapshot_(snapshot), at_block_(first_block), next_block_(first_block) {}
  Status ReadKey();
  // The next piece of the run into `piece_`; false at its end.
  Result<bool> NextPiece();

  const SnapshotReader& snapshot_;
  size_t at_block_;  // where `piece_` comes from
  size_t next_block_;
  BlockBuffer buffer_;
  std::string_view piece_;  // not yet given out
  EntryHead head_;
  std::string key_;
  uint64_t value_bytes_ = 0;
};

}  // namespace cairn
