#include "engine/backup.h"

#include <algorithm>
#include <utility>

#include "engine/recovery.h"
#include "snapshot/snapshot_directory.h"
#include "snapshot/snapshot_reader.h"
#include "wal/log_reader.h"
#include "wal/segment_reader.h"

namespace cairn {
namespace {

constexpr std::string_view kPartialSuffix = ".partial";
// Copied and synced at once: commits share the disk, and wait for so much.
constexpr size_t kCopyBytes = size_t{1} << 20;

Result<std::string> CleanPath(const std::string& path, const std::string& what) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  if (trimmed.size() < 2 || trimmed[0] != '/') return Status::InvalidArgument(what + " must be an absolute path");
  return trimmed;
}

Status RemoveTree(FileSystem& fs, const std::string& path) {
  const Result<std::vector<std::string>> names = fs.ListDirectory(path);
  if (!names.ok()) return names.status().code() == StatusCode::kNotFound ? Status() : names.status();
  for (const std::string& name : *names) {
    const std::string below = JoinPath(path, name);
    if (fs.RemoveFile(below).ok()) continue;
    CAIRN_RETURN_IF_ERROR(RemoveTree(fs, below));
  }
  return fs.RemoveDirectory(path);
}

}  // namespace

Status RemoveUnfinished(FileSystem& fs, const std::string& path) {
  const Result<std::vector<std::string>> names = fs.ListDirectory(path);
  if (!names.ok()) {
    if (names.status().code() == StatusCode::kNotFound) return Status();
    return Status::AlreadyExists(path + " exists already and is no directory");
  }
  for (const std::string& name : *names) {
    if (name == DataDirectory::kLockFileName || name == DataDirectory::kLogDirectoryName || name.starts_with(kManifestFileName) ||
        JoinPath(path, name) == SnapshotsPath(path)) {
      continue;
    }
    return Status::AlreadyExists(path + " exists already and holds " + name + ": it is in the way, and not of Cairn's making");
  }
  return RemoveTree(fs, path);
}

Status Backup::StopIfClosing() const {
  return core_.gate_has(kGateClosed) ? Status::Unavailable("the server is closing: there is no backup") : Status();
}

Result<BackupReport> Backup::Run(const BackupRequest& request) {
  CAIRN_RETURN_IF_ERROR(CheckRequest(request));
  Status status = Make();
  if (status.ok()) status = fs_.Rename(partial_, target_);
  if (status.ok()) status = fs_.SyncDirectory(ParentOf(target_));
  if (status.ok()) return report_;
  to_copy_.clear();
  (void)RemoveUnfinished(fs_, partial_);
  return status;
}

Status Backup::CheckRequest(const BackupRequest& request) {
  CAIRN_ASSIGN_OR_RETURN(target_, CleanPath(request.directory, "the backup's directory"));
  partial_ = target_ + std::string(kPartialSuffix);
  const std::string parent = ParentOf(target_);
  CAIRN_ASSIGN_OR_RETURN(const bool has_parent, fs_.Exists(parent));
  if (!has_parent) return Status::NotFound(parent + ": there is no such directory");
  const Result<std::vector<std::string>> present = fs_.ListDirectory(target_);
  if (present.ok() && !present->empty()) return Status::AlreadyExists(target_ + " exists already and is not empty");
  if (!present.ok() && present.status().code() != StatusCode::kNotFound) {
    return Status::AlreadyExists(target_ + " exists already and is no directory");
  }
  if (!request.incremental_from.empty()) {
    CAIRN_ASSIGN_OR_RETURN(earlier_, CleanPath(request.incremental_from, "the earlier backup's directory"));
    const Result<Manifest> manifest = LoadManifest(fs_, earlier_);
    if (!manifest.ok()) {
      if (manifest.status().code() != StatusCode::kNotFound) return manifest.status();
      return Status::NotFound(earlier_ + " is no backup: it has no " + std::string(kManifestFileName));
    }
    if (manifest->directory_id != directory_.manifest().directory_id) {
      return Status::InvalidArgument(earlier_ + " is a backup of another server");
    }
  }
  CAIRN_RETURN_IF_ERROR(RemoveUnfinished(fs_, partial_));  // of an attempt that a crash ended
  CAIRN_RETURN_IF_ERROR(fs_.CreateDirectory(partial_));
  // Whatever way the paths are written: does the new directory appear among our own files?
  const std::string name = partial_.substr(partial_.find_last_of('/') + 1);
  for (const std::string& own : {directory_.path(), directory_.log_path(), SnapshotsPath(directory_.path())}) {
    const Result<bool> inside = fs_.Exists(JoinPath(own, name));
    if (!inside.ok() || !*inside) continue;
    (void)fs_.RemoveDirectory(partial_);
    return Status::InvalidArgument(target_ + " lies inside of the data directory: a backup belongs elsewhere");
  }
  return Status();
}

Status Backup::Make() {
  // A log that the manifest does not name yet is none to whoever starts on the copy.
  CAIRN_RETURN_IF_ERROR(checkpointer_.FinishEnablingLog());
  const Lsn lsn = core_.log->end_lsn();
  if (core_.log->enabled() && directory_.manifest().has_log) {
    CAIRN_RETURN_IF_ERROR(core_.log->RequestSync());
    CAIRN_RETURN_IF_ERROR(core_.log->WaitDurable(lsn));
  } else {
    CAIRN_RETURN_IF_ERROR(checkpointer_.SaveAndWait());
  }
  CAIRN_RETURN_IF_ERROR(TakeFiles(lsn));
  if (!newest_ && (!manifest_.current_snapshot || manifest_.current_snapshot->lsn < lsn))
    return Status::Unavailable("the log was switched off or on meanwhile: try again");
  for (const ToCopy& file : std::exchange(to_copy_, {})) CAIRN_RETURN_IF_ERROR(CopyFile(*file.from, file.to));
  if (newest_) {
    CAIRN_RETURN_IF_ERROR(CopyNewestSegment(lsn));
  } else if (manifest_.current_snapshot) {
    report_.lsn = manifest_.current_snapshot->lsn;
  }
  report_.unix_ms = manifest_.backup_unix_ms = core_.clock.WallMs();
  CAIRN_RETURN_IF_ERROR(SyncAll(partial_));
  CAIRN_RETURN_IF_ERROR(StoreManifest(fs_, partial_, manifest_));
  return Verify();
}

Status Backup::TakeFiles(Lsn lsn) {
  MutexLock files(checkpointer_.files_mutex());
  manifest_ = directory_.manifest();
  manifest_.older_snapshots.clear();
  // What is started on the copy is a history of its own.
  manifest_.clean_shutdown = false;
  manifest_.lsn_ceiling = std::max(manifest_.lsn_ceiling, lsn);
  if (manifest_.current_snapshot) CAIRN_RETURN_IF_ERROR(TakeSnapshot(*manifest_.current_snapshot));
  if (!manifest_.has_log) return Status();
  const Lsn from = manifest_.current_snapshot ? manifest_.current_snapshot->lsn : manifest_.log_first_segment_lsn;
  manifest_.log_first_segment_lsn = std::max(from, manifest_.log_first_segment_lsn);
  CAIRN_ASSIGN_OR_RETURN(SegmentListing listing, ListSegments(fs_, directory_.log_path()));
  return TakeLog(std::move(listing), from);
}

Status Backup::TakeSnapshot(const SnapshotInfo& snapshot) {
  const std::string from = SnapshotPath(directory_.path(), snapshot.directory_name);
  const std::string to = SnapshotPath(partial_, snapshot.directory_name);
  const std::string in_earlier = earlier_.empty() ? "" : SnapshotPath(earlier_, snapshot.directory_name);
  CAIRN_RETURN_IF_ERROR(fs_.CreateDirectory(SnapshotsPath(partial_)));
  CAIRN_RETURN_IF_ERROR(fs_.CreateDirectory(to));
  CAIRN_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_.ListDirectory(from));
  for (const std::string& name : names) {
    CAIRN_RETURN_IF_ERROR(Take(JoinPath(from, name), earlier_.empty() ? "" : JoinPath(in_earlier, name), JoinPath(to, name)));
  }
  return Status();
}

Status Backup::TakeLog(SegmentListing listing, Lsn from) {
  const std::string to = JoinPath(partial_, DataDirectory::kLogDirectoryName);
  CAIRN_RETURN_IF_ERROR(fs_.CreateDirectory(to));
  std::vector<SegmentInfo>& chain = listing.chain;
  if (chain.empty()) return Status::Internal("a store with a log has no segment");
  size_t first = chain.size() - 1;
  while (first > 0 && chain[first].header.continues_from > from) first--;
  for (size_t i = first; i + 1 < chain.size(); i++) {
    const std::string name = SegmentFileName(chain[i].header.file_id);
    const std::string in_earlier = earlier_.empty() ? "" : JoinPath(JoinPath(earlier_, DataDirectory::kLogDirectoryName), name);
    CAIRN_RETURN_IF_ERROR(Take(chain[i].path, in_earlier, JoinPath(to, name)));
  }
  newest_ = chain.back();
  manifest_.log_newest_file_id = newest_->header.file_id;
  return Status();
}

Status Backup::Take(const std::string& from, const std::string& in_earlier, const std::string& to) {
  CAIRN_RETURN_IF_ERROR(StopIfClosing());
  report_.files++;
  if (fs_.HardLink(from, to).ok() || (!in_earlier.empty() && LinkFromEarlier(from, in_earlier, to))) {
    report_.linked_files++;
    return Status();
  }
  CAIRN_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, fs_.OpenForReading(from));
  to_copy_.push_back({std::move(file), to});
  return Status();
}

// The names say which snapshot or segment it is; one that the earlier backup holds cut (its newest segment) has another size.
bool Backup::LinkFromEarlier(const std::string& from, const std::string& in_earlier, const std::string& to) {
  const Result<uint64_t> here = fs_.FileSize(from);
  const Result<uint64_t> there = fs_.FileSize(in_earlier);
  return here.ok() && there.ok() && *here == *there && fs_.HardLink(in_earlier, to).ok();
}

Status Backup::CopyFile(const RandomAccessFile& from, const std::string& to) {
  CAIRN_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, fs_.OpenForWriting(to, FileSystem::OpenMode::kCreateNew));
  std::string buffer(kCopyBytes, '\0');
  for (uint64_t at = 0;;) {
    CAIRN_RETURN_IF_ERROR(StopIfClosing());
    CAIRN_ASSIGN_OR_RETURN(const size_t got, from.Read(at, buffer.size(), buffer.data()));
    if (got == 0) break;
    CAIRN_RETURN_IF_ERROR(file->WriteAt(at, std::string_view(buffer).substr(0, got)));
    CAIRN_RETURN_IF_ERROR(file->Sync());
    at += got;
    report_.copied_bytes += got;
  }
  return file->Close();
}

Status Backup::CopyNewestSegment(Lsn lsn) {
  const SegmentInfo& segment = *newest_;
  CAIRN_ASSIGN_OR_RETURN(const auto reader, SegmentReader::Open(fs_, segment));
  FrameHeader last{.file_id = segment.header.file_id, .first_lsn = segment.header.first_lsn, .wall_us = segment.header.wall_us};
  last.payload_bytes = 0;
  uint64_t size_bytes = reader->offset();
  bool in_unit = false;
  for (Lsn end = segment.header.first_lsn; end < lsn || in_unit;) {
    FrameHeader frame;
    std::string_view payload;
    const SegmentReader::Outcome outcome = reader->Next(&frame, &payload);
    if (outcome == SegmentReader::Outcome::kReadError) return reader->status();
    if (outcome == SegmentReader::Outcome::kEnd || !frame.carries_stream()) {
      if (outcome != SegmentReader::Outcome::kEnd && frame.kind == FrameKind::kMark) continue;
      return Status::Unavailable(segment.path + " does not reach LSN " + std::to_string(lsn) + ": the log failed meanwhile");
    }
    end = frame.end_lsn();
    in_unit = frame.kind == FrameKind::kBegin || frame.kind == FrameKind::kMiddle;
    size_bytes = reader->offset();
    last = frame;
  }
  report_.lsn = last.end_lsn();
  report_.files++;
  const std::string to = JoinPath(JoinPath(partial_, DataDirectory::kLogDirectoryName), SegmentFileName(segment.header.file_id));
  CAIRN_ASSIGN_OR_RETURN(const auto from, fs_.OpenForReading(segment.path));
  CAIRN_ASSIGN_OR_RETURN(const auto file, fs_.OpenForWriting(to, FileSystem::OpenMode::kCreateNew));
  std::string bytes(size_bytes + kFrameHeaderBytes, '\0');
  CAIRN_ASSIGN_OR_RETURN(const size_t got, from->Read(0, size_bytes, bytes.data()));
  if (got != size_bytes) return Status::IoError(segment.path + " became shorter while it was copied");
  const FrameHeader end{.kind = FrameKind::kCleanEnd,
                        .file_id = segment.header.file_id,
                        .first_lsn = report_.lsn,
                        .durable_lsn = report_.lsn,
                        .wall_us = std::max<uint64_t>(last.wall_us, static_cast<uint64_t>(core_.clock.WallUs()))};
  SealFrame(end, segment.header.salt, bytes.data() + size_bytes);
  for (size_t at = 0; at < bytes.size(); at += kCopyBytes) {
    CAIRN_RETURN_IF_ERROR(file->WriteAt(at, std::string_view(bytes).substr(at, kCopyBytes)));
    CAIRN_RETURN_IF_ERROR(file->Sync());
  }
  report_.copied_bytes += bytes.size();
  return file->Close();
}

Status Backup::SyncAll(const std::string& directory) {
  CAIRN_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_.ListDirectory(directory));
  for (const std::string& name : names) {
    CAIRN_RETURN_IF_ERROR(StopIfClosing());
    const std::string path = JoinPath(directory, name);
    if (fs_.ListDirectory(path).ok()) {
      CAIRN_RETURN_IF_ERROR(SyncAll(path));
      continue;
    }
    CAIRN_ASSIGN_OR_RETURN(const uint64_t size_bytes, fs_.FileSize(path));
    report_.total_bytes += size_bytes;
    CAIRN_ASSIGN_OR_RETURN(const auto file, fs_.OpenForWriting(path, FileSystem::OpenMode::kKeepExisting));
    CAIRN_RETURN_IF_ERROR(file->Sync());
  }
  return fs_.SyncDirectory(directory);
}

Status Backup::Verify() {
  CAIRN_ASSIGN_OR_RETURN(const Manifest manifest, LoadManifest(fs_, partial_));
  if (manifest.current_snapshot) {
    CAIRN_ASSIGN_OR_RETURN(const auto snapshot, SnapshotReader::Open(fs_, partial_, *manifest.current_snapshot));
    BlockBuffer buffer;
    for (size_t i = 0; i < snapshot->block_count(); i++) {
      CAIRN_RETURN_IF_ERROR(StopIfClosing());
      const Result<std::string_view> block = snapshot->ReadBlock(i, buffer);
      if (!block.ok()) return block.status();
    }
  }
  if (!manifest.has_log) return Status();
  const LogOptions options = LogOptionsFor(core_, partial_, manifest);
  LogRecoveryResult found;
  const auto stop_if_closing = [this](const LogFrame&) { return StopIfClosing(); };
  CAIRN_RETURN_IF_ERROR(ReadLog(options, manifest.log_first_segment_lsn, stop_if_closing, &found));
  if (found.end == LogEnd::kClean && found.end_lsn >= report_.lsn) return Status();
  return Status::Damaged(options.directory + ": the copy of the log ends at LSN " + std::to_string(found.end_lsn));
}

}  // namespace cairn
