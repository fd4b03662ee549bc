#include "engine/data_directory.h"

#include <algorithm>
#include <utility>

#include "base/logger.h"
#include "base/random.h"
#include "snapshot/snapshot_directory.h"
#include "wal/log_reader.h"

namespace cairn {
namespace {

constexpr std::string_view kCreatedBy = "cairn 0.1.0";

}  // namespace

uint32_t NewDirectoryId() { return static_cast<uint32_t>(SecureRandom64()) | 1; }

Status CreateDirectories(FileSystem& fs, const std::string& path) {
  CAIRN_ASSIGN_OR_RETURN(const bool exists, fs.Exists(path));
  if (exists) return Status();
  const std::string parent = ParentOf(path);
  if (parent != "." && parent != "/") CAIRN_RETURN_IF_ERROR(CreateDirectories(fs, parent));
  CAIRN_RETURN_IF_ERROR(fs.CreateDirectory(path));
  // The name itself must survive a crash, or all that is synced inside is lost with it.
  return fs.SyncDirectory(parent);
}

DataDirectory::~DataDirectory() = default;

Result<std::unique_ptr<DataDirectory>> DataDirectory::Open(FileSystem& fs, Clock& clock, const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  if (trimmed.empty()) trimmed = ".";
  CAIRN_RETURN_IF_ERROR(CreateDirectories(fs, trimmed));
  std::unique_ptr<DataDirectory> directory(new DataDirectory(fs, clock, trimmed));
  CAIRN_RETURN_IF_ERROR(directory->TakeLock());
  CAIRN_RETURN_IF_ERROR(directory->ReadManifest());
  return directory;
}

Status DataDirectory::TakeLock() {
  Result<std::unique_ptr<FileLock>> lock = fs_.Lock(JoinPath(path_, kLockFileName));
  if (!lock.ok()) return lock.status();
  lock_ = std::move(lock).value();
  return Status();
}

Result<bool> DataDirectory::HasFiles(const std::string& directory) {
  Result<std::vector<std::string>> names = fs_.ListDirectory(directory);
  if (!names.ok()) {
    if (names.status().code() == StatusCode::kNotFound) return false;
    return names.status();
  }
  return !names->empty();
}

Status DataDirectory::ReadManifest() {
  Result<Manifest> loaded = LoadManifest(fs_, path_);
  if (loaded.ok()) {
    MutexLock lock(mutex_);
    manifest_ = std::move(loaded).value();
    // Nobody was served before the import's snapshot was there: what the log may hold belongs to nobody.
    if (!manifest_.imported_from.empty() && !manifest_.current_snapshot) StartEmpty(Manifest(manifest_));
    return Status();
  }
  if (loaded.status().code() != StatusCode::kNotFound) return loaded.status();
  for (const std::string& part : {log_path(), SnapshotsPath(path_)}) {
    CAIRN_ASSIGN_OR_RETURN(const bool has_files, HasFiles(part));
    if (has_files) {
      return Status::Damaged(JoinPath(path_, kManifestFileName) + " is missing although " + part +
                             " has files: put the file back from a backup, or start with another directory");
    }
  }
  // A directory that was there already is perhaps of a process that was killed before it could sync the name.
  const Status named = fs_.SyncDirectory(ParentOf(path_));
  if (!named.ok()) LogF(LogLevel::kWarning, "The name of %s may not be durable: %s", path_.c_str(), named.ToString().c_str());
  MutexLock lock(mutex_);
  StartEmpty(Manifest());
  return Status();
}

void DataDirectory::StartEmpty(const Manifest& unfinished) {
  is_new_ = true;
  manifest_ = Manifest();
  manifest_.lsn_ceiling = unfinished.lsn_ceiling;
  manifest_.directory_id = unfinished.directory_id != 0 ? unfinished.directory_id : NewDirectoryId();
  manifest_.created_unix_ms = clock_.WallMs();
  manifest_.created_by = kCreatedBy;
  manifest_.timelines = {{.id = SecureRandomHex(kTimelineIdChars), .fork_lsn = 0, .base = 0}};
  manifest_.clean_shutdown = true;
}

Manifest DataDirectory::manifest() const {
  MutexLock lock(mutex_);
  return manifest_;
}

std::function<Status()> DataDirectory::HeldCheck() const {
  return [weak = std::weak_ptr<FileLock>(lock_)] {
    const std::shared_ptr<FileLock> lock = weak.lock();
    return lock == nullptr ? Status() : lock->Check();
  };
}

Status DataDirectory::Update(const std::function<void(Manifest&)>& change) {
  CAIRN_RETURN_IF_ERROR(CheckHeld());
  MutexLock turn(update_mutex_);
  Manifest next = manifest();
  change(next);
  CAIRN_RETURN_IF_ERROR(StoreManifest(fs_, path_, next));
  MutexLock lock(mutex_);
  manifest_ = std::move(next);
  return Status();
}

Status DataDirectory::RemoveUncountedLog() {
  Result<std::vector<std::string>> names = fs_.ListDirectory(log_path());
  if (!names.ok()) return names.status().code() == StatusCode::kNotFound ? Status() : names.status();
  for (const std::string& name : *names) {
    if (name == kReserveFileName) continue;  // the log's own, not part of the data
    CAIRN_RETURN_IF_ERROR(fs_.RemoveFile(JoinPath(log_path(), name)));
  }
  return names->empty() ? Status() : fs_.SyncDirectory(log_path());
}

Status CheckUncountedLog(FileSystem& fs, const std::string& path, const Manifest& manifest) {
  LogOptions options;
  options.directory = JoinPath(path, DataDirectory::kLogDirectoryName);
  options.fs = &fs;
  options.directory_id = manifest.directory_id;
  CAIRN_ASSIGN_OR_RETURN(SegmentListing listing, ListSegments(fs, options.directory));
  if (listing.chain.empty()) return Status();
  const Lsn from = listing.chain.front().header.continues_from;
  Lsn end = 0;
  const auto note_end = [&end](const LogFrame& frame) {
    end = frame.first_lsn + frame.payload.size();
    return Status();
  };
  LogRecoveryResult found;
  CAIRN_RETURN_IF_ERROR(ReadListedLog(options, std::move(listing), from, note_end, &found));
  // What ran without a log had its LSNs below the ceiling, and so had a log that was switched on and is not counted yet.
  if (end <= manifest.lsn_ceiling) return Status();
  return Status::Damaged(JoinPath(path, kManifestFileName) + " does not count the log, although that reaches LSN " +
                         std::to_string(end) + ": it is an older copy, or another directory's. Put the newest one back");
}

}  // namespace cairn
