// What the preloaded shim and the program that cuts the power share: where the durable picture of a directory is kept, and the switches
// with which a test makes the disk fail while the server runs.
//
// SHADOW/files/KEY holds a file's durable bytes, SHADOW/names/KEY a directory's durable names, one "KEY TYPE NAME" a line (TYPE f or d).
// A KEY is the inode's number and the time of its birth, so that a number that is used again is another file. Both programs go to the
// operating system by themselves: nothing of Cairn may stand between them and the disk.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>

namespace cairn::shim {

struct Control {                         // SHADOW/control, mapped by both sides
  std::atomic<int32_t> fail_syncs;       // so many calls of fdatasync fail from now on, and forget which pages are dirty
  std::atomic<int32_t> fail_writes;      // so many calls of pwrite and fallocate
  std::atomic<int32_t> error_number;     // with this
  std::atomic<int32_t> failed;           // how many did
  std::atomic<int64_t> clock_offset_us;  // added to the wall clock
  std::atomic<int32_t> hold_syncs;       // fdatasync does not begin as long as this is set
  std::atomic<int32_t> held;             // how many calls wait for that
};
static_assert(sizeof(Control) == 32);

// Empty where there is no such inode.
inline std::string KeyOf(int fd, const char* path) {
  struct statx info;
  const int flags = path[0] == '\0' ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;
  if (statx(fd, path, flags, STATX_INO | STATX_BTIME, &info) != 0) return "";
  char key[64];
  std::snprintf(key, sizeof(key), "%llu-%lld-%u", static_cast<unsigned long long>(info.stx_ino),
                static_cast<long long>(info.stx_btime.tv_sec), info.stx_btime.tv_nsec);
  return key;
}

}  // namespace cairn::shim
