// A file system in memory, for tests, that can lose power.
//
// Fault model: it keeps two pictures. The *current* one is what running code sees. The *durable* one holds what a crash leaves:
// the bytes of a file as of its last Sync(), and the names of a directory as of its last SyncDirectory(). CrashAndDropUnsynced()
// makes the durable picture the current one, where the seed decides for everything that was not synced:
//   - each 4 KiB page written since the last sync is kept, dropped, or torn (a prefix in 512-byte sectors kept, the rest old);
//   - an unsynced change of size is kept or dropped; the bytes of dropped pages inside a kept size are zeros or the old bytes;
//   - names created, renamed, linked or removed since their directory's last sync are kept up to one random operation and
//     forgotten from there on, in order (as a journalling file system does), or, with half of the seeds, each is kept or forgotten
//     by itself; a rename is there wholly or not at all.
// With kDropAll nothing unsynced survives. Files that were open before the crash fail every call after it with kIoError.
// FailSync() is what a failed fsync does to a file's pages; FlipBit(), MisdirectPage() and MakePageStale() are what bad disks do.
// Image() copies everything, both pictures, at one instant: one run gives as many crashes as one likes to look at, and an image that
// is used as it is shows what a killed process leaves, unsynced bytes in the page cache included.
// Not modelled: permissions, sparse files' use of space.
//
// Threads: as FileSystem says; one internal lock. FreeSpace() is a settable number that writes count against.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/memory_inode.h"
#include "base/thread_annotations.h"

namespace cairn {

class MemoryFileSystem : public FileSystem {
 public:
  static constexpr size_t kPageBytes = MemoryInode::kPageBytes;
  static constexpr size_t kSectorBytes = MemoryInode::kSectorBytes;
  static constexpr uint64_t kDropAll = 0;  // the seed with which nothing unsynced survives

  MemoryFileSystem();
  ~MemoryFileSystem() override;

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

  // As if the power failed now, and the machine started again. Locks are gone too.
  void CrashAndDropUnsynced(uint64_t seed = kDropAll);
  // Writes beyond this many bytes of all files together fail with kNoSpace. Unlimited at first.
  void SetCapacityBytes(uint64_t capacity_bytes);
  // The file system as it is now, to be used apart from this one. Nobody holds a lock on it and none of its files is open.
  std::unique_ptr<MemoryFileSystem> Image();
  // What a failed fsync does to the file's unsynced pages (MemoryInode::FailSync). Nothing where there is no such file.
  void FailSync(const std::string& path, uint64_t seed);
  // Flips one bit of a file, current and durable: damage for tests of checksums. The file must be that long.
  Status FlipBit(const std::string& path, uint64_t offset, int bit);
  // A page (kPageBytes) that was written to, or is read from, the wrong place. False where there is no such page.
  bool MisdirectPage(const std::string& from, uint64_t from_page, const std::string& to, uint64_t to_page);
  // A page's last synced write that never reached the disk. False where nothing older is known.
  bool MakePageStale(const std::string& path, uint64_t page);
  // The paths of all files, sorted.
  std::vector<std::string> Files();
  // The whole content of a file as running code sees it.
  Result<std::string> Content(const std::string& path);

  struct NameChange;  // one directory operation that is not durable yet

 private:
  friend class MemoryWritableFile;
  friend class MemoryReadableFile;
  friend class MemoryFileLock;
  using Names = std::map<std::string, std::shared_ptr<MemoryInode>>;

  Status CheckParent(const std::string& path) CAIRN_REQUIRES(mutex_);
  Result<std::shared_ptr<MemoryInode>> Find(const std::string& path) CAIRN_REQUIRES(mutex_);
  std::shared_ptr<MemoryInode> DirectoryAt(const std::string& path) CAIRN_REQUIRES(mutex_);
  // `from` disappears, unless empty; `to` names `inode` from now on, unless empty.
  void Record(const std::string& from, const std::string& to, std::shared_ptr<MemoryInode> inode) CAIRN_REQUIRES(mutex_);
  void Restore(const std::string& path, const MemoryInode& directory) CAIRN_REQUIRES(mutex_);
  uint64_t UsedBytes() const CAIRN_REQUIRES(mutex_);

  Mutex mutex_;
  Names current_ CAIRN_GUARDED_BY(mutex_);
  // What is durable hangs below these two.
  std::shared_ptr<MemoryInode> root_ CAIRN_GUARDED_BY(mutex_);
  std::shared_ptr<MemoryInode> working_directory_ CAIRN_GUARDED_BY(mutex_);
  std::vector<NameChange> pending_ CAIRN_GUARDED_BY(mutex_);
  std::set<std::string> locks_ CAIRN_GUARDED_BY(mutex_);
  uint64_t capacity_bytes_ CAIRN_GUARDED_BY(mutex_) = UINT64_MAX;
  uint64_t boots_ CAIRN_GUARDED_BY(mutex_) = 0;  // crashes so far; older file objects are dead
};

}  // namespace cairn
