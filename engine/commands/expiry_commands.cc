#include <algorithm>

#include "engine/commands/arg_reader.h"
#include "engine/commands/key_commands.h"
#include "engine/commands/string_support.h"

namespace cairn::key_commands {
namespace {

using Access = Keyspace::Access;

enum class Unit : uint8_t { kSeconds, kMilliseconds };

struct ExpireConditions {
  bool none = false, some = false, later = false, earlier = false;  // NX, XX, GT, LT
};

bool ReadConditions(CommandContext& context, ExpireConditions* conditions) {
  for (OptionReader options(context, 3); options.More();) {
    if (options.Take("nx")) {
      conditions->none = true;
    } else if (options.Take("xx")) {
      conditions->some = true;
    } else if (options.Take("gt")) {
      conditions->later = true;
    } else if (options.Take("lt")) {
      conditions->earlier = true;
    } else {
      context.reply.Error("ERR Unsupported option " + std::string(options.peek()));
      return false;
    }
  }
  if (conditions->none && (conditions->some || conditions->later || conditions->earlier)) {
    context.reply.Error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if (conditions->later && conditions->earlier) {
    context.reply.Error("ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

// args[2] as a Unix time in milliseconds, which may be negative or long past.
bool ReadTime(CommandContext& context, Unit unit, bool relative, int64_t* time_ms) {
  if (!ReadInt(context, 2, time_ms)) return false;
  const bool overflow = (unit == Unit::kSeconds && __builtin_mul_overflow(*time_ms, int64_t{1000}, time_ms)) ||
                        (relative && __builtin_add_overflow(*time_ms, context.now_ms(), time_ms));
  if (overflow) InvalidExpireTime(context);
  return !overflow;
}

// A key without expiry never expires: no time is later.
bool Hold(const ExpireConditions& conditions, const Entry& entry, int64_t time_ms) {
  const bool expires = entry.has_expiry();
  if (conditions.none && expires) return false;
  if (conditions.some && !expires) return false;
  if (conditions.later && (!expires || time_ms <= entry.expiry_ms())) return false;
  return !(conditions.earlier && expires && time_ms >= entry.expiry_ms());
}

void SetTime(CommandContext& context, Unit unit, bool relative) {
  ExpireConditions conditions;
  int64_t time_ms = 0;
  if (!ReadConditions(context, &conditions) || !ReadTime(context, unit, relative, &time_ms)) return;
  const KeyRef& key = context.key();
  const Entry* entry = context.Find(key, Access::kWrite);
  if (entry == nullptr || !Hold(conditions, *entry, time_ms)) return context.reply.Integer(0);
  if (ExpiresAtOnce(context, time_ms)) {
    DeleteLogged(context, key);
  } else {
    time_ms = std::max<int64_t>(time_ms, 0);
    context.keyspace.SetExpiry(context.scope, context.database(), key, time_ms);
    context.LogAs({"PEXPIREAT", key.name, std::to_string(time_ms)});
    context.Event(kEventGeneric, "expire", key);
  }
  context.reply.Integer(1);
}

// -2 for an absent key, -1 for one without expiry.
void ReplyTime(CommandContext& context, Unit unit, bool relative) {
  const Entry* entry = context.Find(context.key(), Access::kLook);
  if (entry == nullptr) return context.reply.Integer(-2);
  if (!entry->has_expiry()) return context.reply.Integer(-1);
  const int64_t time_ms = relative ? std::max<int64_t>(entry->expiry_ms() - context.now_ms(), 0) : entry->expiry_ms();
  context.reply.Integer(unit == Unit::kSeconds ? time_ms / 1000 + (time_ms % 1000 >= 500 ? 1 : 0) : time_ms);
}

}  // namespace

void Expire(CommandContext& context) { SetTime(context, Unit::kSeconds, true); }
void PExpire(CommandContext& context) { SetTime(context, Unit::kMilliseconds, true); }
void ExpireAt(CommandContext& context) { SetTime(context, Unit::kSeconds, false); }
void PExpireAt(CommandContext& context) { SetTime(context, Unit::kMilliseconds, false); }

void Ttl(CommandContext& context) { ReplyTime(context, Unit::kSeconds, true); }
void PTtl(CommandContext& context) { ReplyTime(context, Unit::kMilliseconds, true); }
void ExpireTime(CommandContext& context) { ReplyTime(context, Unit::kSeconds, false); }
void PExpireTime(CommandContext& context) { ReplyTime(context, Unit::kMilliseconds, false); }

void Persist(CommandContext& context) {
  const Entry* entry = context.Find(context.key(), Access::kWrite);
  if (entry == nullptr || !entry->has_expiry()) return context.reply.Integer(0);
  context.keyspace.SetExpiry(context.scope, context.database(), context.key(), -1);
  context.Event(kEventGeneric, "persist", context.key());
  context.reply.Integer(1);
}

}  // namespace cairn::key_commands
