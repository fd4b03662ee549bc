#include "wal/segment_set.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/random.h"
#include "wal/segment_reader.h"

namespace cairn {
Result<SegmentListing> ListSegments(FileSystem& fs, const std::string& directory) {
  SegmentListing listing;
  Result<std::vector<std::string>> names = fs.ListDirectory(directory);
  if (!names.ok()) {
    if (names.status().code() == StatusCode::kNotFound) return listing;
    return names.status();
  }
  std::map<uint64_t, SegmentInfo> segments;
  for (const std::string& name : *names) {
    const bool replacement = name.ends_with(kReplacementSuffix);
    const size_t suffix = replacement ? kReplacementSuffix.size() : 0;
    std::optional<uint64_t> file_id = ParseSegmentFileName(std::string_view(name).substr(0, name.size() - suffix));
    if (!file_id) continue;
    listing.highest_file_id = std::max(listing.highest_file_id, *file_id);
    const std::string path = JoinPath(directory, name);
    if (replacement) {
      listing.stale.push_back(path);
      continue;
    }
    CAIRN_ASSIGN_OR_RETURN(std::optional<SegmentInfo> info, ReadSegmentInfo(fs, path, *file_id));
    if (info) {
      segments.emplace(*file_id, std::move(*info));
    } else {
      listing.stale.push_back(path);
    }
  }
  // The chain from its newest link back; what it passes over was abandoned.
  for (auto at = segments.rbegin(); at != segments.rend(); ++at) {
    const bool linked = listing.chain.empty() || listing.chain.back().header.predecessor == at->first;
    if (linked) {
      listing.chain.push_back(std::move(at->second));
    } else {
      listing.stale.push_back(at->second.path);
    }
  }
  std::reverse(listing.chain.begin(), listing.chain.end());
  return listing;
}

SegmentSet::SegmentSet(FileSystem* fs, std::string directory, SegmentListing listing)
    : fs_(fs),
      directory_(std::move(directory)),
      reserve_path_(JoinPath(directory_, kReserveFileName)),
      chain_(std::move(listing.chain)),
      stale_(std::move(listing.stale)),
      highest_file_id_(listing.highest_file_id),
      newest_file_id_(chain_.empty() ? 0 : chain_.back().header.file_id) {}

std::string SegmentSet::path_of(uint64_t file_id) const { return JoinPath(directory_, SegmentFileName(file_id)); }

Status SegmentSet::EnsureDirectory() {
  CAIRN_ASSIGN_OR_RETURN(bool exists, fs_->Exists(directory_));
  // One without a log was perhaps made by a process that was killed before it could sync the name.
  if (exists && count() > 0) return Status::Ok();
  CAIRN_RETURN_IF_ERROR(fs_->CreateDirectory(directory_));
  const size_t slash = directory_.find_last_not_of('/');
  const size_t parent_end = directory_.rfind('/', slash);
  if (parent_end == std::string::npos) return fs_->SyncDirectory(".");
  return fs_->SyncDirectory(parent_end == 0 ? "/" : directory_.substr(0, parent_end));
}

Status SegmentSet::FillNew(const std::string& path, const SegmentHeader& header, uint64_t zero_ahead_bytes, Kind kind,
                           NewSegment* made) {
  FileSystem::OpenMode mode = FileSystem::OpenMode::kTruncate;  // a crash may have left a replacement of this number
  uint64_t reserved = 0;
  if (kind == Kind::kEmpty) mode = FileSystem::OpenMode::kCreateNew;
  if (kind == Kind::kFromReserve) {
    CAIRN_RETURN_IF_ERROR(fs_->Rename(reserve_path_, path));
    mode = FileSystem::OpenMode::kKeepExisting;
    CAIRN_ASSIGN_OR_RETURN(reserved, fs_->FileSize(path));
  }
  CAIRN_ASSIGN_OR_RETURN(made->file, fs_->OpenForWriting(path, mode));
  char bytes[kSegmentHeaderBytes];
  EncodeSegmentHeader(header, bytes);
  CAIRN_RETURN_IF_ERROR(made->file->WriteAt(0, {bytes, sizeof(bytes)}));
  made->zeroed_until = std::max<uint64_t>(reserved, kSegmentHeaderBytes);
  if (kind != Kind::kEmpty) return Status::Ok();
  if (zero_ahead_bytes > 0) {
    CAIRN_RETURN_IF_ERROR(made->file->ZeroFill(made->zeroed_until, zero_ahead_bytes));
    made->zeroed_until += zero_ahead_bytes;
  }
  CAIRN_RETURN_IF_ERROR(made->file->Sync());
  return fs_->SyncDirectory(directory_);
}

Result<NewSegment> SegmentSet::Create(SegmentHeader* header, uint64_t zero_ahead_bytes, Kind kind) {
  {
    MutexLock hold(mutex_);
    header->file_id = ++highest_file_id_;
    header->predecessor = chain_.empty() ? 0 : chain_.back().header.file_id;
  }
  header->version = kLogFormatVersion;
  header->salt = static_cast<uint32_t>(SecureRandom64());
  if (kind == Kind::kFromReserve) {
    reserve_file_.reset();
    reserve_bytes_ = 0;
    reserve_whole_ = false;
  }
  const std::string path = path_of(header->file_id);
  pending_path_ = kind == Kind::kEmpty ? std::string() : path + std::string(kReplacementSuffix);
  const std::string& made_path = pending_path_.empty() ? path : pending_path_;
  NewSegment made;
  Status status = FillNew(made_path, *header, zero_ahead_bytes, kind, &made);
  if (!status.ok()) {
    made.file.reset();
    Forget(made_path);
    pending_path_.clear();
    return status;
  }
  MutexLock hold(mutex_);
  chain_.push_back({path, *header, made.zeroed_until});
  if (kind == Kind::kEmpty) newest_file_id_ = header->file_id;
  return made;
}

Status SegmentSet::CommitNewest() {
  if (pending_path_.empty()) return Status::Ok();
  std::string path;
  {
    MutexLock hold(mutex_);
    path = chain_.back().path;
  }
  CAIRN_RETURN_IF_ERROR(fs_->Rename(pending_path_, path));
  // Renamed but perhaps not durably: whoever gives up now has to remove the new name.
  pending_path_ = path;
  CAIRN_RETURN_IF_ERROR(fs_->SyncDirectory(directory_));
  pending_path_.clear();
  MutexLock hold(mutex_);
  newest_file_id_ = chain_.back().header.file_id;
  return Status::Ok();
}

// Removes a file that is not part of the log, now or with the next drop.
void SegmentSet::Forget(const std::string& path) {
  Status removed = fs_->RemoveFile(path);
  if (removed.ok() || removed.code() == StatusCode::kNotFound) return;
  MutexLock hold(mutex_);
  stale_.push_back(path);
}

void SegmentSet::AbandonPending() {
  if (pending_path_.empty()) return;
  {
    MutexLock hold(mutex_);
    chain_.pop_back();
  }
  Forget(std::exchange(pending_path_, {}));
}

SegmentListing SegmentSet::listing() const {
  MutexLock hold(mutex_);
  return {chain_, stale_, highest_file_id_};
}

void SegmentSet::NoteWrite(uint64_t file_bytes) {
  MutexLock hold(mutex_);
  if (chain_.empty()) return;
  chain_.back().file_bytes = file_bytes;
}

Status SegmentSet::DropBefore(Lsn lsn) {
  std::vector<std::string> doomed;
  {
    MutexLock hold(mutex_);
    size_t count = 0;
    while (count + 1 < chain_.size()) {
      // A replacement without a durable name is no successor yet: a crash, or its failure, leaves the segment before it the newest.
      const SegmentHeader& next = chain_[count + 1].header;
      if (next.continues_from > lsn || next.file_id > newest_file_id_) break;
      doomed.push_back(chain_[count].path);
      count++;
    }
    chain_.erase(chain_.begin(), chain_.begin() + static_cast<ptrdiff_t>(count));
    doomed.insert(doomed.end(), stale_.begin(), stale_.end());
    stale_.clear();
  }
  if (doomed.empty()) return Status::Ok();
  Status result;
  for (const std::string& path : doomed) {
    Status removed = fs_->RemoveFile(path);
    if (removed.ok() || removed.code() == StatusCode::kNotFound) continue;
    result = removed;
    MutexLock hold(mutex_);
    stale_.push_back(path);
  }
  CAIRN_RETURN_IF_ERROR(fs_->SyncDirectory(directory_));
  return result;
}

uint64_t SegmentSet::StreamBytesBetween(Lsn from, Lsn to) const {
  MutexLock hold(mutex_);
  uint64_t bytes = 0;
  for (size_t i = 0; i < chain_.size(); i++) {
    const Lsn begin = std::max(from, chain_[i].header.first_lsn);
    const Lsn end = i + 1 < chain_.size() ? std::min(to, chain_[i + 1].header.continues_from) : to;
    if (end > begin) bytes += end - begin;
  }
  return bytes;
}

Result<uint64_t> SegmentSet::ReserveBytes() const {
  if (reserve_whole_ || reserve_file_ != nullptr) return reserve_bytes_;
  CAIRN_ASSIGN_OR_RETURN(const bool exists, fs_->Exists(reserve_path_));
  if (!exists) return uint64_t{0};
  return fs_->FileSize(reserve_path_);
}

Result<bool> SegmentSet::GrowReserve(uint64_t goal_bytes, uint64_t chunk_bytes) {
  if (reserve_whole_) return true;
  if (reserve_file_ == nullptr) {
    CAIRN_ASSIGN_OR_RETURN(reserve_bytes_, ReserveBytes());
    CAIRN_ASSIGN_OR_RETURN(reserve_file_, fs_->OpenForWriting(reserve_path_, FileSystem::OpenMode::kKeepExisting));
  }
  const uint64_t step = std::min(chunk_bytes, goal_bytes - std::min(goal_bytes, reserve_bytes_));
  const Status grown = step > 0 ? reserve_file_->ZeroFill(reserve_bytes_, step) : Status::Ok();
  if (!grown.ok()) {
    reserve_file_.reset();
    return grown;
  }
  const bool whole = reserve_bytes_ + step >= goal_bytes;
  // Chunk by chunk: commits would wait for a sync of all of it.
  Status status = reserve_file_->Sync();
  if (status.ok() && whole) status = fs_->SyncDirectory(directory_);
  if (!status.ok()) {
    DiscardReserve();
    return status;
  }
  reserve_bytes_ += step;
  if (whole) reserve_file_.reset();
  reserve_whole_ = whole;
  return whole;
}

void SegmentSet::DiscardReserve() {
  reserve_file_.reset();
  reserve_bytes_ = 0;
  reserve_whole_ = false;
  // A reserve that cannot be removed is found, and used, the next time it grows.
  (void)fs_->RemoveFile(reserve_path_);
}

uint64_t SegmentSet::count() const {
  MutexLock hold(mutex_);
  return chain_.size();
}

uint64_t SegmentSet::bytes_on_disk() const {
  MutexLock hold(mutex_);
  uint64_t bytes = 0;
  for (const SegmentInfo& info : chain_) bytes += info.file_bytes;
  return bytes;
}

Lsn SegmentSet::first_lsn() const {
  MutexLock hold(mutex_);
  return chain_.empty() ? 0 : chain_.front().header.continues_from;
}

uint64_t SegmentSet::newest_file_id() const {
  MutexLock hold(mutex_);
  return newest_file_id_;
}

}  // namespace cairn
