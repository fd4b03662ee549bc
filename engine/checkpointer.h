// Takes snapshots while the store serves (promise P3), on threads of its own.
//
// One snapshot, step by step:
//   1. All shards are locked once: the log's end becomes the cut's LSN, the keyspace's cut begins, the locks are released.
//   2. Workers walk the shards bucket by bucket and write blocks; a write that touches a bucket not yet walked hands it over first.
//      Where handed-over bytes pile up beyond a limit, writers are parked until they were written.
//   3. The files are synced and renamed; the log is awaited up to the cut.
//   4. The manifest names the snapshot; only then older snapshots and the log before the cut are dropped, or kept as
//      retention.h says.
// A failure at any step leaves the manifest, and with it the data, as it was.
// Threads: every function from any thread; Stop once, before the store goes.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/thread_annotations.h"
#include "engine/data_directory.h"
#include "engine/keyspace/snapshot_cut.h"
#include "engine/snapshot_walk.h"
#include "engine/store_core.h"
#include "snapshot/snapshot_writer.h"

namespace cairn {

class Checkpointer {
 public:
  using DoneCallback = std::function<void(const Status&)>;

  // `directory` is null in memory-only stores: then every snapshot fails.
  Checkpointer(StoreCore& core, DataDirectory* directory);
  ~Checkpointer();

  void Start();
  // Gives up the snapshot under way (the gate says that the store is closed), refuses others.
  void Stop();

  // See Store::StartSnapshot. kUnavailable while one is under way or queued.
  Status StartSnapshot(bool rotate_first, DoneCallback done, SnapshotPace pace = SnapshotPace::kPolite);
  // Switches the log on and queues the snapshots that make it one from which the store can be recovered, behind one under way. What
  // fails of that is tried again by RetryEnablingLog, until DisableLog.
  Status StartEnablingLog() CAIRN_EXCLUDES(mutex_);
  void RetryEnablingLog() CAIRN_EXCLUDES(mutex_);
  // The log is to be on, but a start would not read it yet: the manifest does not name it before a snapshot that it follows.
  bool log_awaits_snapshot() const CAIRN_EXCLUDES(mutex_);
  // Returns when that is no longer so: what was logged, or is in memory only, is there after a start. Fails as SaveAndWait.
  Status FinishEnablingLog() CAIRN_EXCLUDES(mutex_);
  // See Store::StartRdbExport.
  Status StartRdbExport(std::string path, DoneCallback done);
  // Switches the log off, and what StartEnablingLog has queued will not switch it on. Waits for the disk. OK where the log is off then,
  // though it may not have ended cleanly: the last of it may be missing, as after a crash, until the next snapshot.
  Status DisableLog() CAIRN_EXCLUDES(switch_mutex_, mutex_);
  // A snapshot under way is awaited first. kUnavailable in a DoneCallback.
  Status SaveAndWait();
  bool OnOwnThread() const { return std::this_thread::get_id() == thread_.get_id(); }  // as DoneCallbacks are

  bool in_progress() const { return in_progress_.load(std::memory_order_relaxed); }
  // What the store was opened with: its snapshots, if any, how much log was read after it, and where the log goes on.
  void NoteRecovered(const Manifest& manifest, uint64_t log_bytes, Lsn next_lsn) CAIRN_EXCLUDES(mutex_);
  // Held while files of the directory are dropped: who holds it finds all that the manifest names.
  Mutex& files_mutex() { return files_mutex_; }
  Lsn last_lsn() const { return last_lsn_.load(std::memory_order_relaxed); }  // of the last snapshot
  uint64_t log_bytes_since_snapshot() const;
  uint64_t last_size_bytes() const { return last_size_bytes_.load(std::memory_order_relaxed); }
  int64_t last_attempt_unix_s() const { return last_attempt_unix_s_.load(std::memory_order_relaxed); }
  bool last_ok() const CAIRN_EXCLUDES(mutex_);
  // With save points, those since a FLUSHALL only: of what was changed before nothing is left to save.
  uint64_t changes_since_snapshot() const;
  // Whether FLUSHALL has dropped something that the last snapshot holds.
  bool flushed_since_snapshot() const;
  int64_t last_unix_s() const CAIRN_EXCLUDES(mutex_);
  void FillInfo(StoreInfo& info) const CAIRN_EXCLUDES(mutex_);

 private:
  struct Job {
    bool rotate_first = false;
    bool enable_log = false;
    SnapshotPace pace = SnapshotPace::kPolite;  // kFast where somebody waits for it
    std::string rdb_path;                       // not a snapshot, but an RDB file here
    DoneCallback done;
  };
  // The store at a snapshot's cut.
  struct CutState {
    Lsn lsn = 0;
    bool logged = false;  // the log was on
    uint64_t changes = 0;
  };
  struct Results {
    int64_t started_unix_s = 0, last_unix_s = 0, last_duration_s = -1;
    std::string error;
    uint64_t made = 0;
    uint64_t entries_total = 0;
    uint64_t snapshots_kept = 0;
    Lsn restorable_from_lsn = 0;
    int64_t restorable_from_unix_ms = 0;
  };

  void ThreadMain();
  // The second worker, which lives as long as the store: whoever watches the process's threads sees none come and go.
  void HelperMain();
  // Runs `work` here and on the second worker.
  void RunOnBoth(const std::function<void()>& work) CAIRN_EXCLUDES(mutex_);
  Status Walk(SnapshotCut& cut, SnapshotWriter& writer, SnapshotPace pace) CAIRN_EXCLUDES(mutex_);
  void AwaitIdle() CAIRN_EXCLUDES(mutex_);
  void RunJob(const Job& job);
  Status ExportRdb(const std::string& path);
  Status Enqueue(Job job) CAIRN_EXCLUDES(mutex_);
  bool log_wanted() const CAIRN_EXCLUDES(mutex_);
  Status EnableLog(bool* saved) CAIRN_EXCLUDES(switch_mutex_, mutex_);
  Status SwitchLogOn() CAIRN_EXCLUDES(switch_mutex_, mutex_);
  Status TakeSnapshot(bool rotate_first, SnapshotPace pace);
  Result<SnapshotInfo> WriteSnapshot(CutState* at, bool rotate, SnapshotPace pace);
  Status Publish(const SnapshotInfo& info, const CutState& at) CAIRN_EXCLUDES(files_mutex_);
  void NoteKept(const Manifest& manifest) CAIRN_EXCLUDES(mutex_);

  StoreCore& core_;
  DataDirectory* const directory_;
  std::thread thread_, helper_;
  Mutex files_mutex_;   // taken before mutex_
  Mutex switch_mutex_;  // held while the log is switched on or off, which waits for the disk; taken before mutex_
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Job> jobs_ CAIRN_GUARDED_BY(mutex_);
  bool stopping_ CAIRN_GUARDED_BY(mutex_) = false;
  bool log_wanted_ CAIRN_GUARDED_BY(mutex_) = false;
  Results results_ CAIRN_GUARDED_BY(mutex_);
  const std::function<void()>* work_ CAIRN_GUARDED_BY(mutex_) = nullptr;  // to be helped with
  uint64_t works_ CAIRN_GUARDED_BY(mutex_) = 0;                           // so far: tells one from the next
  bool helper_busy_ CAIRN_GUARDED_BY(mutex_) = false;
  std::shared_ptr<SnapshotCut> cut_ CAIRN_GUARDED_BY(mutex_);  // of the snapshot under way, for INFO
  std::shared_ptr<SnapshotWriter> writer_ CAIRN_GUARDED_BY(mutex_);

  std::atomic<bool> in_progress_{false};
  std::atomic<bool> has_log_{false};  // as the manifest says
  std::atomic<Lsn> last_lsn_{0};
  std::atomic<Lsn> log_counted_from_{0};       // LSNs leap at an unclean start, so bytes are counted from there
  std::atomic<uint64_t> log_bytes_before_{0};  // read while recovering
  std::atomic<uint64_t> last_size_bytes_{0};
  std::atomic<uint64_t> changes_at_cut_{0};
  std::atomic<int64_t> last_attempt_unix_s_{0};
};

}  // namespace cairn
