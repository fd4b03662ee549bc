// Runs commands: refusal, memory, admission, locks, handler, log, stripes, events, unlock. Everything that changes the keyspace while
// the store serves goes through here or through the background worker.
//
// The way of one write:
//   1. The gate and the log's admission are asked before any lock: refused (an error reply), parked (nothing happened), or go on.
//   2. Over maxmemory, eviction takes its own locks; if that was not enough the command is refused.
//   3. The keys are hashed, their shards locked in index order.
//   4. The handler changes the keyspace and writes the reply; what it recorded, or its own arguments, become one unit of the log.
//   5. Commands that waited for a key which is ready now run, too, and add to the unit (serve_waiters.cc). Their shards were locked in
//      step 3, so nobody comes between.
//   6. The unit is appended, its LSN put into the stripes of the touched keys, events handed on, the shards unlocked.
// Threads: any; each call uses memory of its thread that is kept between calls, so that the common path allocates nothing.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/client.h"
#include "engine/store.h"
#include "engine/store_core.h"

namespace cairn {

struct BlockRequest;
struct ExecutionScratch;
struct RunPorts;
class ShardLocks;

class Executor {
 public:
  // `evict` frees memory until the limit is met: false where it could not. Called with no lock held.
  Executor(StoreCore& core, std::function<bool()> evict);

  Outcome Execute(Client& client, const Request& request, ReplySink& reply);
  Outcome ExecuteTransaction(Client& client, ReplySink& reply);
  void Unwatch(Client& client);
  bool CancelWait(Waiter& waiter);
  // Serves, as a unit of its own, whoever waits for keys that became ready where not all locks were held that serving them takes. With no
  // lock held.
  void ServeKeys(std::vector<ReadyKey> ready);
  // The store is closed: nobody will be served any more. Whoever waits hears so: its `done` gets no reply (null).
  void EndAllWaits();
  void Prefetch(std::span<const KeyRef> keys, uint32_t database);
  // The error text that a command with these flags gets now; empty where it may run. `queueing`: it would only be queued by MULTI.
  std::string RefusalOf(uint32_t flags, bool queueing);

 private:
  enum class Verdict : uint8_t { kRun, kPark, kError };

  // Steps 1 and 2. With kError the text is in *error.
  Verdict CheckWrite(uint32_t flags, size_t bytes, std::string* error);
  Verdict CheckMemory(uint32_t flags, std::string* error);
  bool OverMemoryLimit();
  // P5: while the log refuses, what a crash could still undo must not be read; nor anything of a store that is closed.
  bool MayNotRead(const CommandRow& row, std::span<const KeyRef> keys) const;
  // Runs one handler and records its arguments where it left that to us.
  void RunHandler(const CommandRow& row, ArgSpan args, std::span<const SharedBytes> owners, std::span<const KeyRef> keys,
                  Client& client, ChangeScope& scope, ReplySink& reply, RunPorts ports);
  // The same for a command that may wait: if it does, it is registered.
  void RunBlocking(Client& client, const Request& request, std::span<const KeyRef> keys, ExecutionScratch& scratch,
                   ReplySink& reply);
  Lsn ExecuteLocked(Client& client, const Request& request, std::span<const KeyRef> keys, const ShardSet& shards,
                    ExecutionScratch& scratch, ReplySink& reply);
  // What the command asked for before it changes anything: done by the client's port, or here, and then the command is run again.
  Outcome WorkApart(Client& client, const Request& request, const std::shared_ptr<ApartWork>& work, ReplySink& reply);
  // Bytes of the shard of a single key, or of the whole keyspace: to see what a command made it grow by.
  int64_t MemoryOf(std::span<const KeyRef> keys) const;
  Outcome Finished(Lsn visible) const;
  // For a reply that waits: all that it shows is these keys; none where it shows, or did, anything else.
  static void NoteReads(Client& client, std::span<const KeyRef> keys);

  // Waiting for keys (serve_waiters.cc).
  // Takes also the locks that serving whoever waits for one of these keys takes.
  void LockForWaiters(ShardLocks& locks, std::span<const KeyRef> keys) const;
  ShardSet ShardsForWaiters(const ShardSet& locked, std::span<const KeyRef> keys) const;
  void ServeReady(ExecutionScratch& scratch);
  void ServeKey(const ReadyKey& ready, ExecutionScratch& scratch);
  bool ServeWaiter(const std::shared_ptr<Waiter>& waiter, std::string_view ready_name, ExecutionScratch& scratch);
  void WakeLater(const Waiter& waiter, const BlockRequest& block);
  // Ends a unit whose locks are held: serves, commits, hands out the replies of whoever was served. Returns what the command's own reply
  // waits for.
  Lsn FinishUnit(ExecutionScratch& scratch);

  // A transaction's parts.
  struct Plan;
  Outcome AbortTransaction(Client& client, ReplySink& reply, const std::string& reason);
  void EndTransaction(Client& client);
  void MakePlan(Client& client, Plan& plan);
  Lsn RunPlan(Client& client, Plan& plan, ExecutionScratch& scratch, ReplySink& reply);

  StoreCore& core_;
  const std::function<bool()> evict_;
  const CommandRow* const unwatch_row_;
  const CommandRow* const discard_row_;
};

}  // namespace cairn
