// FUNCTION and SCRIPT as they answer on a server that has no functions and no cached scripts.
#include "base/numbers.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/command_help.h"
#include "server/commands/registry.h"

namespace cairn {
namespace {

// Nothing, or one of SYNC and ASYNC.
bool ReadFlushMode(CommandContext& context, std::string_view error) {
  if (context.args.size() == 2) return true;
  if (context.args.size() == 3 && (EqualsIgnoreCase(context.args[2], "sync") || EqualsIgnoreCase(context.args[2], "async")))
    return true;
  context.reply.Error(error);
  return false;
}

void FunctionFlush(CommandContext& context) {
  if (context.args.size() > 3) return context.SubcommandSyntaxError();
  if (ReadFlushMode(context, "ERR FUNCTION FLUSH only supports SYNC|ASYNC option")) context.reply.Ok();
}

void FunctionList(CommandContext& context) {
  for (OptionReader options(context, 2); options.More();) {
    std::string_view pattern;
    if (options.Take("withcode") || options.Take("libraryname", &pattern)) continue;
    return context.reply.Error("ERR Unknown argument " + std::string(options.peek()));
  }
  context.reply.Array(0);
}

void FunctionStats(CommandContext& context) {
  context.reply.Map(2);
  context.reply.Bulk("running_script");
  context.reply.Null();
  context.reply.Bulk("engines");
  context.reply.Map(0);
}

void ScriptExists(CommandContext& context) {
  context.reply.Array(context.args.size() - 2);
  for (size_t i = 2; i < context.args.size(); i++) context.reply.Integer(0);
}

void ScriptFlush(CommandContext& context) {
  if (ReadFlushMode(context, "ERR SCRIPT FLUSH only support SYNC|ASYNC option")) context.reply.Ok();
}

void ModuleList(CommandContext& context) { context.reply.Array(0); }

constexpr CommandRow kFunctionRows[] = {
    {.name = "flush",
     .arity = -2,
     .flags = kNoScript | kWrite | kNotLogged,
     .categories = kAclScripting,
     .handler = FunctionFlush,
     .summary = "Removes all functions.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "O(N) for N functions",
     .syntax = "[ASYNC | SYNC]",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .categories = kAclScripting,
     .handler = ReplyHelp,
     .summary = "Lists the subcommands.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "O(1)"},
    {.name = "list",
     .arity = -2,
     .flags = kNoScript,
     .categories = kAclScripting,
     .handler = FunctionList,
     .summary = "Lists the libraries of functions.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "O(N) for N functions",
     .syntax = "[LIBRARYNAME library-name-pattern] [WITHCODE]",
     .tips = "nondeterministic_output_order"},
    {.name = "stats",
     .arity = 2,
     .flags = kNoScript | kAllowBusy,
     .categories = kAclScripting,
     .handler = FunctionStats,
     .summary = "Tells which function runs.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "O(1)",
     .tips = "nondeterministic_output request_policy:all_shards response_policy:special"},
};

constexpr CommandRow kScriptRows[] = {
    {.name = "exists",
     .arity = -3,
     .flags = kNoScript,
     .categories = kAclScripting,
     .handler = ScriptExists,
     .summary = "Tells which scripts are cached.",
     .since = "2.6.0",
     .group = "scripting",
     .complexity = "O(N) for N scripts",
     .syntax = "sha1 [sha1 ...]",
     .tips = "request_policy:all_shards response_policy:agg_logical_and"},
    {.name = "flush",
     .arity = -2,
     .flags = kNoScript,
     .categories = kAclScripting,
     .handler = ScriptFlush,
     .summary = "Removes all cached scripts.",
     .since = "2.6.0",
     .group = "scripting",
     .complexity = "O(N) for N scripts",
     .syntax = "[ASYNC | SYNC]",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .categories = kAclScripting,
     .handler = ReplyHelp,
     .summary = "Lists the subcommands.",
     .since = "5.0.0",
     .group = "scripting",
     .complexity = "O(1)"},
};

constexpr CommandRow kModuleRows[] = {
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ReplyHelp,
     .summary = "Lists the subcommands.",
     .since = "5.0.0",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "list",
     .arity = 2,
     .flags = kAdmin | kNoScript,
     .handler = ModuleList,
     .summary = "Lists the modules: none.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(1)",
     .tips = "nondeterministic_output_order"},
};

constexpr CommandRow kRows[] = {
    {.name = "function",
     .arity = -2,
     .flags = 0,
     .summary = "Libraries of functions.",
     .since = "7.0.0",
     .group = "scripting",
     .complexity = "Depends on subcommand.",
     .subcommands = kFunctionRows},
    {.name = "script",
     .arity = -2,
     .flags = 0,
     .summary = "Cached scripts.",
     .since = "2.6.0",
     .group = "scripting",
     .complexity = "Depends on subcommand.",
     .subcommands = kScriptRows},
    {.name = "module",
     .arity = -2,
     .flags = 0,
     .summary = "Modules.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "Depends on subcommand.",
     .subcommands = kModuleRows},
};

}  // namespace

void RegisterScriptingCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
