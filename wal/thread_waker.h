// Wakes one sleeping thread; a wake-up that comes before the sleep is not lost.
#pragma once

#include <cstdint>

#include "base/thread_annotations.h"

namespace cairn {

// Wake() from any thread; the waits by one thread at a time.
class ThreadWaker {
 public:
  void Wake() CAIRN_EXCLUDES(mutex_) {
    {
      MutexLock hold(mutex_);
      woken_ = true;
    }
    condition_.NotifyOne();
  }

  // Returns when woken, or after `timeout_us` of real time.
  void WaitFor(int64_t timeout_us) CAIRN_EXCLUDES(mutex_) {
    MutexLock hold(mutex_);
    if (!woken_) condition_.WaitFor(mutex_, timeout_us);
    woken_ = false;
  }

  // Returns when woken.
  void Wait() CAIRN_EXCLUDES(mutex_) {
    MutexLock hold(mutex_);
    while (!woken_) condition_.Wait(mutex_);
    woken_ = false;
  }

 private:
  Mutex mutex_;
  CondVar condition_;
  bool woken_ CAIRN_GUARDED_BY(mutex_) = false;
};

}  // namespace cairn
