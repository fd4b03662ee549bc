// What the log thread has achieved, and what follows from it for writers: may they go on, must they wait, are they refused.
//
// Promise P2 in rules, for kEverySecond, where `age` is how long the oldest undurable byte has been waiting:
//   age < 1 s          admitted
//   1 s <= age < 4 s   wait
//   4 s <= age         refused
// The log thread knows the age while it runs; while it sits in a slow call, Admit() looks at the clock itself, from an age on that is well
// below a second, and a monitor thread tells the listener when the answer changes. Nobody knows then what was appended since the log
// thread looked, so a call that begins when all is durable counts as if something had been appended when it began. Whatever the policy:
// writes wait while more than the memory bound is undurable, and are refused after a failed write or sync (P5).
//
// Threads: functions for the log thread are marked; all others may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/status.h"
#include "base/thread_annotations.h"
#include "wal/log_options.h"
#include "wal/thread_waker.h"

namespace cairn {

class CommitState {
 public:
  static constexpr int64_t kWaitAgeUs = 1'000'000;
  static constexpr int64_t kRefuseAgeUs = 4'000'000;

  CommitState(Clock* clock, uint64_t max_undurable_bytes, FsyncPolicy policy, Lsn next_lsn);
  ~CommitState();
  CommitState(const CommitState&) = delete;
  CommitState& operator=(const CommitState&) = delete;

  // After an append, whose unit ends there.
  void NoteAppended(Lsn end_lsn) {
    if (Pending(end_lsn) > max_undurable_bytes_ / 2) [[unlikely]]
      SetGate(kGateFilling, true);
  }
  // See LogWriter::Admit. `end_lsn` gives the end of what was appended, which each append changes: it is only asked for where more
  // than half of the memory bound may be taken.
  template <typename EndLsn>
  Admission Admit(size_t bytes, EndLsn end_lsn) {
    const uint32_t gate = gate_.load(std::memory_order_relaxed);
    if (gate == 0) [[likely]]
      return Admission::kAdmitted;
    if ((gate & (kGateFailed | kGateTimed)) != 0) {
      const Admission answer = Evaluate();
      if (answer != Admission::kAdmitted) return answer;
    }
    if ((gate & kGateFilling) == 0) return Admission::kAdmitted;
    // A unit counts for at most a quarter of the bound, so that one larger than the bound is admitted some time.
    const uint64_t weight = bytes < max_undurable_bytes_ / 4 ? bytes : max_undurable_bytes_ / 4;
    return Pending(end_lsn()) + weight <= max_undurable_bytes_ ? Admission::kAdmitted : Admission::kWait;
  }
  bool admits_any() const { return gate_.load(std::memory_order_relaxed) == 0; }
  std::string refusal_reason() const;
  Status error() const;  // OK when no write or sync has failed since the last recovery

  void SetListener(std::function<void(Lsn)> listener);
  Status WaitDurable(Lsn lsn);
  // The log has ended: whoever waits for more gets kUnavailable.
  void NoteClosed() CAIRN_EXCLUDES(mutex_);
  Lsn durable_lsn() const { return durable_lsn_.load(std::memory_order_acquire); }
  Lsn synced_lsn() const { return synced_lsn_.load(std::memory_order_relaxed); }
  std::atomic<Lsn>* durable_slot() { return &durable_lsn_; }
  FsyncPolicy policy() const { return policy_.load(std::memory_order_relaxed); }
  // From kNo to another, the durable LSN goes back to what was synced: what was only written may not be shown as durable any longer.
  // The log thread must be told, so that it syncs.
  void set_policy(FsyncPolicy policy) CAIRN_EXCLUDES(policy_mutex_);

  // --- Log thread. ---
  struct Progress {
    Lsn synced_lsn = 0;               // durable, but with kNo
    Lsn released_lsn = 0;             // bytes before it are no longer in memory; with kNo they count as durable
    Lsn end_lsn = 0;                  // of what was appended
    int64_t oldest_undurable_us = 0;  // monotonic time, not later than when it was appended; 0: all is durable
  };
  // Makes progress visible and tells waiters and listener.
  void Publish(const Progress& progress) CAIRN_EXCLUDES(policy_mutex_);
  // Before calls that may sit in the disk, and between them when `oldest_undurable_us`, as in Progress, has changed. In force until
  // Publish(), which must come before the log thread waits for anything else. A few stores: it comes with every commit.
  void BeginDisk(int64_t oldest_undurable_us, int64_t now_us);
  // The log cannot be written, or can again. The listener hears of both.
  void Fail(const Status& error);
  void Recover();
  // The buffer was switched off: the durable LSN moves without Publish() from now on. Tells waiters and listener.
  void NoteSwitchedOff(Lsn end_lsn);

  uint64_t delayed_count() const { return delayed_count_.load(std::memory_order_relaxed); }

 private:
  static constexpr uint32_t kGateFailed = 1;   // refused, whatever the clock says
  static constexpr uint32_t kGateTimed = 2;    // ask the clock
  static constexpr uint32_t kGateFilling = 4;  // more than half of the memory bound may be taken: count

  uint64_t Pending(Lsn end_lsn) const {
    const Lsn released = released_lsn_.load(std::memory_order_relaxed);
    return end_lsn > released ? end_lsn - released : 0;
  }
  Admission Evaluate() const;
  int64_t UndurableAgeUs() const;
  void SetGate(uint32_t bit, bool on);
  // Calls the listener when durable_lsn grew (`progress`) or the answer of Evaluate() changed since the last call.
  void Announce(bool progress) CAIRN_EXCLUDES(announce_mutex_);
  void WakeWaiters();
  void SetOldest(int64_t oldest_undurable_us);
  void RunMonitor();

  Clock* const clock_;
  const uint64_t max_undurable_bytes_;
  Mutex policy_mutex_;               // what is durable follows from the policy: both change together
  std::atomic<FsyncPolicy> policy_;  // written under policy_mutex_

  // Read by every Admit(); a cache line of their own.
  alignas(64) std::atomic<uint32_t> gate_{0};
  std::atomic<Lsn> released_lsn_;
  alignas(64) std::atomic<Lsn> durable_lsn_;
  std::atomic<Lsn> synced_lsn_;
  std::atomic<int64_t> oldest_undurable_us_{0};
  std::atomic<uint32_t> durable_waiters_{0};
  std::atomic<uint64_t> delayed_count_{0};

  mutable Mutex mutex_;
  CondVar durable_changed_;
  Status error_ CAIRN_GUARDED_BY(mutex_);
  bool closed_ CAIRN_GUARDED_BY(mutex_) = false;

  Mutex announce_mutex_ CAIRN_ACQUIRED_BEFORE(mutex_);
  std::function<void(Lsn)> listener_ CAIRN_GUARDED_BY(announce_mutex_);
  Admission announced_ CAIRN_GUARDED_BY(announce_mutex_) = Admission::kAdmitted;

  ThreadWaker monitor_waker_;
  std::atomic<bool> monitor_asleep_{false};
  std::atomic<bool> stopping_{false};
  std::thread monitor_;
};

}  // namespace cairn
