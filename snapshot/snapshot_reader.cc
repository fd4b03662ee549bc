#include "snapshot/snapshot_reader.h"

#include <lz4.h>

#include <algorithm>

#include "snapshot/snapshot_directory.h"
#include "snapshot/snapshot_opener.h"

namespace cairn {

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::OpenPath(FileSystem& fs, const std::string& path) {
  return SnapshotOpener(fs, path).Open();
}

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::Open(FileSystem& fs, const std::string& directory,
                                                             const SnapshotInfo& expected) {
  const std::string path = SnapshotPath(directory, expected.directory_name);
  CAIRN_ASSIGN_OR_RETURN(std::unique_ptr<SnapshotReader> reader, OpenPath(fs, path));
  CAIRN_RETURN_IF_ERROR(reader->CheckExpected(expected, path));
  return reader;
}

Status SnapshotReader::CheckExpected(const SnapshotInfo& expected, const std::string& path) const {
  if (lsn_ != expected.lsn || entry_count_ != expected.entry_count || size_bytes_ != expected.size_bytes) {
    return Status::Damaged("snapshot " + path + ": its LSN, entries or size are not the manifest's");
  }
  if (expected.index_checksum && *expected.index_checksum != index_checksum_) {
    return Status::Damaged("snapshot " + path +
                           ": its content is not what the manifest names; it comes from another server or time");
  }
  return Status();
}

Status SnapshotReader::Located(size_t i, const Status& problem) const {
  if (problem.ok()) return problem;
  const SnapshotBlock& block = blocks_[i];
  return Status(problem.code(), "snapshot " + files_[block.file].path + " at offset " + std::to_string(block.offset) +
                                    " (block " + std::to_string(i) + "): " + std::string(problem.message()));
}

Status SnapshotReader::ReadStored(size_t i, BlockBuffer& buffer, char** stored) const {
  CAIRN_CHECK(i < blocks_.size());
  const SnapshotBlock& block = blocks_[i];
  const size_t stored_bytes = kBlockHeaderBytes + block.header.stored_bytes;
  *stored = buffer.Stored(stored_bytes);
  Result<size_t> read = files_[block.file].file->Read(block.offset, stored_bytes, *stored);
  if (!read.ok()) return Located(i, read.status());
  return *read == stored_bytes ? Status() : Located(i, Status::Damaged("the file was cut short"));
}

Result<std::string_view> SnapshotReader::Unpack(size_t i, const char* stored, BlockBuffer& buffer) const {
  const BlockHeader& header = blocks_[i].header;
  if (DecodeBlockHeader(stored) != header) {
    return Located(i, Status::Damaged("the block's header contradicts the index"));
  }
  if (BlockChecksum(stored, header.stored_bytes) != header.crc32c) {
    return Located(i, Status::Damaged("the block fails its checksum"));
  }
  const char* payload = stored + kBlockHeaderBytes;
  if (!header.lz4()) return std::string_view(payload, header.stored_bytes);
  char* raw = buffer.Raw(header.raw_bytes);
  const int raw_bytes =
      LZ4_decompress_safe(payload, raw, static_cast<int>(header.stored_bytes), static_cast<int>(header.raw_bytes));
  if (raw_bytes < 0 || static_cast<uint32_t>(raw_bytes) != header.raw_bytes) {
    return Located(i, Status::Damaged("the block does not decompress to its size"));
  }
  return std::string_view(raw, header.raw_bytes);
}

Result<std::string_view> SnapshotReader::ReadBlock(size_t i, BlockBuffer& buffer) const {
  char* stored;
  CAIRN_RETURN_IF_ERROR(ReadStored(i, buffer, &stored));
  return Unpack(i, stored, buffer);
}

Result<std::string_view> SnapshotReader::ReadBlockByIndex(size_t i, BlockBuffer& buffer, bool* healed) const {
  *healed = false;
  char* stored;
  CAIRN_RETURN_IF_ERROR(ReadStored(i, buffer, &stored));
  Result<std::string_view> unpacked = Unpack(i, stored, buffer);
  if (unpacked.ok()) return unpacked;
  EncodeBlockHeader(blocks_[i].header, stored);
  Result<std::string_view> again = Unpack(i, stored, buffer);
  *healed = again.ok();
  return again.ok() ? again : unpacked;
}

Result<std::string> SnapshotReader::ReadSection(std::string_view name) const {
  const auto found = std::find(section_names_.begin(), section_names_.end(), name);
  if (found == section_names_.end()) {
    return Status::NotFound("the snapshot has no section " + std::string(name));
  }
  std::string bytes;
  BlockBuffer buffer;
  size_t i = section_blocks_[static_cast<size_t>(found - section_names_.begin())];
  for (; i != kNoBlock; i = blocks_[i].next_piece) {
    CAIRN_ASSIGN_OR_RETURN(const std::string_view piece, ReadBlock(i, buffer));
    bytes.append(piece);
  }
  return bytes;
}

Result<std::unique_ptr<BigEntryReader>> SnapshotReader::OpenBigEntry(size_t i) const {
  CAIRN_CHECK(i < blocks_.size());
  CAIRN_CHECK(blocks_[i].header.kind == BlockKind::kBigEntry && blocks_[i].header.first());
  std::unique_ptr<BigEntryReader> entry(new BigEntryReader(*this, i));
  CAIRN_RETURN_IF_ERROR(entry->ReadKey());
  return entry;
}

Status BigEntryReader::ReadKey() {
  uint64_t run_bytes = 0;
  for (size_t i = next_block_; i != kNoBlock; i = snapshot_.block(i).next_piece) {
    run_bytes += snapshot_.block(i).header.raw_bytes;
  }
  CAIRN_ASSIGN_OR_RETURN(const bool begun, NextPiece());
  CAIRN_CHECK(begun);
  char padded[kEntryHeadMaxBytes] = {};
  piece_.copy(padded, kEntryHeadMaxBytes);
  uint64_t key_bytes;
  const char* end = DecodeEntryHead(padded, &head_, &key_bytes, &value_bytes_);
  const size_t head_bytes = end == nullptr ? SIZE_MAX : static_cast<size_t>(end - padded);
  if (head_bytes > piece_.size()) {
    return snapshot_.Located(at_block_, Status::Damaged("big entry: malformed head"));
  }
  run_bytes -= head_bytes;
  if (key_bytes > run_bytes || value_bytes_ != run_bytes - key_bytes) {
    return snapshot_.Located(at_block_, Status::Damaged("big entry: lengths contradict the run"));
  }
  piece_.remove_prefix(head_bytes);
  while (key_.size() < key_bytes) {
    if (piece_.empty()) {
      CAIRN_ASSIGN_OR_RETURN(const bool more, NextPiece());
      CAIRN_CHECK(more);  // the run has all the bytes that were counted above
    }
    const size_t taken = static_cast<size_t>(std::min<uint64_t>(key_bytes - key_.size(), piece_.size()));
    key_.append(piece_.substr(0, taken));
    piece_.remove_prefix(taken);
  }
  return Status();
}

Result<bool> BigEntryReader::NextPiece() {
  if (next_block_ == kNoBlock) return false;
  bool healed;
  if (snapshot_.by_index_) {
    CAIRN_ASSIGN_OR_RETURN(piece_, snapshot_.ReadBlockByIndex(next_block_, buffer_, &healed));
  } else {
    CAIRN_ASSIGN_OR_RETURN(piece_, snapshot_.ReadBlock(next_block_, buffer_));
  }
  at_block_ = next_block_;
  next_block_ = snapshot_.block(next_block_).next_piece;
  return true;
}

Result<std::string_view> BigEntryReader::NextPart() {
  while (piece_.empty()) {
    CAIRN_ASSIGN_OR_RETURN(const bool more, NextPiece());
    if (!more) return std::string_view();
  }
  return std::exchange(piece_, std::string_view());
}

}  // namespace cairn
