// INCREX: INCRBY or INCRBYFLOAT with bounds and an expiry.
#include <algorithm>
#include <cfloat>
#include <cmath>

#include "engine/commands/arg_reader.h"
#include "engine/commands/string_commands.h"
#include "engine/commands/string_support.h"

namespace cairn::string_commands {
namespace {

using Access = Keyspace::Access;
constexpr std::string_view kNotAFloat = "ERR value is not a valid float";

struct Options {
  bool is_float = false, saturate = false, only_without_expiry = false;
  std::string_view increment = "1", lower, upper;
  bool has_increment = false, has_lower = false, has_upper = false;
  ExpiryOption expiry;
};

bool ReadOptions(CommandContext& context, Options* read) {
  for (OptionReader options(context, 2); options.More();) {
    if (options.Take("saturate")) {
      read->saturate = true;
    } else if (options.Take("enx")) {
      read->only_without_expiry = true;
    } else if (!read->has_increment && options.Take("byint", &read->increment)) {
      read->has_increment = true;
    } else if (!read->has_increment && options.Take("byfloat", &read->increment)) {
      read->has_increment = read->is_float = true;
    } else if (options.Take("lbound", &read->lower)) {
      read->has_lower = true;
    } else if (options.Take("ubound", &read->upper)) {
      read->has_upper = true;
    } else if (!TakeExpiry(options, ExpiryOption::kPersist, &read->expiry)) {
      context.SyntaxError();
      return false;
    }
  }
  if (!read->only_without_expiry || read->expiry.sets()) return true;
  context.reply.Error(read->expiry.kind == ExpiryOption::kPersist ? "ERR syntax error" : "ERR ENX flag requires an expiration");
  return false;
}

// What an increment comes to: the new value, and how far it is from the old one.
template <typename T>
struct Outcome {
  T value{}, applied{};
  bool stores = true;  // false: beyond a bound, and nothing happens
};

bool Read(CommandContext& context, std::string_view text, int64_t* value) {
  if (ParseInt64(text, value)) return true;
  context.NotAnInteger();
  return false;
}

bool Read(CommandContext& context, std::string_view text, long double* value) {
  if (ParseLongDouble(text, value) && !std::isnan(*value)) return true;
  context.reply.Error(kNotAFloat);
  return false;
}

bool ReadOld(CommandContext& context, const Entry* entry, int64_t* value) {
  if (entry == nullptr) return true;
  const auto number = StringView(entry).AsInt();
  if (number) *value = *number;
  if (!number) context.NotAnInteger();
  return number.has_value();
}

bool ReadOld(CommandContext& context, const Entry* entry, long double* value) {
  if (entry == nullptr) return true;
  std::string scratch;
  const StringView view(entry);
  if (view.rope() == nullptr) return Read(context, view.Flatten(&scratch), value);
  context.reply.Error(kNotAFloat);
  return false;
}

// The sum in a type where it cannot overflow.
__int128 Sum(int64_t a, int64_t b) { return static_cast<__int128>(a) + b; }
long double Sum(long double a, long double b) { return a + b; }

int64_t Difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(std::clamp<__int128>(static_cast<__int128>(a) - b, INT64_MIN, INT64_MAX));
}
long double Difference(long double a, long double b) { return a - b; }

// Answers the error itself and returns false where the command must end. `lowest` and `highest`: the type's limits.
template <typename T>
bool Compute(CommandContext& context, const Options& options, const Entry* entry, T lowest, T highest, Outcome<T>* outcome) {
  T increment{}, lower = lowest, upper = highest, old{};
  if (!Read(context, options.increment, &increment)) return false;
  if (options.has_lower && !Read(context, options.lower, &lower)) return false;
  if (options.has_upper && !Read(context, options.upper, &upper)) return false;
  if (lower > upper) {
    context.reply.Error("ERR LBOUND can't be greater than UBOUND");
    return false;
  }
  if (!ReadOld(context, entry, &old)) return false;
  const auto sum = Sum(old, increment);
  if constexpr (std::is_same_v<T, long double>) {
    if (std::isinf(increment) || std::isinf(old) || std::isnan(sum)) {
      context.reply.Error("ERR increment would produce NaN or Infinity");
      return false;
    }
  }
  outcome->value = old;
  if (sum >= lower && sum <= upper) {
    outcome->value = static_cast<T>(sum);
  } else if (options.saturate) {
    outcome->value = sum < lower ? lower : upper;
  } else {
    outcome->stores = false;
  }
  outcome->applied = Difference(outcome->value, old);
  return true;
}

void Store(CommandContext& context, const Entry* entry, const Options& options, std::string_view text, int64_t expiry_ms) {
  const KeyRef& key = context.key();
  const bool existed = entry != nullptr, had_expiry = existed && entry->has_expiry();
  const bool keeps = options.only_without_expiry && had_expiry;
  Keyspace::SetOptions set{.text = options.is_float};
  if (options.expiry.sets() && !keeps) {
    set.expiry_ms = expiry_ms;
  } else {
    set.keep_expiry = options.expiry.kind != ExpiryOption::kPersist;
  }
  const bool gone = set.expiry_ms >= 0 && ExpiresAtOnce(context, set.expiry_ms);
  if (gone) set.expiry_ms = -1;
  StoreString(context, key, {text}, set, existed, options.is_float ? "incrbyfloat" : "incrby");
  if (gone) return DeleteLogged(context, key);
  if (set.expiry_ms >= 0) {
    context.LogAs({"SET", key.name, text, "PXAT", std::to_string(set.expiry_ms)});
    context.Event(kEventGeneric, "expire", key);
  } else if (set.keep_expiry) {
    context.LogAs({"SET", key.name, text, "KEEPTTL"});
  } else {
    context.LogAs({"SET", key.name, text});
    if (had_expiry) context.Event(kEventGeneric, "persist", key);
  }
}

void ReplyFloat(ReplySink& reply, long double value) {
  if (reply.protocol() > 2) return reply.Double(static_cast<double>(value));
  reply.Bulk(FormatLongDouble(value));
}

}  // namespace

void IncrEx(CommandContext& context) {
  Options options;
  int64_t expiry_ms = -1;
  Entry* entry = nullptr;
  if (!ReadOptions(context, &options)) return;
  if (options.expiry.sets() && !ReadExpiry(context, options.expiry, &expiry_ms)) return;
  if (!context.FindTyped(context.key(), ValueType::kString, Access::kWrite, &entry)) return;
  if (options.is_float) {
    Outcome<long double> outcome;
    if (!Compute<long double>(context, options, entry, -LDBL_MAX, LDBL_MAX, &outcome)) return;
    if (outcome.stores) Store(context, entry, options, FormatLongDouble(outcome.value), expiry_ms);
    context.reply.Array(2);
    ReplyFloat(context.reply, outcome.value);
    return ReplyFloat(context.reply, outcome.applied);
  }
  Outcome<int64_t> outcome;
  if (!Compute<int64_t>(context, options, entry, INT64_MIN, INT64_MAX, &outcome)) return;
  char text[kIntTextMaxBytes];
  const char* end = WriteInt(text, outcome.value);
  if (outcome.stores) Store(context, entry, options, {text, static_cast<size_t>(end - text)}, expiry_ms);
  context.reply.Array(2);
  context.reply.Integer(outcome.value);
  context.reply.Integer(outcome.applied);
}

}  // namespace cairn::string_commands
