// Making an unclean end safe to go on from. The steps, each repeatable after a crash during any of them:
//   0. The last file's header is written again and synced, unless a mark behind it proves that it was: a process that was killed while
//      it made the file leaves it in the page cache only, and the file is about to be named as a predecessor.
//   1. Units beyond the last durable mark D are copied to a new segment that supersedes everything from D on; it ends with a
//      mark, is synced, and gets its name, durably, only then: what it replaces may be its only durable copy until it is whole.
//   2. The file that held D is cut there; without anything to copy, the last file is cut behind its last whole unit.
//   3. Files behind that, which the log no longer reaches, are removed.
#include <algorithm>
#include <utility>

#include "wal/log_reader.h"
#include "wal/segment_reader.h"
#include "wal/segment_writer.h"

namespace cairn {
namespace {

// Copies the units from `from` to the end to a new segment behind `kept`. On failure the new file is removed.
Status CopyUnits(const LogOptions& options, const LogRecoveryResult& found, Lsn from, SegmentListing kept) {
  SegmentHeader header;
  header.continues_from = header.first_lsn = header.durable_lsn = from;
  header.directory_id = options.directory_id;
  header.wall_us = std::max<uint64_t>(found.last_wall_us, static_cast<uint64_t>(options.clock->WallUs()));
  const SegmentWriter::Stamp synced{found.log_end_lsn, header.wall_us};
  SegmentSet segments(options.fs, options.directory, std::move(kept));
  CAIRN_ASSIGN_OR_RETURN(NewSegment made, segments.Create(&header, 0, SegmentSet::Kind::kReplacement));
  auto writer = std::make_unique<SegmentWriter>(std::move(made), header, UINT64_MAX, kMaxPayloadBytes, false);
  const auto copy = [&](const LogFrame& frame) {
    const LogPiece piece{frame.payload, frame.owner};
    // The time is that of the first writing: units keep their place in time.
    return writer->WriteUnit(frame.first_lsn, {&piece, 1}, frame.payload.size(), {from, frame.wall_us});
  };
  LogRecoveryResult again;
  Status status = ReadListedLog(options, found.segments, from, copy, &again);
  if (status.ok() && again.log_end_lsn != found.log_end_lsn) {
    status = Status::IoError(options.directory + ": the log reads differently the second time");
  }
  // The mark is written only when it is true.
  if (status.ok()) status = writer->Sync();
  if (status.ok()) status = writer->WriteControl(FrameKind::kMark, found.log_end_lsn, {}, synced);
  if (status.ok()) status = writer->Finish();
  if (status.ok()) status = segments.CommitNewest();
  if (status.ok()) return status;
  writer.reset();
  segments.AbandonPending();
  return status;
}

// Where the last unit or group of units ends that lies before `lsn`. A mark is such a place; damage that no checksum shows is
// not to make this cut through a unit.
struct Boundary {
  uint64_t offset = 0;
  Lsn lsn = 0;
};
Result<Boundary> BoundaryBefore(FileSystem& fs, const SegmentInfo& segment, Lsn lsn) {
  CAIRN_ASSIGN_OR_RETURN(std::unique_ptr<SegmentReader> reader, SegmentReader::Open(fs, segment));
  Boundary boundary{reader->offset(), segment.header.first_lsn};
  FrameHeader header;
  std::string_view payload;
  while (true) {
    const SegmentReader::Outcome outcome = reader->Next(&header, &payload);
    if (outcome == SegmentReader::Outcome::kReadError) return reader->status();
    if (outcome == SegmentReader::Outcome::kEnd || header.end_lsn() > lsn) return boundary;
    if (header.kind != FrameKind::kBegin && header.kind != FrameKind::kMiddle) boundary = {reader->offset(), header.end_lsn()};
  }
}

Status CutFile(FileSystem& fs, const std::string& path, uint64_t size_bytes) {
  CAIRN_ASSIGN_OR_RETURN(uint64_t present, fs.FileSize(path));
  if (present <= size_bytes) return Status::Ok();
  CAIRN_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, fs.OpenForWriting(path, FileSystem::OpenMode::kKeepExisting));
  CAIRN_RETURN_IF_ERROR(file->Truncate(size_bytes));
  CAIRN_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

// Written anew, not only synced: after a failed sync the kernel may take a page for clean that is not on disk.
Status MakeBeginningDurable(const LogOptions& options, const SegmentInfo& segment) {
  char bytes[kSegmentHeaderBytes];
  EncodeSegmentHeader(segment.header, bytes);
  CAIRN_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                         options.fs->OpenForWriting(segment.path, FileSystem::OpenMode::kKeepExisting));
  CAIRN_RETURN_IF_ERROR(file->WriteAt(0, {bytes, sizeof(bytes)}));
  CAIRN_RETURN_IF_ERROR(file->Sync());
  CAIRN_RETURN_IF_ERROR(file->Close());
  return options.fs->SyncDirectory(options.directory);
}

}  // namespace

Status RepairLogEnd(const LogOptions& options, LogRecoveryResult* result) {
  const std::vector<SegmentInfo>& chain = result->segments.chain;
  if (result->end != LogEnd::kTornTail || chain.empty()) return Status::Ok();

  if (chain.back().header.first_lsn >= result->durable_mark) {
    CAIRN_RETURN_IF_ERROR(MakeBeginningDurable(options, chain.back()));
  }
  size_t keep = result->end_segment;
  uint64_t cut_at = result->end_offset;
  const bool copy = result->log_end_lsn > result->durable_mark;
  if (copy) {
    while (keep > 0 && chain[keep].header.continues_from > result->durable_mark) keep--;
    CAIRN_ASSIGN_OR_RETURN(const Boundary boundary, BoundaryBefore(*options.fs, chain[keep], result->durable_mark));
    cut_at = boundary.offset;
    SegmentListing kept = result->segments;
    kept.chain.resize(keep + 1);
    CAIRN_RETURN_IF_ERROR(CopyUnits(options, *result, boundary.lsn, std::move(kept)));
  }
  CAIRN_RETURN_IF_ERROR(CutFile(*options.fs, chain[keep].path, cut_at));
  for (size_t gone = keep + 1; gone < chain.size(); gone++) {
    CAIRN_RETURN_IF_ERROR(options.fs->RemoveFile(chain[gone].path));
  }
  CAIRN_RETURN_IF_ERROR(options.fs->SyncDirectory(options.directory));

  CAIRN_ASSIGN_OR_RETURN(result->segments, ListSegments(*options.fs, options.directory));
  result->durable_mark = std::max(result->durable_mark, result->log_end_lsn);
  result->end_segment = result->segments.chain.size() - 1;
  return Status::Ok();
}

}  // namespace cairn
