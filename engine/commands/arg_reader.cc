#include "engine/commands/arg_reader.h"

#include <climits>
#include <cmath>

namespace cairn {

bool ReadIntBetween(CommandContext& context, size_t index, int64_t min, int64_t max, int64_t* value, std::string_view error) {
  if (!ReadInt(context, index, value, error.empty() ? kNotAnIntegerError : error)) return false;
  if (*value >= min && *value <= max) return true;
  if (!error.empty()) {
    context.reply.Error(error);
  } else {
    context.reply.Error("ERR value is out of range, value must between " + std::to_string(min) + " and " + std::to_string(max));
  }
  return false;
}

bool ReadDatabase(CommandContext& context, size_t index, uint32_t* database, std::string_view error) {
  int64_t number = 0;
  if (!ReadIntBetween(context, index, INT_MIN, INT_MAX, &number, error == kNotAnIntegerError ? std::string_view() : error)) {
    return false;
  }
  if (number < 0 || number >= context.keyspace.databases()) {
    context.reply.Error("ERR DB index is out of range");
    return false;
  }
  *database = static_cast<uint32_t>(number);
  return true;
}

bool ReadTimeoutMs(CommandContext& context, size_t index, int64_t* timeout_ms) {
  if (!ReadInt(context, index, timeout_ms, "ERR timeout is not an integer or out of range")) return false;
  if (*timeout_ms >= 0) return true;
  context.reply.Error("ERR timeout is negative");
  return false;
}

bool ReadBlockTimeout(CommandContext& context, size_t index, int64_t* timeout_ms) {
  long double seconds = 0;
  if (!ParseLongDouble(context.args[index], &seconds)) {
    context.reply.Error("ERR timeout is not a float or out of range");
    return false;
  }
  const long double milliseconds = std::ceil(seconds * 1000);
  if (milliseconds < 0) {
    context.reply.Error("ERR timeout is negative");
    return false;
  }
  if (milliseconds >= static_cast<long double>(INT64_MAX - context.now_ms())) {
    context.reply.Error("ERR timeout is out of range");
    return false;
  }
  *timeout_ms = static_cast<int64_t>(milliseconds);
  return true;
}

void InvalidExpireTime(CommandContext& context) {
  context.reply.Error("ERR invalid expire time in '" + CommandTable::FullName(context.row) + "' command");
}

bool TakeExpiry(OptionReader& options, ExpiryOption::Kind also, ExpiryOption* expiry) {
  const auto free_for = [&](ExpiryOption::Kind kind) { return expiry->kind == ExpiryOption::kNone || expiry->kind == kind; };
  struct Name {
    std::string_view text;
    ExpiryOption::Kind kind;
  };
  static constexpr Name kWithAmount[] = {
      {"ex", ExpiryOption::kEx}, {"px", ExpiryOption::kPx}, {"exat", ExpiryOption::kExAt}, {"pxat", ExpiryOption::kPxAt}};
  for (const Name& name : kWithAmount) {
    if (!free_for(name.kind) || !options.Take(name.text, &expiry->amount)) continue;
    expiry->kind = name.kind;
    return true;
  }
  static constexpr Name kAlone[] = {{"keepttl", ExpiryOption::kKeep}, {"persist", ExpiryOption::kPersist}};
  for (const Name& name : kAlone) {
    if ((also & name.kind) == 0 || !free_for(name.kind) || !options.Take(name.text)) continue;
    expiry->kind = name.kind;
    return true;
  }
  return false;
}

bool ReadExpiry(CommandContext& context, const ExpiryOption& expiry, int64_t* expiry_ms) {
  int64_t amount = 0;
  if (!ParseInt64(expiry.amount, &amount)) {
    context.NotAnInteger();
    return false;
  }
  const bool seconds = expiry.kind == ExpiryOption::kEx || expiry.kind == ExpiryOption::kExAt;
  if (amount <= 0 || (seconds && amount > INT64_MAX / 1000)) {
    InvalidExpireTime(context);
    return false;
  }
  if (seconds) amount *= 1000;
  if (!expiry.absolute() && __builtin_add_overflow(amount, context.now_ms(), &amount)) {
    InvalidExpireTime(context);
    return false;
  }
  *expiry_ms = amount;
  return true;
}

}  // namespace cairn
