#include "wal/commit_state.h"

#include <algorithm>
#include <utility>

#include "base/logger.h"
#include "base/scheduling.h"

namespace cairn {
namespace {

constexpr int64_t kMonitorPeriodUs = 100'000;
// From this age on Admit() looks at the clock, so that it is exact when the second is over.
constexpr int64_t kTimedAgeUs = 800'000;
// A call into the disk that begins at this age may still be under way then; one that begins earlier is noticed by the monitor. Later
// than syncs begin that are on time: a look at the clock costs as much as the rest of an admission.
constexpr int64_t kTimedDiskAgeUs = 560'000;

}  // namespace

CommitState::CommitState(Clock* clock, uint64_t max_undurable_bytes, FsyncPolicy policy, Lsn next_lsn)
    : clock_(clock),
      max_undurable_bytes_(max_undurable_bytes),
      policy_(policy),
      released_lsn_(next_lsn),
      durable_lsn_(next_lsn),
      synced_lsn_(next_lsn),
      monitor_([this] { RunMonitor(); }) {}

CommitState::~CommitState() {
  NoteClosed();
  stopping_.store(true);
  monitor_waker_.Wake();
  monitor_.join();
}

int64_t CommitState::UndurableAgeUs() const {
  const int64_t oldest = oldest_undurable_us_.load(std::memory_order_relaxed);
  return oldest == 0 ? 0 : clock_->MonotonicUs() - oldest;
}

Admission CommitState::Evaluate() const {
  if ((gate_.load(std::memory_order_relaxed) & kGateFailed) != 0) return Admission::kRefused;
  if (policy() != FsyncPolicy::kEverySecond) return Admission::kAdmitted;
  const int64_t age_us = UndurableAgeUs();
  if (age_us >= kRefuseAgeUs) return Admission::kRefused;
  return age_us >= kWaitAgeUs ? Admission::kWait : Admission::kAdmitted;
}

std::string CommitState::refusal_reason() const {
  Status failed = error();
  if (!failed.ok()) return std::string(failed.message());
  if (Evaluate() != Admission::kRefused) return std::string();
  return "the disk has not synced the log for " + std::to_string(UndurableAgeUs() / 1'000'000) + " seconds";
}

Status CommitState::error() const {
  MutexLock hold(mutex_);
  return error_;
}

void CommitState::SetListener(std::function<void(Lsn)> listener) {
  MutexLock hold(announce_mutex_);
  listener_ = std::move(listener);
}

Status CommitState::WaitDurable(Lsn lsn) {
  if (durable_lsn() >= lsn) return Status::Ok();
  MutexLock hold(mutex_);
  // Counted before the LSN is looked at again: WakeWaiters() looks at them in the opposite order.
  durable_waiters_.fetch_add(1, std::memory_order_seq_cst);
  Status result;
  while (durable_lsn_.load(std::memory_order_seq_cst) < lsn) {
    if (!error_.ok()) {
      result = error_;
      break;
    }
    if (closed_) {
      result = Status::Unavailable("the log was closed before LSN " + std::to_string(lsn) + " was durable");
      break;
    }
    durable_changed_.WaitFor(mutex_, 1'000'000);
  }
  durable_waiters_.fetch_sub(1, std::memory_order_relaxed);
  return result;
}

void CommitState::NoteClosed() {
  MutexLock hold(mutex_);
  closed_ = true;
  durable_changed_.NotifyAll();
}

void CommitState::WakeWaiters() {
  if (durable_waiters_.load(std::memory_order_seq_cst) == 0) return;
  MutexLock hold(mutex_);
  durable_changed_.NotifyAll();
}

void CommitState::SetGate(uint32_t bit, bool on) {
  const uint32_t gate = gate_.load(std::memory_order_relaxed);
  if (((gate & bit) != 0) == on) return;
  if (on) {
    gate_.fetch_or(bit, std::memory_order_relaxed);
  } else {
    gate_.fetch_and(~bit, std::memory_order_relaxed);
  }
}

void CommitState::Publish(const Progress& progress) {
  released_lsn_.store(progress.released_lsn, std::memory_order_relaxed);
  bool grew;
  {
    MutexLock hold(policy_mutex_);
    synced_lsn_.store(progress.synced_lsn, std::memory_order_relaxed);
    const Lsn durable = policy() == FsyncPolicy::kNo ? progress.released_lsn : progress.synced_lsn;
    grew = durable > durable_lsn_.load(std::memory_order_relaxed);
    if (grew) durable_lsn_.store(durable, std::memory_order_seq_cst);
  }
  SetOldest(progress.oldest_undurable_us);  // who is admitted by it finds durable what was waited for
  const bool timed = policy() == FsyncPolicy::kEverySecond && UndurableAgeUs() >= kTimedAgeUs;
  SetGate(kGateTimed, timed);
  // An append that sees the old position just now closes the gate again for nothing, or the next one closes it.
  if (Pending(progress.end_lsn) <= max_undurable_bytes_ / 2) SetGate(kGateFilling, false);
  if (grew) WakeWaiters();
  Announce(grew);
}

// Stored before policy and the monitor's sleep are looked at; set_policy() and RunMonitor() look at them in the opposite order. Where it
// is set and reset again and again the monitor is woken once in its period only: it does not go back to sleep before that is over.
void CommitState::SetOldest(int64_t oldest_undurable_us) {
  oldest_undurable_us_.store(oldest_undurable_us, std::memory_order_seq_cst);
  if (oldest_undurable_us != 0 && policy_.load(std::memory_order_seq_cst) == FsyncPolicy::kEverySecond &&
      monitor_asleep_.load(std::memory_order_seq_cst)) {
    monitor_waker_.Wake();
  }
}

void CommitState::BeginDisk(int64_t oldest_undurable_us, int64_t now_us) {
  const int64_t oldest_us = oldest_undurable_us != 0 ? oldest_undurable_us : std::max<int64_t>(now_us, 1);
  SetOldest(oldest_us);
  if (policy() == FsyncPolicy::kEverySecond && now_us - oldest_us >= kTimedDiskAgeUs) SetGate(kGateTimed, true);
}

// The log thread may sit in the disk and not hear of it; with the other policies the monitor sleeps meanwhile.
void CommitState::set_policy(FsyncPolicy policy) {
  {
    MutexLock hold(policy_mutex_);
    policy_.store(policy, std::memory_order_seq_cst);
    const Lsn synced = synced_lsn();
    if (policy != FsyncPolicy::kNo && durable_lsn() > synced) durable_lsn_.store(synced, std::memory_order_seq_cst);
  }
  monitor_waker_.Wake();
}

void CommitState::Fail(const Status& error) {
  {
    MutexLock hold(mutex_);
    error_ = error;
  }
  SetGate(kGateFailed, true);
  WakeWaiters();
  Announce(false);
}

void CommitState::Recover() {
  {
    MutexLock hold(mutex_);
    error_ = Status::Ok();
  }
  SetGate(kGateFailed, false);
  Announce(false);
}

void CommitState::NoteSwitchedOff(Lsn end_lsn) {
  released_lsn_.store(UINT64_MAX, std::memory_order_relaxed);
  synced_lsn_.store(end_lsn, std::memory_order_relaxed);
  oldest_undurable_us_.store(0, std::memory_order_relaxed);
  SetGate(kGateTimed | kGateFilling, false);
  WakeWaiters();
  Announce(true);
}

void CommitState::Announce(bool progress) {
  MutexLock hold(announce_mutex_);
  const Admission now = Evaluate();
  if (!progress && now == announced_) return;
  if (now != Admission::kAdmitted && announced_ == Admission::kAdmitted && error().ok()) {
    delayed_count_.fetch_add(1, std::memory_order_relaxed);
  }
  // A disk that answers with an error is reported by who got it.
  if (now == Admission::kRefused && announced_ != now && error().ok()) {
    LogF(LogLevel::kWarning, "Log: the disk has not answered for %.1f s: writes are refused until it does",
         static_cast<double>(UndurableAgeUs()) / 1e6);
  }
  if (announced_ == Admission::kRefused && now == Admission::kAdmitted) LogF(LogLevel::kNotice, "Log: writes are accepted");
  announced_ = now;
  if (listener_) listener_(durable_lsn());
}

// Sleeps while everything is durable. While something is not, looks every so often whether the answer changed: the log thread
// may be stuck in the disk and cannot say so.
void CommitState::RunMonitor() {
  NameThisThread("log-monitor");
  const auto must_watch = [this] {
    return policy() == FsyncPolicy::kEverySecond && oldest_undurable_us_.load(std::memory_order_seq_cst) != 0;
  };
  while (!stopping_.load()) {
    if (must_watch()) {
      monitor_waker_.WaitFor(kMonitorPeriodUs);
      if (UndurableAgeUs() >= kTimedAgeUs) SetGate(kGateTimed, true);
      if (!stopping_.load()) Announce(false);
      continue;
    }
    monitor_asleep_.store(true, std::memory_order_seq_cst);
    if (!must_watch()) monitor_waker_.Wait();
    monitor_asleep_.store(false, std::memory_order_relaxed);
  }
}

}  // namespace cairn
