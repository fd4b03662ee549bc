#include "base/gradual_free.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <thread>

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

// Where room is short it is more urgent than what others wait for.
bool RoomIsShort(int fd, off_t left_bytes) {
  struct statvfs status {};
  return fstatvfs(fd, &status) != 0 || status.f_bavail * status.f_frsize < static_cast<uint64_t>(left_bytes);
}

void FreeInSteps(int fd) {
  struct stat status {};
  if (fstat(fd, &status) == 0) {
    for (off_t left_bytes = status.st_size; left_bytes > kStepBytes;) {
      left_bytes -= kStepBytes;
      if (ftruncate(fd, left_bytes) != 0) break;
      if (!RoomIsShort(fd, left_bytes)) std::this_thread::sleep_for(kRest);
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
  // False, and the file is not taken, where too many wait or no thread can be had.
  bool Take(int fd) {
    MutexLock hold(mutex_);
    if (waiting_.size() >= kFilesMost || (!running_ && !StartThread())) return false;
    running_ = true;
    waiting_.push_back(fd);
    return true;
  }

 private:
  // Not std::thread, which throws where the system has no more threads to give.
  static bool StartThread() {
    const auto run = [](void*) -> void* {
      Instance().Run();
      return nullptr;
    };
    pthread_t thread;
    return pthread_create(&thread, nullptr, run, nullptr) == 0 && pthread_detach(thread) == 0;
  }

  void Run() {
    NameThisThread("freer");
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
