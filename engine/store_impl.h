// The parts of a store and the order in which they live.
#pragma once

#include <memory>

#include "engine/background.h"
#include "engine/checkpointer.h"
#include "engine/data_directory.h"
#include "engine/executor.h"
#include "engine/recovery.h"
#include "engine/store.h"
#include "engine/store_core.h"

namespace cairn {

class Store::Impl {
 public:
  Impl(StoreOptions options, FileSystem& fs, Clock& clock);
  ~Impl();

  // Everything that Store::Open does.
  Status Open(const ProgressCallback& progress);
  Status Close(bool snapshot);
  Status FinishEnablingLog();
  Status Reload(bool snapshot_first);
  Status UpdateOptions(const std::function<void(RuntimeOptions&)>& change);
  Result<BackupReport> Backup(const BackupRequest& request) CAIRN_EXCLUDES(backup_mutex_);
  StoreInfo Info() const;

  StoreCore core;
  std::unique_ptr<DataDirectory> directory;  // null in memory only
  std::unique_ptr<Checkpointer> checkpointer;
  std::unique_ptr<Background> background;
  std::unique_ptr<Executor> executor;

 private:
  Status OpenDirectory(const ProgressCallback& progress);
  Status OpenLog(const RecoveryOutcome& recovered);
  Status AdoptHistory(const RecoveryOutcome& recovered, Lsn next_lsn);
  // Empties the keyspace and loads it again; false, and nothing done, where something is in memory only, unless `in_any_case`.
  Result<bool> ReloadCovered(bool in_any_case) CAIRN_EXCLUDES(options_mutex_);
  Status LoadAgain(bool read_log);
  Status UpdateOptionsLocked(const std::function<void(RuntimeOptions&)>& change) CAIRN_REQUIRES(options_mutex_);
  Status ApplyLogSettings(const RuntimeOptions& before, const RuntimeOptions& after);
  Status RaiseCeilingFor(Lsn lsn);

  void EndBackup() CAIRN_EXCLUDES(backup_mutex_);

  struct BackupState {
    bool running = false;
    bool refused = false;  // the store is closing
    std::string error;     // of the last one
    BackupReport last;     // the last that succeeded
  };
  mutable Mutex backup_mutex_;
  CondVar backup_ended_;
  BackupState backup_ CAIRN_GUARDED_BY(backup_mutex_);
  Mutex options_mutex_;  // one change of options, reload or close at a time
  bool closed_ CAIRN_GUARDED_BY(options_mutex_) = false;
  bool imported_ = false;                            // from Redis's files, while opening
  uint64_t loaded_keys_ = 0, loaded_log_bytes_ = 0;  // set while opening
  int64_t load_duration_us_ = 0;
  std::string load_report_;
};

}  // namespace cairn
