// A file system around another one that fails on purpose.
//
// Fault model: a fault is an operation kind, a path part, how many matching calls to let pass, how many to fail, and the error.
// Every matching call is counted, so "fail the 7th sync of a file under log/" is one fault. A failing call has no effect on the
// wrapped file system, except that a failing write may first write a part of its bytes (`written_bytes`), as a short write does,
// and that a failing sync may yet have synced (`sync_happened`). With a seed, every call may fail with a given probability instead.
// After a failed write or sync the file object goes on working: that callers do not use it again is
// what tests find out through syncs_after_failure().
//
// Threads: any; one internal lock, not held while the wrapped file system works.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "base/thread_annotations.h"

namespace cairn {

enum class FileOperation : uint8_t {
  kOpen,
  kRead,
  kWrite,
  kZeroFill,
  kSync,
  kTruncate,
  kSyncDirectory,
  kRename,
  kRemove,
  kLink,
  kList,
  kCreateDirectory,
};
inline constexpr int kFileOperationCount = 12;

struct FileFault {
  FileOperation operation = FileOperation::kWrite;
  std::string path_part;       // a call matches when its path contains this; empty: every path
  uint64_t let_pass = 0;       // matching calls that succeed first
  uint64_t fail_count = 1;     // how many then fail; UINT64_MAX: all
  int error_number = 5;        // EIO; ENOSPC and EDQUOT become kNoSpace
  uint64_t written_bytes = 0;  // kWrite, kZeroFill: so many bytes are written before the failure
  bool sync_happened = false;  // kSync: the bytes are durable although the call fails
};

class FaultyFileSystem : public FileSystem {
 public:
  // `wrapped` must outlive this object and the files opened through it.
  explicit FaultyFileSystem(FileSystem& wrapped);
  ~FaultyFileSystem() override;

  void AddFault(FileFault fault);
  // Every call of `operation` fails with probability 1/`one_in`, decided by `seed`. 0 turns that off.
  void FailRandomly(FileOperation operation, uint64_t one_in, int error_number, uint64_t seed);
  // The disk is healthy from now on.
  void ClearFaults();

  // Matching calls since the start, failed ones included.
  uint64_t calls(FileOperation operation) const;
  uint64_t failures(FileOperation operation) const;
  // Syncs called on a file object after a write or sync of it had failed: a correct caller never does that.
  uint64_t syncs_after_failure() const;
  // How many bytes of a path were covered by its last successful sync, or 0.
  uint64_t synced_bytes(const std::string& path) const;
  // Called before every operation, without a lock: tests block or count here. Set it before other threads use this object.
  void SetHook(std::function<void(FileOperation, const std::string& path)> hook);
  // Called when a call is about to fail, without a lock: what else such a failure does to the disk. Set as the hook is.
  void SetFailureHook(std::function<void(FileOperation, const std::string& path)> hook);

  Result<std::unique_ptr<WritableFile>> OpenForWriting(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<RandomAccessFile>> OpenForReading(const std::string& path) override;
  Result<std::vector<std::string>> ListDirectory(const std::string& path) override;
  Status CreateDirectory(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status RemoveFile(const std::string& path) override;
  Status RemoveDirectory(const std::string& path) override;
  Status HardLink(const std::string& existing, const std::string& new_name) override;
  Result<bool> Exists(const std::string& path) override;
  Result<uint64_t> FileSize(const std::string& path) override;
  Result<uint64_t> FreeSpace(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  // What FreeSpace() answers from now on; UINT64_MAX asks the wrapped file system again.
  void SetFreeSpace(uint64_t free_bytes);

 private:
  friend class FaultyWritableFile;
  friend class FaultyReadableFile;
  // OK, or the failure planned for this call; `fault` then tells the details.
  Status Check(FileOperation operation, const std::string& path, FileFault* fault = nullptr);
  Status Plan(FileOperation operation, const std::string& path, FileFault* fault = nullptr);
  void NoteSync(const std::string& path, uint64_t size_bytes, bool after_failure);

  FileSystem& wrapped_;
  std::function<void(FileOperation, const std::string&)> hook_;
  std::function<void(FileOperation, const std::string&)> failure_hook_;
  mutable Mutex mutex_;
  std::vector<FileFault> faults_ CAIRN_GUARDED_BY(mutex_);
  struct RandomFault {
    uint64_t one_in = 0;
    int error_number = 0;
  };
  RandomFault random_faults_[kFileOperationCount] CAIRN_GUARDED_BY(mutex_);
  Random random_ CAIRN_GUARDED_BY(mutex_){1};
  uint64_t calls_[kFileOperationCount] CAIRN_GUARDED_BY(mutex_) = {};
  uint64_t failures_[kFileOperationCount] CAIRN_GUARDED_BY(mutex_) = {};
  uint64_t syncs_after_failure_ CAIRN_GUARDED_BY(mutex_) = 0;
  std::map<std::string, uint64_t> synced_bytes_ CAIRN_GUARDED_BY(mutex_);
  uint64_t free_bytes_ CAIRN_GUARDED_BY(mutex_) = UINT64_MAX;
};

}  // namespace cairn
