#include <climits>
#include <deque>

#include "base/glob.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/key_commands.h"
#include "engine/commands/scan_options.h"

namespace cairn::key_commands {
namespace {

bool Wants(const ScanOptions& options, const Entry& entry) {
  return options.Matches(entry.key()) && (!options.typed || EqualsIgnoreCase(options.type, TypeName(entry.type())));
}

void ReplyNames(ReplySink& reply, const std::deque<std::string>& names) {
  for (const std::string& name : names) reply.Bulk(name);
}

bool ReadFlushMode(CommandContext& context, bool* synchronous) {
  *synchronous = false;
  if (context.args.size() == 1) return true;
  if (context.args.size() == 2) {
    *synchronous = EqualsIgnoreCase(context.args[1], "sync");
    if (*synchronous || EqualsIgnoreCase(context.args[1], "async")) return true;
  }
  context.SyntaxError();
  return false;
}

}  // namespace

void Keys(CommandContext& context) {
  const std::string_view pattern = context.args[1];
  std::deque<std::string> names;
  context.keyspace.ForEach(context.scope, context.database(), [&](const Entry& entry) {
    if (pattern == "*" || GlobMatch(pattern, entry.key())) names.emplace_back(entry.key());
  });
  context.reply.Array(names.size());
  ReplyNames(context.reply, names);
}

void Scan(CommandContext& context) {
  uint64_t cursor = 0;
  ScanOptions options;
  if (!ReadScanCursor(context, 1, &cursor) || !ReadScanOptions(context, 2, kScanType, &options)) return;
  std::deque<std::string> names;
  cursor = context.keyspace.Scan(context.scope, context.database(), cursor, static_cast<uint64_t>(options.count),
                                 [&](const Entry& entry) {
                                   if (Wants(options, entry)) names.emplace_back(entry.key());
                                 });
  ReplyScanHeader(context.reply, cursor, names.size());
  ReplyNames(context.reply, names);
}

void RandomKey(CommandContext& context) {
  std::string name;
  if (!context.keyspace.RandomKey(context.scope, context.database(), &name)) return context.reply.Null();
  context.reply.Bulk(name);
}

void DbSize(CommandContext& context) {
  context.reply.Integer(static_cast<int64_t>(context.keyspace.CountKeys(context.scope, context.database())));
}

void FlushDb(CommandContext& context) {
  bool synchronous = false;
  if (!ReadFlushMode(context, &synchronous)) return;
  context.keyspace.Flush(context.scope, static_cast<int>(context.database()), synchronous);
  context.LogAs({"FLUSHDB"});  // even where it was empty, as a replica that differs must become empty
  context.reply.Ok();
}

void FlushAll(CommandContext& context) {
  bool synchronous = false;
  if (!ReadFlushMode(context, &synchronous)) return;
  context.keyspace.Flush(context.scope, -1, synchronous);
  context.LogAs({"FLUSHALL"});
  context.reply.Ok();
}

void SwapDb(CommandContext& context) {
  int64_t first = 0, second = 0;
  if (!ReadIntBetween(context, 1, INT_MIN, INT_MAX, &first, "ERR invalid first DB index")) return;
  if (!ReadIntBetween(context, 2, INT_MIN, INT_MAX, &second, "ERR invalid second DB index")) return;
  uint32_t a = 0, b = 0;
  if (!ReadDatabase(context, 1, &a) || !ReadDatabase(context, 2, &b)) return;
  if (a != b) {
    context.keyspace.SwapDatabases(context.scope, a, b);
    context.LogAs({"SWAPDB", context.args[1], context.args[2]});
  }
  context.reply.Ok();
}

void Select(CommandContext& context) {
  uint32_t database = 0;
  if (!ReadDatabase(context, 1, &database)) return;
  context.client.database = database;
  context.reply.Ok();
}

}  // namespace cairn::key_commands
