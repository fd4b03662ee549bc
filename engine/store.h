// The embeddable store: opens a directory, recovers it, executes commands durably, snapshots, closes. The server is one user of it.
//
// Threads: a Store is used from any number of threads; each Client and each ReplySink by one at a time. The store runs threads of
// its own, from Open to Close: docs/ARCHITECTURE.md lists them.
// Durability: see Durability below and DESIGN.md (promises P1, P2, P5). Errors of commands are RESP errors in the reply; errors of the
// store itself are Status values.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "engine/client.h"
#include "engine/commands/command_table.h"
#include "engine/commands/reply_sink.h"
#include "engine/keyspace/change_scope.h"
#include "engine/reply_value.h"
#include "engine/store_options.h"

namespace cairn {

class Entry;
class Keyspace;
class LogWriter;

// One command as it arrives. `row` is what the store's command table finds for `args`. `owners` is empty or parallel to `args` (see
// StringSource). `keys` may be empty: the store hashes then.
struct Request {
  const CommandRow* row = nullptr;
  ArgSpan args;
  std::span<const SharedBytes> owners;
  std::span<const KeyRef> keys;
  int64_t now_ms = 0;          // the time the command sees (Unix ms); 0: the store asks its clock
  ApartWork* apart = nullptr;  // done for this very request; see WaitPort::OnApartWork
};

struct Outcome {
  enum class Kind : uint8_t {
    kDone,     // a reply was written (possibly an error)
    kParked,   // nothing was executed or written: try again after the progress listener fired (log or snapshot buffers are full)
    kBlocked,  // nothing was written: the client's WaitPort answers later
    kApart,    // nothing was executed or written: the client's WaitPort executes it again
  };
  Kind kind = Kind::kDone;
  bool refused = false;  // kDone: the reply says why nothing was executed (OOM, MISCONF)
  // The reply may leave once durable_lsn() >= visible_lsn (0: at once). Always 0 unless the policy is `always`.
  Lsn visible_lsn = 0;
};

struct BackupRequest {
  std::string directory;         // where to; must not exist, or be empty
  std::string incremental_from;  // an earlier backup of this store, whose files are shared where they are the same; empty: none
};
struct BackupReport {
  Lsn lsn = 0;  // the copy equals the store here
  int64_t unix_ms = 0;
  uint64_t files = 0, linked_files = 0;
  uint64_t copied_bytes = 0, total_bytes = 0;
};

class Store {
 public:
  // Opens or creates `options.directory`, takes its lock, recovers it with all threads (kLocked, kDamaged, kNewerFormat, kIoError,
  // kNoSpace with a message that names the file and what to do; nothing is changed on disk then). Blocks until recovered;
  // `progress` is called about once a second meanwhile, from the calling thread.
  struct Progress {
    std::string_view phase;
    uint64_t done_bytes;
    uint64_t total_bytes;
    uint64_t keys;
  };
  static Result<std::unique_ptr<Store>> Open(StoreOptions options,
                                             const std::function<void(const Progress&)>& progress = nullptr);
  ~Store();  // Close(), if it was not called

  // --- executing (any thread) -----------------------------------------------------------------------------------------------
  // Runs one command for the client: checks memory, admission and writes' refusal, locks, runs the handler, logs, unlocks. The caller
  // has checked the call (CommandTable::CheckCall) and what is the server's business (authentication, MULTI queueing).
  Outcome Execute(Client& client, const Request& request, ReplySink& reply);
  // Runs client.transaction's commands as EXEC (with its replies, EXECABORT and nil for a broken WATCH) and closes it.
  Outcome ExecuteTransaction(Client& client, ReplySink& reply);
  // Forgets the client's watched keys; call it before a client with a watch goes away.
  void Unwatch(Client& client);
  // Ends the wait of a command that answered kBlocked through WaitPort::OnBlocked (timeout, the client left). True: nobody will be served
  // by it any more, its `done` is never called. False: it was served already. With no lock held; once it returns the waiter is no
  // longer looked at by anybody else.
  bool CancelWait(Waiter& waiter);
  // Overlaps the cache misses of commands about to be executed: `keys` are theirs, in their order.
  void Prefetch(std::span<const KeyRef> keys, uint32_t database);

  // For embedded use: checks the call, executes (MULTI queues, EXEC runs), waits until the reply is durable where `wait` says so, and
  // while the log or a snapshot asks writers to wait. The reply comes in RESP2 shapes.
  enum class Durability : uint8_t { kAwait, kDoNotAwait };
  ReplyValue Run(Client& client, std::span<const std::string_view> args, Durability wait = Durability::kAwait);
  ReplyValue Run(Client& client, std::initializer_list<std::string_view> args, Durability wait = Durability::kAwait);
  // Every live key of a database; `visit` runs under the key's shard lock: it must be short and must not use the store. Keys that are
  // there all the while are visited at least once. What it shows may not be durable yet. Nothing is visited after Close().
  void ForEachKey(uint32_t database, const std::function<void(std::string_view key, const Entry& entry)>& visit);
  // The error text that a command gets now because of its flags (OOM, MISCONF), empty where none: what MULTI asks before it queues.
  std::string RefusalOf(const CommandRow& row, bool queueing);
  // Memory of clients' buffers, counted into used memory and against maxmemory.
  void AddClientMemory(int64_t delta_bytes);
  // Keys and fields that are due are hidden but stay, until this is called with false.
  void HoldExpiry(bool hold);

  // --- durability -----------------------------------------------------------------------------------------------------------
  Lsn durable_lsn() const;  // any thread, no lock
  Lsn end_lsn() const;
  Status WaitDurable(Lsn lsn);
  // A reply waits for its keys' stripes, which other keys share. After a failed write or sync that would be until the disk works again;
  // so whoever holds back a reply then asks for its keys by themselves, by Client::read_hashes and the outcome's visible_lsn, and
  // lets it go where they were durable. Any thread, no lock held. kUndurable also where there are no hashes or nothing has failed.
  enum class ReadState : uint8_t { kUndurable, kDurable, kUnknown /* a commit is under way: ask again in a moment */ };
  ReadState StateOfReads(std::span<const uint64_t> read_hashes, Lsn visible_lsn);
  // Between these two a thread executes a batch of commands whose replies it keeps until the batch ends. With `always` the end writes
  // and syncs a small batch itself, where the disk is quick and nobody else is at it, which saves waking the log's thread and being
  // woken by it; durable_lsn() has grown on return then. A batch is the thread's own; no lock may be held at its end.
  void BeginBatch();
  void EndBatch();
  // Called from store threads, or from EndBatch, whenever durable_lsn() grew or a parked command may run again; must only wake its threads.
  void SetProgressListener(std::function<void()> listener);
  void SetChangeListener(ChangeListener* listener);  // null: none; must outlive the store or be unset

  // --- snapshots ------------------------------------------------------------------------------------------------------------
  // Starts a snapshot in the background (kUnavailable while one is under way); `rotate_first`: the
  // log goes on in a new segment from the cut, so that what the snapshot covers can be dropped whole (a compaction). `done`, if given,
  // is called from a store thread when it is durable and named in the manifest, or failed.
  Status StartSnapshot(bool rotate_first, std::function<void(const Status&)> done = nullptr,
                       SnapshotPace pace = SnapshotPace::kPolite);
  // Writes an RDB file that Redis 7.0 loads, of the data set as it is now, in the background and without holding up anybody; kUnavailable
  // while a snapshot or another such file is under way. `done` is called from a store thread when the file is whole and synced under its
  // name, or failed; where it fails, what was there before stays.
  Status StartRdbExport(std::string path, std::function<void(const Status&)> done = nullptr);
  Status SaveAndWait();  // a snapshot, awaited, after one under way; any thread that holds no lock, but not in a `done`
  // Copies the store as it is now to a directory that can be opened like this one (engine/backup.h); on OK the copy was read again and is
  // durable. Others go on meanwhile. Absolute paths only. One at a time (kUnavailable); Close() ends it. Any thread that holds no lock.
  Result<BackupReport> Backup(const BackupRequest& request);

  // --- administration -------------------------------------------------------------------------------------------------------
  // Settings that may change while running (maxmemory, policy, appendfsync, appendonly, save points...); kInvalidArgument where not. All or
  // nothing. Switching the log on returns at once: a start finds what is logged when Info().log_awaits_snapshot is false again. Switching
  // it off waits for the disk. kUnavailable inside EXEC while somebody else changes settings or reloads.
  StoreOptions options() const;
  Status UpdateOptions(const std::function<void(RuntimeOptions&)>& change);
  // Waits until a log that was switched on is one that a start reads, with a snapshot of its own where one is needed. Fails where that
  // cannot be made: Close() would lose what was written since. Any thread that holds no lock.
  Status FinishEnablingLog();
  StoreInfo Info() const;  // counters for INFO; any thread
  // DEBUG RELOAD / LOADAOF: snapshots (or not), empties the keyspace and loads it again from disk with everybody locked out.
  Status Reload(bool snapshot_first);
  // Ends: awaits the log, writes a clean end (and a snapshot if asked), releases the directory. Commands afterwards are refused.
  Status Close(bool snapshot);

  Keyspace& keyspace();
  LogWriter& log();
  CommandTable& commands();  // register further rows before the first Execute

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  Status AwaitReply(const Client& client, Lsn visible_lsn);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cairn
