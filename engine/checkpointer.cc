#include "engine/checkpointer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/logger.h"
#include "base/scheduling.h"
#include "engine/point_in_time.h"
#include "engine/rdb_export.h"
#include "engine/retention.h"
#include "engine/snapshot_walk.h"
#include "snapshot/snapshot_directory.h"

namespace cairn {
namespace {

constexpr std::string_view kCreatedBy = "cairn 0.1.0";
// To pack and write a block of that size takes a worker about as long as it works between rests.
constexpr size_t kPoliteBlockBytes = 32 * 1024;
// A commit waits for what of a snapshot is on its way to the disk: with 32 MiB at once up to 28 ms.
constexpr uint64_t kPoliteSyncBytes = 2 << 20;

// The keyspace as it is at one moment, kept for a reader while others write. Begins and ends without holding anybody up for longer than
// it takes to lock all shards once.
class LiveCut {
 public:
  // `at_cut` runs with all shards locked, just before.
  template <typename AtCut>
  LiveCut(StoreCore& core, AtCut at_cut) : core_(core), cut_(core.keyspace->MakeCut()) {
    core.keyspace->LockShards(AllShards());
    at_cut();
    core.keyspace->BeginCut(*cut_);
    core.keyspace->UnlockShards(AllShards());
  }
  ~LiveCut() {
    core_.keyspace->EndCut(*cut_);
    core_.SetGate(kGateHandOverFull, false);
    core_.NotifyProgress();
  }
  LiveCut(const LiveCut&) = delete;
  LiveCut& operator=(const LiveCut&) = delete;

  const std::shared_ptr<SnapshotCut>& cut() const { return cut_; }

 private:
  StoreCore& core_;
  const std::shared_ptr<SnapshotCut> cut_;
};

}  // namespace

Checkpointer::Checkpointer(StoreCore& core, DataDirectory* directory) : core_(core), directory_(directory) {
  results_.last_unix_s = core.clock.WallMs() / 1000;
}

Checkpointer::~Checkpointer() { Stop(); }

void Checkpointer::NoteRecovered(const Manifest& manifest, uint64_t log_bytes, Lsn next_lsn) {
  NoteKept(manifest);
  const std::optional<SnapshotInfo>& snapshot = manifest.current_snapshot;
  log_counted_from_.store(next_lsn, std::memory_order_relaxed);
  log_bytes_before_.store(log_bytes, std::memory_order_relaxed);
  if (!snapshot) return;
  last_lsn_.store(snapshot->lsn, std::memory_order_relaxed);
  last_size_bytes_.store(snapshot->size_bytes, std::memory_order_relaxed);
  MutexLock lock(mutex_);
  results_.last_unix_s = snapshot->wall_time_unix_ms / 1000;
}

void Checkpointer::NoteKept(const Manifest& manifest) {
  const RestorableFrom from = OldestRestorable(manifest);
  has_log_.store(manifest.has_log, std::memory_order_relaxed);
  MutexLock lock(mutex_);
  results_.snapshots_kept = manifest.older_snapshots.size() + (manifest.current_snapshot ? 1 : 0);
  results_.restorable_from_lsn = from.lsn;
  results_.restorable_from_unix_ms = from.unix_us / 1000;
}

uint64_t Checkpointer::log_bytes_since_snapshot() const {
  const Lsn from = log_counted_from_.load(std::memory_order_relaxed);
  return core_.log->end_lsn() - from + log_bytes_before_.load(std::memory_order_relaxed);
}

uint64_t Checkpointer::changes_since_snapshot() const {
  const uint64_t at_cut = changes_at_cut_.load(std::memory_order_acquire);  // before those that are counted since
  const KeyspaceStats stats = core_.keyspace->stats();
  return stats.changes - (core_.runtime().save_points.empty() ? at_cut : std::max(at_cut, stats.changes_at_flush));
}

bool Checkpointer::flushed_since_snapshot() const {
  return core_.keyspace->stats().changes_at_flush > changes_at_cut_.load(std::memory_order_relaxed);
}

void Checkpointer::Start() {
  changes_at_cut_.store(core_.keyspace->stats().changes, std::memory_order_relaxed);
  if (directory_ == nullptr) return;
  {
    MutexLock lock(mutex_);
    log_wanted_ = core_.runtime().append_only;
  }
  thread_ = std::thread([this] { ThreadMain(); });
  if (core_.worker_threads > 1) helper_ = std::thread([this] { HelperMain(); });
}

void Checkpointer::Stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
  if (helper_.joinable()) helper_.join();
}

Status Checkpointer::Enqueue(Job job) {
  if (directory_ == nullptr) return Status::Unavailable("a store in memory only has no snapshots");
  MutexLock lock(mutex_);
  if (stopping_) return Status::Unavailable("the store is closing");
  // Switching the log on waits for its turn: it may come right after something that started a snapshot, FLUSHALL for one.
  const bool waits = job.enable_log;
  if (in_progress_.load(std::memory_order_relaxed) && !waits) return Status::Unavailable("Background save already in progress");
  in_progress_.store(true, std::memory_order_relaxed);
  jobs_.push_back(std::move(job));
  changed_.NotifyAll();
  return Status();
}

Status Checkpointer::StartSnapshot(bool rotate_first, DoneCallback done, SnapshotPace pace) {
  return Enqueue({.rotate_first = rotate_first, .pace = pace, .done = std::move(done)});
}

Status Checkpointer::StartRdbExport(std::string path, DoneCallback done) {
  return Enqueue({.rdb_path = std::move(path), .done = std::move(done)});
}

Status Checkpointer::SaveAndWait() {
  if (OnOwnThread()) return Status::Unavailable("a snapshot cannot be awaited where one is told of");
  Mutex mutex;
  CondVar changed;
  bool finished = false;
  Status result;
  const auto done = [&](const Status& status) {
    MutexLock lock(mutex);
    result = status;
    finished = true;
    changed.NotifyAll();
  };
  while (true) {
    AwaitIdle();
    Status queued = Enqueue({.pace = SnapshotPace::kFast, .done = done});
    if (queued.ok()) break;
    if (!in_progress()) return queued;  // in progress again: somebody else was faster
  }
  MutexLock lock(mutex);
  while (!finished) changed.Wait(mutex);
  return result;
}

void Checkpointer::AwaitIdle() {
  MutexLock lock(mutex_);
  while (in_progress_.load(std::memory_order_relaxed)) changed_.Wait(mutex_);
}

void Checkpointer::ThreadMain() {
  NameThisThread("checkpointer");
  while (true) {
    Job job;
    {
      MutexLock lock(mutex_);
      while (jobs_.empty() && !stopping_) changed_.Wait(mutex_);
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    RunJob(job);
  }
}

void Checkpointer::RunJob(const Job& job) {
  if (!job.rdb_path.empty()) {
    const Status status = ExportRdb(job.rdb_path);
    {
      MutexLock lock(mutex_);
      in_progress_.store(!jobs_.empty(), std::memory_order_relaxed);
      changed_.NotifyAll();
    }
    if (job.done) job.done(status);
    return;
  }
  const int64_t began_us = core_.clock.MonotonicUs();
  const int64_t now_s = core_.clock.WallMs() / 1000;
  last_attempt_unix_s_.store(now_s, std::memory_order_relaxed);
  {
    MutexLock lock(mutex_);
    results_.started_unix_s = now_s;
  }
  bool saved = true;
  const Status status = job.enable_log ? EnableLog(&saved) : TakeSnapshot(job.rotate_first, job.pace);
  const int64_t duration_s = (core_.clock.MonotonicUs() - began_us) / 1'000'000;
  {
    MutexLock lock(mutex_);
    if (saved) {
      results_.last_duration_s = duration_s;
      results_.error = status.message();
    }
    if (saved && status.ok()) {
      results_.last_unix_s = core_.clock.WallMs() / 1000;
      results_.made++;
    }
    in_progress_.store(!jobs_.empty(), std::memory_order_relaxed);
    changed_.NotifyAll();
  }
  if (saved) {
    core_.SetSnapshotError(std::string(status.message()));
    if (status.ok()) {
      LogF(LogLevel::kNotice, "Background saving terminated with success");
    } else {
      LogF(LogLevel::kWarning, "Background saving error: %s", std::string(status.message()).c_str());
    }
  }
  if (job.done) job.done(status);
}

Status Checkpointer::TakeSnapshot(bool rotate_first, SnapshotPace pace) {
  CutState at;
  const Result<SnapshotInfo> info = WriteSnapshot(&at, rotate_first, pace);
  {
    MutexLock lock(mutex_);
    cut_.reset();
    writer_.reset();
  }
  if (!info.ok()) return info.status();
  if (at.logged) CAIRN_RETURN_IF_ERROR(core_.log->WaitDurable(at.lsn));
  return Publish(*info, at);
}

Result<SnapshotInfo> Checkpointer::WriteSnapshot(CutState* at, bool rotate, SnapshotPace pace) {
  CAIRN_RETURN_IF_ERROR(directory_->CheckHeld());
  at->logged = core_.log->enabled();
  // The segment that ends here can be dropped whole when the snapshot is there.
  if (rotate && at->logged) (void)core_.log->RotateSegment();
  std::optional<LiveCut> live;
  live.emplace(core_, [&] {
    at->lsn = core_.log->Cut();
    at->changes = core_.keyspace->stats().changes;
  });

  SnapshotWriterOptions options;
  options.shard_count = kShardCount;
  options.wall_time_unix_ms = core_.clock.WallMs();
  options.created_by = kCreatedBy;
  if (pace == SnapshotPace::kPolite) {
    options.block_bytes = kPoliteBlockBytes;
    options.sync_every_bytes = kPoliteSyncBytes;
  }
  CAIRN_ASSIGN_OR_RETURN(std::shared_ptr<SnapshotWriter> writer,
                         SnapshotWriter::Create(core_.fs, directory_->path(), at->lsn, options));
  {
    MutexLock lock(mutex_);
    cut_ = live->cut();
    writer_ = writer;
    results_.entries_total = cut_->entry_count();
  }
  CAIRN_RETURN_IF_ERROR(Walk(*live->cut(), *writer, pace));
  live.reset();
  return writer->Finish();
}

Status Checkpointer::Walk(SnapshotCut& cut, SnapshotWriter& writer, SnapshotPace pace) {
  SnapshotWalk walk(core_, cut, writer);
  // Two that rest make a snapshot no shorter (they wait for the same memory), and clients wait for both.
  if (pace == SnapshotPace::kPolite) {
    walk.Work(pace);
  } else {
    RunOnBoth([&] { walk.Work(pace); });
  }
  return walk.status();
}

void Checkpointer::RunOnBoth(const std::function<void()>& work) {
  {
    MutexLock lock(mutex_);
    work_ = &work;
    works_++;
    changed_.NotifyAll();
  }
  work();
  MutexLock lock(mutex_);
  work_ = nullptr;
  while (helper_busy_) changed_.Wait(mutex_);
}

void Checkpointer::HelperMain() {
  NameThisThread("checkpointer-2");
  uint64_t helped = 0;  // the last work; once is enough: when it returns nothing is left for this thread
  while (true) {
    const std::function<void()>* work = nullptr;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && (work_ == nullptr || works_ == helped)) changed_.Wait(mutex_);
      if (work_ == nullptr || works_ == helped) return;
      work = work_;
      helped = works_;
      helper_busy_ = true;
    }
    (*work)();
    MutexLock lock(mutex_);
    helper_busy_ = false;
    changed_.NotifyAll();
  }
}

Status Checkpointer::ExportRdb(const std::string& path) {
  const int64_t began_us = core_.clock.MonotonicUs();
  CAIRN_ASSIGN_OR_RETURN(std::unique_ptr<RdbWriter> writer, RdbWriter::Create(core_.fs, path));
  Lsn lsn = 0;
  std::optional<LiveCut> live;
  live.emplace(core_, [&] { lsn = core_.log->end_lsn(); });
  const std::shared_ptr<SnapshotCut> cut = live->cut();
  RdbExport rdb(core_, *cut, std::move(writer));
  RunOnBoth([&] { rdb.Work(); });
  live.reset();
  // Nobody sees in the file what a crash could still undo.
  Status status = core_.log->enabled() ? core_.log->WaitDurable(lsn) : Status();
  if (status.ok()) status = rdb.Finish();
  if (!status.ok()) {
    LogF(LogLevel::kWarning, "Writing the RDB file %s failed: %s", path.c_str(), std::string(status.message()).c_str());
    return status;
  }
  LogF(LogLevel::kNotice, "Wrote %llu keys as of LSN %llu to the RDB file %s in %.3f seconds",
       static_cast<unsigned long long>(cut->entry_count()), static_cast<unsigned long long>(lsn), path.c_str(),
       static_cast<double>(core_.clock.MonotonicUs() - began_us) / 1e6);
  if (rdb.converted_values() != 0) {
    LogF(LogLevel::kWarning, "%llu values in it have lost what Redis 7.0 does not know: expiries of fields, idempotent producers",
         static_cast<unsigned long long>(rdb.converted_values()));
  }
  return Status();
}

Status Checkpointer::Publish(const SnapshotInfo& info, const CutState& at) {
  const auto log_bytes = [this](Lsn from, Lsn to) { return core_.log->StreamBytesBetween(from, to); };
  MutexLock files(files_mutex_);
  CAIRN_RETURN_IF_ERROR(directory_->Update([&](Manifest& manifest) {
    AdoptSnapshot(manifest, info, at.logged, RetentionOf(core_.runtime()), core_.clock.WallMs(), log_bytes);
    if (at.logged) manifest.log_newest_file_id = core_.log->newest_file_id();
    if (!at.logged) manifest.empty_at_lsn.reset();
  }));
  changes_at_cut_.store(at.changes, std::memory_order_release);
  const Manifest manifest = directory_->manifest();
  NoteKept(manifest);
  last_lsn_.store(info.lsn, std::memory_order_relaxed);
  last_size_bytes_.store(info.size_bytes, std::memory_order_relaxed);
  log_counted_from_.store(info.lsn, std::memory_order_relaxed);
  log_bytes_before_.store(0, std::memory_order_relaxed);
  // The snapshot is made; what cannot be removed now is removed later.
  const Result<std::vector<std::string>> stale = RemoveStaleSnapshots(core_.fs, directory_->path(), manifest);
  if (!stale.ok()) LogF(LogLevel::kWarning, "Old snapshots stay: %s", std::string(stale.status().message()).c_str());
  const Status dropped =
      at.logged ? core_.log->DropSegmentsBefore(manifest.log_first_segment_lsn) : directory_->RemoveUncountedLog();
  if (!dropped.ok()) LogF(LogLevel::kWarning, "Old log segments stay: %s", std::string(dropped.message()).c_str());
  return Status();
}

bool Checkpointer::last_ok() const {
  MutexLock lock(mutex_);
  return results_.error.empty();
}

int64_t Checkpointer::last_unix_s() const {
  MutexLock lock(mutex_);
  return results_.last_unix_s;
}

void Checkpointer::FillInfo(StoreInfo& info) const {
  info.snapshot_in_progress = in_progress();
  info.changes_since_snapshot = changes_since_snapshot();
  info.log_awaits_snapshot = log_awaits_snapshot();
  MutexLock lock(mutex_);
  if (writer_ != nullptr) {
    info.snapshot_entries_done = writer_->progress().entries;
    info.snapshot_entries_total = results_.entries_total;
  }
  if (cut_ != nullptr) info.snapshot_buffer_bytes = cut_->handed_over_bytes();
  info.snapshot_started_unix_s = results_.started_unix_s;
  info.last_snapshot_unix_s = results_.last_unix_s;
  info.last_snapshot_duration_s = results_.last_duration_s;
  info.last_snapshot_ok = results_.error.empty();
  info.last_snapshot_error = results_.error;
  info.snapshots_made = results_.made;
  info.snapshots_kept = results_.snapshots_kept;
  info.restorable_from_lsn = results_.restorable_from_lsn;
  info.restorable_from_unix_ms = results_.restorable_from_unix_ms;
}

}  // namespace cairn
