#include "base/allocator.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(CAIRN_JEMALLOC)
#include <jemalloc/jemalloc.h>

// Read by jemalloc when it starts. Huge pages where AllowHugePages(): a key-value store misses the TLB with nearly every key. Larger
// slabs for the sizes of which there are millions: jemalloc keeps 128 bytes about each slab.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf =
    "thp:always,slab_sizes:32-32:4|48-48:6|64-64:8|96-96:12|128-128:8|192-192:6|256-256:8|512-512:8|1024-1024:8|2048-2048:8|4096-"
    "4096:8";
}
#endif

// The linker's names for where the program begins and where its code ends.
extern "C" char __executable_start, etext;

namespace cairn {
namespace {

[[noreturn]] void OutOfMemory(size_t size_bytes) {
  char message[128];
  const int size = std::snprintf(message, sizeof(message),
                                 "Out of memory: an allocation of %zu bytes failed. The process aborts.\n", size_bytes);
  if (write(STDERR_FILENO, message, static_cast<size_t>(size)) < 0) std::abort();
  std::abort();
}

[[noreturn]] void OutOfMemoryInNew() { OutOfMemory(0); }

#if defined(CAIRN_JEMALLOC)
// Long enough that a page freed under steady load is used again first (a churn of values from 100 bytes to 60 KB faults 8 % more pages
// in than with three seconds and takes the same CPU), short enough that memory freed in bulk is soon seen to go.
constexpr ssize_t kDirtyDecayMs = 1000;

uint64_t ReadStatistic(const char* name) {
  size_t value = 0;
  size_t size = sizeof(value);
  return mallctl(name, &value, &size, nullptr, 0) == 0 ? value : 0;
}

void RefreshStatistics() {
  uint64_t epoch = 1;
  size_t size = sizeof(epoch);
  mallctl("epoch", &epoch, &size, &epoch, size);
}
#endif

}  // namespace

#if defined(CAIRN_JEMALLOC)

void* AllocateBytes(size_t size_bytes) {
  if (size_bytes == 0) return nullptr;
  void* pointer = mallocx(size_bytes, 0);
  if (pointer == nullptr) [[unlikely]]
    OutOfMemory(size_bytes);
  return pointer;
}

void FreeBytes(void* pointer, size_t size_bytes) {
  if (pointer != nullptr) sdallocx(pointer, size_bytes, 0);
}

void* ReallocateBytes(void* pointer, size_t old_size_bytes, size_t new_size_bytes) {
  if (pointer == nullptr) return AllocateBytes(new_size_bytes);
  if (new_size_bytes == 0) {
    FreeBytes(pointer, old_size_bytes);
    return nullptr;
  }
  void* moved = rallocx(pointer, new_size_bytes, 0);
  if (moved == nullptr) [[unlikely]]
    OutOfMemory(new_size_bytes);
  return moved;
}

size_t AllocationSize(size_t requested_bytes) { return requested_bytes == 0 ? 0 : nallocx(requested_bytes, 0); }

AllocatorStats ReadAllocatorStats() {
  RefreshStatistics();
  AllocatorStats stats;
  stats.allocated_bytes = ReadStatistic("stats.allocated");
  stats.active_bytes = ReadStatistic("stats.active");
  stats.resident_bytes = ReadStatistic("stats.resident");
  stats.retained_bytes = ReadStatistic("stats.retained");
  stats.metadata_bytes = ReadStatistic("stats.metadata");
  return stats;
}

uint64_t AllocatedBytes() {
  RefreshStatistics();
  return ReadStatistic("stats.allocated");
}

void PurgeAllocator() {
  FlushThreadAllocatorCache();
  char name[64];
  std::snprintf(name, sizeof(name), "arena.%u.purge", static_cast<unsigned>(MALLCTL_ARENAS_ALL));
  mallctl(name, nullptr, nullptr, nullptr, 0);
}

void StartAllocatorBackgroundThread() {
  ssize_t decay_ms = kDirtyDecayMs;
  mallctl("arenas.dirty_decay_ms", nullptr, nullptr, &decay_ms, sizeof(decay_ms));
  unsigned arenas = 0;
  size_t size = sizeof(arenas);
  mallctl("arenas.narenas", &arenas, &size, nullptr, 0);
  for (unsigned i = 0; i < arenas; i++) {
    char name[64];
    std::snprintf(name, sizeof(name), "arena.%u.dirty_decay_ms", i);
    mallctl(name, nullptr, nullptr, &decay_ms, sizeof(decay_ms));  // fails for arenas not made yet, which take the default above
  }
  bool enabled = true;
  mallctl("background_thread", nullptr, nullptr, &enabled, sizeof(enabled));
}

void FlushThreadAllocatorCache() { mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0); }

#define CAIRN_TEXT_(x) #x
#define CAIRN_TEXT(x) CAIRN_TEXT_(x)
const char* AllocatorName() {
  return "jemalloc-" CAIRN_TEXT(JEMALLOC_VERSION_MAJOR) "." CAIRN_TEXT(JEMALLOC_VERSION_MINOR) "." CAIRN_TEXT(
      JEMALLOC_VERSION_BUGFIX);
}

#else

void* AllocateBytes(size_t size_bytes) {
  if (size_bytes == 0) return nullptr;
  // Callers may use all that AllocationSize() promises.
  void* pointer = std::malloc(AllocationSize(size_bytes));
  if (pointer == nullptr) [[unlikely]]
    OutOfMemory(size_bytes);
  return pointer;
}

void FreeBytes(void* pointer, size_t) { std::free(pointer); }

void* ReallocateBytes(void* pointer, size_t old_size_bytes, size_t new_size_bytes) {
  if (new_size_bytes == 0) {
    FreeBytes(pointer, old_size_bytes);
    return nullptr;
  }
  void* moved = std::realloc(pointer, AllocationSize(new_size_bytes));
  if (moved == nullptr) [[unlikely]]
    OutOfMemory(new_size_bytes);
  return moved;
}

size_t AllocationSize(size_t requested_bytes) { return (requested_bytes + 15) & ~size_t{15}; }

AllocatorStats ReadAllocatorStats() {
  const uint64_t resident = ResidentBytes();
  AllocatorStats stats;
  stats.allocated_bytes = resident;
  stats.active_bytes = resident;
  stats.resident_bytes = resident;
  return stats;
}

uint64_t AllocatedBytes() { return ResidentBytes(); }
void PurgeAllocator() {}
void StartAllocatorBackgroundThread() {}
void FlushThreadAllocatorCache() {}
const char* AllocatorName() { return "libc"; }

#endif

void AllowHugePages(bool allowed) { (void)prctl(PR_SET_THP_DISABLE, allowed ? 0 : 1, 0, 0, 0); }

void LoadProgramCode() {
  const uintptr_t page_bytes = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(&__executable_start) / page_bytes * page_bytes;
  // From Linux 5.14 on; without effect before.
  (void)madvise(reinterpret_cast<void*>(begin), reinterpret_cast<uintptr_t>(&etext) - begin, MADV_POPULATE_READ);
}

uint64_t ResidentBytes() {
  const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[128];
  const ssize_t size = read(fd, text, sizeof(text) - 1);
  close(fd);
  if (size <= 0) return 0;
  text[size] = '\0';
  const char* second = std::strchr(text, ' ');
  if (second == nullptr) return 0;
  static const auto page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return std::strtoull(second + 1, nullptr, 10) * page_bytes;
}

void AbortOnOutOfMemory() { std::set_new_handler(OutOfMemoryInNew); }

}  // namespace cairn
