// The directory of a store: its lock, its MANIFEST, and the names in it. DIR/LOCK, DIR/MANIFEST, DIR/log, DIR/snapshots.
//
// The manifest decides what belongs to the data. It is changed by one function here, which stores it durably before anybody sees the new
// content; a new directory gets its manifest with the first Update, before anything else, so a directory with a log or snapshots but no
// manifest is damaged.
// Failure: Open changes nothing where it fails, except that it may have made an empty directory and the LOCK file.
// Threads: any.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/thread_annotations.h"
#include "snapshot/manifest.h"

namespace cairn {

class DataDirectory {
 public:
  static constexpr std::string_view kLockFileName = "LOCK";
  static constexpr std::string_view kLogDirectoryName = "log";
  // How far ahead of the LSNs in use the ceiling is put when there is no log to show them. Big, so that it is stored rarely; small
  // beside 2^64.
  static constexpr Lsn kCeilingStep = uint64_t{1} << 40;

  // kLocked, kDamaged, kNewerFormat, kIoError or kNoSpace, naming the file and what to do.
  static Result<std::unique_ptr<DataDirectory>> Open(FileSystem& fs, Clock& clock, const std::string& path);
  ~DataDirectory();

  const std::string& path() const { return path_; }
  std::string log_path() const { return JoinPath(path_, kLogDirectoryName); }
  FileSystem& fs() { return fs_; }

  // Whether there are no data in it yet: no manifest, or one of an import that did not come to its end (imported_from, but no snapshot).
  bool is_new() const { return is_new_; }

  Manifest manifest() const CAIRN_EXCLUDES(mutex_);
  // Whether the directory of that path is still the one that was opened: kNotFound where it was removed, moved or replaced since. Nothing
  // may be written there then: it would be lost, or be in another server's way.
  Status CheckHeld() const { return lock_->Check(); }
  // The same question for who may outlive this object, after which the answer is OK.
  std::function<Status()> HeldCheck() const;
  // Applies `change` to a copy, stores it durably, then adopts it; on failure everything is as before.
  Status Update(const std::function<void(Manifest&)>& change) CAIRN_EXCLUDES(update_mutex_, mutex_);
  // Removes the files of a log that the manifest does not count (has_log is false).
  Status RemoveUncountedLog();

 private:
  DataDirectory(FileSystem& fs, Clock& clock, std::string path) : fs_(fs), clock_(clock), path_(std::move(path)) {}
  Status TakeLock();
  Status ReadManifest();
  // `unfinished`: the manifest of an import that did not come to its end, or an empty one.
  void StartEmpty(const Manifest& unfinished) CAIRN_REQUIRES(mutex_);
  Result<bool> HasFiles(const std::string& directory);

  FileSystem& fs_;
  Clock& clock_;
  const std::string path_;
  std::shared_ptr<FileLock> lock_;  // constant once open; let go with this object, whoever asks about it later
  bool is_new_ = false;             // constant once open
  Mutex update_mutex_;              // held while the manifest is stored, which waits for the disk; taken before mutex_
  mutable Mutex mutex_;
  Manifest manifest_ CAIRN_GUARDED_BY(mutex_);
};

// kDamaged where a log that `manifest` does not count holds what that manifest cannot have known: it is not the directory's newest one,
// and to go on with it would lose the log.
Status CheckUncountedLog(FileSystem& fs, const std::string& path, const Manifest& manifest);

// For a manifest that has none. Never 0.
uint32_t NewDirectoryId();

// `path` and its missing parents.
Status CreateDirectories(FileSystem& fs, const std::string& path);

}  // namespace cairn
