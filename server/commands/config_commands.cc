// CONFIG.
#include <vector>

#include "engine/commands/command_help.h"
#include "engine/store_core.h"
#include "server/admin_worker.h"
#include "server/commands/registry.h"
#include "server/config/config.h"
#include "server/pubsub/hub.h"
#include "server/server.h"
#include "server/session.h"
#include "server/stats.h"

namespace cairn {
namespace {

void ConfigGet(CommandContext& context) {
  const auto found = SessionOf(context).server().config().Get(context.args.subspan(2));
  context.reply.Map(found.size());
  for (const auto& [name, value] : found) {
    context.reply.Bulk(name);
    context.reply.Bulk(value);
  }
}

void ConfigSet(CommandContext& context) {
  if (context.args.size() % 2 != 0) return context.SyntaxError();
  Session& session = SessionOf(context);
  Config& config = session.server().config();
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (size_t i = 2; i + 1 < context.args.size(); i += 2) pairs.emplace_back(context.args[i], context.args[i + 1]);
  Config::SetContext set;
  set.loading = session.server().loading();
  set.protected_allowed = Config::ProtectedAllowed(config.Number("enable-protected-configs"), IsLocalClient(session));
  set.may_wait = !ThisThreadHoldsShards();
  const Status status = config.Set(pairs, set);
  if (!status.ok()) return context.reply.Error(status.message());
  context.reply.Ok();
}

// The file is written and synced by the worker; only inside EXEC, which must not wait for others, on this thread.
void ConfigRewrite(CommandContext& context) {
  Session& session = SessionOf(context);
  Server& server = session.server();
  if (ThisThreadHoldsShards()) {
    const Status status = server.config().Rewrite(false, false);
    return status.ok() ? context.reply.Ok() : context.reply.Error(status.message());
  }
  session.Block();
  server.admin_worker().Run([&server, id = session.id()] {
    const Status status = server.config().Rewrite();
    server.PostToSession(id, [status](Session& waiting) {
      waiting.Unblock([&](ReplySink& reply) { status.ok() ? reply.Ok() : reply.Error(status.message()); });
    });
  });
}

void ConfigResetStat(CommandContext& context) {
  Server& server = SessionOf(context).server();
  server.stats().Reset();
  if (ThisThreadHoldsShards()) {  // the keyspace's counters lie behind the shards' locks
    server.admin_worker().Run([&server] { server.store().keyspace().ResetStats(); });
  } else if (!server.loading()) {
    context.keyspace.ResetStats();
  }
  context.reply.Ok();
}

constexpr uint32_t kFlags = kAdmin | kNoScript | kLoading | kStale;

constexpr CommandRow kSubcommands[] = {
    {.name = "get",
     .arity = -3,
     .flags = kFlags,
     .handler = ConfigGet,
     .summary = "Answers the directives that match the patterns.",
     .since = "2.0.0",
     .group = "server",
     .complexity = "O(N) for N directives",
     .syntax = "parameter [parameter ...]"},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ReplyHelp,
     .summary = "Lists the subcommands.",
     .since = "5.0.0",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "resetstat",
     .arity = 2,
     .flags = kFlags,
     .handler = ConfigResetStat,
     .summary = "Counts INFO's statistics from zero again.",
     .since = "2.0.0",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "rewrite",
     .arity = 2,
     .flags = kFlags,
     .handler = ConfigRewrite,
     .summary = "Writes the directives as they are now into the configuration file.",
     .since = "2.8.0",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "set",
     .arity = -4,
     .flags = kFlags,
     .handler = ConfigSet,
     .summary = "Changes directives, all of those given or none.",
     .since = "2.0.0",
     .group = "server",
     .complexity = "O(N) for N directives",
     .syntax = "parameter value [parameter value ...]",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
};

constexpr CommandRow kRows[] = {
    {.name = "config",
     .arity = -2,
     .flags = 0,
     .summary = "The server's configuration.",
     .since = "2.0.0",
     .group = "server",
     .complexity = "Depends on subcommand.",
     .subcommands = kSubcommands},
};

}  // namespace

void RegisterConfigCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
