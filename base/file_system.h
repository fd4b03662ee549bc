// The file system as Cairn uses it: an interface with a real, an in-memory and a fault-injecting implementation, so that every
// durable path can be run against a disk that fails.
//
// Failure: every function returns a Status that names the call and the path; kNotFound for a missing file, kNoSpace for a full
// disk or quota. After a failed write or sync of a file its content on disk is unknown: callers must not sync it again.
// Ownership: files close when destroyed; Close() reports what the destructor cannot. Paths are UTF-8 or any bytes, relative to
// the process's working directory.
// Threads: a FileSystem may be used from any thread; one file object from one thread at a time, except RandomAccessFile::Read.
// Durability: bytes are on disk after Sync() of the file; a created, renamed or removed name is on disk after SyncDirectory().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace cairn {

// A file that is written at given offsets. Writes may extend it.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  // Writes all of `bytes` at `offset` or fails; a short write by the system is continued here.
  virtual Status WriteAt(uint64_t offset, std::string_view bytes) = 0;
  // Appends at the end as this object knows it (size at opening plus what it appended).
  virtual Status Append(std::string_view bytes) = 0;
  // Writes `size_bytes` of zeros from `offset` on, so that later writes there change no metadata and reserve no new space.
  virtual Status ZeroFill(uint64_t offset, uint64_t size_bytes) = 0;
  // fdatasync: on OK all earlier writes and the size are on disk.
  virtual Status Sync() = 0;
  virtual Status Truncate(uint64_t size_bytes) = 0;
  // Closes; later calls fail. Does not sync.
  virtual Status Close() = 0;
};

// A file that is read at given offsets; Read may be called from several threads at once.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  // Fills `to` with up to `size_bytes` from `offset`; returns how many, fewer only at the end of the file.
  virtual Result<size_t> Read(uint64_t offset, size_t size_bytes, char* to) const = 0;
  virtual Result<uint64_t> Size() const = 0;
};

// Held while the object lives; released on destruction or process end.
class FileLock {
 public:
  virtual ~FileLock() = default;
  // Whether the locked file is still the one of that name: kNotFound where it is gone with its directory or is another's now, so that what
  // is written to that path is not where this lock keeps others out. A file that was only deleted is made, and locked, again. Any thread.
  virtual Status Check() { return Status::Ok(); }
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  enum class OpenMode {
    kCreateNew,     // fails with kAlreadyExists where the file exists
    kTruncate,      // creates, or empties what is there
    kKeepExisting,  // creates, or opens what is there with its content
  };
  virtual Result<std::unique_ptr<WritableFile>> OpenForWriting(const std::string& path, OpenMode mode) = 0;
  virtual Result<std::unique_ptr<RandomAccessFile>> OpenForReading(const std::string& path) = 0;
  // The names in a directory, without "." and "..", sorted.
  virtual Result<std::vector<std::string>> ListDirectory(const std::string& path) = 0;
  virtual Status CreateDirectory(const std::string& path) = 0;  // OK where it exists; the parent must exist
  virtual Status SyncDirectory(const std::string& path) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;  // replaces `to` atomically
  virtual Status RemoveFile(const std::string& path) = 0;
  virtual Status RemoveDirectory(const std::string& path) = 0;  // empty ones only
  virtual Status HardLink(const std::string& existing, const std::string& new_name) = 0;
  virtual Result<bool> Exists(const std::string& path) = 0;
  virtual Result<uint64_t> FileSize(const std::string& path) = 0;
  // Free bytes for this process on the file system that holds `path`.
  virtual Result<uint64_t> FreeSpace(const std::string& path) = 0;
  // Creates `path` if needed and takes an exclusive lock on it; kLocked, with the holder's pid where known, if another has it.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
};

// The operating system's; lives for the whole process.
FileSystem& RealFileSystem();

// Reads a whole file; fails with kInvalidArgument where it is larger than `max_bytes`.
Result<std::string> ReadWholeFile(FileSystem& fs, const std::string& path, uint64_t max_bytes);
// Writes `path.tmp`, syncs it, renames it over `path` and syncs the directory: on OK the new content is durable, and after a
// crash at any moment the file holds either the old or the new content.
Status ReplaceFileDurably(FileSystem& fs, const std::string& path, std::string_view bytes);
// "dir/name" of the two.
std::string JoinPath(std::string_view directory, std::string_view name);
// The directory that a path without a slash at its end names something in; "." for a name alone.
std::string ParentOf(const std::string& path);

}  // namespace cairn
