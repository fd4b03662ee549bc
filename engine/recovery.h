// Brings the keyspace back: newest usable snapshot, then the log after it (promise P4), with all worker threads.
//
// Failure: kDamaged, kNewerFormat, kIoError... naming file, offset or LSN; the keyspace is then partly filled and must not be served.
// Nothing on disk is changed before everything was read; a torn tail of the log is then cut (only with `repair_log`).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/data_directory.h"
#include "engine/store.h"
#include "engine/store_core.h"
#include "wal/log_reader.h"

namespace cairn {

struct RecoveryOutcome {
  Manifest manifest;      // what it was recovered from
  LogRecoveryResult log;  // of a directory with a log
  bool had_log = false;
  Lsn next_lsn = 0;   // the first that may be given out
  Lsn end_lsn = 0;    // where the recovered history ends
  bool clean = true;  // the last process ended in good order: the timeline goes on
  uint64_t snapshot_keys = 0;
  uint64_t log_records = 0;
  uint64_t loaded_log_bytes = 0;
  int64_t duration_us = 0;
  std::string report;  // what was passed over or cut, naming file and LSN; empty where nothing was
};

// As ReadLog of wal/, for one directory.
using LogReadFunction = std::function<Status(Lsn from, const LogFrameCallback& callback, LogRecoveryResult* result)>;

struct RecoveryOptions {
  bool repair_log = true;   // false: the log is being written; what is there is read, nothing is changed
  bool locks_held = false;  // the caller holds every shard's lock
  bool read_log = true;
  // Stops there: the keyspace becomes what it was after the last unit that ends at or before this LSN. Not with repair_log. kNotFound
  // where no snapshot, or no log, reaches it.
  std::optional<Lsn> until;
  LogReadFunction log_reader;  // null: ReadLog
};

using ProgressCallback = std::function<void(const Store::Progress&)>;

// From the files of the data directory `path`, as its `manifest` names them. The keyspace must be empty. `progress` may
// be null; it is called about once a second from the calling thread.
Result<RecoveryOutcome> RecoverKeyspace(StoreCore& core, const std::string& path, const Manifest& manifest,
                                        const RecoveryOptions& options, const ProgressCallback& progress);

// How the log of this directory is read and written.
LogOptions LogOptionsFor(const StoreCore& core, const std::string& path, const Manifest& manifest);

}  // namespace cairn
