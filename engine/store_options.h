// Settings and counters of a store. Names and defaults follow Redis's directives of the same names where there are any.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "engine/redis_files.h"
#include "engine/values/value_limits.h"
#include "wal/log_writer.h"

namespace cairn {

class Clock;
class CommandTable;
class FileSystem;
struct StoreCore;

enum class EvictionPolicy : uint8_t {
  kNoEviction,
  kAllKeysLru,
  kAllKeysLfu,
  kAllKeysRandom,
  kVolatileLru,
  kVolatileLfu,
  kVolatileRandom,
  kVolatileTtl,
};

// How much of the machine a snapshot may take: BGSAVE leaves most of it to clients, SAVE is awaited and takes what it gets.
enum class SnapshotPace : uint8_t { kPolite, kFast };

struct SavePoint {
  int64_t seconds;
  int64_t changes;
};

// May change while the store runs (Store::UpdateOptions).
struct RuntimeOptions {
  bool append_only = true;  // appendonly; off: snapshots only
  FsyncPolicy append_fsync = FsyncPolicy::kAlways;
  uint64_t maxmemory_bytes = 0;  // 0: no limit
  EvictionPolicy maxmemory_policy = EvictionPolicy::kNoEviction;
  int maxmemory_samples = 5;
  int lfu_log_factor = 10;
  int lfu_decay_time_minutes = 1;
  bool active_expire = true;                  // DEBUG SET-ACTIVE-EXPIRE
  std::vector<SavePoint> save_points;         // empty: none
  bool stop_writes_on_snapshot_error = true;  // stop-writes-on-bgsave-error
  int64_t log_retention_hours = 0;            // how much of the past can be restored (retention.h); 0 and 0: none
  uint64_t log_retention_bytes = 0;
  uint32_t log_compact_percentage = 100;  // auto-aof-rewrite-percentage: log over snapshot that starts a compaction; 0: never
  uint64_t log_compact_min_bytes = 64ull << 20;  // auto-aof-rewrite-min-size
  ValueLimits limits;                            // hash-max-listpack-entries, proto-max-bulk-len and their like
};

struct StoreOptions {
  std::string directory = "data";
  uint32_t databases = 16;
  uint32_t threads = 0;         // workers for recovery and snapshots; 0: the machine's cores
  bool in_memory_only = false;  // nothing is read or written: no directory, no log, no snapshots
  bool owns_process = false;    // the process is there for the store: maxmemory is for all that it takes, not the keyspace alone
  FileSystem* file_system = nullptr;  // null: the real one; must outlive the store
  Clock* clock = nullptr;             // null: the real one
  // Adds rows to the command table before anything is recovered: commands of whoever opens the store, some of which its log may hold.
  std::function<void(CommandTable&)> register_commands;
  // Fills the keyspace while opening, in place of what the directory holds: it must be a new one, or the store in memory only. For tools
  // that make a directory of other data; called before anybody else is there.
  std::function<Status(StoreCore&)> fill;
  // What a directory without Cairn's files is imported from, if it is there.
  RedisFileNames redis_files;
  RuntimeOptions runtime;
};

// Counters for INFO and tests; a consistent-enough copy, not a snapshot of one instant.
struct StoreInfo {
  bool snapshot_in_progress = false;
  uint64_t snapshot_entries_done = 0, snapshot_entries_total = 0;
  uint64_t snapshot_buffer_bytes = 0;  // held only by the snapshot under way
  int64_t snapshot_started_unix_s = 0, last_snapshot_unix_s = 0, last_snapshot_duration_s = -1;
  bool last_snapshot_ok = true;
  std::string last_snapshot_error;
  uint64_t snapshots_made = 0;
  bool log_awaits_snapshot = false;  // the log was switched on; a start reads it once a snapshot is there that it follows
  uint64_t snapshots_kept = 0;       // the current one included
  Lsn restorable_from_lsn = 0;       // the oldest state that can be restored
  int64_t restorable_from_unix_ms = 0;
  bool backup_in_progress = false;
  std::string last_backup_error;  // empty: the last backup succeeded, or there was none
  Lsn last_backup_lsn = 0;        // of the last that succeeded
  int64_t last_backup_unix_ms = 0;
  uint64_t changes_since_snapshot = 0;
  LogStats log;
  uint64_t used_memory_bytes = 0, peak_memory_bytes = 0, resident_bytes = 0;
  uint64_t evicted_keys = 0, expired_keys = 0, expired_fields = 0, keyspace_hits = 0, keyspace_misses = 0;
  uint64_t lazy_free_pending = 0, lazy_freed = 0;
  uint64_t loaded_keys = 0, loaded_log_bytes = 0;
  int64_t load_duration_us = 0;
  std::string load_report;  // what recovery had to pass over or cut, with the LSN it ended at; empty after a clean end
  std::string timeline_id;  // 40 hex digits: Redis's replication id
  Lsn timeline_base = 0;
  uint64_t total_eviction_exceeded_ms = 0;
  bool incomplete = false;  // a reload failed: nothing is served any more, and nothing can be saved
  bool writes_refused = false;
  std::string refusal_reason;
};

}  // namespace cairn
