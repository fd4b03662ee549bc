// Opening, closing, reloading and changing the settings of a store.

#include "engine/store_impl.h"

#include <algorithm>
#include <utility>

#include "base/allocator.h"
#include "base/logger.h"
#include "base/random.h"
#include "engine/backup.h"
#include "engine/commands/command_context.h"
#include "engine/redis_import.h"
#include "snapshot/snapshot_directory.h"

namespace cairn {
namespace {

constexpr int kReloadTries = 100;
constexpr size_t kTimelinesKept = 32;

Status Validate(const RuntimeOptions& options) {
  if (options.maxmemory_samples < 1) return Status::InvalidArgument("maxmemory-samples must be at least 1");
  return Status();
}

uint64_t KeyCount(Keyspace& keyspace) {
  uint64_t keys = 0;
  for (uint32_t i = 0; i < keyspace.databases(); i++) keys += keyspace.Size(i);
  return keys;
}

}  // namespace

Store::Impl::Impl(StoreOptions options, FileSystem& fs, Clock& clock) : core(std::move(options), fs, clock) {}

Store::Impl::~Impl() = default;

Status Store::Impl::Open(const ProgressCallback& progress) {
  CAIRN_RETURN_IF_ERROR(Validate(core.opened_with.runtime));
  if (core.opened_with.databases < 1) return Status::InvalidArgument("a store needs at least one database");
  RegisterEngineCommands(core.commands);
  if (core.opened_with.register_commands) core.opened_with.register_commands(core.commands);
  core.keyspace = std::make_unique<Keyspace>(KeyspaceOptions{.databases = core.opened_with.databases});
  core.keyspace->ConfigureEviction(EvictionSettingsOf(core.opened_with.runtime));
  core.keyspace->limits() = core.opened_with.runtime.limits;
  if (core.opened_with.in_memory_only) {
    RuntimeOptions runtime = core.runtime();
    runtime.append_only = false;
    runtime.save_points.clear();
    core.SetRuntime(runtime);
    LogOptions log_options;
    log_options.fs = &core.fs;
    log_options.clock = &core.clock;
    log_options.enabled = false;
    CAIRN_ASSIGN_OR_RETURN(core.log, LogWriter::Open(log_options, 1, {}));
    if (core.opened_with.fill) CAIRN_RETURN_IF_ERROR(core.opened_with.fill(core));
  } else {
    CAIRN_RETURN_IF_ERROR(OpenDirectory(progress));
  }
  if (checkpointer == nullptr) checkpointer = std::make_unique<Checkpointer>(core, directory.get());
  core.log->SetCommitListener([this](Lsn) { core.OnLogProgress(); });
  core.RefreshPolicy();
  core.log_off.store(!core.log->enabled(), std::memory_order_relaxed);
  core.active_expire.store(core.runtime().active_expire, std::memory_order_relaxed);
  background = std::make_unique<Background>(core, *checkpointer, directory.get());
  executor = std::make_unique<Executor>(core, [this] { return background->Evict(Background::kCommandEvictBudgetUs); });
  core.serve_keys = [this](std::vector<ReadyKey> ready) { executor->ServeKeys(std::move(ready)); };
  checkpointer->Start();
  if (imported_) CAIRN_RETURN_IF_ERROR(checkpointer->SaveAndWait());
  background->Start();
  return Status();
}

Status Store::Impl::OpenDirectory(const ProgressCallback& progress) {
  CAIRN_ASSIGN_OR_RETURN(directory, DataDirectory::Open(core.fs, core.clock, core.opened_with.directory));
  // Only what is read without an error leaves traces on disk: the manifest says from now on that an import is under way, and the
  // snapshot with which Open ends it that it is done.
  std::string imported_from;
  if (directory->is_new() && !core.opened_with.fill) {
    CAIRN_ASSIGN_OR_RETURN(imported_from, ImportRedisFiles(core, directory->path(),
                                                           {core.opened_with.redis_files, core.runtime().append_only}, progress));
  }
  imported_ = !imported_from.empty();
  CAIRN_ASSIGN_OR_RETURN(RecoveryOutcome recovered,
                         RecoverKeyspace(core, directory->path(), directory->manifest(), RecoveryOptions{}, progress));
  if (core.opened_with.fill) {
    if (recovered.had_log || recovered.manifest.current_snapshot) {
      return Status::AlreadyExists(directory->path() + " holds data already");
    }
    CAIRN_RETURN_IF_ERROR(core.opened_with.fill(core));
  }
  recovered.manifest.imported_from = imported_from;
  CAIRN_RETURN_IF_ERROR(OpenLog(recovered));
  const Result<std::vector<std::string>> stale = RemoveStaleSnapshots(core.fs, directory->path(), directory->manifest());
  if (!stale.ok()) LogF(LogLevel::kWarning, "Stale snapshots stay: %s", std::string(stale.status().message()).c_str());
  checkpointer = std::make_unique<Checkpointer>(core, directory.get());
  checkpointer->NoteRecovered(directory->manifest(), recovered.loaded_log_bytes, core.log->end_lsn());
  loaded_log_bytes_ = recovered.loaded_log_bytes;
  load_duration_us_ = recovered.duration_us;
  load_report_ = recovered.report;
  loaded_keys_ = KeyCount(*core.keyspace);
  return Status();
}

Status Store::Impl::OpenLog(const RecoveryOutcome& recovered) {
  LogOptions log_options = LogOptionsFor(core, directory->path(), directory->manifest());
  const Lsn next_lsn = recovered.next_lsn;
  if (!recovered.had_log) CAIRN_RETURN_IF_ERROR(CheckUncountedLog(core.fs, directory->path(), recovered.manifest));
  // The manifest says that the directory is in use, and from where on LSNs are given out, before any is.
  CAIRN_RETURN_IF_ERROR(AdoptHistory(recovered, next_lsn));
  log_options.directory_id = directory->manifest().directory_id;
  log_options.may_make_segment = directory->HeldCheck();
  LogRecoveryResult found = recovered.log;
  if (!recovered.had_log) {
    if (log_options.enabled) CAIRN_RETURN_IF_ERROR(directory->RemoveUncountedLog());
    found = LogRecoveryResult{
        .end = LogEnd::kClean, .first_lsn = next_lsn, .end_lsn = next_lsn, .durable_mark = next_lsn, .next_lsn = next_lsn};
  }
  CAIRN_ASSIGN_OR_RETURN(core.log, LogWriter::Open(log_options, next_lsn, found));
  if (!log_options.enabled) return Status();
  // Only a log that exists belongs to the data: from here on its absence, or that of the segment just made, is damage.
  return directory->Update([&](Manifest& manifest) {
    manifest.log_newest_file_id = core.log->newest_file_id();
    if (recovered.had_log) return;
    if (KeyCount(*core.keyspace) == 0) manifest.empty_at_lsn = next_lsn;
    manifest.has_log = true;
    manifest.log_first_segment_lsn = next_lsn;
  });
}

Status Store::Impl::AdoptHistory(const RecoveryOutcome& recovered, Lsn next_lsn) {
  const bool logs = core.runtime().append_only;
  return directory->Update([&](Manifest& manifest) {
    manifest.clean_shutdown = false;
    if (manifest.directory_id == 0) manifest.directory_id = NewDirectoryId();
    if (imported_) manifest.imported_from = recovered.manifest.imported_from;
    manifest.backup_unix_ms = 0;
    manifest.lsn_ceiling = logs ? next_lsn : next_lsn + DataDirectory::kCeilingStep;
    if (recovered.clean && !manifest.timelines.empty()) return;
    // What was perhaps seen of the old history beyond its end is not part of this one: replicas must be told so.
    const int64_t old_base = manifest.timelines.empty() ? 0 : manifest.timelines.back().base;
    const int64_t leap = static_cast<int64_t>(next_lsn - recovered.end_lsn);
    manifest.timelines.push_back({.id = SecureRandomHex(kTimelineIdChars), .fork_lsn = next_lsn, .base = old_base + leap});
    if (manifest.timelines.size() > kTimelinesKept) manifest.timelines.erase(manifest.timelines.begin());
  });
}

Status Store::Impl::RaiseCeilingFor(Lsn lsn) {
  return directory->Update([lsn](Manifest& manifest) { manifest.lsn_ceiling = lsn + DataDirectory::kCeilingStep; });
}

Status Store::Impl::Close(bool snapshot) {
  if (checkpointer->OnOwnThread()) return Status::Unavailable("a store cannot be closed where it tells of a snapshot");
  MutexLock lock(options_mutex_);
  if (closed_) return Status();
  Status result;
  if (snapshot && directory != nullptr) {
    result = checkpointer->SaveAndWait();
    if (!result.ok()) return result;
  }
  // A log that is not known to the manifest yet is none to the next start.
  const Status log_known = FinishEnablingLog();
  closed_ = true;
  core.SetGate(kGateClosed, true);
  EndBackup();
  background->Stop();
  checkpointer->Stop();
  // Whoever was inside a command has left it once all locks were ours.
  executor->EndAllWaits();
  const bool logged = core.log->enabled();
  const Lsn end = core.log->end_lsn();
  result = core.log->CloseCleanly();
  core.SetProgressListener(nullptr);
  if (directory == nullptr) return result;
  if (result.ok()) {
    result = directory->Update([&](Manifest& manifest) {
      // A log that was switched off may have failed to end cleanly.
      manifest.clean_shutdown = logged ? manifest.has_log : !manifest.has_log && checkpointer->last_lsn() == end;
      if (!logged) manifest.lsn_ceiling = std::max(manifest.lsn_ceiling, end);
    });
  }
  directory.reset();
  return result.ok() ? log_known : result;
}

Status Store::Impl::FinishEnablingLog() { return directory == nullptr ? Status() : checkpointer->FinishEnablingLog(); }

Result<BackupReport> Store::Impl::Backup(const BackupRequest& request) {
  if (directory == nullptr) return Status::Unavailable("a store in memory only has nothing to back up");
  {
    MutexLock lock(backup_mutex_);
    if (backup_.refused) return Status::Unavailable("the store is closing");
    if (backup_.running) return Status::Unavailable("a backup is under way");
    backup_.running = true;
  }
  Result<BackupReport> report = cairn::Backup(core, *directory, *checkpointer).Run(request);
  MutexLock lock(backup_mutex_);
  backup_.running = false;
  backup_.error = report.status().message();
  if (report.ok()) backup_.last = *report;
  backup_ended_.NotifyAll();
  return report;
}

void Store::Impl::EndBackup() {
  MutexLock lock(backup_mutex_);
  backup_.refused = true;
  while (backup_.running) backup_ended_.Wait(backup_mutex_);
}

Status Store::Impl::Reload(bool snapshot_first) {
  // Nobody is locked out, and no mutex held, for the snapshot, which may take long; so it is taken again where somebody wrote in between.
  for (int i = 0; i < kReloadTries; i++) {
    if (snapshot_first) CAIRN_RETURN_IF_ERROR(checkpointer->SaveAndWait());
    CAIRN_ASSIGN_OR_RETURN(const bool loaded, ReloadCovered(!snapshot_first));
    if (loaded) return Status();
  }
  return Status::Unavailable("the data set changes faster than it can be saved");
}

Result<bool> Store::Impl::ReloadCovered(bool in_any_case) {
  MutexLock lock(options_mutex_);
  if (closed_ || directory == nullptr) return Status::Unavailable("there is no directory to reload from");
  background->Pause();
  Status status;
  bool covered;
  {
    const MutexLock files(checkpointer->files_mutex());  // what the manifest names stays while it is loaded
    core.keyspace->LockShards(AllShards());
    const Lsn end = core.log->end_lsn();
    const bool logged = core.log->enabled() && directory->manifest().has_log;
    covered = in_any_case || logged || checkpointer->last_lsn() == end;
    if (covered && logged) status = core.log->RequestSync();
    if (covered && logged && status.ok()) status = core.log->WaitDurable(end);
    if (covered && status.ok()) status = LoadAgain(logged);
    core.keyspace->UnlockShards(AllShards());
  }
  background->Resume();
  if (!status.ok()) return status;
  return covered;
}

Status Store::Impl::LoadAgain(bool read_log) {
  ChangeScope scope;
  scope.replaying = true;
  scope.now_ms = core.clock.WallMs();
  scope.locked_shards = AllShards();
  core.keyspace->Flush(scope, -1, false);
  const RecoveryOptions options{.repair_log = false, .locks_held = true, .read_log = read_log};
  const Result<RecoveryOutcome> recovered = RecoverKeyspace(core, directory->path(), directory->manifest(), options, nullptr);
  if (!recovered.ok()) {
    LogF(LogLevel::kWarning, "Reloading failed, the data set is incomplete: %s",
         std::string(recovered.status().message()).c_str());
    core.SetGate(kGateIncomplete, true);  // never serve a part as if it were the whole
    core.SetGate(kGateClosed, true);
    return recovered.status();
  }
  return Status();
}

Status Store::Impl::UpdateOptions(const std::function<void(RuntimeOptions&)>& change) {
  if (!ThisThreadHoldsShards()) {
    MutexLock lock(options_mutex_);
    return UpdateOptionsLocked(change);
  }
  // Who reloads the store holds the mutex and waits for the shards.
  if (!options_mutex_.TryLock()) return Status::Unavailable("the store is just being reloaded or changed: try again");
  Status status = UpdateOptionsLocked(change);
  options_mutex_.Unlock();
  return status;
}

Status Store::Impl::UpdateOptionsLocked(const std::function<void(RuntimeOptions&)>& change) {
  if (closed_) return Status::Unavailable("the store is closed");
  const RuntimeOptions before = core.runtime();
  RuntimeOptions after = before;
  change(after);
  if (core.opened_with.in_memory_only && (after.append_only || !after.save_points.empty())) {
    return Status::InvalidArgument("a store in memory only has no log and no snapshots");
  }
  CAIRN_RETURN_IF_ERROR(Validate(after));
  CAIRN_RETURN_IF_ERROR(ApplyLogSettings(before, after));
  core.SetRuntime(after);
  if (before.maxmemory_bytes != after.maxmemory_bytes) core.memory.Configure(after.maxmemory_bytes);
  core.active_expire.store(after.active_expire, std::memory_order_relaxed);
  core.keyspace->ConfigureEviction(EvictionSettingsOf(after));
  core.keyspace->limits() = after.limits;
  core.RefreshSnapshotGate();
  background->Wake();
  return Status();
}

Status Store::Impl::ApplyLogSettings(const RuntimeOptions& before, const RuntimeOptions& after) {
  if (before.append_only != after.append_only) {
    if (after.append_only) {
      CAIRN_RETURN_IF_ERROR(checkpointer->StartEnablingLog());
    } else {
      CAIRN_RETURN_IF_ERROR(RaiseCeilingFor(core.log->end_lsn()));
      CAIRN_RETURN_IF_ERROR(checkpointer->DisableLog());
    }
  }
  // What may fail is behind us: a policy that is not the one that the options say would break the promise of one of them.
  if (before.append_fsync != after.append_fsync) core.log->SetPolicy(after.append_fsync);
  core.RefreshPolicy();
  return Status();
}

}  // namespace cairn
