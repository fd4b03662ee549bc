// A data directory that appears whole under its name or not at all: it is built under another name and then gets its own.
//
//   TARGET is not there   it is built as TARGET.partial, and renamed
//   TARGET is empty       it may be a mount point, a link or ".", over which nothing can be renamed: it is built as TARGET/.partial, and
//                         what is in that is moved, the manifest last. TARGET/LOCK is held meanwhile, so no server starts there.
//
// "Empty" is also one with a LOCK that nobody holds, or with a file system's lost+found.
// Failure: what was built is removed, and what was there before stays. What an attempt left that a crash ended is removed by the next.
// Threads: one at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"

namespace cairn {

class PartialDirectory {
 public:
  // Files of this name may be among a data directory's own: what a repair could not place.
  static constexpr std::string_view kUnplacedPrefix = "unplaced-";

  // Whether a directory can be made there, without making anything: kAlreadyExists where `target` is there and not empty, kNotFound
  // without its parent.
  static Status CheckTarget(FileSystem& fs, const std::string& target);
  // As CheckTarget, and kLocked where another process is at work there.
  static Result<std::unique_ptr<PartialDirectory>> Create(FileSystem& fs, const std::string& target);
  ~PartialDirectory();  // removes what is not published
  PartialDirectory(const PartialDirectory&) = delete;
  PartialDirectory& operator=(const PartialDirectory&) = delete;

  const std::string& target() const { return target_; }
  // Where to build it; not there yet. Its lock must be free again when Publish or the destructor comes.
  const std::string& path() const { return partial_; }
  // On OK all of it is durable under its name. Once.
  Status Publish();

 private:
  PartialDirectory(FileSystem& fs, std::string target) : fs_(fs), target_(std::move(target)) {}
  Status TakeEmptyTarget();
  Status RemovePartial();
  Status MovePieces(const std::string& from, const std::string& to, const std::vector<std::string>& names);

  FileSystem& fs_;
  const std::string target_;
  std::string partial_;
  std::unique_ptr<FileLock> lock_;  // of a target that is there
  bool had_lock_file_ = false;
  bool published_ = false;
};

}  // namespace cairn
