#include <climits>
#include <deque>

#include "base/glob.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/key_commands.h"

namespace cairn::key_commands {
namespace {

struct ScanOptions {
  uint64_t cursor = 0;
  int64_t count = 10;
  std::string_view pattern = "*";
  std::string_view type;  // empty: any
  bool typed = false;

  bool Wants(const Entry& entry) const {
    return (pattern == "*" || GlobMatch(pattern, entry.key())) && (!typed || EqualsIgnoreCase(type, TypeName(entry.type())));
  }
};

// As strtoul reads it, because clients get away with it: nothing is 0, and a sign may stand before.
bool ReadCursor(CommandContext& context, std::string_view text, uint64_t* cursor) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  uint64_t value = 0;
  bool valid = true;
  for (const char c : text) {
    valid = valid && c >= '0' && c <= '9' && !__builtin_mul_overflow(value, uint64_t{10}, &value) &&
            !__builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value);
  }
  if (!valid) {
    context.reply.Error("ERR invalid cursor");
    return false;
  }
  *cursor = negative ? 0 - value : value;
  return true;
}

bool ReadScanOptions(CommandContext& context, ScanOptions* scan) {
  if (!ReadCursor(context, context.args[1], &scan->cursor)) return false;
  for (OptionReader options(context, 2); options.More();) {
    std::string_view number;
    size_t index = 0;
    if (options.Take("count", &number, &index)) {
      if (!ReadInt(context, index, &scan->count)) return false;
      if (scan->count >= 1) continue;
      context.SyntaxError();
      return false;
    }
    if (options.Take("match", &scan->pattern)) continue;
    if (options.Take("type", &scan->type)) {
      scan->typed = true;
      continue;
    }
    context.SyntaxError();
    return false;
  }
  return true;
}

void ReplyNames(ReplySink& reply, const std::deque<std::string>& names) {
  reply.Array(names.size());
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
  ReplyNames(context.reply, names);
}

void Scan(CommandContext& context) {
  ScanOptions options;
  if (!ReadScanOptions(context, &options)) return;
  std::deque<std::string> names;
  const auto count = static_cast<uint64_t>(options.count);
  const uint64_t cursor =
      context.keyspace.Scan(context.scope, context.database(), options.cursor, count, [&](const Entry& entry) {
        if (options.Wants(entry)) names.emplace_back(entry.key());
      });
  context.reply.Array(2);
  context.reply.Bulk(std::to_string(cursor));
  ReplyNames(context.reply, names);
}

void RandomKey(CommandContext& context) {
  std::string name;
  if (!context.keyspace.RandomKey(context.scope, context.database(), &name)) return context.reply.Null();
  context.reply.Bulk(name);
}

void DbSize(CommandContext& context) {
  context.scope.ReadAll();
  context.reply.Integer(static_cast<int64_t>(context.keyspace.Size(context.database())));
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
