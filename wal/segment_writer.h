// Writes frames into one segment. Used by the log thread and by the repair after an unclean end.
//
// Threads: one at a time. Failure: after a failed write or sync the file's content is unknown and the object is only good for
// destruction; whoever uses it continues in a new segment (promise P5). The destructor closes and does not sync.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/status.h"
#include "wal/log_options.h"
#include "wal/record_format.h"
#include "wal/segment_set.h"

namespace cairn {

class SegmentWriter {
 public:
  // What every frame of one write carries.
  struct Stamp {
    Lsn durable_lsn = 0;
    uint64_t wall_us = 0;
  };

  // A segment that SegmentSet::Create made with `header`. `fill_ahead`: zeros are written before the frames reach the file's
  // end, so that a sync has no new size to make durable.
  SegmentWriter(NewSegment segment, const SegmentHeader& header, uint64_t segment_bytes, uint64_t max_frame_bytes,
                bool fill_ahead);

  // Data frames that stand one behind the other in memory, each with room for its header before the payload: seals them in
  // place and writes them with one call. Their length and first LSN stand in that room as in a sealed header.
  Status WriteRun(char* run, size_t run_bytes, const Stamp& stamp);
  // One unit as a data frame or, where it is larger than a frame, as begin, middle and commit frames.
  Status WriteUnit(Lsn first_lsn, std::span<const LogPiece> pieces, uint64_t unit_bytes, const Stamp& stamp);
  // A frame without stream bytes.
  Status WriteControl(FrameKind kind, Lsn lsn, std::string_view payload, const Stamp& stamp);
  // On OK everything written is on disk.
  Status Sync();
  // Zeros up to `ahead_bytes` beyond the last frame, not beyond the segment's nominal end. A failure counts as a failed write.
  Status FillAhead(uint64_t ahead_bytes);
  // Cuts what lies beyond the last frame, syncs and closes.
  Status Finish();

  uint64_t offset() const { return offset_; }  // after the last frame
  uint64_t file_bytes() const { return zeroed_until_ > offset_ ? zeroed_until_ : offset_; }
  bool full() const { return offset_ >= segment_bytes_; }
  uint64_t room() const { return full() ? 0 : segment_bytes_ - offset_; }
  uint64_t file_id() const { return header_.file_id; }
  const SegmentHeader& header() const { return header_; }
  Lsn last_stamp() const { return last_stamp_; }  // the newest durable LSN written into this file

 private:
  Status WriteSealed(std::string_view frames, const Stamp& stamp);

  const SegmentHeader header_;
  const uint64_t segment_bytes_;
  const size_t max_frame_bytes_;
  const bool fill_ahead_;
  std::unique_ptr<WritableFile> file_;
  uint64_t offset_ = kSegmentHeaderBytes;
  uint64_t zeroed_until_;
  Lsn last_stamp_;
  std::unique_ptr<char[]> staging_;  // one frame; made when first needed
};

}  // namespace cairn
