#include "engine/background.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "base/allocator.h"
#include "base/logger.h"
#include "base/scheduling.h"
#include "engine/execution_scratch.h"
#include "engine/keyspace/shard.h"

namespace cairn {
namespace {

constexpr int64_t kCareIntervalUs = 100'000;
constexpr int64_t kLimitedCareIntervalUs = 20'000;  // with maxmemory: resident memory grows fast
constexpr int64_t kBusyCareIntervalUs = 2'000;      // while frees are pending or commands are parked
constexpr int64_t kFreeBudgetUs = 200;  // and then a rest, so that whoever waits for the core need not wait for the scheduler
constexpr int64_t kFreeRestUs = 50;
constexpr int64_t kExpiryIntervalUs = 1'000'000;  // how long the expiry thread sleeps at most
constexpr int64_t kRefusedRetryUs = 20'000;
constexpr size_t kExpirePerLock = 32;  // keys deleted before the shard's lock is released
constexpr size_t kEvictedRecordBytes = 256;
constexpr int64_t kCareEvictBudgetUs = 50'000;
constexpr int64_t kSnapshotRetrySeconds = 5;
constexpr int64_t kClockSetBackSeconds = 2;  // less is two threads that looked at it a moment apart
constexpr int64_t kCompactionRetryMs = 10'000;
constexpr int64_t kCompactionPauseMs = 10'000;

// How long ago that was, by the wall clock. Where that was set back since nobody knows, and waiting until it is there again may take
// years: it counts as long enough.
int64_t SecondsSince(int64_t unix_s, int64_t now_s) {
  const int64_t seconds = now_s - unix_s;
  return seconds < -kClockSetBackSeconds ? INT64_MAX : seconds;
}

}  // namespace

Background::Background(StoreCore& core, Checkpointer& checkpointer, DataDirectory* directory)
    : core_(core), checkpointer_(checkpointer), directory_(directory) {
  evictor_ = std::make_unique<Evictor>(*core_.keyspace);
}

EvictionSettings EvictionSettingsOf(const RuntimeOptions& options) {
  return {.policy = options.maxmemory_policy,
          .samples = options.maxmemory_samples,
          .lfu_log_factor = options.lfu_log_factor,
          .lfu_decay_minutes = options.lfu_decay_time_minutes,
          .limited = options.maxmemory_bytes != 0};
}

Background::~Background() { Stop(); }

void Background::Start() {
  core_.keyspace->SetEarlierExpiryCallback([this](int64_t) { NoteEarlierTime(); });
  core_.timed_wakes.SetEarlierCallback([this] { NoteEarlierTime(); });
  expiry_thread_ = std::thread([this] { ExpiryMain(); });
  care_thread_ = std::thread([this] { CareMain(); });
}

void Background::Stop() {
  if (!expiry_thread_.joinable()) return;
  stopping_.store(true, std::memory_order_relaxed);
  Wake();
  expiry_thread_.join();
  care_thread_.join();
  core_.keyspace->SetEarlierExpiryCallback(nullptr);
  core_.timed_wakes.SetEarlierCallback(nullptr);
}

void Background::NoteEarlierTime() {
  MutexLock lock(expiry_mutex_);
  expiry_wake_ = true;
  expiry_changed_.NotifyOne();
}

void Background::Wake() {
  NoteEarlierTime();
  MutexLock lock(care_mutex_);
  care_wake_ = true;
  care_changed_.NotifyOne();
}

void Background::Pause() {
  paused_.store(true, std::memory_order_relaxed);
  MutexLock lock(pause_mutex_);  // whoever was in a round has left it
}

void Background::Resume() {
  paused_.store(false, std::memory_order_relaxed);
  Wake();
}

void Background::ExpiryMain() {
  NameThisThread("expiry");
  while (!stopping_.load(std::memory_order_relaxed)) {
    const int64_t now_ms = core_.clock.WallMs();
    int64_t sleep_us = kExpiryIntervalUs;
    if (!paused_.load(std::memory_order_relaxed)) {
      const bool expires = core_.active_expire.load(std::memory_order_relaxed);
      const int64_t next_ms = std::min(expires ? core_.keyspace->NextExpiryMs() : INT64_MAX, core_.timed_wakes.next_ms());
      if (next_ms <= now_ms) {
        if (core_.gate_has(kGateLogRefuses | kGateClosed | kGateExpiryHeld) ||
            core_.log->Admit(kEvictedRecordBytes) != Admission::kAdmitted) {
          sleep_us = kRefusedRetryUs;
        } else {
          MutexLock round(pause_mutex_);
          if (paused_.load(std::memory_order_relaxed)) continue;
          if (expires) ExpireRound(now_ms);
          core_.serve_keys(core_.timed_wakes.TakeDue(now_ms));
          continue;
        }
      } else {
        // A wall clock may be set forward while we sleep, hence the cap above.
        sleep_us = std::min(sleep_us / 1000, next_ms - now_ms) * 1000;
      }
    }
    MutexLock lock(expiry_mutex_);
    if (!expiry_wake_) expiry_changed_.WaitFor(expiry_mutex_, sleep_us);
    expiry_wake_ = false;
  }
}

void Background::ExpireRound(int64_t now_ms) {
  for (uint32_t shard = 0; shard < kShardCount; shard++) {
    if (core_.keyspace->shard(shard).next_expiry_ms.load(std::memory_order_relaxed) > now_ms) continue;
    ScratchLease scratch;
    ChangeScope& scope = scratch->scope;
    core_.FillScope(scope, now_ms);
    scope.locked_shards.reset();
    scope.locked_shards.set(shard);
    core_.keyspace->LockShards(scope.locked_shards);
    core_.keyspace->ExpireDue(scope, shard, kExpirePerLock);
    core_.CommitUnit(scope, false);
    core_.keyspace->UnlockShards(scope.locked_shards);
    if (scope.has_ready()) core_.serve_keys(scope.TakeReady());
  }
}

void Background::CareMain() {
  NameThisThread("background");
  int64_t sampled_us = 0;
  int64_t considered_s = 0;
  while (!stopping_.load(std::memory_order_relaxed)) {
    const bool more_to_free = core_.keyspace->FreePending(kFreeBudgetUs);
    const bool parked = core_.somebody_parked.load(std::memory_order_relaxed);
    // A command may have been parked just after the wake-up it waits for.
    if (parked) NotifyParked();
    if (core_.memory.limited() || core_.gate_has(kGateMemoryFull)) core_.WatchLogBuffers();
    const int64_t now_us = core_.clock.MonotonicUs();
    const int64_t interval_us = core_.memory.limited() ? kLimitedCareIntervalUs : kCareIntervalUs;
    if (now_us - sampled_us >= interval_us || now_us < sampled_us) {
      sampled_us = now_us;
      SampleMemory();
      const int64_t now_s = core_.clock.WallMs() / 1000;
      if (now_s != considered_s && !paused_.load(std::memory_order_relaxed)) {
        considered_s = now_s;
        WatchDirectory();
        MutexLock round(pause_mutex_);
        ConsiderSavePoints(now_s);
        ConsiderLog(now_s);
        ConsiderCompaction();
        RaiseCeiling();
      }
    }
    if (more_to_free) {
      // Under a memory limit somebody may wait for the room.
      if (!core_.memory.limited()) std::this_thread::sleep_for(std::chrono::microseconds(kFreeRestUs));
      continue;
    }
    MutexLock lock(care_mutex_);
    if (!care_wake_) care_changed_.WaitFor(care_mutex_, parked ? kBusyCareIntervalUs : kLimitedCareIntervalUs);
    care_wake_ = false;
  }
}

// What is written to a file of a directory that was removed or moved is lost although it was synced. The log asks again before it makes a
// segment, is refused and fails, and with it the writes, until the directory is back.
void Background::WatchDirectory() {
  if (directory_ != nullptr && !directory_->CheckHeld().ok()) (void)core_.log->RotateSegment();
}

bool Background::Evict(int64_t budget_us) {
  const int64_t deadline_us = core_.clock.MonotonicUs() + budget_us;
  const auto commit = [this](ChangeScope& scope) { core_.CommitUnit(scope, false); };
  for (uint32_t evicted = 1;; evicted++) {
    if (UsedMemoryBytes(core_) <= core_.memory.effective_bytes()) return true;
    if (core_.gate_has(kGateLogRefuses | kGateClosed)) return false;
    if (core_.log->Admit(kEvictedRecordBytes) != Admission::kAdmitted) return true;  // the command will wait for the same reason
    ScratchLease scratch;
    core_.FillScope(scratch->scope, core_.clock.WallMs());
    if (!evictor_->EvictOne(scratch->scope, commit)) return false;
    if (scratch->scope.has_ready()) core_.serve_keys(scratch->scope.TakeReady());
    if (evicted % 16 == 0 && core_.clock.MonotonicUs() >= deadline_us) return true;
  }
}

void Background::NotifyParked() {
  const bool refused = core_.gate_has(kGateLogRefuses);
  if (refused) core_.SetGate(kGateLogRefuses, core_.log->Admit(0) == Admission::kRefused);
  core_.NotifyProgress();
}

void Background::SampleMemory() {
  const uint64_t used = UsedMemoryBytes(core_);
  if (core_.opened_with.owns_process) {
    core_.memory.Sample(ResidentBytes(), core_.memory.limited() ? ReadAllocatorStats() : AllocatorStats{}, used, PurgeAllocator);
  } else {
    core_.memory.NotePeak(used);
  }
  if (!core_.memory.limited()) return;
  const bool over = used > core_.memory.effective_bytes();
  const int64_t now_ms = core_.clock.MonotonicMs();
  if (over && !paused_.load(std::memory_order_relaxed)) {
    MutexLock round(pause_mutex_);
    const bool enough = Evict(kCareEvictBudgetUs) && UsedMemoryBytes(core_) <= core_.memory.effective_bytes();
    if (!enough && exceeded_since_ms_ == 0) exceeded_since_ms_ = now_ms;
    if (enough) exceeded_since_ms_ = 0;
  } else if (!over) {
    exceeded_since_ms_ = 0;
  }
  if (exceeded_since_ms_ != 0) {
    exceeded_ms_.fetch_add(static_cast<uint64_t>(std::max<int64_t>(0, now_ms - exceeded_since_ms_)), std::memory_order_relaxed);
    exceeded_since_ms_ = now_ms;
  }
}

void Background::ConsiderSavePoints(int64_t now_s) {
  if (directory_ == nullptr || checkpointer_.in_progress()) return;
  const RuntimeOptions options = core_.runtime();
  const uint64_t changes = checkpointer_.changes_since_snapshot();
  if (!checkpointer_.last_ok()) {
    if (SecondsSince(checkpointer_.last_attempt_unix_s(), now_s) < kSnapshotRetrySeconds) return;
    // While writes are refused for it nothing changes, and no save point comes due. Where the log needs the room, it comes first.
    if (core_.gate_has(kGateSnapshotFailed) && !core_.gate_has(kGateLogRefuses)) {
      Log(LogLevel::kNotice, "Writes are refused because the last snapshot failed. Trying again...");
      (void)checkpointer_.StartSnapshot(false, nullptr);
      return;
    }
  }
  if (!options.save_points.empty() && !core_.log->enabled() && checkpointer_.flushed_since_snapshot()) {
    Log(LogLevel::kNotice, "All databases were flushed. Saving...");  // or a restart would bring back what was in them
    (void)checkpointer_.StartSnapshot(false, nullptr);
    return;
  }
  for (const SavePoint& point : options.save_points) {
    if (changes < static_cast<uint64_t>(point.changes) || SecondsSince(checkpointer_.last_unix_s(), now_s) <= point.seconds)
      continue;
    LogF(LogLevel::kNotice, "%lld changes in %lld seconds. Saving...", static_cast<long long>(point.changes),
         static_cast<long long>(point.seconds));
    (void)checkpointer_.StartSnapshot(false, nullptr);
    return;
  }
}

// A log that was switched on and is none to a start yet: what failed is tried again.
void Background::ConsiderLog(int64_t now_s) {
  if (directory_ == nullptr || SecondsSince(checkpointer_.last_attempt_unix_s(), now_s) < kSnapshotRetrySeconds) return;
  checkpointer_.RetryEnablingLog();
}

void Background::ConsiderCompaction() {
  if (directory_ == nullptr || !core_.log->enabled() || checkpointer_.in_progress()) return;
  const RuntimeOptions options = core_.runtime();
  if (options.log_compact_percentage == 0) return;
  const uint64_t log_bytes = checkpointer_.log_bytes_since_snapshot();
  const uint64_t snapshot_bytes = checkpointer_.last_size_bytes();
  // The snapshot is compressed and the log is not, so the log is compared with what the data take in memory.
  const uint64_t base_bytes = std::max(snapshot_bytes, core_.keyspace->memory_bytes());
  const uint64_t allowed_bytes = std::max(options.log_compact_min_bytes, base_bytes / 100 * options.log_compact_percentage);
  const int64_t now_ms = core_.clock.MonotonicMs();
  const int64_t since_last_ms = last_compaction_try_ms_ == 0 ? INT64_MAX : now_ms - last_compaction_try_ms_;
  // A small data set that is written all the time is not compacted all the time.
  const bool outgrown = log_bytes > allowed_bytes && (since_last_ms > kCompactionPauseMs || log_bytes / 8 > allowed_bytes);
  bool short_of_space = false;
  if (!outgrown && log_bytes > snapshot_bytes / 2 && log_bytes > 0 && snapshot_bytes > 0) {
    const Result<uint64_t> free_bytes = core_.fs.FreeSpace(directory_->path());
    short_of_space = free_bytes.ok() && *free_bytes < 2 * snapshot_bytes;
  }
  if (!outgrown && !short_of_space) return;
  if (since_last_ms < kCompactionRetryMs && !checkpointer_.last_ok()) return;
  last_compaction_try_ms_ = now_ms;
  LogF(LogLevel::kNotice, "The log has grown by %llu bytes since the last snapshot: taking a new one and dropping it",
       static_cast<unsigned long long>(log_bytes));
  (void)checkpointer_.StartSnapshot(true, nullptr);
}

void Background::RaiseCeiling() {
  if (directory_ == nullptr || core_.log->enabled()) return;
  const Lsn end = core_.log->end_lsn();
  if (end + DataDirectory::kCeilingStep / 2 < directory_->manifest().lsn_ceiling) return;
  const Status status =
      directory_->Update([end](Manifest& manifest) { manifest.lsn_ceiling = end + DataDirectory::kCeilingStep; });
  if (!status.ok()) LogF(LogLevel::kWarning, "The manifest cannot be stored: %s", std::string(status.message()).c_str());
}

}  // namespace cairn
