// The write-ahead log as the engine uses it: reserve, append, wait for the commit.
//
// One write goes through it like this:
//   1. Admit(bytes) before any lock is taken. Not kAdmitted: park the client or answer -MISCONF.
//   2. With the locks of its shards held: execute, then Append(unit). Append neither blocks nor fails; the LSN it returns is
//      where the unit ends.
//   3. Release the locks. The reply leaves when durable_lsn() has reached that LSN; the commit listener tells when it grew.
// The log thread (group_commit.h) turns what was appended into frames, writes and syncs them. Appended bytes stay in memory
// until they are durable (kNo: written), so after a failed write or sync everything that may be missing is rewritten to a new
// segment and nothing is lost; meanwhile Admit() answers kRefused (promise P5).
//
// Ownership: owns its threads and buffers, not the FileSystem and Clock. One writer a directory; whoever opens the store
// holds the directory's lock.
// Threads: every function may be called from any thread unless it says otherwise.
// Failure: a fault of the disk never surfaces in Append; it shows in Admit(), WaitDurable(), stats() and RequestSync().
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "wal/log_options.h"
#include "wal/log_reader.h"

namespace cairn {

class AppendBuffer;
class CommitState;
class GroupCommit;
class SegmentSet;
class ThreadWaker;

class LogWriter {
 public:
  // Starts the log after RecoverLog() on the same directory gave `found`. `next_lsn` is the first LSN to be given out, at
  // least found.next_lsn. Creates a new segment, synced with its directory, and starts the log thread. With
  // options.enabled == false no file is touched. Fails when the segment cannot be created.
  static Result<std::unique_ptr<LogWriter>> Open(const LogOptions& options, Lsn next_lsn, const LogRecoveryResult& found);
  // Stops the threads. What was not durable stays so, as after a crash: call CloseCleanly() first.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // May a write that will log about `bytes` be executed? Never blocks; two or three relaxed loads on the good path. After
  // kAdmitted the following Append succeeds whatever its size; an admission that is not used needs no giving back.
  // After kWait or kRefused: register for the listener first, then ask once more, so that no wake-up is missed.
  Admission Admit(size_t bytes);
  // Whether Admit() would just now answer kAdmitted to any number: it then need not be computed. One relaxed load.
  bool AdmitsAny() const;
  // Why Admit() refuses, for the text after -MISCONF; empty when it does not.
  std::string refusal_reason() const;

  // Appends one atomic unit: one or more whole RESP commands that replay applies together or not at all. Called with the
  // shards' locks held; order of appends is the log's order. Never blocks, never fails. Small units are copied under a spin
  // lock, large ones are copied before it and linked. Returns the LSN after the unit (one before it while the log is disabled: there
  // is nothing to wait for). An empty unit logs nothing.
  Lsn Append(std::string_view unit);
  Lsn Append(std::span<const LogPiece> pieces);
  // The same, preceded by a SELECT record when the record before ran in another database.
  Lsn Append(uint32_t database, std::string_view unit);
  Lsn Append(uint32_t database, std::span<const LogPiece> pieces);
  // The same for a unit that holds SELECT commands itself and leaves `database_after` selected.
  Lsn Append(uint32_t database, std::string_view unit, uint32_t database_after);
  // While the log is off: the LSNs grow as by the append of a unit of `bytes` (at least 1). Returns what Append would. The caller sees
  // to it that no Enable() runs meanwhile.
  Lsn Count(uint64_t bytes);
  // An append comes soon: what it needs is fetched from the core that appended last. Optional.
  void PrefetchForAppend() const;
  // With kAlways: between these two calls of one thread its first kBatchUnitsMost appends do not wake the log thread. At the end they
  // are committed by the caller itself where no commit is under way, syncs have been quick lately and no other thread's batch is expected,
  // else by whoever comes last or the log thread, which is woken then. Not to be called with a lock held that the listener takes.
  static constexpr uint32_t kBatchUnitsMost = 64;
  void BeginBatch();
  void EndBatch();
  // The current end, where a snapshot cuts: the next record appended with a database is preceded by a SELECT. Called with
  // all shard locks held.
  Lsn Cut();

  // The LSN after the last appended byte.
  Lsn end_lsn() const;
  // Everything before it survives a crash as far as the policy promises: synced (kAlways, kEverySecond) or written (kNo);
  // equal to end_lsn() when the log is disabled. Goes back only where SetPolicy promises more.
  Lsn durable_lsn() const;
  // The listener is called once after each commit and whenever Admit()'s answer may have changed, with the durable LSN. On
  // the log thread or in EndBatch, or on the monitor while those are stuck in the disk, never on two at once. It must not block nor
  // call back into this object except for Admit(), end_lsn(), durable_lsn() and refusal_reason(). Set before the first Append.
  void SetCommitListener(std::function<void(Lsn durable)> listener);

  // Blocks until durable_lsn() >= lsn. kUnavailable or the disk's error when the log refuses writes meanwhile: the bytes are
  // then still in memory and become durable if the disk recovers. Not to be called by the listener.
  Status WaitDurable(Lsn lsn);
  // Hands `visit` the whole units from durable_lsn() on, in order, one or more at a time; the bytes live as long as the call. `*end_lsn`:
  // where they end. False, and nothing visited, while a commit is under way, and where some are not in memory any longer (kNo). Meant for
  // a log that refuses writes: it copies what is linked, and no commit begins meanwhile. `visit` must not call this object.
  bool VisitUndurable(const std::function<void(std::string_view units)>& visit, Lsn* end_lsn);
  // Asks the log thread to sync what was appended so far, whatever the policy; does not wait. Fails when writes are refused.
  Status RequestSync();

  FsyncPolicy policy() const;
  // From kNo to a stricter one durable_lsn() goes back to what was synced, and a sync of the rest begins.
  void SetPolicy(FsyncPolicy policy);
  // Switches the log on: bytes appended from now on are logged, in a new segment. The keyspace up to here is not in the log:
  // the caller takes a snapshot. Switches it off: what was appended is made durable, the log is ended cleanly, then only
  // LSNs grow. Both wait for the log thread; Enable fails, and the log stays off, when the segment cannot be created.
  Status Enable();
  Status Disable();
  bool enabled() const;

  // The next commit starts a new segment. Does not wait.
  Status RotateSegment();
  // Removes segments that only hold bytes before `lsn`. Never the current one. The removal is durable on return.
  Status DropSegmentsBefore(Lsn lsn);
  // Bytes of the stream between the two LSNs that are in files: less than the difference where LSNs leap.
  uint64_t StreamBytesBetween(Lsn from, Lsn to) const;
  LogStats stats() const;
  // The newest segment that is durably there, for the manifest: a later start without it is one with a file missing. 0 without.
  uint64_t newest_file_id() const;

  // Makes everything durable, writes the clean-end frame, syncs, and stops the threads. Nothing may be appended afterwards.
  // On failure the directory is as after a crash, and the Status says what is missing.
  Status CloseCleanly();

 private:
  LogWriter();

  LogOptions options_;                    // constant after Open()
  std::unique_ptr<ThreadWaker> waker_;    // self-synchronised
  std::unique_ptr<SegmentSet> segments_;  // self-synchronised
  std::unique_ptr<AppendBuffer> buffer_;  // self-synchronised
  std::unique_ptr<CommitState> state_;    // self-synchronised
  std::unique_ptr<GroupCommit> commit_;   // the log thread; last, so that it ends first
};

}  // namespace cairn
