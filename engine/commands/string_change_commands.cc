#include <cmath>

#include "engine/commands/arg_reader.h"
#include "engine/commands/string_commands.h"
#include "engine/commands/string_support.h"

namespace cairn::string_commands {
namespace {

using Access = Keyspace::Access;

void IncrementBy(CommandContext& context, int64_t increment) {
  Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kString, Access::kWrite, &entry)) return;
  int64_t value = 0;
  if (entry != nullptr) {
    const auto old_value = StringView(entry).AsInt();
    if (!old_value) return context.NotAnInteger();
    value = *old_value;
  }
  if (__builtin_add_overflow(value, increment, &value)) {
    return context.reply.Error("ERR increment or decrement would overflow");
  }
  char text[kIntTextMaxBytes];
  const std::string_view bytes(text, static_cast<size_t>(WriteInt(text, value) - text));
  StoreString(context, context.key(), {bytes}, {.keep_expiry = true}, entry != nullptr, "incrby");
  context.reply.Integer(value);
}

bool ReadLongDouble(CommandContext& context, const Entry* entry, long double* value) {
  *value = 0;
  if (entry == nullptr) return true;
  const StringView view(entry);
  std::string scratch;
  // No number is as long as a rope.
  if (view.rope() == nullptr && ParseLongDouble(view.Flatten(&scratch), value)) return true;
  context.reply.Error("ERR value is not a valid float");
  return false;
}

}  // namespace

void Incr(CommandContext& context) { IncrementBy(context, 1); }

void Decr(CommandContext& context) { IncrementBy(context, -1); }

void IncrBy(CommandContext& context) {
  int64_t increment = 0;
  if (ReadInt(context, 2, &increment)) IncrementBy(context, increment);
}

void DecrBy(CommandContext& context) {
  int64_t decrement = 0;
  if (!ReadInt(context, 2, &decrement)) return;
  if (decrement == INT64_MIN) return context.reply.Error("ERR decrement would overflow");
  IncrementBy(context, -decrement);
}

void IncrByFloat(CommandContext& context) {
  const KeyRef& key = context.key();
  Entry* entry = nullptr;
  long double value = 0, increment = 0;
  if (!context.FindTyped(key, ValueType::kString, Access::kWrite, &entry)) return;
  if (!ReadLongDouble(context, entry, &value)) return;
  if (!ParseLongDouble(context.args[2], &increment)) return context.reply.Error("ERR value is not a valid float");
  value += increment;
  if (std::isnan(value) || std::isinf(value)) return context.reply.Error("ERR increment would produce NaN or Infinity");
  const std::string text = FormatLongDouble(value);
  StoreString(context, key, {text}, {.keep_expiry = true, .text = true}, entry != nullptr, "incrbyfloat");
  // The result, so that another machine's arithmetic or formatting cannot make another value of it.
  context.LogAs({"SET", key.name, text, "KEEPTTL"});
  context.reply.Bulk(text);
}

void Append(CommandContext& context) {
  const KeyRef& key = context.key();
  Entry* entry = nullptr;
  if (!context.FindTyped(key, ValueType::kString, Access::kWrite, &entry)) return;
  const std::string_view bytes = context.args[2];
  if (entry == nullptr) {
    StoreString(context, key, context.source(2), {}, false, "append");
    return context.reply.Integer(static_cast<int64_t>(bytes.size()));
  }
  if (!CheckStringSize(context, StringView(entry).size(), bytes.size())) return;
  entry = context.keyspace.AppendString(context.scope, context.database(), key, bytes);
  context.Event(kEventString, "append", key);
  context.reply.Integer(static_cast<int64_t>(StringView(entry).size()));
}

void SetRange(CommandContext& context) {
  int64_t offset = 0;
  if (!ReadInt(context, 2, &offset)) return;
  if (offset < 0) return context.reply.Error("ERR offset is out of range");
  const KeyRef& key = context.key();
  Entry* entry = nullptr;
  if (!context.FindTyped(key, ValueType::kString, Access::kWrite, &entry)) return;
  const std::string_view bytes = context.args[3];
  if (bytes.empty()) return context.reply.Integer(static_cast<int64_t>(StringView(entry).size()));
  if (!CheckStringSize(context, static_cast<uint64_t>(offset), bytes.size())) return;
  const bool existed = entry != nullptr;
  entry = context.keyspace.OverwriteString(context.scope, context.database(), key, static_cast<uint64_t>(offset), bytes);
  if (!existed) context.Event(kEventNew, "new", key);
  context.Event(kEventString, "setrange", key);
  context.reply.Integer(static_cast<int64_t>(StringView(entry).size()));
}

}  // namespace cairn::string_commands
