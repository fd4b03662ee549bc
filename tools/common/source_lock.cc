#include "tools/common/source_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {
namespace {

class SharedLock final : public FileLock {
 public:
  explicit SharedLock(int fd) : fd_(fd) {}
  ~SharedLock() override { close(fd_); }

 private:
  const int fd_;
};

// Servers write theirs into the file.
std::string HolderOf(int fd) {
  char text[32];
  const ssize_t size = pread(fd, text, sizeof(text), 0);
  const std::string_view pid(text, size > 0 ? static_cast<size_t>(size) : 0);
  return std::string(pid.substr(0, pid.find_first_not_of("0123456789")));
}

}  // namespace

Result<std::unique_ptr<FileLock>> LockForReading(const std::string& path) {
  int fd;
  do {
    fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0 && errno == ENOENT) return std::unique_ptr<FileLock>();
  if (fd < 0) return Status::FromErrno(errno, "open the lock " + path);
  auto lock = std::make_unique<SharedLock>(fd);
  if (flock(fd, LOCK_SH | LOCK_NB) == 0) return std::unique_ptr<FileLock>(std::move(lock));
  if (errno != EWOULDBLOCK) return std::unique_ptr<FileLock>();
  const std::string pid = HolderOf(fd);
  return Status::Locked(path + " is locked by another process" + (pid.empty() ? "" : ", pid " + pid));
}

}  // namespace cairn
