#include "wal/log_reader.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "wal/segment_reader.h"
#include "wal/unit_assembler.h"

namespace cairn {
namespace {

constexpr Lsn kNoLimit = UINT64_MAX;

// One pass over the chain, from the segment that holds `from` to the end of the log.
class LogWalk {
 public:
  LogWalk(const LogOptions& options, Lsn from, Lsn until, const LogFrameCallback& callback, LogRecoveryResult* result)
      : options_(options), from_(from), until_(until), callback_(callback), result_(*result) {}

  // Over result->segments.
  Status Run();

 private:
  Status CheckOwner();
  Status ReadSegment(size_t index);
  Status TakeFrame(const SegmentReader& reader, const FrameHeader& header, std::string_view payload);
  Status TakePart(const SegmentReader& reader, const FrameHeader& header, std::string_view payload);
  Status Deliver(const LogFrame& frame, bool divisible);
  Status EndOfLog(size_t index, const SegmentReader& reader);
  Status ProofBeyond(size_t index, const SegmentReader& reader, bool* found, std::string* where);
  Status Damaged(const std::string& what) {
    result_.end = LogEnd::kDamaged;
    return Status::Damaged(what + ". Nothing was changed; restore the file from a backup, or start from an older snapshot");
  }
  Status ReadFailed(const Status& status) {
    result_.end = LogEnd::kReadError;
    return status;
  }
  std::vector<SegmentInfo>& chain() { return result_.segments.chain; }
  void NoteMark(Lsn durable, uint64_t wall_us) {
    result_.durable_mark = std::max(result_.durable_mark, durable);
    result_.last_wall_us = std::max(result_.last_wall_us, wall_us);
  }

  const LogOptions& options_;
  const Lsn from_;
  const Lsn until_;
  const LogFrameCallback& callback_;
  LogRecoveryResult& result_;

  Lsn lsn_ = 0;                // after the last whole unit
  Lsn next_frame_lsn_ = 0;     // after the last frame
  uint64_t whole_offset_ = 0;  // in the current file, after the last whole unit
  bool at_end_ = false;        // the log ended in the current segment
  bool clean_ = false;         // ... with a clean-end frame
  Lsn limit_ = kNoLimit;       // the next segment supersedes this one from here

  UnitAssembler unit_;
};

Status LogWalk::Run() {
  result_.first_lsn = result_.log_end_lsn = result_.end_lsn = result_.next_lsn = result_.durable_mark = from_;
  if (chain().empty()) {
    result_.end = LogEnd::kClean;
    return Status::Ok();
  }
  CAIRN_RETURN_IF_ERROR(CheckOwner());

  result_.first_lsn = chain().front().header.continues_from;
  if (from_ < result_.first_lsn) {
    return Damaged(options_.directory + ": the log begins at LSN " + std::to_string(result_.first_lsn) + " in " +
                   chain().front().path + ", but is needed from LSN " + std::to_string(from_));
  }
  result_.durable_mark = 0;
  size_t index = chain().size() - 1;
  while (index > 0 && chain()[index].header.continues_from > from_) index--;
  for (; index < chain().size() && !at_end_; index++) CAIRN_RETURN_IF_ERROR(ReadSegment(index));

  result_.log_end_lsn = lsn_;
  result_.end_lsn = std::max(lsn_, from_);
  const bool exact = result_.end == LogEnd::kClean && lsn_ >= from_;
  result_.next_lsn = exact ? result_.end_lsn : result_.end_lsn + kUncleanLsnGap;
  return Status::Ok();
}

Status LogWalk::CheckOwner() {
  for (const SegmentInfo& segment : chain()) {
    const uint32_t owner = segment.header.directory_id;
    if (owner == 0 || options_.directory_id == 0 || owner == options_.directory_id) continue;
    return Damaged(segment.path + " was made in another data directory: its place is not here");
  }
  return Status::Ok();
}

Status LogWalk::ReadSegment(size_t index) {
  const SegmentHeader& header = chain()[index].header;
  const bool last = index + 1 == chain().size();
  limit_ = last ? kNoLimit : chain()[index + 1].header.continues_from;
  lsn_ = next_frame_lsn_ = header.first_lsn;
  whole_offset_ = kSegmentHeaderBytes;
  clean_ = false;
  unit_.Drop();
  NoteMark(header.durable_lsn, header.wall_us);

  Result<std::unique_ptr<SegmentReader>> opened = SegmentReader::Open(*options_.fs, chain()[index]);
  if (!opened.ok()) return ReadFailed(opened.status());
  SegmentReader& reader = **opened;
  // A segment that only holds a gap before the next one has nothing to read.
  while (lsn_ < limit_ && lsn_ < until_ && !clean_) {
    FrameHeader frame;
    std::string_view payload;
    const SegmentReader::Outcome outcome = reader.Next(&frame, &payload);
    if (outcome == SegmentReader::Outcome::kReadError) return ReadFailed(reader.status());
    // A valid frame that does not continue the one before is as bad as an invalid one.
    if (outcome == SegmentReader::Outcome::kEnd || frame.first_lsn != next_frame_lsn_) break;
    if (frame.end_lsn() > limit_) break;
    if (!unit_.Fits(frame.kind)) break;
    CAIRN_RETURN_IF_ERROR(TakeFrame(reader, frame, payload));
  }
  if (lsn_ >= until_) {
    at_end_ = true;
    return Status::Ok();
  }
  if (!last && lsn_ == limit_) return Status::Ok();
  // The stream may pass over what an unclean end left unused, up to this segment's own first LSN, but over nothing else.
  if (!last && lsn_ > limit_) return Status::Ok();
  return EndOfLog(index, reader);
}

Status LogWalk::TakeFrame(const SegmentReader& reader, const FrameHeader& header, std::string_view payload) {
  NoteMark(header.durable_lsn, header.wall_us);
  result_.frames++;
  switch (header.kind) {
    case FrameKind::kData:
      CAIRN_RETURN_IF_ERROR(Deliver({header.first_lsn, payload, header.wall_us, reader.buffer()}, true));
      break;
    case FrameKind::kBegin:
    case FrameKind::kMiddle:
    case FrameKind::kCommit: CAIRN_RETURN_IF_ERROR(TakePart(reader, header, payload)); break;
    case FrameKind::kSuccessor: {
      // Reading goes on in the next segment where that begins, which is before this frame: it is only reached when the
      // segment it names is not there, or is not the one that follows.
      const Successor named = DecodeSuccessor(payload);
      return Damaged(reader.path() + " names " + SegmentFileName(named.file_id) + " as its successor from LSN " +
                     std::to_string(named.continues_from) + " on, which is missing or does not continue it");
    }
    case FrameKind::kCleanEnd: clean_ = true; break;
    case FrameKind::kMark: break;
  }
  next_frame_lsn_ = header.end_lsn();
  if (!unit_.in_unit()) {
    lsn_ = next_frame_lsn_;
    whole_offset_ = reader.offset();
  }
  return Status::Ok();
}

Status LogWalk::TakePart(const SegmentReader& reader, const FrameHeader& header, std::string_view payload) {
  SharedBytes unit;
  const UnitAssembler::Outcome outcome = unit_.Take(header, payload, reader.file_bytes(), &unit);
  if (outcome == UnitAssembler::Outcome::kBadLength) {
    return Damaged(reader.path() + ": a unit is not as long as it says, at LSN " + std::to_string(header.first_lsn));
  }
  if (outcome == UnitAssembler::Outcome::kMore) return Status::Ok();
  return Deliver({lsn_, unit.view(), header.wall_us, unit}, false);
}

// `divisible`: the frame holds several units, so that `from` may lie inside it.
Status LogWalk::Deliver(const LogFrame& frame, bool divisible) {
  const Lsn end = frame.first_lsn + frame.payload.size();
  if (end <= from_) return Status::Ok();
  LogFrame rest = frame;
  if (frame.first_lsn < from_) {
    if (!divisible) return Damaged("LSN " + std::to_string(from_) + " lies inside a unit of the log: it is no snapshot's cut");
    rest.payload.remove_prefix(from_ - frame.first_lsn);
    rest.first_lsn = from_;
  }
  if (end > until_) {
    rest.payload.remove_suffix(end - until_);
    if (rest.payload.empty()) return Status::Ok();
  }
  result_.stream_bytes += rest.payload.size();
  return callback_(rest);
}

// No whole frame follows at whole_offset_: finds out which of the four ends this is.
Status LogWalk::EndOfLog(size_t index, const SegmentReader& reader) {
  at_end_ = true;
  result_.end_segment = index;
  result_.end_file = chain()[index].path;
  result_.end_offset = whole_offset_;
  if (clean_ && index + 1 == chain().size()) {
    result_.end = LogEnd::kClean;
    return Status::Ok();
  }
  if (clean_) {
    return Damaged("the log has nothing from LSN " + std::to_string(lsn_) + " to " + std::to_string(limit_) +
                   ": it was switched off there, or a file after " + result_.end_file + " is missing");
  }
  bool proof = result_.durable_mark > lsn_;
  std::string where = "an earlier frame";
  if (!proof) {
    Status status = ProofBeyond(index, reader, &proof, &where);
    if (!status.ok()) return ReadFailed(status);
  }
  if (proof) {
    return Damaged("the log is damaged in " + result_.end_file + " at offset " + std::to_string(whole_offset_) + " (LSN " +
                   std::to_string(lsn_) + "): " + where + " proves that more was on disk");
  }
  Result<uint64_t> torn = reader.NonZeroBytesFrom(whole_offset_);
  if (!torn.ok()) return ReadFailed(torn.status());
  result_.torn_bytes = *torn;
  result_.end = LogEnd::kTornTail;
  return Status::Ok();
}

// Is there a valid frame or header anywhere behind that says that bytes at lsn_ were durable?
Status LogWalk::ProofBeyond(size_t index, const SegmentReader& reader, bool* found, std::string* where) {
  CAIRN_ASSIGN_OR_RETURN(std::optional<uint64_t> offset, reader.FindMarkBeyond(whole_offset_, lsn_));
  if (offset) {
    *found = true;
    *where = "a frame at offset " + std::to_string(*offset);
    return Status::Ok();
  }
  for (size_t later = index + 1; later < chain().size(); later++) {
    *where = chain()[later].path;
    if (chain()[later].header.durable_lsn > lsn_) {
      *found = true;
      return Status::Ok();
    }
    CAIRN_ASSIGN_OR_RETURN(std::unique_ptr<SegmentReader> next, SegmentReader::Open(*options_.fs, chain()[later]));
    CAIRN_ASSIGN_OR_RETURN(offset, next->FindMarkBeyond(kSegmentHeaderBytes, lsn_));
    if (offset) {
      *found = true;
      return Status::Ok();
    }
  }
  return Status::Ok();
}

}  // namespace

Status ReadLog(const LogOptions& options, Lsn from, const LogFrameCallback& callback, LogRecoveryResult* result) {
  *result = LogRecoveryResult();
  Result<SegmentListing> listing = ListSegments(*options.fs, options.directory);
  if (!listing.ok()) {
    const StatusCode code = listing.status().code();
    result->end = code == StatusCode::kDamaged || code == StatusCode::kNewerFormat ? LogEnd::kDamaged : LogEnd::kReadError;
    return listing.status();
  }
  return ReadListedLog(options, std::move(listing).value(), from, callback, result);
}

Status ReadListedLog(const LogOptions& options, SegmentListing listing, Lsn from, const LogFrameCallback& callback,
                     LogRecoveryResult* result) {
  *result = LogRecoveryResult();
  result->segments = std::move(listing);
  return LogWalk(options, from, kNoLimit, callback, result).Run();
}

Status ReadLogUntil(const LogOptions& options, Lsn from, Lsn until, const LogFrameCallback& callback, LogRecoveryResult* result) {
  *result = LogRecoveryResult();
  CAIRN_ASSIGN_OR_RETURN(result->segments, ListSegments(*options.fs, options.directory));
  return LogWalk(options, from, until, callback, result).Run();
}

Status RecoverLog(const LogOptions& options, Lsn from, const LogFrameCallback& callback, LogRecoveryResult* result) {
  CAIRN_RETURN_IF_ERROR(ReadLog(options, from, callback, result));
  return RepairLogEnd(options, result);
}

}  // namespace cairn
