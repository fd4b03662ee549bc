// Preloaded into the real server (LD_PRELOAD): keeps what of a directory would survive a power cut, and fails calls on demand.
//
// CAIRN_SHIM_DIR is the directory, CAIRN_SHIM_SHADOW where the durable picture is kept (shim_layout.h). Every write goes through to the
// real file, as into a page cache. fdatasync copies what was written since the last one to the shadow file, fsync of a directory stores
// its names; neither asks the disk. So after kill -9 the directory is what a killed process leaves, and the shadow what a power cut
// leaves; power_cut makes the one from the other.
#include <dirent.h>
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <vector>

#include "tests/torture/shim/shim_layout.h"

namespace cairn::shim {
namespace {

template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

struct Extent {
  int64_t offset;
  int64_t size_bytes;
};

class Shim {
 public:
  // Not destroyed: the server's threads outlive static objects.
  static Shim& Get() {
    static Shim* shim = new Shim;
    return *shim;
  }

  bool Covers(int fd) const {
    if (directory_.empty()) return false;
    const std::string path = PathOf(fd);
    return path.starts_with(directory_) && (path.size() == directory_.size() || path[directory_.size()] == '/');
  }

  void NoteWrite(int fd, int64_t offset, int64_t size_bytes) {
    const std::string key = KeyOf(fd, "");
    std::lock_guard lock(mutex_);
    dirty_[key].push_back({offset, size_bytes});
  }

  // Whether a call is to fail; errno is set then.
  bool Fails(std::atomic<int32_t> Control::*count) {
    if (control_ == nullptr || (control_->*count).load() <= 0) return false;
    if ((control_->*count).fetch_sub(1) <= 0) return false;
    control_->failed.fetch_add(1);
    errno = control_->error_number.load();
    return true;
  }

  void AwaitRelease() {
    if (control_ == nullptr || control_->hold_syncs.load() == 0) return;
    control_->held.fetch_add(1);
    while (control_->hold_syncs.load() != 0) usleep(1000);
    control_->held.fetch_sub(1);
  }

  void ForgetDirty(int fd) {
    const std::string key = KeyOf(fd, "");
    std::lock_guard lock(mutex_);
    dirty_.erase(key);
  }

  int SyncFile(int fd) {
    const std::string key = KeyOf(fd, "");
    std::vector<Extent> extents;
    {
      std::lock_guard lock(mutex_);
      extents.swap(dirty_[key]);
    }
    const int shadow = open((shadow_ + "/files/" + key).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    // The server's descriptor may be for writing only.
    const int from = open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info;
    bool ok = shadow >= 0 && from >= 0 && fstat(from, &info) == 0;
    for (const Extent& extent : extents) ok = ok && Copy(from, shadow, extent);
    ok = ok && Real<int(int, off_t)>("ftruncate")(shadow, info.st_size) == 0;
    if (shadow >= 0) close(shadow);
    if (from >= 0) close(from);
    if (!ok) std::abort();  // the picture would be wrong
    return 0;
  }

  int SyncNames(int fd) {
    const std::string path = PathOf(fd);
    std::string names;
    DIR* directory = opendir(path.c_str());
    if (directory == nullptr) return -1;
    while (const dirent* item = readdir(directory)) {
      const std::string name = item->d_name;
      if (name == "." || name == "..") continue;
      const std::string key = KeyOf(dirfd(directory), item->d_name);
      if (!key.empty()) names += key + (item->d_type == DT_DIR ? " d " : " f ") + name + "\n";
    }
    closedir(directory);
    const std::string target = shadow_ + "/names/" + KeyOf(fd, "");
    // Of two threads at once each has a file of its own.
    const std::string temporary = target + "." + std::to_string(gettid());
    const int shadow = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (shadow < 0 || write(shadow, names.data(), names.size()) != static_cast<ssize_t>(names.size())) std::abort();
    close(shadow);
    return rename(temporary.c_str(), target.c_str());
  }

  int64_t clock_offset_us() const { return control_ == nullptr ? 0 : control_->clock_offset_us.load(); }

 private:
  Shim() {
    const char* directory = std::getenv("CAIRN_SHIM_DIR");
    const char* shadow = std::getenv("CAIRN_SHIM_SHADOW");
    if (directory == nullptr || shadow == nullptr) return;
    directory_ = directory;
    shadow_ = shadow;
    const int fd = open((shadow_ + "/control").c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) std::abort();
    void* mapped = mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED) std::abort();
    control_ = static_cast<Control*>(mapped);
  }

  static std::string PathOf(int fd) {
    char path[4096];
    const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof(path));
    return size < 0 ? "" : std::string(path, static_cast<size_t>(size));
  }

  static bool Copy(int from, int to, const Extent& extent) {
    static constexpr int64_t kChunkBytes = 1 << 20;
    std::vector<char> buffer(static_cast<size_t>(std::min(extent.size_bytes, kChunkBytes)));
    for (int64_t done = 0; done < extent.size_bytes;) {
      const auto step = static_cast<size_t>(std::min<int64_t>(extent.size_bytes - done, kChunkBytes));
      const ssize_t got = pread(from, buffer.data(), step, extent.offset + done);
      if (got < 0) return false;
      if (got == 0) return true;  // cut off meanwhile
      if (Real<ssize_t(int, const void*, size_t, off_t)>("pwrite")(to, buffer.data(), static_cast<size_t>(got),
                                                                   extent.offset + done) != got) {
        return false;
      }
      done += got;
    }
    return true;
  }

  std::string directory_;
  std::string shadow_;
  Control* control_ = nullptr;
  std::mutex mutex_;
  std::map<std::string, std::vector<Extent>> dirty_;  // since the last sync, by key
};

}  // namespace
}  // namespace cairn::shim

using cairn::shim::Control;
using cairn::shim::Real;
using cairn::shim::Shim;

extern "C" {

ssize_t pwrite(int fd, const void* bytes, size_t size_bytes, off_t offset) {
  static auto* const real = Real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  Shim& shim = Shim::Get();
  if (!shim.Covers(fd)) return real(fd, bytes, size_bytes, offset);
  if (shim.Fails(&Control::fail_writes)) return -1;
  const ssize_t written = real(fd, bytes, size_bytes, offset);
  if (written > 0) shim.NoteWrite(fd, offset, written);
  return written;
}
ssize_t pwrite64(int fd, const void* bytes, size_t size_bytes, off_t offset) { return pwrite(fd, bytes, size_bytes, offset); }

int fallocate(int fd, int mode, off_t offset, off_t size_bytes) {
  static auto* const real = Real<int(int, int, off_t, off_t)>("fallocate");
  Shim& shim = Shim::Get();
  if (shim.Covers(fd) && shim.Fails(&Control::fail_writes)) return -1;
  return real(fd, mode, offset, size_bytes);
}
int fallocate64(int fd, int mode, off_t offset, off_t size_bytes) { return fallocate(fd, mode, offset, size_bytes); }

int fdatasync(int fd) {
  static auto* const real = Real<int(int)>("fdatasync");
  Shim& shim = Shim::Get();
  if (!shim.Covers(fd)) return real(fd);
  shim.AwaitRelease();
  if (!shim.Fails(&Control::fail_syncs)) return shim.SyncFile(fd);
  const int error_number = errno;
  shim.ForgetDirty(fd);
  errno = error_number;
  return -1;
}

int fsync(int fd) {
  static auto* const real = Real<int(int)>("fsync");
  Shim& shim = Shim::Get();
  if (!shim.Covers(fd)) return real(fd);
  struct stat info;
  if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) return shim.SyncNames(fd);
  return fdatasync(fd);
}

int clock_gettime(clockid_t id, timespec* now) {
  static auto* const real = Real<int(clockid_t, timespec*)>("clock_gettime");
  const int result = real(id, now);
  if (id != CLOCK_REALTIME || result != 0) return result;
  const int64_t us = now->tv_sec * 1'000'000 + now->tv_nsec / 1000 + Shim::Get().clock_offset_us();
  now->tv_sec = us / 1'000'000;
  now->tv_nsec = us % 1'000'000 * 1000;
  return result;
}

}  // extern "C"
