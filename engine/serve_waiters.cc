// Commands that wait for a key: how they are registered, served and sent away (the executor's part of CommandContext::Block).
//
//   1. A handler finds nothing and calls Block(): a waiter is registered under its keys, with their locks held.
//   2. A command that may change a key somebody waits for takes, before it runs, the locks of everything that serving them may touch.
//   3. What touches such a key notes it in the scope. After the command (the last of a transaction) the waiters of the noted keys run,
//      first come, first served, until none finds anything; what they touch may be waited for again.
//   4. All of that is one unit of the log; the replies are handed out once its LSN is known.
// Keys that become ready where step 2 did not look (an expired stream that a read deletes, eviction) are served in a unit of their own as
// soon as the locks are released; so are those whose waiters asked to look again at a time that has come (timed_wakes.h).

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "engine/commands/command_context.h"
#include "engine/execution_scratch.h"
#include "engine/executor.h"
#include "engine/keyspace/shard.h"

namespace cairn {
namespace {

constexpr int64_t kLookAgainMostMs = 60'000;
constexpr int64_t kServeAgainMs = 20;
constexpr int kClosureRounds = 4;  // of locking more shards before all are taken

std::optional<ValueType> TypeOf(Keyspace& keyspace, ChangeScope& scope, uint32_t database, const KeyRef& key) {
  const Entry* const entry = keyspace.Find(scope, database, key, Keyspace::Access::kPeek);
  return entry == nullptr ? std::nullopt : std::optional(entry->type());
}

std::shared_ptr<Waiter> MakeWaiter(const Client& client, const Request& request, const BlockRequest& block, int protocol) {
  auto waiter = std::make_shared<Waiter>();
  waiter->database = client.database;
  waiter->no_touch = client.no_touch;
  waiter->row = request.row;
  if (block.args.empty()) {
    for (const std::string_view arg : request.args) waiter->args.push_back(SharedBytes::Copy(arg));
  } else {
    for (const std::string& arg : block.args) waiter->args.push_back(SharedBytes::Copy(arg));
  }
  std::vector<std::string_view> views;
  for (const SharedBytes& arg : waiter->args) views.push_back(arg.view());
  std::vector<int> indexes;
  CAIRN_CHECK(CommandTable::KeyIndexes(*request.row, views, &indexes).ok());
  for (const int index : indexes) {
    waiter->keys.push_back(KeyRef::Of(views[static_cast<size_t>(index)]));
    waiter->needs.set(waiter->keys.back().shard());
  }
  waiter->waited_keys = std::min(block.options.waited_keys, waiter->keys.size());
  waiter->wanted = block.options.wanted;
  waiter->wake_on_gone = block.options.wake_on_gone;
  waiter->timeout_ms = block.options.timeout_ms;
  waiter->protocol = protocol;
  return waiter;
}

}  // namespace

void Executor::RunBlocking(Client& client, const Request& request, std::span<const KeyRef> keys, ExecutionScratch& scratch,
                           ReplySink& reply) {
  BlockRequest block;
  const bool may_wait = client.wait_port != nullptr && !core_.gate_has(kGateClosed);
  RunHandler(*request.row, request.args, request.owners, keys, client, scratch.scope, reply,
             {may_wait ? &block : nullptr, &scratch.deferred});
  if (!block.asked) return;
  const std::shared_ptr<Waiter> waiter = MakeWaiter(client, request, block, reply.protocol());
  CAIRN_CHECK((waiter->needs & ~scratch.scope.locked_shards).none());
  client.wait_port->OnBlocked(waiter);
  core_.keyspace->AddWaiter(waiter);
  WakeLater(*waiter, block);
  scratch.blocked = true;
}

// For a time far away it is looked in between, so that what a waiter asked for is not kept long after it left.
void Executor::WakeLater(const Waiter& waiter, const BlockRequest& block) {
  for (const BlockRequest::LookAgain& again : block.look_again) {
    const int64_t at_ms = std::min(again.at_ms, core_.clock.WallMs() + kLookAgainMostMs);
    core_.timed_wakes.Add(waiter.database, waiter.keys[again.key].name, at_ms);
  }
}

ShardSet Executor::ShardsForWaiters(const ShardSet& locked, std::span<const KeyRef> keys) const {
  ShardSet needs;
  std::vector<KeyRef> open(keys.begin(), keys.end());
  std::unordered_set<std::string_view> seen;
  while (!open.empty()) {
    const KeyRef key = open.back();
    open.pop_back();
    needs.set(key.shard());
    if (!locked[key.shard()]) continue;  // looked at again when it is
    WaiterTable& table = core_.keyspace->shard(key.shard()).waiters;
    WaiterTable::Queue* const queue = table.empty() ? nullptr : table.Find(key.name);
    if (queue == nullptr || !seen.insert(key.name).second) continue;
    needs |= queue->needs;
    if (queue->with_destination == 0) continue;
    for (const std::shared_ptr<Waiter>& waiter : queue->waiters) {
      for (size_t i = waiter->waited_keys; i < waiter->keys.size(); i++) open.push_back(waiter->keys[i]);
    }
  }
  return needs;
}

void Executor::LockForWaiters(ShardLocks& locks, std::span<const KeyRef> keys) const {
  const bool awaited = std::any_of(keys.begin(), keys.end(), [&](const KeyRef& key) {
    WaiterTable& table = core_.keyspace->shard(key.shard()).waiters;
    return !table.empty() && table.Find(key.name) != nullptr;
  });
  if (!awaited) [[likely]]
    return;
  for (int round = 1; !locks.shards().all(); round++) {
    ShardSet needs = ShardsForWaiters(locks.shards(), keys);
    if ((needs & ~locks.shards()).none()) return;
    if (round == kClosureRounds) needs.set();
    locks.Extend(needs);
  }
}

void Executor::ServeReady(ExecutionScratch& scratch) {
  while (scratch.scope.has_ready()) {
    for (const ReadyKey& ready : scratch.scope.TakeReady()) ServeKey(ready, scratch);
  }
}

void Executor::ServeKey(const ReadyKey& ready, ExecutionScratch& scratch) {
  ChangeScope& scope = scratch.scope;
  const KeyRef key = KeyRef::Of(ready.name);
  WaiterTable& table = core_.keyspace->shard(key.shard()).waiters;
  WaiterTable::Queue* queue = table.Find(ready.name);
  if (queue == nullptr) return;
  std::optional<ValueType> type = TypeOf(*core_.keyspace, scope, ready.database, key);
  for (auto at = queue->waiters.begin(); at != queue->waiters.end();) {
    if (!type && queue->wake_on_gone == 0) return;
    const std::shared_ptr<Waiter> waiter = *at;
    ++at;
    if (waiter->database != ready.database) continue;
    if (type != waiter->wanted && !waiter->wake_on_gone) continue;
    if ((waiter->needs & ~scope.locked_shards).any()) {
      scratch.left_ready.push_back(ready);  // those behind it must not overtake it
      return;
    }
    if (!ServeWaiter(waiter, ready.name, scratch)) continue;
    queue = table.Find(ready.name);
    if (queue == nullptr) return;
    type = TypeOf(*core_.keyspace, scope, ready.database, key);
  }
}

bool Executor::ServeWaiter(const std::shared_ptr<Waiter>& waiter, std::string_view ready_name, ExecutionScratch& scratch) {
  Client client;  // the waiter's own belongs to another thread
  client.database = waiter->database;
  client.no_touch = waiter->no_touch;
  std::vector<std::string_view> args;
  args.reserve(waiter->args.size());
  for (const SharedBytes& arg : waiter->args) args.push_back(arg.view());
  BlockRequest block;
  block.ready_key = 0;
  while (waiter->keys[block.ready_key].name != ready_name) block.ready_key++;
  auto reply = std::make_shared<RecordingSink>(waiter->protocol);
  RunHandler(*waiter->row, args, {}, waiter->keys, client, scratch.scope, *reply, {&block, nullptr});
  if (block.asked) {
    WakeLater(*waiter, block);
    return false;
  }
  CAIRN_CHECK(core_.keyspace->RemoveWaiter(*waiter));
  scratch.served.push_back({waiter, std::move(reply)});
  return true;
}

Lsn Executor::FinishUnit(ExecutionScratch& scratch) {
  ChangeScope& scope = scratch.scope;
  if (scope.has_ready()) [[unlikely]]
    ServeReady(scratch);
  const Lsn lsn = core_.CommitUnit(scope, true);
  // Stripes are other threads' cache lines: looked at only where a reply may have to wait.
  const bool waits = core_.replies_wait_for_disk.load(std::memory_order_relaxed);
  const Lsn visible = waits ? core_.VisibleLsn(scope, lsn) : 0;
  if (scratch.served.empty()) [[likely]]
    return visible;
  for (ServedWaiter& served : scratch.served) served.waiter->done(std::move(served.reply), visible);
  return visible;
}

void Executor::ServeKeys(std::vector<ReadyKey> ready) {
  while (!ready.empty() && !core_.gate_has(kGateLogRefuses | kGateClosed)) {
    ScratchLease scratch;
    core_.FillScope(scratch->scope, core_.clock.WallMs());
    ShardSet shards;
    for (const ReadyKey& key : ready) {
      scratch->keys.push_back(KeyRef::Of(key.name));
      shards.set(scratch->keys.back().shard());
      scratch->scope.Ready(key.database, key.name);
    }
    {
      ShardLocks locks(*core_.keyspace, shards);
      LockForWaiters(locks, scratch->keys);
      scratch->scope.locked_shards = locks.shards();
      FinishUnit(*scratch);
    }
    std::vector<ReadyKey> left = std::move(scratch->left_ready);
    ready = std::move(left);
  }
  // Whom the log has just begun to refuse nobody else remembers.
  const int64_t again_ms = core_.clock.WallMs() + kServeAgainMs;
  for (const ReadyKey& key : ready) core_.timed_wakes.Add(key.database, key.name, again_ms);
}

bool Executor::CancelWait(Waiter& waiter) {
  const ShardLocks locks(*core_.keyspace, waiter.needs);
  return core_.keyspace->RemoveWaiter(waiter);
}

void Executor::EndAllWaits() {
  const ShardLocks locks(*core_.keyspace, AllShards());
  std::vector<std::shared_ptr<Waiter>> waiters;
  for (uint32_t shard = 0; shard < kShardCount; shard++) {
    core_.keyspace->shard(shard).waiters.ForEachName([&](std::string_view, const WaiterTable::Queue& queue) {
      waiters.insert(waiters.end(), queue.waiters.begin(), queue.waiters.end());
    });
  }
  for (const std::shared_ptr<Waiter>& waiter : waiters) {
    if (core_.keyspace->RemoveWaiter(*waiter)) waiter->done(nullptr, 0);
  }
}

}  // namespace cairn
