#include <algorithm>

#include "snapshot/snapshot_writer.h"

namespace cairn {

BigEntryWriter::BigEntryWriter(SnapshotWriter* writer, BlockKind kind, uint16_t shard, uint64_t bytes_missing)
    : writer_(writer), buffer_(new char[kBlockHeaderBytes + writer->block_bytes()]), bytes_missing_(bytes_missing) {
  header_.kind = kind;
  header_.shard = shard;
  header_.flags = kBlockFirstOfRun;
  header_.entry_count = kind == BlockKind::kBigEntry ? 1 : 0;
  header_.run = writer->NewRun(shard);
}

Status BigEntryWriter::Append(std::string_view part) {
  if (part.size() > bytes_missing_) return Status::Internal("big entry: more bytes than announced");
  bytes_missing_ -= part.size();
  const size_t piece_bytes = writer_->block_bytes();
  while (!part.empty()) {
    // A full piece waits for its successor's first byte, so that the last piece is known as such
    // and never empty.
    if (used_bytes_ == piece_bytes) CAIRN_RETURN_IF_ERROR(WritePiece(0));
    const size_t taken = std::min(part.size(), piece_bytes - used_bytes_);
    part.copy(buffer_.get() + kBlockHeaderBytes + used_bytes_, taken);
    used_bytes_ += taken;
    part.remove_prefix(taken);
  }
  return Status();
}

Status BigEntryWriter::Finish() {
  if (bytes_missing_ != 0) return Status::Internal("big entry: fewer bytes than announced");
  CAIRN_RETURN_IF_ERROR(WritePiece(kBlockLastOfRun));
  writer_->open_runs_--;
  return Status();
}

Status BigEntryWriter::WritePiece(uint8_t last_flag) {
  header_.flags |= last_flag;
  header_.raw_bytes = static_cast<uint32_t>(used_bytes_);
  CAIRN_RETURN_IF_ERROR(writer_->WriteBlock(header_, buffer_.get(), counts_));
  counts_.clear();
  used_bytes_ = 0;
  header_.flags = 0;
  header_.entry_count = 0;
  header_.sequence++;
  return Status();
}

}  // namespace cairn
