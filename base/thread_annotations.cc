#include "base/thread_annotations.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cpu.h"

namespace cairn {
namespace {

// About a microsecond: longer than the sections this lock is meant for, shorter than a sleep and a wake-up.
constexpr int kSpins = 60;

constexpr long kSleepMostMs = 1;

}  // namespace

void SpinLock::LockSlow() {
  for (int i = 0; i < kSpins; i++) {
    uint32_t seen = state_.load(std::memory_order_relaxed);
    if (seen == kFree && state_.compare_exchange_weak(seen, kHeld, std::memory_order_acquire, std::memory_order_relaxed)) return;
    PauseCpu();
  }
  // From here on the lock is taken as contended, because others may sleep too and must be woken when this holder leaves.
  const timespec sleep_most{.tv_sec = 0, .tv_nsec = kSleepMostMs * 1'000'000};
  while (state_.exchange(kContended, std::memory_order_acquire) != kFree) {
    syscall(SYS_futex, &state_, FUTEX_WAIT_PRIVATE, kContended, &sleep_most, nullptr, 0);
  }
}

void SpinLock::UnlockContended() {
  state_.store(kFree, std::memory_order_release);
  syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace cairn
