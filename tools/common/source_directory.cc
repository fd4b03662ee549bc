#include "tools/common/source_directory.h"

#include <chrono>
#include <thread>

#include "engine/data_directory.h"
#include "tools/common/source_lock.h"

namespace cairn {
namespace {

constexpr int kStillTries = 5;  // looks at an end that does not move before what is found there is believed
constexpr auto kStillPause = std::chrono::milliseconds(20);

}  // namespace

Result<std::unique_ptr<SourceDirectory>> SourceDirectory::Open(FileSystem& fs, const std::string& path, SourceAccess access) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  if (trimmed.empty()) return Status::InvalidArgument("a data directory is needed");
  CAIRN_ASSIGN_OR_RETURN(const bool exists, fs.Exists(trimmed));
  if (!exists) return Status::NotFound(trimmed + ": there is no such directory");
  std::unique_ptr<SourceDirectory> source(new SourceDirectory(fs, trimmed, access));
  const std::string lock_path = JoinPath(trimmed, DataDirectory::kLockFileName);
  if (access == SourceAccess::kLive) return source;
  Result<std::unique_ptr<FileLock>> lock = LockForReading(lock_path);
  if (!lock.ok() && lock.status().code() == StatusCode::kLocked) {
    return Status::Locked(std::string(lock.status().message()) + ": stop the server, or read beside it with --live");
  }
  if (!lock.ok()) return lock.status();
  source->lock_ = std::move(lock).value();
  return source;
}

std::string SourceDirectory::log_path() const { return JoinPath(path_, DataDirectory::kLogDirectoryName); }

Result<Manifest> SourceDirectory::ReadManifest() const {
  Result<Manifest> manifest = LoadManifest(fs_, path_);
  if (manifest.ok() || manifest.status().code() != StatusCode::kNotFound) return manifest;
  for (const char* name : {"dump.rdb", "appendonlydir", "appendonly.aof"}) {
    CAIRN_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(JoinPath(path_, name)));
    if (exists)
      return Status::NotFound(path_ + " holds Redis's " + name +
                              " and no data of Cairn: cairn-restore makes a data directory of it");
  }
  return Status::NotFound(path_ + " has no " + std::string(kManifestFileName) + ": it is not a data directory");
}

LogOptions SourceDirectory::log_options(uint32_t directory_id) const {
  LogOptions options;
  options.directory = log_path();
  options.directory_id = directory_id;
  options.fs = &fs_;
  options.clock = &RealClock();
  return options;
}

Result<std::optional<Lsn>> SourceDirectory::LogBegin() const {
  for (int tries = 1;; tries++) {
    const Result<SegmentListing> listing = ListSegments(fs_, log_path());
    if (listing.ok()) return listing->chain.empty() ? std::nullopt : std::optional(listing->chain.front().header.continues_from);
    // A server that runs may drop a file between the list and the look at it.
    if (!live() || tries == kStillTries) return listing.status();
    std::this_thread::sleep_for(kStillPause);
  }
}

Status SourceDirectory::ReadLog(Lsn from, const LogFrameCallback& callback, LogRecoveryResult* result,
                                uint32_t directory_id) const {
  const LogOptions options = log_options(directory_id);
  if (!live()) return cairn::ReadLog(options, from, callback, result);
  Lsn at = from;
  Status stopped;  // by the callback
  const auto counting = [&](const LogFrame& frame) {
    stopped = callback(frame);
    if (stopped.ok()) at = frame.first_lsn + frame.payload.size();
    return stopped;
  };
  Lsn seen = at;
  for (int still = 0;;) {
    Status status = cairn::ReadLog(options, at, counting, result);
    if (status.ok() || !stopped.ok()) return status;
    // A frame that was half there when it was read looks like damage once later ones are whole; a file may have been dropped meanwhile.
    still = at == seen ? still + 1 : 0;
    if (still >= kStillTries) return status;
    seen = at;
    std::this_thread::sleep_for(kStillPause);
  }
}

}  // namespace cairn
