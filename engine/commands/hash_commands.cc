#include "engine/commands/hash_commands.h"

#include <cmath>

#include "engine/commands/arg_reader.h"
#include "engine/commands/change_count.h"
#include "engine/commands/hash_access.h"

namespace cairn::hash_commands {
namespace {

constexpr auto kHash = ValueType::kHash;

// Stores all pairs; false where an error was answered.
bool SetPairs(CommandContext& context, uint64_t* added) {
  if (context.args.size() % 2 != 0) {
    context.WrongArity();
    return false;
  }
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, kHash)) return false;
  *added = StoreFields(context, edit, 2);
  CountElements(context, context.key(), static_cast<int64_t>(context.args.size() / 2) - 1);
  context.HashEvent("hset", context.args.subspan(2), 2);
  return true;
}

}  // namespace

void HSet(CommandContext& context) {
  uint64_t added = 0;
  if (SetPairs(context, &added)) context.reply.Integer(static_cast<int64_t>(added));
}

void HMSet(CommandContext& context) {
  uint64_t added = 0;
  if (SetPairs(context, &added)) context.reply.Ok();
}

void HSetNx(CommandContext& context) {
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, kHash)) return;
  if (HashView(context, edit.entry()).Contains(context.args[2])) return context.reply.Integer(0);
  StoreField(context, edit, context.args[2], ListpackItem(context.args[3]), FieldDeadline::kDrop);
  context.HashEvent("hset", context.args.subspan(2, 1));
  context.reply.Integer(1);
}

void HDel(CommandContext& context) {
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, kHash)) return;
  int64_t erased = 0;
  for (size_t i = 2; i < context.args.size() && edit.entry() != nullptr; i++) {
    if (!EraseField(edit, context.args[i])) continue;
    if (erased++ == 0) context.HashEvent("hdel", {});
    context.scope.EventField(context.args[i]);
  }
  if (erased > 0 && edit.entry() == nullptr) context.Event(kEventGeneric, "del", context.key());
  CountElements(context, context.key(), erased);
  context.reply.Integer(erased);
}

void HIncrBy(CommandContext& context) {
  int64_t increment = 0;
  if (!ReadInt(context, 3, &increment)) return;
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, kHash)) return;
  ListpackValue old;
  int64_t value = 0;
  if (HashView(context, edit.entry()).Find(context.args[2], &old)) {
    if (old.is_int()) {
      value = old.number;
    } else if (!ParseInt64(old.bytes, &value)) {
      return context.reply.Error("ERR hash value is not an integer");
    }
  }
  if (__builtin_add_overflow(value, increment, &value)) {
    return context.reply.Error("ERR increment or decrement would overflow");
  }
  StoreField(context, edit, context.args[2], ListpackItem(value), FieldDeadline::kKeep);
  context.HashEvent("hincrby", context.args.subspan(2, 1));
  context.reply.Integer(value);
}

void HIncrByFloat(CommandContext& context) {
  long double increment = 0;
  if (!ParseLongDouble(context.args[3], &increment)) return context.reply.Error("ERR value is not a valid float");
  if (std::isnan(increment) || std::isinf(increment)) return context.reply.Error("ERR value is NaN or Infinity");
  const KeyRef& key = context.key();
  ValueEdit edit = context.Edit(key);
  if (!context.Expect(edit, kHash)) return;
  ListpackValue old;
  int64_t deadline_ms = HashField::kNoDeadline;
  long double value = 0;
  if (HashView(context, edit.entry()).Find(context.args[2], &old, &deadline_ms)) {
    char text[kIntTextMaxBytes];
    if (!ParseLongDouble(old.Text(text), &value)) return context.reply.Error("ERR hash value is not a float");
  }
  value += increment;
  if (std::isnan(value) || std::isinf(value)) return context.reply.Error("ERR increment would produce NaN or Infinity");
  const std::string text = FormatLongDouble(value);
  StoreField(context, edit, context.args[2], ListpackItem(text), FieldDeadline::kKeep);
  // The result, so that another machine's arithmetic or formatting cannot make another value of it.
  if (deadline_ms == HashField::kNoDeadline) {
    context.LogAs({"HSET", key.name, context.args[2], text});
  } else {
    context.LogAs({"HSETEX", key.name, "KEEPTTL", "FIELDS", "1", context.args[2], text});
  }
  context.HashEvent("hincrbyfloat", context.args.subspan(2, 1));
  context.reply.Bulk(text);
}

}  // namespace cairn::hash_commands
