// Locks that Clang's thread-safety analysis understands, and the annotations that name what they guard.
//
// CAIRN_GUARDED_BY(m) on a member, CAIRN_REQUIRES(m) on a function whose caller holds m, CAIRN_EXCLUDES(m) on one whose caller must
// not. Under other compilers the annotations vanish.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#if defined(__clang__)
#define CAIRN_ANNOTATION(x) __attribute__((x))
#else
#define CAIRN_ANNOTATION(x)
#endif

#define CAIRN_CAPABILITY CAIRN_ANNOTATION(capability("mutex"))
#define CAIRN_SCOPED_CAPABILITY CAIRN_ANNOTATION(scoped_lockable)
#define CAIRN_GUARDED_BY(x) CAIRN_ANNOTATION(guarded_by(x))
#define CAIRN_PT_GUARDED_BY(x) CAIRN_ANNOTATION(pt_guarded_by(x))
#define CAIRN_ACQUIRED_BEFORE(...) CAIRN_ANNOTATION(acquired_before(__VA_ARGS__))
#define CAIRN_ACQUIRED_AFTER(...) CAIRN_ANNOTATION(acquired_after(__VA_ARGS__))
#define CAIRN_REQUIRES(...) CAIRN_ANNOTATION(requires_capability(__VA_ARGS__))
#define CAIRN_ACQUIRE(...) CAIRN_ANNOTATION(acquire_capability(__VA_ARGS__))
#define CAIRN_RELEASE(...) CAIRN_ANNOTATION(release_capability(__VA_ARGS__))
#define CAIRN_TRY_ACQUIRE(...) CAIRN_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define CAIRN_EXCLUDES(...) CAIRN_ANNOTATION(locks_excluded(__VA_ARGS__))
#define CAIRN_ASSERT_CAPABILITY(x) CAIRN_ANNOTATION(assert_capability(x))
#define CAIRN_RETURN_CAPABILITY(x) CAIRN_ANNOTATION(lock_returned(x))
// Where locks are taken in a way that the analysis cannot follow (in index order from an array); say why beside it.
#define CAIRN_NO_THREAD_SAFETY_ANALYSIS CAIRN_ANNOTATION(no_thread_safety_analysis)

namespace cairn {

// For sections that may be long or may block.
class CAIRN_CAPABILITY Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  void Lock() CAIRN_ACQUIRE() { mutex_.lock(); }
  void Unlock() CAIRN_RELEASE() { mutex_.unlock(); }
  bool TryLock() CAIRN_TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  // Tells the analysis, and nobody else, that the lock is held.
  void AssertHeld() CAIRN_ASSERT_CAPABILITY(this) {}

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// For sections of some hundred nanoseconds: spins a short while, then sleeps in the kernel until the holder leaves, so that a holder
// that lost its core costs the others no time slice. One byte would do, but the kernel waits on four. Not fair, not recursive.
//
// To leave takes a plain store, where an exchange would first wait for everything that the holder has written to reach the cache. The
// price: a sleeper whose mark falls between the holder's look and its store is not woken. It looks again after kSleepMostMs.
class CAIRN_CAPABILITY SpinLock {
 public:
  SpinLock() = default;
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;
  void Lock() CAIRN_ACQUIRE() {
    uint32_t expected = kFree;
    if (!state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire, std::memory_order_relaxed)) [[unlikely]] {
      LockSlow();
    }
  }
  bool TryLock() CAIRN_TRY_ACQUIRE(true) {
    uint32_t expected = kFree;
    return state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire, std::memory_order_relaxed);
  }
  void Unlock() CAIRN_RELEASE() {
    if (state_.load(std::memory_order_relaxed) == kHeld) [[likely]] {
      state_.store(kFree, std::memory_order_release);
    } else {
      UnlockContended();
    }
  }
  void AssertHeld() CAIRN_ASSERT_CAPABILITY(this) {}

 private:
  enum : uint32_t { kFree = 0, kHeld = 1, kContended = 2 };
  void LockSlow();
  void UnlockContended();
  std::atomic<uint32_t> state_{kFree};
};

// Holds a Mutex or a SpinLock for its own lifetime.
template <typename LockType>
class CAIRN_SCOPED_CAPABILITY BasicLock {
 public:
  explicit BasicLock(LockType& lock) CAIRN_ACQUIRE(lock) : lock_(lock) { lock_.Lock(); }
  ~BasicLock() CAIRN_RELEASE() { lock_.Unlock(); }
  BasicLock(const BasicLock&) = delete;
  BasicLock& operator=(const BasicLock&) = delete;

 private:
  LockType& lock_;
};
using MutexLock = BasicLock<Mutex>;
using SpinLockHolder = BasicLock<SpinLock>;

// A condition variable for Mutex. Waits may wake without cause: wait in a loop on the condition itself.
class CondVar {
 public:
  void Wait(Mutex& mutex) CAIRN_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when the time was up.
  bool WaitFor(Mutex& mutex, int64_t duration_us) CAIRN_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const auto result = condition_.wait_for(lock, std::chrono::microseconds(duration_us));
    lock.release();
    return result == std::cv_status::no_timeout;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace cairn
