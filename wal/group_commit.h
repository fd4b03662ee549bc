// The log thread: one thread that turns appended units into frames on disk.
//
// One step, again and again:
//   1. Collect: close the open frame; everything before is this group.
//   2. Write the group, one call per stretch of frames, starting a new segment where the current one is full.
//   3. Sync where the policy wants it (kAlways: always; kEverySecond: when the oldest undurable byte is half a second old or
//      much is waiting; kNo: not).
//   4. Release what is durable (kNo: written), tell waiters and the listener.
//   5. With nothing to do: write the mark, zeros ahead, the reserve; give memory back; sleep.
// From 2 on, and in 5, the disk may hang in any call: between BeginDisk() and Publish() CommitState watches the age of what came in.
//
// With kAlways a thread that appended a small batch and has nothing better to do before it is durable takes a step itself (CommitHere):
// there is then no wake-up before the commit and none after it. Only one thread at a time commits, under step_mutex_, which guards
// everything that is called the log thread's. Whoever ends a step sees to what came in meanwhile by waking the log thread; rotation,
// retries and idle work stay with it.
//
// When a write or sync fails (P5): the segment is abandoned, never written or synced again; CommitState refuses; everything
// from the released position on is still in the buffer. Once a second the thread makes a new segment that supersedes the old
// one from the last synced byte on, writes everything, syncs, and only then admits writes again. With kNo bytes are released
// before they are synced; those are read back from the old segment. On a full disk the new segment is the reserve
// file; writes then stay refused until the reserve could be filled again.
//
// Threads: all but what is said to be for any thread is for the log thread, or whoever takes a step, under step_mutex_. The constructor
// does not start it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "base/status.h"
#include "base/thread_annotations.h"
#include "wal/append_buffer.h"
#include "wal/commit_state.h"
#include "wal/log_options.h"
#include "wal/segment_set.h"
#include "wal/segment_writer.h"
#include "wal/thread_waker.h"

namespace cairn {

class GroupCommit {
 public:
  // All outlive this object. `last_wall_us`: no frame carries an earlier time.
  GroupCommit(const LogOptions& options, AppendBuffer* buffer, CommitState* state, SegmentSet* segments, uint64_t last_wall_us,
              ThreadWaker* waker);
  ~GroupCommit();

  // Before Start(): makes the first segment, which continues from `continues_from` and begins at the buffer's end.
  Status OpenFirstSegment(Lsn continues_from) CAIRN_EXCLUDES(step_mutex_);
  void Start();

  // --- Any thread. The first four wait for the log thread. ---
  enum class Order : uint8_t { kNone, kEnable, kDisable, kClose };
  Status Give(Order order) CAIRN_EXCLUDES(order_mutex_);
  // Without closing; as if the process ended here.
  void Stop();
  void RequestRotation();
  void RequestSync();
  // Commits what was appended so far, here or by waking the log thread.
  void CommitHere() CAIRN_EXCLUDES(step_mutex_);
  void NotePolicyChange() { waker_->Wake(); }
  // See LogWriter::VisitUndurable.
  bool VisitUndurable(const std::function<void(std::string_view units)>& visit, Lsn* end_lsn) CAIRN_EXCLUDES(step_mutex_);
  void FillStats(LogStats* stats) const;

 private:
  void Run();
  enum class Stepper : uint8_t { kLogThread, kAppender };
  void Step(Stepper stepper) CAIRN_REQUIRES(step_mutex_);
  bool MayCommitHere() CAIRN_REQUIRES(step_mutex_);
  // --- Waiting (group_commit.cc) ---
  // How the log thread waits next: decided under step_mutex_, done without it, one after the other.
  struct Wait {
    bool until_append = false;  // the buffer was told that the thread sleeps
    int64_t append_us = 0;      // ... for so long at most; 0: until it is woken
    int64_t time_us = 0;
    bool for_company = false;
  };
  Wait NextWait() CAIRN_REQUIRES(step_mutex_);
  void WaitForWork() CAIRN_EXCLUDES(step_mutex_);
  int64_t CompanyBoundUs() const CAIRN_REQUIRES(step_mutex_);  // 0: not worth a wait
  void AwaitCompany() CAIRN_EXCLUDES(step_mutex_);
  void DoSpareWork(int64_t now_us) CAIRN_REQUIRES(step_mutex_);
  bool IdleWorkLeft() const CAIRN_REQUIRES(step_mutex_);
  void DoIdleWork() CAIRN_REQUIRES(step_mutex_);
  // --- Writing ---
  Status CommitGroup(const AppendBuffer::Position& end) CAIRN_REQUIRES(step_mutex_);
  Status WriteUpTo(const AppendBuffer::Position& end) CAIRN_REQUIRES(step_mutex_);
  Status WriteFromBlock(uint32_t limit) CAIRN_REQUIRES(step_mutex_);
  Status SyncSegment() CAIRN_REQUIRES(step_mutex_);
  bool SyncDue(FsyncPolicy policy) const CAIRN_REQUIRES(step_mutex_);
  Status WriteMark() CAIRN_REQUIRES(step_mutex_);
  void NoteReleased() CAIRN_REQUIRES(step_mutex_);
  void AgeNewcomers() CAIRN_REQUIRES(step_mutex_);
  void BeginDisk(int64_t now_us) CAIRN_REQUIRES(step_mutex_);
  void Publish() CAIRN_REQUIRES(step_mutex_);
  // --- Segments (group_commit_segments.cc) ---
  Status MakeSegment(Lsn continues_from, Lsn first_lsn, Lsn durable_lsn, SegmentSet::Kind kind) CAIRN_REQUIRES(step_mutex_);
  Status Rotate() CAIRN_REQUIRES(step_mutex_);
  void Fail(const Status& error) CAIRN_REQUIRES(step_mutex_);
  void Retry(const AppendBuffer::Position& end) CAIRN_REQUIRES(step_mutex_);
  Status RewriteTo(const AppendBuffer::Position& end, SegmentSet::Kind kind) CAIRN_REQUIRES(step_mutex_);
  Status CopyUnsynced(const SegmentListing& from) CAIRN_REQUIRES(step_mutex_);
  uint64_t RewriteBytes(const AppendBuffer::Position& end) const CAIRN_REQUIRES(step_mutex_);
  void TryRefillReserve() CAIRN_REQUIRES(step_mutex_);
  Result<uint64_t> ReserveGoalBytes() const CAIRN_REQUIRES(step_mutex_);
  bool ReserveGrowthDue(int64_t now_us) const CAIRN_REQUIRES(step_mutex_);
  void GrowReserveALittle(int64_t now_us) CAIRN_REQUIRES(step_mutex_);
  // --- Orders ---
  void ObeyOrder() CAIRN_EXCLUDES(order_mutex_) CAIRN_REQUIRES(step_mutex_);
  Status Enable() CAIRN_REQUIRES(step_mutex_);
  Status Disable() CAIRN_REQUIRES(step_mutex_);
  Status Close() CAIRN_REQUIRES(step_mutex_);
  Status EndSegmentCleanly(const AppendBuffer::Position& end) CAIRN_REQUIRES(step_mutex_);

  SegmentWriter::Stamp MakeStamp() CAIRN_REQUIRES(step_mutex_);
  int64_t NowUs() const { return options_.clock->MonotonicUs(); }

  const LogOptions options_;
  AppendBuffer* const buffer_;
  CommitState* const state_;
  SegmentSet* const segments_;
  ThreadWaker* const waker_;

  Mutex step_mutex_;                                                      // held while a commit is under way
  std::unique_ptr<SegmentWriter> segment_ CAIRN_GUARDED_BY(step_mutex_);  // null: disabled, or failed and not yet replaced
  AppendBuffer::Position written_ CAIRN_GUARDED_BY(step_mutex_);          // everything before was handed to the current segment
  // Everything before was released; a new segment starts here after a failure.
  AppendBuffer::Position released_ CAIRN_GUARDED_BY(step_mutex_);
  Lsn synced_lsn_ CAIRN_GUARDED_BY(step_mutex_) = 0;
  uint64_t wall_us_ CAIRN_GUARDED_BY(step_mutex_) = 0;   // newest time in a frame
  Lsn collected_lsn_ CAIRN_GUARDED_BY(step_mutex_) = 0;  // the last group's end
  // Just before it was collected, or when the thread woke up: what is not in it is at most that old.
  int64_t collected_us_ CAIRN_GUARDED_BY(step_mutex_) = 0;
  int64_t oldest_undurable_us_ CAIRN_GUARDED_BY(step_mutex_) = 0;  // 0: everything is durable
  int64_t last_busy_us_ CAIRN_GUARDED_BY(step_mutex_) = 0;         // when the last group was written
  bool failed_ CAIRN_GUARDED_BY(step_mutex_) = false;     // a write or sync failed; segment_ is null until a retry made a new one
  bool disk_full_ CAIRN_GUARDED_BY(step_mutex_) = false;  // it failed for lack of room
  bool sync_wanted_ CAIRN_GUARDED_BY(step_mutex_) = false;    // somebody asked for a sync of the last group or one before it
  bool reserve_spent_ CAIRN_GUARDED_BY(step_mutex_) = false;  // writes are refused until the reserve is whole again
  // How large the reserve is to become; 0: it has not begun to grow.
  uint64_t reserve_goal_bytes_ CAIRN_GUARDED_BY(step_mutex_) = 0;
  int64_t retry_at_us_ CAIRN_GUARDED_BY(step_mutex_) = 0;
  int64_t reserve_grown_us_ CAIRN_GUARDED_BY(step_mutex_) = 0;
  bool reserve_hopeless_ CAIRN_GUARDED_BY(step_mutex_) = false;     // growing it failed; tried again with the next segment
  bool reserve_left_behind_ CAIRN_GUARDED_BY(step_mutex_) = false;  // by an earlier start: taken over at once
  bool trimmed_ CAIRN_GUARDED_BY(step_mutex_) = false;              // idle memory was given back
  uint64_t cohort_ CAIRN_GUARDED_BY(step_mutex_) = 0;       // units that were on their way when the last group was durable
  uint64_t group_units_ CAIRN_GUARDED_BY(step_mutex_) = 0;  // in the last group
  // Threads that ended a batch, a bit each: in the last group, and likewise those on their way when it was durable.
  uint64_t group_threads_ CAIRN_GUARDED_BY(step_mutex_) = 0;
  uint64_t threads_expected_ CAIRN_GUARDED_BY(step_mutex_) = 0;
  int quiet_polls_ CAIRN_GUARDED_BY(step_mutex_) = 0;           // timed waits that found nothing
  int64_t sync_us_estimate_ CAIRN_GUARDED_BY(step_mutex_) = 0;  // the last sync's duration
  int64_t slow_sync_us_ CAIRN_GUARDED_BY(step_mutex_) = 0;      // the slowest of late: sinks slowly

  // The log thread sleeps until it is woken, whatever time passes: whoever leaves idle work must wake it.
  std::atomic<bool> sleeps_for_long_{false};

  std::atomic<uint64_t> threads_here_{0};  // threads that ended a batch since the last group was collected, a bit each

  std::atomic<bool> stopping_{false};
  std::atomic<bool> rotation_requested_{false};
  std::atomic<bool> sync_requested_{false};

  Mutex order_mutex_;
  CondVar order_changed_;
  Order order_ CAIRN_GUARDED_BY(order_mutex_) = Order::kNone;
  bool order_done_ CAIRN_GUARDED_BY(order_mutex_) = false;
  bool ended_ CAIRN_GUARDED_BY(order_mutex_) = false;
  Status order_result_ CAIRN_GUARDED_BY(order_mutex_);

  // Written by the log thread, read by FillStats().
  std::atomic<uint64_t> groups_{0};
  std::atomic<uint64_t> syncs_{0};
  std::atomic<uint64_t> failures_{0};
  std::atomic<uint64_t> last_sync_us_{0};
  std::atomic<bool> last_sync_ok_{true};
  std::atomic<uint64_t> current_segment_bytes_{0};

  std::thread thread_;  // last: starts when all is there
};

}  // namespace cairn
