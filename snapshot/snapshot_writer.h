// Writes one snapshot: blocks of entries, entries larger than a block, and opaque sections, into
// DIR/snapshots/NAME.
//
//   auto writer = SnapshotWriter::Create(fs, directory, lsn, options);
//   ... AddBlock, BeginBigEntry, AddSection from any threads ...
//   auto info = writer->Finish();   // then: manifest.current_snapshot = *info; StoreManifest(...)
//
// Durability: all bytes go to NAME.tmp. Finish syncs files and directory and renames; only when it
// returns OK may a manifest name the snapshot. A crash before that leaves something that
// RemoveStaleSnapshots takes away. Failure: the first failed write, sync or rename is final. It and
// every later call return the same Status, which names the file and the offset; no file is synced
// again, and Finish, Abort or the destructor remove what was written, as far as the file system
// still lets them. Threads: AddBlock, BeginBigEntry, AddSection and progress may be called from
// several threads at once; the caller's thread compresses, and one mutex a data file orders the
// writes. Finish, Abort and destruction come when no other call is running. Memory: one compression
// buffer (up to 1 MiB) per thread inside AddBlock, the index (about 100 bytes a block), and nothing
// else.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/status.h"
#include "base/thread_annotations.h"
#include "snapshot/entry_block.h"
#include "snapshot/manifest.h"
#include "snapshot/snapshot_format.h"

namespace cairn {

struct SnapshotWriterOptions {
  uint32_t shard_count = 64;      // entries' shards are below it
  uint32_t data_files = 1;        // a shard's blocks are all in file shard % data_files
  int64_t wall_time_unix_ms = 0;  // of the cut
  std::string created_by;         // the program's version
  // Of the pieces that big entries are cut into, and of the blocks that AddBlock's caller should fill; from kEntryHeadMaxBytes to
  // kBlockTargetBytes. Small blocks take a few percent more room, and the thread that packs one is back sooner.
  size_t block_bytes = kBlockTargetBytes;
  int lz4_acceleration = 2;  // higher is faster and larger; 0 stores everything raw
  // A file is synced each time so much was written: the log's commits share the disk, and wait for what of a snapshot is on its way there
  // at once.
  uint64_t sync_every_bytes = 8 << 20;
};

struct SnapshotProgress {
  uint64_t entries = 0;
  uint64_t blocks = 0;
  uint64_t raw_bytes = 0;
  uint64_t stored_bytes = 0;
};

class SnapshotWriter;

// Streams the value of one big entry (or the bytes of a section) as a run of blocks, holding one
// block's buffer. Used by one thread at a time; the SnapshotWriter outlives it. A run that is not
// finished makes the snapshot's Finish fail.
class BigEntryWriter {
 public:
  BigEntryWriter(const BigEntryWriter&) = delete;
  BigEntryWriter& operator=(const BigEntryWriter&) = delete;
  // The next part of the value; parts may have any size.
  Status Append(std::string_view part);
  // After exactly the announced number of bytes, or kInternal.
  Status Finish();

 private:
  friend class SnapshotWriter;
  BigEntryWriter(SnapshotWriter* writer, BlockKind kind, uint16_t shard, uint64_t bytes_missing);
  Status WritePiece(uint8_t last_flag);

  SnapshotWriter* writer_;
  BlockHeader header_;
  std::vector<DatabaseCount> counts_;  // for the first piece
  std::unique_ptr<char[]> buffer_;     // a block header's room, then the piece
  size_t used_bytes_ = 0;
  uint64_t bytes_missing_;
};

class SnapshotWriter {
 public:
  // Makes DIR/snapshots where needed and NAME.tmp in it. `fs` outlives the writer; there is one
  // writer at a time for one directory and LSN.
  static Result<std::unique_ptr<SnapshotWriter>> Create(FileSystem& fs, const std::string& directory, Lsn lsn,
                                                        SnapshotWriterOptions options);
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  // Writes the block and, on OK, empties it for more of the same shard. An empty block writes
  // nothing.
  Status AddBlock(EntryBlock& block);

  // Begins an entry of any size, whose value of `value_bytes` follows through the returned writer.
  // `key` is copied.
  Result<std::unique_ptr<BigEntryWriter>> BeginBigEntry(uint16_t shard, const EntryHead& head, std::string_view key,
                                                        uint64_t value_bytes);

  // Stores bytes under a name that this format does not interpret. kInvalidArgument for a name used
  // before.
  Status AddSection(std::string_view name, std::string_view bytes);

  // SnapshotWriterOptions::block_bytes. Any thread.
  size_t block_bytes() const { return options_.block_bytes; }

  // What has been written so far; any thread, any time.
  SnapshotProgress progress() const;

  // Closes, syncs and publishes the snapshot under its final name. Once.
  Result<SnapshotInfo> Finish();

  // Removes everything; also what the destructor does without Finish. Later calls fail.
  void Abort();

 private:
  friend class BigEntryWriter;
  struct DataFile;
  using Scratch = std::unique_ptr<char[]>;

  SnapshotWriter(FileSystem& fs, std::string directory, Lsn lsn, SnapshotWriterOptions options);
  Status OpenFiles();
  DataFile& FileOf(uint16_t shard) { return *files_[shard % files_.size()]; }
  uint32_t NewRun(uint16_t shard);
  // Compresses and appends; `room` holds a block header's room and the raw bytes, the header all
  // but its sizes.
  Status WriteBlock(BlockHeader header, char* room, const std::vector<DatabaseCount>& counts);
  std::string_view Pack(BlockHeader* header, char* room, char* scratch) const;
  Status AppendBlock(DataFile& file, const BlockHeader& header, std::string_view bytes, const std::vector<DatabaseCount>& counts);
  Status FinishFile(DataFile& file);
  Result<std::string> Publish();
  // Keeps the first failure, and returns it.
  Status Fail(const Status& status, const std::string& what);
  Status failure() const;
  Scratch TakeScratch();
  void GiveScratch(Scratch scratch);

  FileSystem& fs_;
  const std::string directory_;
  const Lsn lsn_;
  const SnapshotWriterOptions options_;
  const std::string unfinished_name_;
  std::vector<std::unique_ptr<DataFile>> files_;
  bool done_ = false;  // finished or aborted

  std::atomic<uint64_t> entries_{0};
  std::atomic<uint64_t> blocks_{0};
  std::atomic<uint64_t> raw_bytes_{0};
  std::atomic<uint64_t> stored_bytes_{0};
  std::atomic<int64_t> open_runs_{0};
  std::atomic<bool> failed_{false};

  mutable Mutex mutex_;  // taken after a data file's
  Status failure_ CAIRN_GUARDED_BY(mutex_);
  std::vector<Scratch> free_scratch_ CAIRN_GUARDED_BY(mutex_);
  std::vector<std::string> section_names_ CAIRN_GUARDED_BY(mutex_);
};

}  // namespace cairn
