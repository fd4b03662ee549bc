// What the language does not say about a core and its caches.
#pragma once

#include <cstdint>

namespace cairn {

// Between two looks at a variable that another core is about to change.
inline void PauseCpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

// Asks for the cache line at `address` to be written soon. A line that another core wrote last takes some 200 ns to come over; asked
// for early, it comes while other work is done. The address need not be valid.
inline void PrefetchForWrite(const void* address) {
#if defined(__x86_64__)
  // The compiler's builtin gives a prefetch for reading unless a newer processor than any x86-64 is assumed; older ones ignore this.
  asm volatile("prefetchw %0" ::"m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address, 1);
#endif
}

// A small number that no other living thread has: for arrays with a place for each thread. Numbers of threads that ended are given
// out again, the smallest first.
uint32_t ThisThreadNumber();

}  // namespace cairn
