#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/file_system.h"
#include "base/gradual_free.h"
#include "base/numbers.h"
#include "base/random.h"
#include "base/thread_annotations.h"

namespace cairn {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;
constexpr size_t kZeroBufferBytes = 256 * 1024;
constexpr uint64_t kPageBytes = 4096;
// Synced bytes that pile up in the page cache before they are taken out of it.
constexpr uint64_t kCachedMostBytes = 1 << 20;
alignas(4096) const char kZeros[kZeroBufferBytes] = {};

Status Failure(std::string_view call, const std::string& path, int error_number = errno) {
  return Status::FromErrno(error_number, std::string(call) + " " + path);
}

Status FailureAt(std::string_view call, const std::string& path, uint64_t offset) {
  const int error_number = errno;
  return Status::FromErrno(error_number, std::string(call) + " " + path + " at " + std::to_string(offset));
}

class PosixWritableFile : public WritableFile {
 public:
  PosixWritableFile(int fd, std::string path, uint64_t end) : fd_(fd), path_(std::move(path)), end_(end) {}
  ~PosixWritableFile() override {
    if (fd_ >= 0) close(fd_);
  }

  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    if (fd_ < 0) return Closed();
    CAIRN_RETURN_IF_ERROR(Write(offset, bytes));
    data_end_ = offset + bytes.size();
    return Status::Ok();
  }

  Status Append(std::string_view bytes) override { return WriteAt(end_, bytes); }

  Status ZeroFill(uint64_t offset, uint64_t size_bytes) override {
    if (fd_ < 0) return Closed();
    if (size_bytes == 0) return Status::Ok();
    // Reserving first keeps the file in few extents and tells early that there is no room. It is not enough by itself: reserved
    // blocks that were never written cost a metadata change at their first write.
    while (fallocate(fd_, 0, static_cast<off_t>(offset), static_cast<off_t>(size_bytes)) != 0) {
      if (errno == EINTR) continue;
      if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL) break;
      return FailureAt("reserve space in", path_, offset);
    }
    while (size_bytes > 0) {
      const size_t step = static_cast<size_t>(std::min<uint64_t>(size_bytes, kZeroBufferBytes));
      CAIRN_RETURN_IF_ERROR(Write(offset, std::string_view(kZeros, step)));
      offset += step;
      size_bytes -= step;
    }
    return Status::Ok();
  }

  Status Sync() override {
    if (fd_ < 0) return Closed();
    // Not retried on EINTR: after a failed sync the kernel may have forgotten which pages are dirty.
    if (fdatasync(fd_) != 0) return Failure("sync", path_);
    ForgetCached();
    return Status::Ok();
  }

  Status Truncate(uint64_t size_bytes) override {
    if (fd_ < 0) return Closed();
    while (ftruncate(fd_, static_cast<off_t>(size_bytes)) != 0) {
      if (errno != EINTR) return FailureAt("truncate", path_, size_bytes);
    }
    end_ = size_bytes;
    return Status::Ok();
  }

  Status Close() override {
    if (fd_ < 0) return Closed();
    const int fd = fd_;
    fd_ = -1;
    if (close(fd) != 0 && errno != EINTR) return Failure("close", path_);
    return Status::Ok();
  }

 private:
  Status Closed() const { return Status::IoError("use of the closed file " + path_); }

  Status Write(uint64_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0) {
        if (errno == EINTR) continue;
        return FailureAt("write", path_, offset);
      }
      offset += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    end_ = std::max(end_, offset);
    return Status::Ok();
  }

  // Logs and snapshots are read when a store starts, if ever, and from front to back. Taken out of the page cache once they are on disk,
  // their pages are the ones that take the next writes: in the caches, and mapped, which new pages of a virtual machine often are not
  // (a write into those took eight times as long). What comes behind the last write, zeros to be overwritten, stays.
  void ForgetCached() {
    const uint64_t until = data_end_ / kPageBytes * kPageBytes;
    if (until < forgotten_ + kCachedMostBytes) return;
    (void)posix_fadvise(fd_, static_cast<off_t>(forgotten_), static_cast<off_t>(until - forgotten_), POSIX_FADV_DONTNEED);
    forgotten_ = until;
  }

  int fd_;
  const std::string path_;
  uint64_t end_;
  uint64_t data_end_ = 0;   // of the last write
  uint64_t forgotten_ = 0;  // pages before it are no longer in the page cache
};

class PosixRandomAccessFile : public RandomAccessFile {
 public:
  PosixRandomAccessFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~PosixRandomAccessFile() override { close(fd_); }

  Result<size_t> Read(uint64_t offset, size_t size_bytes, char* to) const override {
    size_t total = 0;
    while (total < size_bytes) {
      const ssize_t got = pread(fd_, to + total, size_bytes - total, static_cast<off_t>(offset + total));
      if (got < 0) {
        if (errno == EINTR) continue;
        return FailureAt("read", path_, offset + total);
      }
      if (got == 0) break;
      total += static_cast<size_t>(got);
    }
    return total;
  }

  Result<uint64_t> Size() const override {
    struct stat info;
    if (fstat(fd_, &info) != 0) return Failure("stat", path_);
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  const int fd_;
  const std::string path_;
};

// The file holds the pid, for people who wonder who has the lock, and a random word by which its holder knows it again: inode numbers are
// not the same all the time on every file system.
class PosixFileLock : public FileLock {
 public:
  PosixFileLock(int fd, std::string path)
      : path_(std::move(path)), text_(std::to_string(getpid()) + "\n" + SecureRandomHex(kWordChars) + "\n"), fd_(fd) {
    struct stat info;
    if (stat(ParentOf(path_).c_str(), &info) == 0) directory_inode_ = info.st_ino;
    written_ = WriteText();
  }
  ~PosixFileLock() override { close(fd_); }

  Status Check() override {
    MutexLock hold(mutex_);
    if (!written_) return Status::Ok();  // no room for it, perhaps: nothing can be told
    const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? MakeAgain() : Status::Ok();
    char bytes[kTextBytesMax];
    const ssize_t size = pread(fd, bytes, sizeof(bytes), 0);
    close(fd);
    if (size < 0 || std::string_view(bytes, static_cast<size_t>(size)) == text_) return Status::Ok();
    return Status::NotFound(path_ + " is another process's: the directory was replaced while it was in use");
  }

 private:
  static constexpr size_t kWordChars = 16;
  static constexpr size_t kTextBytesMax = 64;

  bool WriteText() CAIRN_REQUIRES(mutex_) {
    return ftruncate(fd_, 0) == 0 && pwrite(fd_, text_.data(), text_.size(), 0) == static_cast<ssize_t>(text_.size());
  }
  Status MakeAgain() CAIRN_REQUIRES(mutex_) {
    struct stat info;
    if (stat(ParentOf(path_).c_str(), &info) != 0 || info.st_ino != directory_inode_) {
      return Status::NotFound(path_ + " is gone: the directory was removed or moved while it was in use");
    }
    const int fd = open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
    if (fd < 0) return Status::Ok();  // somebody else was faster, which the next look finds, or it fails for another reason
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      close(fd);
      return Status::Ok();
    }
    close(std::exchange(fd_, fd));
    written_ = WriteText();
    return Status::Ok();
  }

  const std::string path_, text_;
  ino_t directory_inode_ = 0;
  Mutex mutex_;
  int fd_ CAIRN_GUARDED_BY(mutex_);
  bool written_ CAIRN_GUARDED_BY(mutex_) = false;
};

class PosixFileSystem : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> OpenForWriting(const std::string& path, OpenMode mode) override {
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
    if (mode == OpenMode::kCreateNew) flags |= O_EXCL;
    if (mode == OpenMode::kTruncate) flags |= O_TRUNC;
    const int fd = OpenRetrying(path, flags);
    if (fd < 0) {
      if (errno == EEXIST) return Status::AlreadyExists("create " + path + ": it exists already");
      return Failure("open for writing", path);
    }
    struct stat info;
    if (fstat(fd, &info) != 0) {
      Status status = Failure("stat", path);
      close(fd);
      return status;
    }
    return std::unique_ptr<WritableFile>(new PosixWritableFile(fd, path, static_cast<uint64_t>(info.st_size)));
  }

  Result<std::unique_ptr<RandomAccessFile>> OpenForReading(const std::string& path) override {
    const int fd = OpenRetrying(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Failure("open for reading", path);
    return std::unique_ptr<RandomAccessFile>(new PosixRandomAccessFile(fd, path));
  }

  Result<std::vector<std::string>> ListDirectory(const std::string& path) override {
    DIR* directory = opendir(path.c_str());
    if (directory == nullptr) return Failure("list", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* item = readdir(directory)) {
      const std::string_view name = item->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    const int error_number = errno;
    closedir(directory);
    if (error_number != 0) return Failure("list", path, error_number);
    std::sort(names.begin(), names.end());
    return names;
  }

  Status CreateDirectory(const std::string& path) override {
    if (mkdir(path.c_str(), kDirectoryMode) == 0) return Status::Ok();
    const int error_number = errno;
    struct stat info;
    if (error_number == EEXIST && stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return Status::Ok();
    return Failure("create the directory", path, error_number);
  }

  Status SyncDirectory(const std::string& path) override {
    const int fd = OpenRetrying(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return Failure("open the directory", path);
    Status status;
    // EINVAL: this file system keeps no directory entries that could be synced apart (some network and FUSE mounts).
    if (fsync(fd) != 0 && errno != EINVAL) status = Failure("sync the directory", path);
    close(fd);
    return status;
  }

  Status Rename(const std::string& from, const std::string& to) override {
    DyingFile replaced(to);
    if (rename(from.c_str(), to.c_str()) != 0) return Failure("rename", from + " to " + to);
    replaced.FreeGradually();
    return Status::Ok();
  }
  Status RemoveFile(const std::string& path) override {
    DyingFile removed(path);
    if (unlink(path.c_str()) != 0) return Failure("remove", path);
    removed.FreeGradually();
    return Status::Ok();
  }
  Status RemoveDirectory(const std::string& path) override {
    if (rmdir(path.c_str()) != 0) return Failure("remove the directory", path);
    return Status::Ok();
  }
  Status HardLink(const std::string& existing, const std::string& new_name) override {
    if (link(existing.c_str(), new_name.c_str()) == 0) return Status::Ok();
    if (errno == EEXIST) return Status::AlreadyExists("link " + existing + " as " + new_name + ": it exists already");
    return Failure("link", existing + " as " + new_name);
  }

  Result<bool> Exists(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return Failure("stat", path);
  }
  Result<uint64_t> FileSize(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return Failure("stat", path);
    return static_cast<uint64_t>(info.st_size);
  }
  Result<uint64_t> FreeSpace(const std::string& path) override {
    struct statvfs info;
    if (statvfs(path.c_str(), &info) != 0) return Failure("ask for the free space of", path);
    return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  }

  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    const int fd = OpenRetrying(path, O_RDWR | O_CREAT | O_CLOEXEC);
    if (fd < 0) return Failure("open the lock", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const int error_number = errno;
      char holder[32] = {};
      const ssize_t size = pread(fd, holder, sizeof(holder) - 1, 0);
      close(fd);
      if (error_number != EWOULDBLOCK) return Failure("lock", path, error_number);
      std::string_view pid(holder, size > 0 ? static_cast<size_t>(size) : 0);
      pid = pid.substr(0, pid.find_first_not_of("0123456789"));
      // A process that only reads has the lock without writing its own; the number is then one of long ago.
      uint64_t number = 0;
      if (!ParseUint64(pid, &number) || (kill(static_cast<pid_t>(number), 0) != 0 && errno == ESRCH)) pid = {};
      return Status::Locked(path + " is locked by another process" + (pid.empty() ? "" : ", pid " + std::string(pid)));
    }
    return std::unique_ptr<FileLock>(new PosixFileLock(fd, path));
  }

 private:
  static int OpenRetrying(const std::string& path, int flags) {
    int fd;
    do {
      fd = open(path.c_str(), flags, kFileMode);
    } while (fd < 0 && errno == EINTR);
    return fd;
  }
};

}  // namespace

FileSystem& RealFileSystem() {
  static auto* file_system = new PosixFileSystem;
  return *file_system;
}

}  // namespace cairn
