// What the parts of a store share: the keyspace, the log, the settings and the few flags that every command looks at.
//
// Life: made by Store::Open, filled by recovery, constant in its pointers while commands run, torn down by the store after all of its
// threads have ended. The parts (executor, background, checkpointer) hold a reference and never each other's state.
// Threads: `keyspace`, `log`, `stripes`, `undurable_keys` and `timed_wakes` synchronise themselves; atomics are atomics; the rest says its
// guard.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/thread_annotations.h"
#include "engine/commands/command_table.h"
#include "engine/keyspace/change_scope.h"
#include "engine/keyspace/keyspace.h"
#include "engine/lsn_stripes.h"
#include "engine/memory_limit.h"
#include "engine/store_options.h"
#include "engine/timed_wakes.h"
#include "engine/undurable_keys.h"
#include "wal/log_writer.h"

namespace cairn {

// Why commands must look twice before they run; 0 is the good path.
enum GateBit : uint32_t {
  kGateLogRefuses = 1u << 0,      // the log cannot be written: writes are refused, reads of what is not durable too (P5)
  kGateSnapshotFailed = 1u << 1,  // stop-writes-on-bgsave-error and the last snapshot failed
  kGateClosed = 1u << 2,          // the store is closed
  kGateHandOverFull = 1u << 3,    // the snapshot's hand-over buffers are full: writers wait
  kGateMemoryFull = 1u << 4,      // the log's buffers take too large a part of maxmemory: writers wait for the disk
  kGateExpiryHeld = 1u << 5,      // nothing is deleted because it is due, only hidden
  kGateIncomplete = 1u << 6,      // a reload failed, and the store is closed for that: what is there is not the data set
};

struct StoreCore {
  StoreCore(StoreOptions store_options, FileSystem& file_system, Clock& store_clock);

  // Constant.
  const StoreOptions opened_with;  // its `runtime` is what the store was opened with; the current one is below
  FileSystem& fs;
  Clock& clock;
  const uint32_t worker_threads;

  // Set once while opening.
  CommandTable commands;
  std::unique_ptr<Keyspace> keyspace;
  std::unique_ptr<LogWriter> log;
  MemoryLimit memory;
  LsnStripes stripes;
  UndurableKeys undurable_keys;
  TimedWakes timed_wakes;
  // Executor::ServeKeys, for who changes keys outside of commands. With no lock held.
  std::function<void(std::vector<ReadyKey>)> serve_keys;

  alignas(64) std::atomic<uint32_t> gate{0};       // GateBit; apart from what every write changes
  std::atomic<bool> replies_wait_for_disk{false};  // appendfsync always with a log
  // The log is off, and units need not be written down. Becomes false with all shards locked, before the log is switched on: whoever
  // sees true under a shard's lock has appended before the first unit that is kept.
  std::atomic<bool> log_off{false};
  std::atomic<ChangeListener*> change_listener{nullptr};
  std::atomic<bool> active_expire{true};
  std::atomic<bool> somebody_parked{false};  // since the progress listener was last called

  void SetGate(GateBit bit, bool on) {
    if (on) {
      gate.fetch_or(bit, std::memory_order_relaxed);
    } else {
      gate.fetch_and(~static_cast<uint32_t>(bit), std::memory_order_relaxed);
    }
  }
  bool gate_has(uint32_t bits) const { return (gate.load(std::memory_order_relaxed) & bits) != 0; }

  RuntimeOptions runtime() const CAIRN_EXCLUDES(mutex);
  void SetRuntime(const RuntimeOptions& options) CAIRN_EXCLUDES(mutex);
  // How the last snapshot went (empty: well); with stop-writes-on-bgsave-error a failure closes the gate.
  void SetSnapshotError(std::string error) CAIRN_EXCLUDES(mutex);
  void RefreshSnapshotGate() CAIRN_EXCLUDES(mutex);

  // Wakes whoever waits for durability or to run a parked command. Any thread.
  void NotifyProgress() CAIRN_EXCLUDES(listener_mutex_);
  void SetProgressListener(std::function<void()> listener) CAIRN_EXCLUDES(listener_mutex_);
  // Until the next NotifyProgress, or so long.
  void WaitForProgress(int64_t duration_us) CAIRN_EXCLUDES(listener_mutex_);
  // What the log's commit listener does: the gate follows the log's mood, waiters wake.
  void OnLogProgress();
  // Whether the log's buffers take more than their part of maxmemory; asks the log to sync well before that.
  void WatchLogBuffers();
  // What a snapshot's hand-over buffers may take before writers wait: a small part of the data, less where memory is limited.
  uint64_t HandOverLimitBytes() const;
  // Derives replies_wait_for_disk from the log's state and policy; after either changed.
  void RefreshPolicy() CAIRN_EXCLUDES(mutex);
  // The error text for a refused write, by the gate's most serious bit; empty where nothing refuses.
  std::string RefusalText() const;

  // The same for reads: of what is not durable where the log cannot be written, and of anything once the store is closed.
  std::string ReadRefusalText() const;

  // Ends one execution, with its locks held: appends what the scope recorded as one unit, raises the touched stripes, hands on the
  // events. Returns the unit's LSN, or the newest of the touched stripes where nothing was logged. `transaction` frames several
  // records with MULTI and EXEC, for replicas.
  Lsn CommitUnit(ChangeScope& scope, bool transaction);
  // The newest LSN a reply built from this scope depends on.
  Lsn VisibleLsn(const ChangeScope& scope, Lsn unit_lsn) const;
  void FillScope(ChangeScope& scope, int64_t now_ms) const;

  mutable Mutex mutex;

 private:
  Lsn AppendUnit(ChangeScope& scope, bool transaction);
  Lsn AppendLarge(ChangeScope& scope, bool wrap);

  RuntimeOptions runtime_ CAIRN_GUARDED_BY(mutex);
  std::string snapshot_error_ CAIRN_GUARDED_BY(mutex);
  Mutex listener_mutex_;
  CondVar progress_;
  std::function<void()> listener_ CAIRN_GUARDED_BY(listener_mutex_);
};

// Whether the calling thread holds shard locks for a command: what waits for the store must not be called then.
bool& ThisThreadHoldsShards();

}  // namespace cairn
