// INFO, TIME, SHUTDOWN, MONITOR, ROLE and other small ones about the server. Saving is in save_commands.cc.
#include <climits>

#include "base/clock.h"
#include "engine/commands/arg_reader.h"
#include "server/commands/info.h"
#include "server/commands/registry.h"
#include "server/commands/save_commands.h"
#include "server/pubsub/hub.h"
#include "server/server.h"
#include "server/session.h"
#include "server/version.h"

namespace cairn {
namespace {

void Info(CommandContext& context) {
  context.reply.Verbatim("txt", InfoText(SessionOf(context).server(), context.args.subspan(1)));
}

void Time(CommandContext& context) {
  const int64_t now_us = RealClock().WallUs();
  context.reply.Array(2);
  context.reply.Bulk(std::to_string(now_us / 1'000'000));
  context.reply.Bulk(std::to_string(now_us % 1'000'000));
}

void Shutdown(CommandContext& context) {
  int save = -1;
  bool force = false, now = false, abort = false, save_twice = false;
  for (OptionReader options(context, 1); options.More();) {
    if (options.Take("save")) {
      save_twice |= save == 0;
      save = 1;
    } else if (options.Take("nosave")) {
      save_twice |= save == 1;
      save = 0;
    } else if (options.Take("now")) {
      now = true;
    } else if (options.Take("force")) {
      force = true;
    } else if (options.Take("abort")) {
      abort = true;
    } else {
      return context.SyntaxError();
    }
  }
  if (save_twice || (abort && (save >= 0 || force || now))) return context.SyntaxError();
  // Nothing delays a shutdown here (there are no replicas to wait for), so there is never one to call off.
  if (abort) return context.reply.Error("ERR No shutdown in progress.");
  Session& session = SessionOf(context);
  session.Block();
  session.server().RequestShutdown(save, force, session.id());
}

void Monitor(CommandContext& context) {
  if (RefusedInTransaction(context)) return;
  Session& session = SessionOf(context);
  if (!session.is_monitor) session.server().pubsub().monitors().Add(session.id());
  session.is_monitor = true;
  context.reply.Ok();
}

void Role(CommandContext& context) {
  Server& server = SessionOf(context).server();
  Lsn offset = 0;
  if (!server.loading()) {
    const StoreInfo info = server.store().Info();
    if (info.log.end_lsn > info.timeline_base) offset = info.log.end_lsn - info.timeline_base;
  }
  context.reply.Array(3);
  context.reply.Bulk("master");
  context.reply.Integer(static_cast<int64_t>(offset));
  context.reply.Array(0);
}

void ReplicaOf(CommandContext& context) {
  if (EqualsIgnoreCase(context.args[1], "no") && EqualsIgnoreCase(context.args[2], "one")) return context.reply.Ok();
  int64_t port = 0;
  if (!ReadIntBetween(context, 2, 0, 65535, &port, "ERR Invalid master port")) return;
  context.reply.Error("ERR being a replica is not supported by this version of Cairn");
}

void Lolwut(CommandContext& context) {
  context.reply.Verbatim("txt", "A cairn: stones set one on another, so that the way is found again.\n\nRedis ver. " +
                                    std::string(kRedisVersion) + " (Cairn " + std::string(kCairnVersion) + ")\n");
}

constexpr uint32_t kSaving = kNoAsyncLoading | kAdmin | kNoScript;

constexpr CommandRow kRows[] = {
    {.name = "info",
     .arity = -1,
     .flags = kLoading | kStale,
     .categories = kAclDangerous,
     .handler = Info,
     .summary = "Tells about the server and counts what it did.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(1)",
     .syntax = "[section [section ...]]",
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
    {.name = "time",
     .arity = 1,
     .flags = kLoading | kStale | kFast,
     .handler = Time,
     .summary = "Answers the server's time.",
     .since = "2.6.0",
     .group = "server",
     .complexity = "O(1)",
     .tips = "nondeterministic_output"},
    {.name = "lastsave",
     .arity = 1,
     .flags = kLoading | kStale | kFast,
     .categories = kAclAdmin | kAclDangerous,
     .handler = LastSave,
     .summary = "Answers when the last snapshot was made.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(1)",
     .tips = "nondeterministic_output"},
    {.name = "save",
     .arity = 1,
     .flags = kSaving | kNoMulti,
     .handler = Save,
     .summary = "Makes a snapshot and waits for it.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(N) for N keys"},
    {.name = "bgsave",
     .arity = -1,
     .flags = kSaving,
     .handler = BgSave,
     .summary = "Makes a snapshot in the background, or an RDB file that Redis loads.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(1)",
     .syntax = "[SCHEDULE | RDB [filename]]"},
    {.name = "bgrewriteaof",
     .arity = 1,
     .flags = kSaving,
     .handler = BgRewriteAof,
     .summary = "Makes a snapshot in the background and drops the log before it.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "wait",
     .arity = 3,
     .flags = kNoScript,
     .categories = kAclConnection,
     .handler = Wait,
     .summary = "Waits until replicas have the connection's writes.",
     .since = "3.0.0",
     .group = "generic",
     .complexity = "O(1)",
     .syntax = "numreplicas timeout",
     .tips = "request_policy:all_shards response_policy:agg_min"},
    {.name = "waitaof",
     .arity = 4,
     .flags = kNoScript,
     .categories = kAclConnection,
     .handler = WaitAof,
     .summary = "Waits until the connection's writes are on disk here and on replicas.",
     .since = "7.2.0",
     .group = "generic",
     .complexity = "O(1)",
     .syntax = "numlocal numreplicas timeout",
     .tips = "request_policy:all_shards response_policy:agg_min"},
    {.name = "shutdown",
     .arity = -1,
     .flags = kAdmin | kNoScript | kLoading | kStale | kNoMulti | kAllowBusy,
     .handler = Shutdown,
     .summary = "Ends the server, after a snapshot where save points or SAVE ask for it.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(N) for N keys when saving",
     .syntax = "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]"},
    {.name = "monitor",
     .arity = 1,
     .flags = kAdmin | kNoScript | kLoading | kStale,
     .handler = Monitor,
     .summary = "Shows every command as it runs.",
     .since = "1.0.0",
     .group = "server",
     .complexity = ""},
    {.name = "role",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast,
     .categories = kAclAdmin | kAclDangerous,
     .handler = Role,
     .summary = "Answers the server's part in replication.",
     .since = "2.8.12",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "replicaof",
     .arity = 3,
     .flags = kNoAsyncLoading | kAdmin | kNoScript | kStale,
     .handler = ReplicaOf,
     .summary = "Makes the server a replica, or a primary.",
     .since = "5.0.0",
     .group = "server",
     .complexity = "O(1)",
     .syntax = "<host port | NO ONE>"},
    {.name = "slaveof",
     .arity = 3,
     .flags = kNoAsyncLoading | kAdmin | kNoScript | kStale,
     .handler = ReplicaOf,
     .summary = "Makes the server a replica, or a primary.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(1)",
     .syntax = "<host port | NO ONE>",
     .deprecated_since = "5.0.0",
     .replaced_by = "`REPLICAOF`"},
    {.name = "lolwut",
     .arity = -1,
     .flags = kReadOnly | kFast,
     .handler = Lolwut,
     .summary = "Shows the version.",
     .since = "5.0.0",
     .group = "server",
     .complexity = "O(1)",
     .syntax = "[VERSION version]"},
};

}  // namespace

void RegisterAdminCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
