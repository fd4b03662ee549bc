// A data directory as a tool reads it: never changed, and either nobody else's meanwhile or read beside a running server.
//
//   kOffline  takes the directory's lock for reading, so that no server starts on it, but other tools may read it too; kLocked where a
//             server runs (exit code 4: use --live). A directory without a LOCK file (a backup, perhaps on a read-only medium) has no
//             user, and gets no such file.
//   kLive     takes no lock. A server may add to the log, make snapshots and drop old ones while it is read: what was opened stays
//             readable, and what was dropped before it could be opened is asked for again, from a newer manifest.
//
// Threads: one at a time. The FileSystem must outlive it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/status.h"
#include "snapshot/manifest.h"
#include "wal/log_reader.h"

namespace cairn {

enum class SourceAccess : uint8_t { kOffline, kLive };

class SourceDirectory {
 public:
  // kNotFound where there is no such directory, kLocked where it is in use. Looks at no file but LOCK.
  static Result<std::unique_ptr<SourceDirectory>> Open(FileSystem& fs, const std::string& path, SourceAccess access);

  FileSystem& fs() const { return fs_; }
  const std::string& path() const { return path_; }  // without slashes at its end
  std::string log_path() const;
  bool live() const { return access_ == SourceAccess::kLive; }

  // kNotFound with a message that says what is there instead (Redis's files, nothing).
  Result<Manifest> ReadManifest() const;

  // Options for the readers of wal/. `directory_id` is the manifest's, 0: not compared.
  LogOptions log_options(uint32_t directory_id = 0) const;
  // Where the log begins, or nothing where there is none.
  Result<std::optional<Lsn>> LogBegin() const;
  // ReadLog (wal/log_reader.h) over this directory. Live, an end that moves while it is read is read on from, and what is not complete yet
  // when nothing moves any more is the end: LogEnd::kTornTail.
  Status ReadLog(Lsn from, const LogFrameCallback& callback, LogRecoveryResult* result, uint32_t directory_id = 0) const;

 private:
  SourceDirectory(FileSystem& fs, std::string path, SourceAccess access) : fs_(fs), path_(std::move(path)), access_(access) {}

  FileSystem& fs_;
  const std::string path_;
  const SourceAccess access_;
  std::unique_ptr<FileLock> lock_;
};

}  // namespace cairn
