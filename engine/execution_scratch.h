// Memory that one thread's executions use again and again, so that a command allocates nothing of its own.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/scratch.h"
#include "base/status.h"
#include "engine/commands/command_context.h"
#include "engine/commands/command_table.h"
#include "engine/keyspace/change_scope.h"
#include "engine/keyspace/key_ref.h"
#include "engine/keyspace/waiters.h"
#include "engine/recording_sink.h"
#include "engine/store_core.h"

namespace cairn {

// A command that waited and has run, whose client hears its reply when the unit's LSN is known.
struct ServedWaiter {
  std::shared_ptr<Waiter> waiter;
  std::shared_ptr<RecordingSink> reply;
};

struct ExecutionScratch {
  ChangeScope scope;
  std::vector<int> indexes;
  std::vector<KeyRef> keys;
  bool blocked = false;  // the command waits for a key
  DeferredReply deferred;
  std::shared_ptr<ApartWork> apart;  // that the command asks for
  std::vector<ServedWaiter> served;
  std::vector<ReadyKey> left_ready;  // whose waiters need shards that are not locked

  // Hashes the keys of a call into `keys`; the error's message is Redis's text.
  Status FindKeys(const CommandRow& row, ArgSpan args) {
    if (row.get_keys == nullptr && row.keys.last == row.keys.first) [[likely]] {
      if (static_cast<size_t>(row.keys.first) >= args.size()) {
        return Status::InvalidArgument("ERR Invalid arguments specified for command");
      }
      keys.push_back(KeyRef::Of(args[row.keys.first]));
      return Status::Ok();
    }
    CAIRN_RETURN_IF_ERROR(CommandTable::KeyIndexes(row, args, &indexes));
    for (const int index : indexes) keys.push_back(KeyRef::Of(args[index]));
    return Status::Ok();
  }
  void Clear() {
    scope.Clear();
    ClearScratch(indexes);
    ClearScratch(keys);
    blocked = false;
    deferred.produce = nullptr;
    if (apart != nullptr) [[unlikely]]
      apart.reset();
    served.clear();
    left_ready.clear();
  }
};

// Shard locks for one execution; tells the thread that it holds them.
class ShardLocks {
 public:
  ShardLocks(Keyspace& keyspace, const ShardSet& shards) : keyspace_(keyspace), shards_(shards) {
    if (shards_.any()) keyspace_.LockShards(shards_);
    ThisThreadHoldsShards() = shards_.any();
  }
  ~ShardLocks() {
    ThisThreadHoldsShards() = false;
    if (shards_.any()) keyspace_.UnlockShards(shards_);
  }
  ShardLocks(const ShardLocks&) = delete;
  ShardLocks& operator=(const ShardLocks&) = delete;

  const ShardSet& shards() const { return shards_; }
  // Gives all back and takes these as well, in order: what was seen under the locks before may have changed.
  void Extend(const ShardSet& more) {
    keyspace_.UnlockShards(shards_);
    shards_ |= more;
    keyspace_.LockShards(shards_);
  }

 private:
  Keyspace& keyspace_;
  ShardSet shards_;
};

// Borrows the thread's scratch for one execution; an execution inside another (a handler that uses the store) gets a second one.
class ScratchLease {
 public:
  ScratchLease() {
    Pool& pool = ThreadPool();
    if (pool.used == pool.all.size()) pool.all.push_back(std::make_unique<ExecutionScratch>());
    scratch_ = pool.all[pool.used++].get();
  }
  ~ScratchLease() {
    scratch_->Clear();
    ThreadPool().used--;
  }
  ScratchLease(const ScratchLease&) = delete;
  ScratchLease& operator=(const ScratchLease&) = delete;
  ExecutionScratch* operator->() { return scratch_; }
  ExecutionScratch& operator*() { return *scratch_; }

 private:
  struct Pool {
    std::vector<std::unique_ptr<ExecutionScratch>> all;
    size_t used = 0;
  };
  static Pool& ThreadPool() {
    thread_local Pool pool;
    return pool;
  }
  ExecutionScratch* scratch_;
};

// What `maxmemory` is compared with.
uint64_t UsedMemoryBytes(const StoreCore& core);

}  // namespace cairn
