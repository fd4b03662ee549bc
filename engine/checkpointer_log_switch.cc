// Switching the log on and off: a log counts once the manifest names it, with a snapshot that it follows.

#include "base/thread_annotations.h"
#include "engine/checkpointer.h"

namespace cairn {

Status Checkpointer::StartEnablingLog() {
  {
    MutexLock lock(mutex_);
    log_wanted_ = true;
  }
  return Enqueue({.enable_log = true});
}

void Checkpointer::RetryEnablingLog() {
  if (!in_progress() && log_awaits_snapshot()) (void)Enqueue({.enable_log = true});
}

bool Checkpointer::log_wanted() const {
  MutexLock lock(mutex_);
  return log_wanted_;
}

bool Checkpointer::log_awaits_snapshot() const {
  return log_wanted() && !(core_.log->enabled() && has_log_.load(std::memory_order_relaxed));
}

Status Checkpointer::FinishEnablingLog() {
  if (!log_awaits_snapshot()) return Status();
  AwaitIdle();
  return log_awaits_snapshot() ? SaveAndWait() : Status();
}

Status Checkpointer::DisableLog() {
  MutexLock switching(switch_mutex_);
  {
    MutexLock lock(mutex_);
    log_wanted_ = false;
  }
  Status ended = core_.log->Disable();
  if (core_.log->enabled()) return ended;
  core_.log_off.store(true, std::memory_order_relaxed);
  return Status();
}

// *saved: unchanged where that failed, false where nothing was left to be saved.
Status Checkpointer::EnableLog(bool* saved) {
  if (!core_.log->enabled()) CAIRN_RETURN_IF_ERROR(SwitchLogOn());
  if (log_awaits_snapshot()) return TakeSnapshot(false, SnapshotPace::kPolite);
  *saved = false;
  return Status();
}

Status Checkpointer::SwitchLogOn() {
  // A log that was switched off earlier still counts for recovery; what came after it must be in a snapshot before a new log begins,
  // or a crash in between would join the two.
  if (has_log_.load(std::memory_order_relaxed)) CAIRN_RETURN_IF_ERROR(TakeSnapshot(false, SnapshotPace::kPolite));
  CAIRN_RETURN_IF_ERROR(directory_->RemoveUncountedLog());
  while (true) {
    // Before the mutex: whoever holds shards may be waiting for it.
    core_.keyspace->LockShards(AllShards());
    core_.log_off.store(false, std::memory_order_relaxed);
    core_.keyspace->UnlockShards(AllShards());
    MutexLock switching(switch_mutex_);  // who switches it off again comes before this, or after it
    const bool wanted = log_wanted();
    if (wanted && core_.log_off.load(std::memory_order_relaxed)) continue;  // it was switched off and on again in between
    Status enabled = wanted ? core_.log->Enable() : Status();
    if (!core_.log->enabled()) core_.log_off.store(true, std::memory_order_relaxed);
    core_.RefreshPolicy();
    return enabled;
  }
}

}  // namespace cairn
