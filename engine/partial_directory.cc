#include "engine/partial_directory.h"

#include <algorithm>
#include <utility>

#include "engine/backup.h"
#include "engine/data_directory.h"
#include "snapshot/manifest.h"
#include "snapshot/snapshot_directory.h"

namespace cairn {
namespace {

constexpr std::string_view kBesideSuffix = ".partial";
constexpr std::string_view kInsideName = ".partial";
constexpr std::string_view kLostAndFound = "lost+found";

std::string Trimmed(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool IsPiece(std::string_view name) {
  return name != DataDirectory::kLockFileName && name != kInsideName && name != kLostAndFound;
}

// What a crash left while pieces were moved has no manifest yet.
bool CountsAsEmpty(const std::vector<std::string>& names) {
  const bool unfinished = std::find(names.begin(), names.end(), kInsideName) != names.end();
  return std::none_of(names.begin(), names.end(), [&](const std::string& name) {
    const bool moved = name == DataDirectory::kLogDirectoryName || JoinPath("", name) == SnapshotsPath("") ||
                       name.starts_with(PartialDirectory::kUnplacedPrefix);
    return IsPiece(name) && !(unfinished && moved);
  });
}

// Whether `target` is there; otherwise its parent is.
Result<bool> IsThere(FileSystem& fs, const std::string& target) {
  if (target.empty()) return Status::InvalidArgument("a new data directory is needed");
  const Result<std::vector<std::string>> names = fs.ListDirectory(target);
  if (names.ok()) {
    if (CountsAsEmpty(*names)) return true;
    return Status::AlreadyExists(target + " exists already and is not empty: name a new directory");
  }
  if (names.status().code() != StatusCode::kNotFound) {
    return Status::AlreadyExists(
        target + " exists already and is no directory that can be used: " + std::string(names.status().message()));
  }
  const std::string parent = ParentOf(target);
  CAIRN_ASSIGN_OR_RETURN(const bool has_parent, fs.Exists(parent));
  if (!has_parent) return Status::NotFound(parent + ": there is no such directory, so " + target + " cannot be made in it");
  return false;
}

Status AtWork(const std::string& target, const Status& status) {
  if (status.code() != StatusCode::kLocked) return status;
  return Status::Locked("another process is at work on " + target + ": " + std::string(status.message()));
}

}  // namespace

Status PartialDirectory::CheckTarget(FileSystem& fs, const std::string& target) { return IsThere(fs, Trimmed(target)).status(); }

Result<std::unique_ptr<PartialDirectory>> PartialDirectory::Create(FileSystem& fs, const std::string& target) {
  std::unique_ptr<PartialDirectory> made(new PartialDirectory(fs, Trimmed(target)));
  CAIRN_ASSIGN_OR_RETURN(const bool is_there, IsThere(fs, made->target_));
  if (is_there) {
    CAIRN_RETURN_IF_ERROR(made->TakeEmptyTarget());
  } else {
    made->partial_ = made->target_ + std::string(kBesideSuffix);
  }
  const Status removed = made->RemovePartial();
  if (!removed.ok()) return AtWork(made->target_, removed);
  return made;
}

Status PartialDirectory::TakeEmptyTarget() {
  const std::string lock_path = JoinPath(target_, DataDirectory::kLockFileName);
  CAIRN_ASSIGN_OR_RETURN(had_lock_file_, fs_.Exists(lock_path));
  Result<std::unique_ptr<FileLock>> lock = fs_.Lock(lock_path);
  if (!lock.ok()) return AtWork(target_, lock.status());
  lock_ = std::move(lock).value();
  partial_ = JoinPath(target_, kInsideName);
  CAIRN_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_.ListDirectory(target_));
  return MovePieces(target_, partial_, names);
}

// Not while somebody builds there.
Status PartialDirectory::RemovePartial() {
  const std::string lock_path = JoinPath(partial_, DataDirectory::kLockFileName);
  CAIRN_ASSIGN_OR_RETURN(const bool has_lock, fs_.Exists(lock_path));
  std::unique_ptr<FileLock> held;
  if (has_lock) {
    CAIRN_ASSIGN_OR_RETURN(held, fs_.Lock(lock_path));
  }
  const Result<std::vector<std::string>> names = fs_.ListDirectory(partial_);
  for (const std::string& name : names.ok() ? *names : std::vector<std::string>()) {
    if (name.starts_with(kUnplacedPrefix)) CAIRN_RETURN_IF_ERROR(fs_.RemoveFile(JoinPath(partial_, name)));
  }
  return RemoveUnfinished(fs_, partial_);
}

// All but the manifest, which goes last.
Status PartialDirectory::MovePieces(const std::string& from, const std::string& to, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!IsPiece(name) || name == kManifestFileName) continue;
    CAIRN_RETURN_IF_ERROR(fs_.Rename(JoinPath(from, name), JoinPath(to, name)));
  }
  return Status();
}

Status PartialDirectory::Publish() {
  if (lock_ == nullptr) {
    CAIRN_RETURN_IF_ERROR(fs_.Rename(partial_, target_));
    published_ = true;
    return fs_.SyncDirectory(ParentOf(target_));
  }
  CAIRN_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_.ListDirectory(partial_));
  CAIRN_RETURN_IF_ERROR(MovePieces(partial_, target_, names));
  CAIRN_RETURN_IF_ERROR(fs_.SyncDirectory(target_));
  CAIRN_RETURN_IF_ERROR(fs_.Rename(JoinPath(partial_, kManifestFileName), JoinPath(target_, kManifestFileName)));
  published_ = true;
  CAIRN_RETURN_IF_ERROR(fs_.SyncDirectory(target_));
  return RemovePartial();
}

PartialDirectory::~PartialDirectory() {
  if (published_ || partial_.empty()) return;
  if (lock_ != nullptr) {
    const Result<std::vector<std::string>> names = fs_.ListDirectory(target_);
    // What stays is known by its .partial, and the next attempt's.
    if (!names.ok() || !MovePieces(target_, partial_, *names).ok()) return;
  }
  (void)RemovePartial();
  if (lock_ != nullptr && !had_lock_file_) (void)fs_.RemoveFile(JoinPath(target_, DataDirectory::kLockFileName));
}

}  // namespace cairn
