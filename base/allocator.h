// Memory from the process's allocator (jemalloc where linked), with sizes that can be foretold: whoever accounts for memory needs
// no call to ask how large an allocation became. Any thread.
//
// Failure: when memory runs out the process says so and aborts; no function here returns null for a size above 0.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cairn {

// At least `size_bytes`, aligned to 16 (to 8 below 16 bytes). The caller frees it with FreeBytes and the same size.
[[nodiscard]] void* AllocateBytes(size_t size_bytes);
// `size_bytes` as it was asked for, or AllocationSize() of that. Null is allowed.
void FreeBytes(void* pointer, size_t size_bytes);
// Grows or shrinks in place where it can, otherwise moves; content is kept up to the smaller size.
[[nodiscard]] void* ReallocateBytes(void* pointer, size_t old_size_bytes, size_t new_size_bytes);
// What an allocation of `requested_bytes` really takes; 0 for 0. Deterministic: depends on nothing but the argument.
size_t AllocationSize(size_t requested_bytes);
// The same for an object of type T, asked for once.
template <typename T>
size_t AllocationSizeOf() {
  static const size_t bytes = AllocationSize(sizeof(T));
  return bytes;
}

struct AllocatorStats {
  uint64_t allocated_bytes = 0;  // handed out and not freed
  uint64_t active_bytes = 0;     // pages that hold at least one allocation
  uint64_t resident_bytes = 0;   // the allocator's pages in physical memory
  uint64_t retained_bytes = 0;   // address space kept without physical memory
  uint64_t metadata_bytes = 0;   // the allocator's own structures
};
// Costs some microseconds (it gathers the threads' counters). Without jemalloc all figures are the process's resident bytes.
AllocatorStats ReadAllocatorStats();
// allocated_bytes alone.
uint64_t AllocatedBytes();
// Gives unused pages back to the system; costs milliseconds.
void PurgeAllocator();
// Lets a thread of the allocator give unused pages back over time, and sets how fast. Once, when the process starts.
void StartAllocatorBackgroundThread();
// Whether the system may back memory that the process asks for from now on with transparent huge pages. At first it may.
void AllowHugePages(bool allowed);
// Brings the program's own code into memory, so that the first call of each command does not wait for the disk. Some milliseconds.
void LoadProgramCode();
// The calling thread's cached free blocks go back to the allocator.
void FlushThreadAllocatorCache();
// "jemalloc-5.3.0", or "libc": what INFO calls mem_allocator.
const char* AllocatorName();

// The whole process's physical memory; 0 where the system does not tell.
uint64_t ResidentBytes();
// Installs the handler that ends the process with a message when operator new finds no memory. Once, when the process starts.
void AbortOnOutOfMemory();

}  // namespace cairn
