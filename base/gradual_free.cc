#include "base/gradual_free.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>
#include <utility>

#include "base/scheduling.h"
#include "base/thread_annotations.h"

namespace cairn {
namespace {

constexpr off_t kLargeBytes = 8 << 20;
constexpr off_t kStepBytes = 2 << 20;
constexpr std::chrono::milliseconds kRest{10};
// More than this wait for nobody: descriptors are not to run out.
constexpr size_t kFilesMost = 64;

bool IsLarge(const struct stat& status) { return S_ISREG(status.st_mode) && status.st_size >= kLargeBytes; }

// A write lease is given only where no other description of the file is open. Without a name nobody can open it any more.
bool NobodyElseHas(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0 || status.st_nlink != 0) return false;
  if (fcntl(fd, F_SETLEASE, F_WRLCK) != 0) return false;
  return fcntl(fd, F_SETLEASE, F_UNLCK) == 0;
}

void FreeInSteps(int fd) {
  struct stat status {};
  if (fstat(fd, &status) == 0) {
    for (off_t left = status.st_size; left > kStepBytes;) {
      left -= kStepBytes;
      if (ftruncate(fd, left) != 0) break;
      std::this_thread::sleep_for(kRest);
    }
  }
  close(fd);
}

class Freer {
 public:
  // Lives as long as the process: its thread may outlast main().
  static Freer& Instance() {
    static Freer& freer = *new Freer;
    return freer;
  }
  // False, and the file is not taken, where too many wait.
  bool Take(int fd) {
    MutexLock hold(mutex_);
    if (waiting_.size() >= kFilesMost) return false;
    waiting_.push_back(fd);
    if (!std::exchange(running_, true)) std::thread([this] { Run(); }).detach();
    return true;
  }

 private:
  void Run() {
    prctl(PR_SET_NAME, "cairn-free", 0, 0, 0);
    LetOthersGoFirst();
    while (true) {
      int fd;
      {
        MutexLock hold(mutex_);
        running_ = !waiting_.empty();
        if (!running_) return;
        fd = waiting_.front();
        waiting_.pop_front();
      }
      FreeInSteps(fd);
    }
  }

  Mutex mutex_;
  std::deque<int> waiting_ CAIRN_GUARDED_BY(mutex_);
  bool running_ CAIRN_GUARDED_BY(mutex_) = false;
};

}  // namespace

DyingFile::DyingFile(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0 || !IsLarge(status)) return;
  fd_ = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

DyingFile::~DyingFile() {
  if (fd_ >= 0) close(fd_);
}

void DyingFile::FreeGradually() {
  if (fd_ >= 0 && NobodyElseHas(fd_) && Freer::Instance().Take(fd_)) fd_ = -1;
}

}  // namespace cairn
