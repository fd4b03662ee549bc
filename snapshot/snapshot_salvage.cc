// SnapshotOpener for files that are damaged: blocks by the index where that is whole, otherwise by their own headers, which carry
// everything but their offset. Nothing is used that no checksum confirms.
#include <algorithm>
#include <map>

#include "base/crc32c.h"
#include "snapshot/snapshot_directory.h"
#include "snapshot/snapshot_index.pb.h"
#include "snapshot/snapshot_opener.h"

namespace cairn {
namespace {

// Block headers are looked for in stretches of this size, behind which lies room for the largest block.
constexpr size_t kStretchBytes = size_t{1} << 20;
constexpr size_t kLargestBlockBytes = kBlockHeaderBytes + kBlockRawMaxBytes;

pb::SnapshotBlock ToIndex(uint64_t offset, const BlockHeader& header) {
  pb::SnapshotBlock block;
  block.set_offset(offset);
  block.set_crc32c(header.crc32c);
  block.set_kind(static_cast<uint32_t>(header.kind));
  block.set_flags(header.flags);
  block.set_shard(header.shard);
  block.set_entry_count(header.entry_count);
  block.set_raw_bytes(header.raw_bytes);
  block.set_stored_bytes(header.stored_bytes);
  block.set_run(header.run);
  block.set_sequence(header.sequence);
  return block;
}

bool IsBlock(std::string_view bytes, BlockHeader* header) {
  if (bytes.size() < kBlockHeaderBytes) return false;
  *header = DecodeBlockHeader(bytes.data());
  return BlockHeaderProblem(*header) == nullptr && bytes.size() >= kBlockHeaderBytes + header->stored_bytes &&
         BlockChecksum(bytes.data(), header->stored_bytes) == header->crc32c;
}

}  // namespace

Result<std::unique_ptr<SnapshotReader>> SnapshotOpener::OpenDamaged(std::vector<SnapshotFault>* faults) {
  faults_ = faults;
  reader_.reset(new SnapshotReader());
  reader_->by_index_ = true;
  reader_->shard_count_ = kSnapshotShardsMax;
  for (uint32_t number = 0; number < file_count_; number++) {
    const Status opened = OpenFile(number);
    if (opened.ok()) continue;
    if (opened.code() != StatusCode::kDamaged) {
      return Status(opened.code(),
                    "snapshot " + JoinPath(path_, SnapshotFileName(number)) + ": " + std::string(opened.message()));
    }
    AddFault(JoinPath(path_, SnapshotFileName(number)), 0, 0, std::string(opened.message()), true);
    if (number != 0) continue;
    // The first file says how many there are.
    for (bool exists = true; exists; file_count_ += exists ? 1 : 0) {
      CAIRN_ASSIGN_OR_RETURN(exists, fs_.Exists(JoinPath(path_, SnapshotFileName(file_count_))));
    }
  }
  if (faults_->empty()) {
    const Status sums = SumCounts();
    if (!sums.ok()) AddFault(path_, 0, 0, std::string(sums.message()), false);
  }
  return std::move(reader_);
}

void SnapshotOpener::AddFault(const std::string& path, uint64_t offset, uint64_t bytes, std::string what, bool loses) {
  faults_->push_back({.file = path, .offset = offset, .bytes = bytes, .what = std::move(what), .loses = loses});
}

Status SnapshotOpener::OpenDamagedFile(uint32_t number, const std::string& path, const RandomAccessFile& file,
                                       pb::SnapshotIndex* index) {
  CAIRN_ASSIGN_OR_RETURN(const uint64_t file_bytes, file.Size());
  FileHeader header;
  Status header_read = ReadHeader(file, &header);
  if (!header_read.ok() && header_read.code() != StatusCode::kDamaged) return header_read;
  if (!header_read.ok()) AddFault(path, 0, kFileHeaderBytes, std::string(header_read.message()), false);
  Status read = ReadIndex(file, number, index);
  if (read.ok()) {
    const Status agreed = header_read.ok() ? CheckHeader(header, *index) : Status();
    if (!agreed.ok()) AddFault(path, 0, kFileHeaderBytes, std::string(agreed.message()), false);
    return Status();
  }
  if (read.code() != StatusCode::kDamaged) return read;
  reader_->size_bytes_ += file_bytes;
  index->Clear();
  CAIRN_RETURN_IF_ERROR(ScanBlocks(file, file_bytes, index));
  CAIRN_ASSIGN_OR_RETURN(const bool whole, TakeIndexBehindBlocks(file, file_bytes, index));
  AddFault(path, index_offset_, file_bytes - std::min(file_bytes, index_offset_), std::string(read.message()), false);
  if (whole) return Status();
  if (header_read.ok()) index->set_lsn(header.lsn);
  index->set_file_number(number);
  index->set_file_count(std::max(file_count_, number + 1));
  if (number == 0) {
    uint32_t files = 1;
    for (bool exists = true; exists && files < kSnapshotFilesMax; files += exists ? 1 : 0) {
      CAIRN_ASSIGN_OR_RETURN(exists, fs_.Exists(JoinPath(path_, SnapshotFileName(files))));
    }
    index->set_file_count(files);
  }
  index->set_shard_count(kSnapshotShardsMax);
  index->set_wall_time_unix_ms(reader_->wall_time_unix_ms_);
  DropBrokenRuns(path, index);
  return Status();
}

// Every block that checks out, in the order of the file; what lies between is a fault.
Status SnapshotOpener::ScanBlocks(const RandomAccessFile& file, uint64_t file_bytes, pb::SnapshotIndex* index) {
  std::string stretch;
  uint64_t base = kFileHeaderBytes;
  uint64_t end = kFileHeaderBytes;  // of the last block
  const std::string path = JoinPath(path_, SnapshotFileName(static_cast<uint32_t>(reader_->files_.size())));
  while (base < file_bytes) {
    stretch.resize(std::min<uint64_t>(file_bytes - base, kStretchBytes + kLargestBlockBytes));
    CAIRN_RETURN_IF_ERROR(ReadExactly(file, base, stretch.size(), stretch.data()));
    size_t at = 0;
    while (at < kStretchBytes && at < stretch.size()) {
      BlockHeader header;
      if (!IsBlock(std::string_view(stretch).substr(at), &header)) {
        at++;
        continue;
      }
      if (base + at > end) AddFault(path, end, base + at - end, "bytes that are no block", true);
      *index->add_blocks() = ToIndex(base + at, header);
      at += kBlockHeaderBytes + header.stored_bytes;
      end = base + at;
    }
    base += at;
  }
  index_offset_ = end;
  return Status();
}

// Whether the index is whole although the footer is not: it stands behind the blocks and fits what the footer says, or names just them.
Result<bool> SnapshotOpener::TakeIndexBehindBlocks(const RandomAccessFile& file, uint64_t file_bytes, pb::SnapshotIndex* index) {
  if (file_bytes < index_offset_ + kFooterBytes || file_bytes - index_offset_ > INT32_MAX) return false;
  std::string bytes(file_bytes - index_offset_, '\0');
  CAIRN_RETURN_IF_ERROR(ReadExactly(file, index_offset_, bytes.size(), bytes.data()));
  const std::string_view index_bytes(bytes.data(), bytes.size() - kFooterBytes);
  const uint32_t promised = LoadLittleEndian<uint32_t>(bytes.data() + index_bytes.size() + 16);
  pb::SnapshotIndex found;
  if (Crc32c(index_bytes) != promised || !found.ParseFromArray(index_bytes.data(), static_cast<int>(index_bytes.size()))) {
    return false;
  }
  *index = std::move(found);
  reader_->index_checksum_ = ExtendIndexChecksum(reader_->index_checksum_, promised);
  return true;
}

// Without the index a section has no name, and a run that misses a piece is no entry.
void SnapshotOpener::DropBrokenRuns(const std::string& path, pb::SnapshotIndex* index) {
  struct Pieces {
    uint32_t count = 0;
    bool whole = true;
    bool ended = false;
  };
  std::map<uint32_t, Pieces> runs;
  for (const pb::SnapshotBlock& block : index->blocks()) {
    if (block.run() == 0) continue;
    Pieces& run = runs[block.run()];
    const bool is_entry = block.kind() == static_cast<uint32_t>(BlockKind::kBigEntry);
    run.whole = run.whole && is_entry && !run.ended && block.sequence() == run.count++;
    run.ended = run.ended || (block.flags() & kBlockLastOfRun) != 0;
  }
  pb::SnapshotIndex kept = *index;
  kept.clear_blocks();
  for (const pb::SnapshotBlock& block : index->blocks()) {
    const auto run = runs.find(block.run());
    if (run == runs.end() || (run->second.whole && run->second.ended)) {
      *kept.add_blocks() = block;
    } else if (block.sequence() == 0) {
      AddFault(path, block.offset(), block.stored_bytes(), "a large entry, or a section, of which pieces are missing", true);
    }
  }
  *index = std::move(kept);
}

}  // namespace cairn
