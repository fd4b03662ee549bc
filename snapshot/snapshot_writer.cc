#include "snapshot/snapshot_writer.h"

#include <lz4.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/crc32c.h"
#include "snapshot/snapshot_directory.h"
#include "snapshot/snapshot_index.pb.h"

namespace cairn {
namespace {

constexpr size_t kScratchBytes = kBlockHeaderBytes + kBlockRawMaxBytes;
// Protobuf takes sizes as int; millions of blocks, hundreds of gigabytes a file, are below it.
constexpr size_t kIndexMaxBytes = INT32_MAX;

}  // namespace

struct SnapshotWriter::DataFile {
  std::string path;  // constant
  Mutex mutex;
  std::unique_ptr<WritableFile> file CAIRN_GUARDED_BY(mutex);
  uint64_t offset CAIRN_GUARDED_BY(mutex) = 0;
  uint64_t unsynced_bytes CAIRN_GUARDED_BY(mutex) = 0;
  uint32_t runs CAIRN_GUARDED_BY(mutex) = 0;
  pb::SnapshotIndex index CAIRN_GUARDED_BY(mutex);
  uint32_t index_crc32c CAIRN_GUARDED_BY(mutex) = 0;  // once finished
  std::map<std::pair<uint16_t, uint32_t>, DatabaseCount> counts CAIRN_GUARDED_BY(mutex);
};

SnapshotWriter::SnapshotWriter(FileSystem& fs, std::string directory, Lsn lsn, SnapshotWriterOptions options)
    : fs_(fs),
      directory_(std::move(directory)),
      lsn_(lsn),
      options_(std::move(options)),
      unfinished_name_(SnapshotDirectoryName(lsn, 1) + std::string(kUnfinishedSnapshotSuffix)) {}

SnapshotWriter::~SnapshotWriter() { Abort(); }

Result<std::unique_ptr<SnapshotWriter>> SnapshotWriter::Create(FileSystem& fs, const std::string& directory, Lsn lsn,
                                                               SnapshotWriterOptions options) {
  CAIRN_CHECK(options.data_files > 0 && options.data_files <= kSnapshotFilesMax);
  CAIRN_CHECK(options.block_bytes >= kEntryHeadMaxBytes && options.block_bytes <= kBlockTargetBytes);
  CAIRN_CHECK(options.shard_count > 0 && options.shard_count <= kSnapshotShardsMax);
  std::unique_ptr<SnapshotWriter> writer(new SnapshotWriter(fs, directory, lsn, std::move(options)));
  if (Status opened = writer->OpenFiles(); !opened.ok()) {
    writer->Abort();
    return opened;
  }
  return writer;
}

Status SnapshotWriter::OpenFiles() {
  CAIRN_RETURN_IF_ERROR(fs_.CreateDirectory(SnapshotsPath(directory_)));
  CAIRN_RETURN_IF_ERROR(fs_.SyncDirectory(directory_));
  CAIRN_RETURN_IF_ERROR(RemoveSnapshot(fs_, directory_, unfinished_name_));
  const std::string path = SnapshotPath(directory_, unfinished_name_);
  CAIRN_RETURN_IF_ERROR(fs_.CreateDirectory(path));
  for (uint32_t number = 0; number < options_.data_files; number++) {
    files_.push_back(std::make_unique<DataFile>());
    DataFile& file = *files_.back();
    file.path = JoinPath(path, SnapshotFileName(number));
    MutexLock lock(file.mutex);
    CAIRN_ASSIGN_OR_RETURN(file.file, fs_.OpenForWriting(file.path, FileSystem::OpenMode::kCreateNew));
    char header[kFileHeaderBytes];
    EncodeFileHeader({.file_number = number, .lsn = lsn_}, header);
    CAIRN_RETURN_IF_ERROR(file.file->Append({header, kFileHeaderBytes}));
    file.offset = kFileHeaderBytes;
    file.index.set_lsn(lsn_);
    file.index.set_wall_time_unix_ms(options_.wall_time_unix_ms);
    file.index.set_file_number(number);
    file.index.set_file_count(options_.data_files);
    file.index.set_shard_count(options_.shard_count);
    file.index.set_created_by(options_.created_by);
  }
  return Status();
}

Status SnapshotWriter::AddBlock(EntryBlock& block) {
  if (block.empty()) return Status();
  CAIRN_CHECK(block.value_bytes_missing_ == 0);
  BlockHeader header;
  header.shard = block.shard();
  header.entry_count = block.entry_count();
  header.raw_bytes = static_cast<uint32_t>(block.raw_bytes());
  CAIRN_RETURN_IF_ERROR(WriteBlock(header, block.buffer_.get(), block.counts()));
  block.Reset(block.shard());
  return Status();
}

Result<std::unique_ptr<BigEntryWriter>> SnapshotWriter::BeginBigEntry(uint16_t shard, const EntryHead& head, std::string_view key,
                                                                      uint64_t value_bytes) {
  if (failed_.load(std::memory_order_acquire)) return failure();
  char encoded[kEntryHeadMaxBytes];
  const char* end = EncodeEntryHead(encoded, head, key.size(), value_bytes);
  const size_t head_bytes = static_cast<size_t>(end - encoded);
  std::unique_ptr<BigEntryWriter> entry(
      new BigEntryWriter(this, BlockKind::kBigEntry, shard, head_bytes + key.size() + value_bytes));
  entry->counts_.push_back({head.database, 1, head.has_expiry ? 1u : 0u});
  CAIRN_RETURN_IF_ERROR(entry->Append({encoded, head_bytes}));
  CAIRN_RETURN_IF_ERROR(entry->Append(key));
  return entry;
}

Status SnapshotWriter::AddSection(std::string_view name, std::string_view bytes) {
  {
    MutexLock lock(mutex_);
    if (std::find(section_names_.begin(), section_names_.end(), name) != section_names_.end()) {
      return Status::InvalidArgument("snapshot section added twice: " + std::string(name));
    }
    section_names_.emplace_back(name);
  }
  uint32_t run = 0;
  if (!bytes.empty()) {
    BigEntryWriter section(this, BlockKind::kSection, 0, bytes.size());
    run = section.header_.run;
    CAIRN_RETURN_IF_ERROR(section.Append(bytes));
    CAIRN_RETURN_IF_ERROR(section.Finish());
  }
  DataFile& file = FileOf(0);
  MutexLock lock(file.mutex);
  pb::SnapshotSection* added = file.index.add_sections();
  added->set_name(std::string(name));
  added->set_run(run);
  return Status();
}

uint32_t SnapshotWriter::NewRun(uint16_t shard) {
  open_runs_++;
  DataFile& file = FileOf(shard);
  MutexLock lock(file.mutex);
  return ++file.runs;
}

Status SnapshotWriter::WriteBlock(BlockHeader header, char* room, const std::vector<DatabaseCount>& counts) {
  CAIRN_CHECK(header.shard < options_.shard_count);
  if (failed_.load(std::memory_order_acquire)) return failure();
  Scratch scratch = TakeScratch();
  const std::string_view bytes = Pack(&header, room, scratch.get());
  Status written = AppendBlock(FileOf(header.shard), header, bytes, counts);
  GiveScratch(std::move(scratch));
  if (!written.ok()) return written;
  entries_.fetch_add(header.entry_count, std::memory_order_relaxed);
  blocks_.fetch_add(1, std::memory_order_relaxed);
  raw_bytes_.fetch_add(header.raw_bytes, std::memory_order_relaxed);
  stored_bytes_.fetch_add(bytes.size(), std::memory_order_relaxed);
  return Status();
}

std::string_view SnapshotWriter::Pack(BlockHeader* header, char* room, char* scratch) const {
  char* packed = room;
  header->stored_bytes = header->raw_bytes;
  // Saving less than a sixteenth is not worth the decompression.
  const uint32_t limit = header->raw_bytes - std::max(1u, header->raw_bytes / 16);
  if (options_.lz4_acceleration > 0) {
    const int lz4_bytes =
        LZ4_compress_fast(room + kBlockHeaderBytes, scratch + kBlockHeaderBytes, static_cast<int>(header->raw_bytes),
                          static_cast<int>(limit), options_.lz4_acceleration);
    if (lz4_bytes > 0) {
      packed = scratch;
      header->stored_bytes = static_cast<uint32_t>(lz4_bytes);
      header->flags |= kBlockLz4;
    }
  }
  EncodeBlockHeader(*header, packed);
  header->crc32c = BlockChecksum(packed, header->stored_bytes);
  StoreLittleEndian<uint32_t>(packed, header->crc32c);
  CAIRN_CHECK(BlockHeaderProblem(*header) == nullptr);
  return {packed, kBlockHeaderBytes + header->stored_bytes};
}

Status SnapshotWriter::AppendBlock(DataFile& file, const BlockHeader& header, std::string_view bytes,
                                   const std::vector<DatabaseCount>& counts) {
  MutexLock lock(file.mutex);
  if (failed_.load(std::memory_order_acquire)) return failure();
  if (Status written = file.file->Append(bytes); !written.ok()) {
    return Fail(written, "block at offset " + std::to_string(file.offset) + " of " + file.path);
  }
  pb::SnapshotBlock* added = file.index.add_blocks();
  added->set_offset(file.offset);
  added->set_crc32c(header.crc32c);
  added->set_kind(static_cast<uint32_t>(header.kind));
  added->set_flags(header.flags);
  added->set_shard(header.shard);
  added->set_entry_count(header.entry_count);
  added->set_raw_bytes(header.raw_bytes);
  added->set_stored_bytes(header.stored_bytes);
  added->set_run(header.run);
  added->set_sequence(header.sequence);
  for (const DatabaseCount& count : counts) {
    DatabaseCount& sum = file.counts[{header.shard, count.database}];
    sum.entries += count.entries;
    sum.expiring += count.expiring;
  }
  file.offset += bytes.size();
  file.unsynced_bytes += bytes.size();
  if (options_.sync_every_bytes == 0 || file.unsynced_bytes < options_.sync_every_bytes) {
    return Status();
  }
  file.unsynced_bytes = 0;
  if (Status synced = file.file->Sync(); !synced.ok()) {
    return Fail(synced, "bytes before offset " + std::to_string(file.offset) + " of " + file.path);
  }
  return Status();
}

Status SnapshotWriter::FinishFile(DataFile& file) {
  MutexLock lock(file.mutex);
  for (const auto& [key, count] : file.counts) {
    pb::SnapshotCount* added = file.index.add_counts();
    added->set_shard(key.first);
    added->set_database(key.second);
    added->set_entries(count.entries);
    added->set_expiring(count.expiring);
  }
  std::string tail;
  if (file.index.ByteSizeLong() > kIndexMaxBytes || !file.index.SerializeToString(&tail)) {
    return Fail(Status::Internal("the index is too large"), "index of " + file.path);
  }
  const Footer footer{.index_offset = file.offset, .index_bytes = tail.size(), .index_crc32c = Crc32c(tail)};
  tail.resize(tail.size() + kFooterBytes);
  EncodeFooter(footer, tail.data() + footer.index_bytes);
  Status status = file.file->Append(tail);
  if (status.ok()) status = file.file->Sync();
  if (status.ok()) status = file.file->Close();
  if (!status.ok()) {
    return Fail(status, "index at offset " + std::to_string(file.offset) + " of " + file.path);
  }
  file.offset += tail.size();
  file.index_crc32c = footer.index_crc32c;
  return Status();
}

Result<std::string> SnapshotWriter::Publish() {
  const std::string unfinished = SnapshotPath(directory_, unfinished_name_);
  CAIRN_RETURN_IF_ERROR(fs_.SyncDirectory(unfinished));
  uint32_t attempt = 0;
  bool taken = true;
  std::string name;
  while (taken) {
    name = SnapshotDirectoryName(lsn_, ++attempt);
    CAIRN_ASSIGN_OR_RETURN(taken, fs_.Exists(SnapshotPath(directory_, name)));
  }
  CAIRN_RETURN_IF_ERROR(fs_.Rename(unfinished, SnapshotPath(directory_, name)));
  // Without this sync a manifest could name what a crash takes back; on failure nothing names it,
  // so it may as well go.
  if (Status synced = fs_.SyncDirectory(SnapshotsPath(directory_)); !synced.ok()) {
    (void)RemoveSnapshot(fs_, directory_, name);
    return synced;
  }
  return name;
}

Result<SnapshotInfo> SnapshotWriter::Finish() {
  CAIRN_CHECK(!done_);
  if (open_runs_ != 0 && !failed_) {
    (void)Fail(Status::Internal("an entry was begun and not finished"), "end");
  }
  SnapshotInfo info{.directory_name = {},
                    .lsn = lsn_,
                    .wall_time_unix_ms = options_.wall_time_unix_ms,
                    .entry_count = entries_,
                    .size_bytes = 0,
                    .index_checksum = std::nullopt};
  for (const auto& file : files_) {
    if (!failed_ && FinishFile(*file).ok()) {
      MutexLock lock(file->mutex);
      info.size_bytes += file->offset;
      info.index_checksum = ExtendIndexChecksum(info.index_checksum.value_or(0), file->index_crc32c);
    }
  }
  if (!failed_) {
    Result<std::string> name = Publish();
    if (name.ok()) {
      done_ = true;
      info.directory_name = std::move(*name);
      return info;
    }
    (void)Fail(name.status(), "publishing " + SnapshotPath(directory_, unfinished_name_));
  }
  const Status failed = failure();
  Abort();
  return failed;
}

void SnapshotWriter::Abort() {
  if (done_) return;
  done_ = true;
  if (!failed_) (void)Fail(Status::Unavailable("it was aborted"), "end");
  for (const auto& file : files_) {
    MutexLock lock(file->mutex);
    file->file.reset();
  }
  // Best effort: what a failing disk keeps is removed at the next start.
  (void)RemoveSnapshot(fs_, directory_, unfinished_name_);
}

SnapshotProgress SnapshotWriter::progress() const {
  return {.entries = entries_.load(std::memory_order_relaxed),
          .blocks = blocks_.load(std::memory_order_relaxed),
          .raw_bytes = raw_bytes_.load(std::memory_order_relaxed),
          .stored_bytes = stored_bytes_.load(std::memory_order_relaxed)};
}

Status SnapshotWriter::Fail(const Status& status, const std::string& what) {
  MutexLock lock(mutex_);
  if (failure_.ok()) {
    failure_ =
        Status(status.code(), "snapshot at LSN " + std::to_string(lsn_) + ", " + what + ": " + std::string(status.message()));
    failed_.store(true, std::memory_order_release);
  }
  return failure_;
}

Status SnapshotWriter::failure() const {
  MutexLock lock(mutex_);
  return failure_;
}

SnapshotWriter::Scratch SnapshotWriter::TakeScratch() {
  MutexLock lock(mutex_);
  if (free_scratch_.empty()) return Scratch(new char[kScratchBytes]);
  Scratch scratch = std::move(free_scratch_.back());
  free_scratch_.pop_back();
  return scratch;
}

void SnapshotWriter::GiveScratch(Scratch scratch) {
  MutexLock lock(mutex_);
  free_scratch_.push_back(std::move(scratch));
}

}  // namespace cairn
