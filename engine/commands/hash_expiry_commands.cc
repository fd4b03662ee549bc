#include "engine/commands/arg_reader.h"
#include "engine/commands/hash_access.h"
#include "engine/commands/hash_commands.h"
#include "engine/commands/hash_expiry.h"

namespace cairn::hash_commands {
namespace {

enum class Condition : uint8_t { kNone, kNx, kXx, kGt, kLt };

// What HEXPIRE answers for a field.
enum Result : int64_t { kNoField = -2, kNoDeadline = -1, kNotMet = 0, kChanged = 1, kGone = 2 };

// A field without deadline never expires: no time is later, every time is earlier.
bool Holds(Condition condition, int64_t old_ms, int64_t deadline_ms) {
  const bool expires = old_ms != HashField::kNoDeadline;
  switch (condition) {
    case Condition::kNone: return true;
    case Condition::kNx: return !expires;
    case Condition::kXx: return expires;
    case Condition::kGt: return expires && deadline_ms > old_ms;
    case Condition::kLt: return !expires || deadline_ms < old_ms;
  }
  return false;
}

Condition TakeCondition(std::string_view text) {
  if (EqualsIgnoreCase(text, "nx")) return Condition::kNx;
  if (EqualsIgnoreCase(text, "xx")) return Condition::kXx;
  if (EqualsIgnoreCase(text, "gt")) return Condition::kGt;
  if (EqualsIgnoreCase(text, "lt")) return Condition::kLt;
  return Condition::kNone;
}

// [NX | XX | GT | LT] and FIELDS numfields field..., in any order, to the end.
bool ReadConditionAndFields(CommandContext& context, Condition* condition, FieldBlock* fields) {
  constexpr FieldBlockRules kRules = {.args_per_field = 1,
                                      .args_min = 2,
                                      .none = "ERR FIELDS requires at least numfields and one field argument",
                                      .count = "ERR Parameter `numFields` should be greater than 0",
                                      .beyond = "ERR wrong number of arguments"};
  const auto fail = [&context](std::string_view error) {
    context.reply.Error(error);
    return false;
  };
  bool several = false;
  for (size_t i = 3; i < context.args.size(); i++) {
    if (EqualsIgnoreCase(context.args[i], "fields")) {
      if (!ReadFieldBlock(context, &i, kRules, fields)) return false;
      continue;
    }
    const Condition taken = TakeCondition(context.args[i]);
    if (taken == Condition::kNone) return fail(UnknownArgumentError(context.args[i]));
    several = several || (*condition != Condition::kNone && *condition != taken);
    *condition = taken;
  }
  if (fields->count == 0) return fail(kNoFieldBlockError);
  return !several || fail("ERR Multiple condition flags specified");
}

void SetDeadlines(CommandContext& context, TimeUnit unit, TimeBase base) {
  const KeyRef& key = context.key();
  ValueEdit edit = context.Edit(key);
  if (!context.Expect(edit, ValueType::kHash)) return;
  int64_t deadline_ms = 0;
  if (!ReadFieldDeadline(context, 2, unit, base, &deadline_ms)) return;
  Condition condition = Condition::kNone;
  FieldBlock fields;
  if (!ReadConditionAndFields(context, &condition, &fields)) return;
  FieldChanges changes(context, edit);
  context.reply.Array(fields.count);
  for (const std::string_view name : context.args.subspan(fields.first, fields.count)) {
    ListpackValue value;
    int64_t old_ms = HashField::kNoDeadline;
    Result result = kNoField;
    if (HashView(context, edit.entry()).Find(name, &value, &old_ms)) {
      result = !Holds(condition, old_ms, deadline_ms) ? kNotMet : changes.SetDeadline(name, deadline_ms) ? kChanged : kGone;
    }
    context.reply.Integer(result);
  }
  changes.Finish(deadline_ms);
}

void ReplyDeadlines(CommandContext& context, TimeUnit unit, TimeBase base) {
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kHash, Keyspace::Access::kRead, &entry)) return;
  size_t first = 0;
  if (!ReadFieldList(context, 2, kFieldCountError, &first)) return;
  const HashView view(context, entry);
  const int64_t base_ms = base == TimeBase::kNow ? context.now_ms() : 0;
  context.reply.Array(context.args.size() - first);
  for (size_t i = first; i < context.args.size(); i++) {
    ListpackValue value;
    int64_t deadline_ms = HashField::kNoDeadline;
    if (!view.Find(context.args[i], &value, &deadline_ms)) {
      context.reply.Integer(kNoField);
    } else if (deadline_ms == HashField::kNoDeadline) {
      context.reply.Integer(kNoDeadline);
    } else {
      const int64_t time_ms = deadline_ms - base_ms;
      context.reply.Integer(unit == TimeUnit::kSeconds ? (time_ms + 999) / 1000 : time_ms);
    }
  }
}

}  // namespace

void HExpire(CommandContext& context) { SetDeadlines(context, TimeUnit::kSeconds, TimeBase::kNow); }
void HPExpire(CommandContext& context) { SetDeadlines(context, TimeUnit::kMilliseconds, TimeBase::kNow); }
void HExpireAt(CommandContext& context) { SetDeadlines(context, TimeUnit::kSeconds, TimeBase::kUnix); }
void HPExpireAt(CommandContext& context) { SetDeadlines(context, TimeUnit::kMilliseconds, TimeBase::kUnix); }

void HTtl(CommandContext& context) { ReplyDeadlines(context, TimeUnit::kSeconds, TimeBase::kNow); }
void HPTtl(CommandContext& context) { ReplyDeadlines(context, TimeUnit::kMilliseconds, TimeBase::kNow); }
void HExpireTime(CommandContext& context) { ReplyDeadlines(context, TimeUnit::kSeconds, TimeBase::kUnix); }
void HPExpireTime(CommandContext& context) { ReplyDeadlines(context, TimeUnit::kMilliseconds, TimeBase::kUnix); }

void HPersist(CommandContext& context) {
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kHash)) return;
  size_t first = 0;
  if (!ReadFieldList(context, 2, kFieldCountError, &first)) return;
  FieldChanges changes(context, edit);
  context.reply.Array(context.args.size() - first);
  for (size_t i = first; i < context.args.size(); i++) {
    ListpackValue value;
    int64_t old_ms = HashField::kNoDeadline;
    Result result = kNoField;
    if (HashView(context, edit.entry()).Find(context.args[i], &value, &old_ms)) {
      result = old_ms == HashField::kNoDeadline ? kNoDeadline : kChanged;
      if (result == kChanged) changes.Persist(context.args[i]);
    }
    context.reply.Integer(result);
  }
  changes.Finish(HashField::kNoDeadline);
}

}  // namespace cairn::hash_commands
