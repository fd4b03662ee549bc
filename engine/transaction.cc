// EXEC: all queued commands under the locks of all their keys and of the watched ones, as one unit of the log.

#include <algorithm>

#include "engine/commands/command_context.h"
#include "engine/execution_scratch.h"
#include "engine/executor.h"

namespace cairn {
namespace {

constexpr size_t kLinkedFromBytes = 16 * 1024;  // smaller arguments are copied into the log, not linked

}  // namespace

// The queued commands with views of their arguments and hashed keys, flattened.
struct Executor::Plan {
  struct Step {
    const CommandRow* row;
    size_t first_arg, arg_count;
    size_t first_key, key_count;
    std::string key_error;  // answered in place of the command
  };
  std::vector<Step> steps;
  std::vector<std::string_view> args;
  std::vector<SharedBytes> owners;  // parallel to args, or empty where no argument is large
  std::vector<KeyRef> keys;
  std::vector<KeyRef> watched;
  ShardSet shards;
  uint32_t flags = 0;
  size_t bytes = 0;

  // A watched key's stripe, and those that a command without its own keys looks at, count beside the keys'.
  bool OnlyReadsItsKeys() const { return !(flags & kWrite) && watched.empty() && !shards.all(); }
};

void Executor::MakePlan(Client& client, Plan& plan) {
  bool large = false;
  for (const QueuedCommand& command : client.transaction.commands) {
    plan.flags |= command.row->flags;
    for (const SharedBytes& arg : command.args) {
      plan.args.push_back(arg.view());
      plan.bytes += arg.size() + 16;
      large = large || arg.size() > kLinkedFromBytes;
    }
  }
  if (large) {
    for (const QueuedCommand& command : client.transaction.commands) {
      for (const SharedBytes& arg : command.args) plan.owners.push_back(arg.size() > kLinkedFromBytes ? arg : SharedBytes());
    }
  }
  size_t first_arg = 0;
  std::vector<int> indexes;
  for (const QueuedCommand& command : client.transaction.commands) {
    Plan::Step step{command.row, first_arg, command.args.size(), plan.keys.size(), 0, ""};
    const ArgSpan args = ArgSpan(plan.args).subspan(first_arg, command.args.size());
    if (command.row->keys.first != 0 || command.row->get_keys != nullptr) {
      const Status found = CommandTable::KeyIndexes(*command.row, args, &indexes);
      if (found.ok()) {
        for (const int index : indexes) plan.keys.push_back(KeyRef::Of(args[index]));
      } else {
        step.key_error = found.message();
      }
    }
    step.key_count = plan.keys.size() - step.first_key;
    first_arg += command.args.size();
    plan.steps.push_back(std::move(step));
  }
  if (client.watch != nullptr) {
    for (const WatchState::Key& watched : client.watch->keys) plan.watched.push_back(KeyRef::Of(watched.name));
  }
  // A command without keys may look at any key (SCAN, RANDOMKEY): under all locks it sees the transaction's own state.
  const bool all = std::any_of(plan.steps.begin(), plan.steps.end(), [&](const Plan::Step& step) {
    return step.row->NeedsAllShards(ArgSpan(plan.args).subspan(step.first_arg, step.arg_count)) ||
           (step.key_count == 0 && (step.row->flags & (kWrite | kReadOnly)) != 0);
  });
  if (all) plan.shards.set();
  for (const KeyRef& key : plan.keys) plan.shards.set(key.shard());
  for (const KeyRef& key : plan.watched) plan.shards.set(key.shard());
}

void Executor::EndTransaction(Client& client) {
  client.transaction.open = false;
  client.transaction.aborted = false;
  client.transaction.commands.clear();
  Unwatch(client);
}

Outcome Executor::AbortTransaction(Client& client, ReplySink& reply, const std::string& reason) {
  EndTransaction(client);
  reply.Error(reason);
  return {};
}

Lsn Executor::RunPlan(Client& client, Plan& plan, ExecutionScratch& scratch, ReplySink& reply) {
  ChangeScope& scope = scratch.scope;
  for (const KeyRef& key : plan.watched) scope.Read(key);
  const bool broken = client.watch != nullptr &&
                      (client.watch->dirty.load(std::memory_order_relaxed) || core_.keyspace->WatchBroken(scope, *client.watch));
  bool may_read_undurable = !core_.gate_has(kGateLogRefuses | kGateClosed);
  if (!broken && !may_read_undurable) {
    for (const Plan::Step& step : plan.steps) {
      const auto keys = std::span(plan.keys).subspan(step.first_key, step.key_count);
      if (!MayNotRead(*step.row, keys)) continue;
      const std::string refusal = core_.ReadRefusalText();
      if (refusal.empty()) {
        may_read_undurable = true;  // as in ExecuteLocked
        break;
      }
      reply.Error("EXECABORT Transaction discarded because of: " + refusal);
      return 0;
    }
  }
  if (broken) {
    reply.NullArray();
  } else {
    reply.Array(plan.steps.size());
    for (const Plan::Step& step : plan.steps) {
      if (!step.key_error.empty()) {
        reply.Error(step.key_error);
        continue;
      }
      const ArgSpan args = ArgSpan(plan.args).subspan(step.first_arg, step.arg_count);
      const auto owners = plan.owners.empty() ? std::span<const SharedBytes>()
                                              : std::span<const SharedBytes>(plan.owners).subspan(step.first_arg, step.arg_count);
      const uint64_t errors = reply.error_count();
      RunHandler(*step.row, args, owners, std::span(plan.keys).subspan(step.first_key, step.key_count), client, scope, reply, {});
      client.OnQueuedCommandRan(*step.row, args, reply.error_count() - errors);
    }
  }
  const Lsn visible = FinishUnit(scratch);
  // As in ExecuteLocked.
  return may_read_undurable || !plan.OnlyReadsItsKeys() ? visible : 0;
}

Outcome Executor::ExecuteTransaction(Client& client, ReplySink& reply) {
  if (!client.transaction.open) {
    reply.Error("ERR EXEC without MULTI");
    return {};
  }
  if (client.transaction.aborted) {
    return AbortTransaction(client, reply, "EXECABORT Transaction discarded because of previous errors.");
  }
  Plan plan;
  MakePlan(client, plan);
  if (plan.flags & kWrite) {
    std::string error;
    const Verdict verdict = CheckWrite(plan.flags, plan.bytes, &error);
    if (verdict == Verdict::kPark) return {.kind = Outcome::Kind::kParked};
    if (verdict == Verdict::kError) {
      return AbortTransaction(client, reply, "EXECABORT Transaction discarded because of: " + error);
    }
  } else if ((plan.flags & kDenyOom) && core_.memory.limited()) {
    std::string error;
    if (CheckMemory(plan.flags, &error) == Verdict::kError) {
      return AbortTransaction(client, reply, "EXECABORT Transaction discarded because of: " + error);
    }
  }
  ScratchLease scratch;
  core_.FillScope(scratch->scope, core_.clock.WallMs());
  client.transaction.open = false;  // the handlers run as outside MULTI
  Lsn visible = 0;
  {
    ShardLocks locks(*core_.keyspace, plan.shards);
    ThisThreadHoldsShards() = true;  // though there may be none: what waits for the store does not belong into a transaction
    if ((plan.flags & kWrite) && core_.keyspace->anybody_waits()) LockForWaiters(locks, plan.keys);
    scratch->scope.locked_shards = locks.shards();
    visible = RunPlan(client, plan, *scratch, reply);
  }
  if (!scratch->left_ready.empty()) ServeKeys(std::move(scratch->left_ready));
  if (core_.memory.limited()) core_.memory.NoteGrowth(static_cast<int64_t>(core_.memory.limit_bytes()));
  EndTransaction(client);
  const Outcome outcome = Finished(visible);
  if (outcome.visible_lsn != 0) NoteReads(client, plan.OnlyReadsItsKeys() ? plan.keys : std::span<const KeyRef>());
  return outcome;
}

}  // namespace cairn
