#include "wal/segment_writer.h"

#include <algorithm>
#include <cstring>

namespace cairn {
namespace {

// How much is zeroed at once when the frames come near the zeros' end: little, because the next sync has to write it.
constexpr uint64_t kFillChunkBytes = 1 << 20;

}  // namespace

SegmentWriter::SegmentWriter(NewSegment segment, const SegmentHeader& header, uint64_t segment_bytes, uint64_t max_frame_bytes,
                             bool fill_ahead)
    : header_(header),
      segment_bytes_(segment_bytes),
      max_frame_bytes_(max_frame_bytes),
      fill_ahead_(fill_ahead),
      file_(std::move(segment.file)),
      zeroed_until_(segment.zeroed_until),
      last_stamp_(header.durable_lsn) {}

Status SegmentWriter::WriteSealed(std::string_view frames, const Stamp& stamp) {
  const uint64_t end = offset_ + frames.size();
  if (fill_ahead_ && end > zeroed_until_ && end < segment_bytes_) {
    const uint64_t chunk = std::min(kFillChunkBytes, segment_bytes_ - end);
    CAIRN_RETURN_IF_ERROR(file_->ZeroFill(end, chunk));
    zeroed_until_ = end + chunk;
  }
  CAIRN_RETURN_IF_ERROR(file_->WriteAt(offset_, frames));
  offset_ = end;
  last_stamp_ = stamp.durable_lsn;
  return Status::Ok();
}

Status SegmentWriter::WriteRun(char* run, size_t run_bytes, const Stamp& stamp) {
  FrameHeader header;
  header.kind = FrameKind::kData;
  header.file_id = header_.file_id;
  header.durable_lsn = stamp.durable_lsn;
  header.wall_us = stamp.wall_us;
  for (size_t at = 0; at < run_bytes;) {
    header.payload_bytes = LoadLittleEndian<uint32_t>(run + at + kFramePayloadBytesAt);
    header.first_lsn = LoadLittleEndian<uint64_t>(run + at + kFrameFirstLsnAt);
    SealFrame(header, header_.salt, run + at);
    at += kFrameHeaderBytes + header.payload_bytes;
  }
  return WriteSealed({run, run_bytes}, stamp);
}

Status SegmentWriter::WriteUnit(Lsn first_lsn, std::span<const LogPiece> pieces, uint64_t unit_bytes, const Stamp& stamp) {
  if (staging_ == nullptr) staging_ = std::make_unique<char[]>(kFrameHeaderBytes + max_frame_bytes_);
  FrameHeader header;
  header.file_id = header_.file_id;
  header.durable_lsn = stamp.durable_lsn;
  header.wall_us = stamp.wall_us;
  uint64_t done = 0;
  size_t piece = 0;
  size_t piece_offset = 0;
  while (done < unit_bytes) {
    const size_t payload = std::min<uint64_t>(max_frame_bytes_, unit_bytes - done);
    for (size_t filled = 0; filled < payload;) {
      const std::string_view from = pieces[piece].bytes.substr(piece_offset, payload - filled);
      std::memcpy(staging_.get() + kFrameHeaderBytes + filled, from.data(), from.size());
      filled += from.size();
      piece_offset += from.size();
      if (piece_offset == pieces[piece].bytes.size()) {
        piece++;
        piece_offset = 0;
      }
    }
    const bool first = done == 0;
    const bool last = done + payload == unit_bytes;
    header.kind = first ? (last ? FrameKind::kData : FrameKind::kBegin) : (last ? FrameKind::kCommit : FrameKind::kMiddle);
    header.unit_bytes = header.kind == FrameKind::kBegin ? unit_bytes : 0;
    header.payload_bytes = static_cast<uint32_t>(payload);
    header.first_lsn = first_lsn + done;
    SealFrame(header, header_.salt, staging_.get());
    CAIRN_RETURN_IF_ERROR(WriteSealed({staging_.get(), kFrameHeaderBytes + payload}, stamp));
    done += payload;
  }
  return Status::Ok();
}

Status SegmentWriter::WriteControl(FrameKind kind, Lsn lsn, std::string_view payload, const Stamp& stamp) {
  char frame[kFrameHeaderBytes + kSuccessorPayloadBytes];
  CAIRN_CHECK(payload.size() <= kSuccessorPayloadBytes);
  if (!payload.empty()) std::memcpy(frame + kFrameHeaderBytes, payload.data(), payload.size());
  FrameHeader header;
  header.kind = kind;
  header.payload_bytes = static_cast<uint32_t>(payload.size());
  header.file_id = header_.file_id;
  header.first_lsn = lsn;
  header.durable_lsn = stamp.durable_lsn;
  header.wall_us = stamp.wall_us;
  SealFrame(header, header_.salt, frame);
  return WriteSealed({frame, kFrameHeaderBytes + payload.size()}, stamp);
}

Status SegmentWriter::Sync() { return file_->Sync(); }

Status SegmentWriter::FillAhead(uint64_t ahead_bytes) {
  if (!fill_ahead_ || full()) return Status::Ok();
  const uint64_t goal = std::min(offset_ + ahead_bytes, segment_bytes_);
  const uint64_t from = std::max(zeroed_until_, offset_);
  if (goal <= from) return Status::Ok();
  CAIRN_RETURN_IF_ERROR(file_->ZeroFill(from, goal - from));
  zeroed_until_ = goal;
  return Status::Ok();
}

Status SegmentWriter::Finish() {
  if (zeroed_until_ > offset_) {
    CAIRN_RETURN_IF_ERROR(file_->Truncate(offset_));
    zeroed_until_ = offset_;
  }
  CAIRN_RETURN_IF_ERROR(file_->Sync());
  return file_->Close();
}

}  // namespace cairn
