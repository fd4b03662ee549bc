// MULTI, EXEC, DISCARD, WATCH and UNWATCH: the state of the client's transaction. Queueing is the session's business.
//
// Two of these need what a handler, which runs under the locks of its keys only, cannot do; the store does it:
//  - EXEC takes the locks of all queued commands' keys: Store::ExecuteTransaction is called instead of the handler.
//  - DISCARD and UNWATCH end watches on keys of any shard: after their handlers succeeded the store calls Unwatch outside of all locks.

#include <memory>

#include "engine/commands/command_context.h"

namespace cairn {
namespace {

void Multi(CommandContext& context) {
  if (context.client.transaction.open) return context.reply.Error("ERR MULTI calls can not be nested");
  context.client.transaction = {};
  context.client.transaction.open = true;
  context.reply.Ok();
}

void Exec(CommandContext& context) {
  context.reply.Error(context.client.transaction.open ? "ERR EXEC is not allowed here" : "ERR EXEC without MULTI");
}

void Discard(CommandContext& context) {
  if (!context.client.transaction.open) return context.reply.Error("ERR DISCARD without MULTI");
  context.client.transaction = {};
  context.reply.Ok();
}

void Watch(CommandContext& context) {
  Client& client = context.client;
  if (client.transaction.open) return context.reply.Error("ERR WATCH inside MULTI is not allowed");
  if (client.watch == nullptr) client.watch = std::make_shared<WatchState>();
  // Once a watched key has changed EXEC fails whatever else is watched.
  if (!client.watch->dirty.load(std::memory_order_relaxed)) {
    for (const KeyRef& key : context.keys()) context.keyspace.Watch(client.watch, context.database(), key, context.now_ms());
  }
  context.reply.Ok();
}

void Unwatch(CommandContext& context) { context.reply.Ok(); }

constexpr uint32_t kTransactionFlags = kNoScript | kLoading | kStale | kFast | kAllowBusy;

constexpr CommandRow kRows[] = {
    {.name = "multi",
     .arity = 1,
     .flags = kTransactionFlags | kRunsUnqueued,
     .categories = kAclTransaction,
     .handler = Multi,
     .summary = "Starts a transaction: commands are queued until EXEC.",
     .since = "1.2.0",
     .group = "transactions",
     .complexity = "O(1)"},
    {.name = "exec",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kSkipSlowlog | kRunsUnqueued,
     .categories = kAclTransaction,
     .handler = Exec,
     .summary = "Runs the queued commands as one.",
     .since = "1.2.0",
     .group = "transactions",
     .complexity = "That of the queued commands"},
    {.name = "discard",
     .arity = 1,
     .flags = kTransactionFlags | kRunsUnqueued,
     .categories = kAclTransaction,
     .handler = Discard,
     .summary = "Drops the queued commands and all watches.",
     .since = "2.0.0",
     .group = "transactions",
     .complexity = "O(N) for N queued commands"},
    {.name = "watch",
     .arity = -2,
     .flags = kTransactionFlags | kRunsUnqueued,
     .categories = kAclTransaction,
     .keys = {1, -1, 1, kKeyRead | kKeyForMetadata},
     .handler = Watch,
     .summary = "Lets the next EXEC fail if one of these keys changes before it.",
     .since = "2.2.0",
     .group = "transactions",
     .complexity = "O(1) for each key",
     .syntax = "key [key ...]"},
    {.name = "unwatch",
     .arity = 1,
     .flags = kTransactionFlags,
     .categories = kAclTransaction,
     .handler = Unwatch,
     .summary = "Drops all watches.",
     .since = "2.2.0",
     .group = "transactions",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterTransactionCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
