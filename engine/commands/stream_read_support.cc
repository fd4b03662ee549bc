#include "engine/commands/stream_read_support.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/commands/stream_commands.h"

namespace cairn::stream_commands {
namespace {

bool GroupOptionMisused(CommandContext& context, const ReadOptions& parsed, std::string_view option) {
  if (parsed.group_read) return false;
  std::string text = "ERR The ";
  text.append(option).append(" option is only supported by XREADGROUP. You called XREAD instead.");
  context.reply.Error(text);
  return true;
}

// STREAMS key ... id ...
bool ReadStreamsOption(CommandContext& context, size_t first, ReadOptions* parsed) {
  parsed->first_key = first;
  const size_t arguments = context.args.size() - first;
  if (arguments % 2 != 0) {
    context.reply.Error("ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.");
    return false;
  }
  parsed->keys = arguments / 2;
  return true;
}

bool ReadPositive(CommandContext& context, size_t index, std::string_view option, int64_t* value) {
  if (!ReadInt(context, index, value)) return false;
  if (*value > 0) return true;
  context.reply.Error("ERR " + std::string(option) + " must be a positive integer");
  return false;
}

uint64_t HeadBytes(uint64_t number) { return 3 + std::to_string(number).size(); }  // of "*1\r\n", ":1\r\n"...
uint64_t BulkBytes(uint64_t size) { return HeadBytes(size) + size + 2; }
uint64_t EntryBytes(StreamCursor& entry) {
  const uint32_t fields = entry.field_count();
  uint64_t bytes = HeadBytes(2) + BulkBytes(StreamIdText(entry.id()).view().size()) + HeadBytes(uint64_t{fields} * 2);
  for (uint32_t i = 0; i < fields; i++) {
    std::string_view name, value;
    entry.ReadField(&name, &value);
    bytes += BulkBytes(name.size()) + BulkBytes(value.size());
  }
  return bytes;
}

}  // namespace

ReplyBudget::ReplyBudget(const ReadOptions& parsed)
    : limited_(parsed.max_count > 0 || parsed.max_bytes > 0),
      entries_left_(parsed.max_count > 0 ? static_cast<uint64_t>(parsed.max_count) : UINT64_MAX),
      max_bytes_(parsed.max_bytes > 0 ? static_cast<uint64_t>(parsed.max_bytes) : UINT64_MAX),
      entry_extra_bytes_(parsed.claims ? 2 * HeadBytes(0) : 0) {}  // CLAIM adds two numbers to each

void ReplyBudget::Add(StreamCursor& entries) {
  entries_left_--;
  bytes_ += entries.Next() ? EntryBytes(entries) + entry_extra_bytes_ : HeadBytes(0);
}

uint64_t ReplyBudget::Take(const Stream& stream, const StreamId& start, uint64_t count) {
  if (max_bytes_ == UINT64_MAX) {  // the entries need not be looked at
    count = std::min(count, entries_left_);
    entries_left_ -= count;
    return count;
  }
  StreamCursor entries(stream, start, kStreamIdMax);
  uint64_t taken = 0;
  for (; taken < count && More(); taken++) Add(entries);
  return taken;
}

bool ReadReadOptions(CommandContext& context, ReadOptions* parsed) {
  for (OptionReader options(context, 1); options.More() && parsed->first_key == 0;) {
    std::string_view text;
    size_t index = 0;
    if (options.Take("block", &text, &index)) {
      if (!ReadTimeoutMs(context, index, &parsed->timeout_ms)) return false;
      parsed->blocks = true;
    } else if (options.Take("count", &text, &index)) {
      if (!ReadInt(context, index, &parsed->count)) return false;
      parsed->count = std::max<int64_t>(parsed->count, 0);
    } else if (options.Take("maxcount", &text, &index)) {
      if (!ReadPositive(context, index, "MAXCOUNT", &parsed->max_count)) return false;
    } else if (options.Take("maxsize", &text, &index)) {
      if (!ReadPositive(context, index, "MAXSIZE", &parsed->max_bytes)) return false;
    } else if (options.Take("streams", &text, &index)) {
      if (!ReadStreamsOption(context, index, parsed)) return false;
    } else if (options.index() + 2 < context.args.size() && EqualsIgnoreCase(options.peek(), "group")) {
      if (GroupOptionMisused(context, *parsed, "GROUP")) return false;
      options.Take("group", &parsed->group, &index);
      parsed->consumer = options.peek();
      options.Take(options.peek());
    } else if (options.Take("noack")) {
      if (GroupOptionMisused(context, *parsed, "NOACK")) return false;
      parsed->no_ack = true;
    } else if (options.Take("claim", &text, &index)) {
      if (GroupOptionMisused(context, *parsed, "CLAIM")) return false;
      if (!ReadInt(context, index, &parsed->min_idle_ms, "ERR min-idle-time is not an integer")) return false;
      if (parsed->min_idle_ms < 0) return context.reply.Error("ERR min-idle-time must be a positive integer"), false;
      parsed->claims = true;
    } else {
      return context.SyntaxError(), false;
    }
  }
  if (parsed->first_key == 0) return context.SyntaxError(), false;
  if (parsed->max_count > 0 && parsed->count > parsed->max_count) {
    context.reply.Error("ERR MAXCOUNT must be greater than or equal to COUNT");
    return false;
  }
  if (parsed->group_read && parsed->group.data() == nullptr) {
    context.reply.Error("ERR Missing GROUP option for XREADGROUP");
    return false;
  }
  return true;
}

void LookUpAgain(CommandContext& context, const ReadOptions& parsed) {
  for (size_t i = 0; i < parsed.keys && !context.serving(); i++) context.Find(context.key(i), LookupAccess(context));
}

void ReplyStreamsHead(ReplySink& reply, size_t streams) {
  if (reply.protocol() == 2) {
    reply.Array(streams);
  } else {
    reply.Map(streams);
  }
}
void ReplyStreamHead(ReplySink& reply, std::string_view key) {
  if (reply.protocol() == 2) reply.Array(2);
  reply.Bulk(key);
}

void WaitOrEnd(CommandContext& context, const ReadOptions& parsed, ArgSpan args) {
  if (!parsed.blocks || !context.may_block()) return context.reply.NullArray();
  context.Block({.wanted = ValueType::kStream, .timeout_ms = parsed.timeout_ms, .wake_on_gone = parsed.group_read, .args = args});
}

// Keys and ids share the arguments behind STREAMS; where these are malformed there are no keys, and the handler says what is wrong.
Status ReadKeys(ArgSpan args, std::vector<int>* key_indexes) {
  const bool group_read = EqualsIgnoreCase(args[0], "xreadgroup");
  for (size_t i = 1; i < args.size(); i++) {
    const std::string_view option = args[i];
    if (EqualsIgnoreCase(option, "streams")) {
      const size_t arguments = args.size() - i - 1;
      if (arguments % 2 != 0) return Status();
      for (size_t key = i + 1; key <= i + arguments / 2; key++) key_indexes->push_back(static_cast<int>(key));
      return Status();
    }
    if (EqualsIgnoreCase(option, "block") || EqualsIgnoreCase(option, "count") || EqualsIgnoreCase(option, "maxcount") ||
        EqualsIgnoreCase(option, "maxsize") || (group_read && EqualsIgnoreCase(option, "claim"))) {
      i++;
    } else if (EqualsIgnoreCase(option, "group")) {
      i += 2;
    } else if (!EqualsIgnoreCase(option, "noack")) {
      return Status();
    }
  }
  return Status();
}

}  // namespace cairn::stream_commands
