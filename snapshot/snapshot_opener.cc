#include "snapshot/snapshot_opener.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/crc32c.h"
#include "snapshot/snapshot_directory.h"
#include "snapshot/snapshot_index.pb.h"

namespace cairn {
namespace {

Status WithPath(const std::string& path, const Status& problem) {
  return Status(problem.code(), "snapshot " + path + ": " + std::string(problem.message()));
}

}  // namespace

Result<std::unique_ptr<SnapshotReader>> SnapshotOpener::Open() {
  reader_.reset(new SnapshotReader());
  for (uint32_t number = 0; number < file_count_; number++) {
    const Status opened = OpenFile(number);
    if (!opened.ok()) return WithPath(JoinPath(path_, SnapshotFileName(number)), opened);
  }
  if (Status sums = SumCounts(); !sums.ok()) return WithPath(path_, sums);
  return std::move(reader_);
}

Status SnapshotOpener::ReadExactly(const RandomAccessFile& file, uint64_t offset, size_t size_bytes, char* to) {
  CAIRN_ASSIGN_OR_RETURN(const size_t read, file.Read(offset, size_bytes, to));
  if (read == size_bytes) return Status();
  return Status::Damaged("cut short at offset " + std::to_string(offset + read));
}

Status SnapshotOpener::OpenFile(uint32_t number) {
  const std::string path = JoinPath(path_, SnapshotFileName(number));
  Result<std::unique_ptr<RandomAccessFile>> file = fs_.OpenForReading(path);
  if (!file.ok() && file.status().code() == StatusCode::kNotFound) {
    return Status::Damaged("the file is missing");
  }
  if (!file.ok()) return file.status();
  pb::SnapshotIndex index;
  FileHeader header;
  if (faults_ != nullptr) {
    CAIRN_RETURN_IF_ERROR(OpenDamagedFile(number, path, **file, &index));
  } else {
    CAIRN_RETURN_IF_ERROR(ReadHeader(**file, &header));
    CAIRN_RETURN_IF_ERROR(ReadIndex(**file, number, &index));
    CAIRN_RETURN_IF_ERROR(CheckHeader(header, index));
  }
  CAIRN_RETURN_IF_ERROR(CheckFileAgreement(index, number));
  reader_->files_.push_back({path, std::move(*file)});
  runs_.clear();
  CAIRN_RETURN_IF_ERROR(AddBlocks(index, number));
  CAIRN_RETURN_IF_ERROR(AddSections(index));
  return AddCounts(index);
}

Status SnapshotOpener::ReadHeader(const RandomAccessFile& file, FileHeader* header) {
  char bytes[kFileHeaderBytes];
  CAIRN_RETURN_IF_ERROR(ReadExactly(file, 0, kFileHeaderBytes, bytes));
  CAIRN_ASSIGN_OR_RETURN(*header, DecodeFileHeader(bytes));
  return Status();
}

Status SnapshotOpener::CheckHeader(const FileHeader& header, const pb::SnapshotIndex& index) {
  if (header.lsn == index.lsn() && header.file_number == index.file_number()) return Status();
  return Status::Damaged("header and index are of another snapshot or file");
}

Status SnapshotOpener::ReadIndex(const RandomAccessFile& file, uint32_t number, pb::SnapshotIndex* index) {
  CAIRN_ASSIGN_OR_RETURN(const uint64_t file_bytes, file.Size());
  if (file_bytes < kFileHeaderBytes + kFooterBytes) {
    return Status::Damaged("shorter than its header and footer");
  }
  const uint64_t footer_offset = file_bytes - kFooterBytes;
  char footer_bytes[kFooterBytes];
  CAIRN_RETURN_IF_ERROR(ReadExactly(file, footer_offset, kFooterBytes, footer_bytes));
  CAIRN_ASSIGN_OR_RETURN(const Footer footer, DecodeFooter(footer_bytes));
  if (footer.index_offset < kFileHeaderBytes || footer.index_offset > footer_offset ||
      footer.index_bytes != footer_offset - footer.index_offset || footer.index_bytes > INT32_MAX) {
    return Status::Damaged("the footer does not fit the file's size");
  }
  const size_t index_bytes = static_cast<size_t>(footer.index_bytes);
  const std::unique_ptr<char[]> bytes(new char[index_bytes]);
  CAIRN_RETURN_IF_ERROR(ReadExactly(file, footer.index_offset, index_bytes, bytes.get()));
  if (Crc32c({bytes.get(), index_bytes}) != footer.index_crc32c) {
    return Status::Damaged("the index at offset " + std::to_string(footer.index_offset) + " fails its checksum");
  }
  if (!index->ParseFromArray(bytes.get(), static_cast<int>(index_bytes))) {
    return Status::Damaged("the index does not parse");
  }
  if (index->file_number() != number) return Status::Damaged("the index is of another file");
  index_offset_ = footer.index_offset;
  reader_->index_checksum_ = ExtendIndexChecksum(reader_->index_checksum_, footer.index_crc32c);
  reader_->size_bytes_ += file_bytes;
  return Status();
}

Status SnapshotOpener::CheckFileAgreement(const pb::SnapshotIndex& index, uint32_t number) {
  if (number == 0) {
    if (index.file_count() == 0 || index.file_count() > kSnapshotFilesMax || index.shard_count() == 0 ||
        index.shard_count() > kSnapshotShardsMax) {
      return Status::Damaged("impossible number of files or shards");
    }
    file_count_ = index.file_count();
    reader_->lsn_ = index.lsn();
    reader_->wall_time_unix_ms_ = index.wall_time_unix_ms();
    reader_->shard_count_ = index.shard_count();
    reader_->created_by_ = index.created_by();
    return Status();
  }
  // Beside a first file without an index there is little to agree with.
  if (faults_ != nullptr && (index.lsn() == reader_->lsn_ || reader_->lsn_ == 0)) return Status();
  if (index.lsn() != reader_->lsn_ || index.wall_time_unix_ms() != reader_->wall_time_unix_ms_ ||
      index.file_count() != file_count_ || index.shard_count() != reader_->shard_count_) {
    return Status::Damaged("not of the same snapshot as its neighbour " + SnapshotFileName(0));
  }
  return Status();
}

Status SnapshotOpener::AddBlocks(const pb::SnapshotIndex& index, uint32_t number) {
  uint64_t offset = kFileHeaderBytes;
  reader_->blocks_.reserve(reader_->blocks_.size() + static_cast<size_t>(index.blocks_size()));
  for (const pb::SnapshotBlock& stored : index.blocks()) {
    CAIRN_RETURN_IF_ERROR(AddBlock(stored, number, &offset));
  }
  if (offset != index_offset_ && faults_ == nullptr) return Status::Damaged("blocks and index do not meet");
  for (const auto& [run, blocks] : runs_) {
    if (!reader_->blocks_[blocks.last].header.last()) {
      return Status::Damaged("a run of blocks has no end");
    }
  }
  return Status();
}

Status SnapshotOpener::AddBlock(const pb::SnapshotBlock& stored, uint32_t number, uint64_t* offset) {
  const size_t block_number = reader_->blocks_.size();
  SnapshotBlock block;
  block.file = number;
  block.offset = stored.offset();
  BlockHeader& header = block.header;
  header.crc32c = stored.crc32c();
  header.kind = static_cast<BlockKind>(stored.kind());
  header.flags = static_cast<uint8_t>(stored.flags());
  header.shard = static_cast<uint16_t>(stored.shard());
  header.entry_count = stored.entry_count();
  header.raw_bytes = stored.raw_bytes();
  header.stored_bytes = stored.stored_bytes();
  header.run = stored.run();
  header.sequence = stored.sequence();
  const char* problem =
      stored.kind() > UINT8_MAX || stored.flags() > UINT8_MAX ? "impossible kind or flags" : BlockHeaderProblem(header);
  if (stored.shard() >= reader_->shard_count_) problem = "impossible shard";
  if (faults_ != nullptr ? stored.offset() < *offset : stored.offset() != *offset) {
    problem = "it does not follow its predecessor";
  }
  if (problem != nullptr) {
    return Status::Damaged("block " + std::to_string(block_number) + " at offset " + std::to_string(*offset) + ": " + problem);
  }
  // Cannot overflow: an offset within the file plus a size of at most kBlockRawMaxBytes.
  *offset = block.offset + kBlockHeaderBytes + header.stored_bytes;
  if (*offset > index_offset_) return Status::Damaged("a block overlaps the index");
  reader_->blocks_.push_back(block);
  reader_->entry_count_ += header.entry_count;
  return header.run == 0 ? Status() : LinkRun(block_number);
}

Status SnapshotOpener::LinkRun(size_t block_number) {
  const BlockHeader& header = reader_->blocks_[block_number].header;
  const auto [at, is_new] = runs_.try_emplace(header.run, Run{block_number, block_number});
  bool fits = is_new == header.first();
  if (!is_new && fits) {
    SnapshotBlock& before = reader_->blocks_[at->second.last];
    fits = before.header.kind == header.kind && before.header.shard == header.shard &&
           before.header.sequence + 1 == header.sequence && !before.header.last();
    before.next_piece = block_number;
    at->second.last = block_number;
  }
  if (fits) return Status();
  return Status::Damaged("block " + std::to_string(block_number) + " does not fit its run");
}

Status SnapshotOpener::AddSections(const pb::SnapshotIndex& index) {
  for (const pb::SnapshotSection& section : index.sections()) {
    std::vector<std::string>& names = reader_->section_names_;
    if (std::find(names.begin(), names.end(), section.name()) != names.end()) {
      return Status::Damaged("two sections have one name");
    }
    size_t first = kNoBlock;
    if (section.run() != 0) {
      const auto run = runs_.find(section.run());
      if (run == runs_.end() || run->second.is_used_section ||
          reader_->blocks_[run->second.first].header.kind != BlockKind::kSection) {
        return Status::Damaged("a section has no blocks of its own");
      }
      run->second.is_used_section = true;
      first = run->second.first;
    }
    names.push_back(section.name());
    reader_->section_blocks_.push_back(first);
  }
  for (const auto& [run, blocks] : runs_) {
    const bool is_section = reader_->blocks_[blocks.first].header.kind == BlockKind::kSection;
    if (is_section && !blocks.is_used_section) return Status::Damaged("a section has no name");
  }
  return Status();
}

Status SnapshotOpener::AddCounts(const pb::SnapshotIndex& index) {
  for (const pb::SnapshotCount& count : index.counts()) {
    if (count.shard() >= reader_->shard_count_ || count.expiring() > count.entries()) {
      return Status::Damaged("impossible entry counts");
    }
    reader_->counts_.push_back({.shard = static_cast<uint16_t>(count.shard()),
                                .database = count.database(),
                                .entries = count.entries(),
                                .expiring = count.expiring()});
  }
  return Status();
}

Status SnapshotOpener::SumCounts() {
  uint64_t sum = 0;
  std::map<std::pair<uint16_t, uint32_t>, ShardCount> counts;
  for (const ShardCount& part : reader_->counts_) {
    if (__builtin_add_overflow(sum, part.entries, &sum)) {
      return Status::Damaged("impossible entry counts");
    }
    ShardCount& count = counts[{part.shard, part.database}];
    count.shard = part.shard;
    count.database = part.database;
    count.entries += part.entries;
    count.expiring += part.expiring;
  }
  if (sum != reader_->entry_count_) {
    return Status::Damaged("entry counts and blocks contradict each other");
  }
  reader_->counts_.clear();
  for (const auto& [key, count] : counts) reader_->counts_.push_back(count);
  return Status();
}

}  // namespace cairn
