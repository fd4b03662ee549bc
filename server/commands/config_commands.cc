// CONFIG.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/numbers.h"
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

using Words = std::vector<std::string>;

std::vector<std::pair<std::string_view, std::string_view>> PairsOf(const Words& words) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (size_t i = 0; i + 1 < words.size(); i += 2) pairs.emplace_back(words[i], words[i + 1]);
  return pairs;
}

void ConfigSet(CommandContext& context) {
  if (context.args.size() % 2 != 0) return context.SyntaxError();
  Session& session = SessionOf(context);
  Config& config = session.server().config();
  Config::SetContext set;
  set.loading = session.server().loading();
  set.protected_allowed = Config::ProtectedAllowed(config.Number("enable-protected-configs"), IsLocalClient(session));
  Words words(context.args.begin() + 2, context.args.end());
  const bool switches_log =
      std::any_of(words.begin(), words.end(), [](const std::string& word) { return EqualsIgnoreCase(word, "appendonly"); });
  const bool may_wait = !ThisThreadHoldsShards();
  if (!may_wait || !switches_log) {
    const std::optional<Status> done = config.TrySet(PairsOf(words), set);
    if (done) return ReplyStatus(context.reply, *done);
    if (!may_wait) return context.reply.Error(Config::kTurnTaken);
  }
  AnswerLater(session, [&config, words = std::move(words), set] { return config.Set(PairsOf(words), set); });
}

// The file is written and synced by the worker; only inside EXEC, which must not wait for others, on this thread.
void ConfigRewrite(CommandContext& context) {
  Session& session = SessionOf(context);
  Config& config = session.server().config();
  if (ThisThreadHoldsShards()) return ReplyStatus(context.reply, config.Rewrite(false, false));
  AnswerLater(session, [&config] { return config.Rewrite(); });
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
