// INCREX: INCRBY or INCRBYFLOAT with bounds and an expiry.
#include <cfloat>
#include <cmath>
#include <utility>

#include "engine/commands/arg_reader.h"
#include "engine/commands/string_commands.h"
#include "engine/commands/string_support.h"

namespace cairn::string_commands {
namespace {

struct Options {
  bool is_float = false, saturate = false, only_without_expiry = false;
  bool has_increment = false, has_lower = false, has_upper = false;
  int64_t int_increment = 1;
  long double float_increment = 0;
  std::string_view lower, upper;  // BYFLOAT may come after them
  ExpiryOption expiry;
};

// Read answers an error that says by `name` what is no number.
bool Read(CommandContext& context, std::string_view name, std::string_view text, int64_t* value) {
  if (ParseInt64(text, value)) return true;
  context.reply.Error("ERR " + std::string(name) + " is not an integer or out of range");
  return false;
}

bool Read(CommandContext& context, std::string_view name, std::string_view text, long double* value) {
  if (ParseLongDouble(text, value) && !std::isnan(*value)) return true;
  context.reply.Error("ERR " + std::string(name) + " is not a valid float");
  return false;
}

bool TakeIncrement(OptionReader& options, Options* read, std::string_view* text) {
  if (read->has_increment) return false;
  read->is_float = EqualsIgnoreCase(options.peek(), "byfloat");
  read->has_increment = options.Take(read->is_float ? "byfloat" : "byint", text);
  return read->has_increment;
}

bool ReadIncrement(CommandContext& context, std::string_view text, Options* read) {
  if (!read->is_float) return Read(context, "Increment", text, &read->int_increment);
  if (!Read(context, "Increment", text, &read->float_increment)) return false;
  if (!std::isinf(read->float_increment)) return true;
  context.reply.Error("ERR BYFLOAT increment cannot be Infinity");
  return false;
}

// The options that are no more than noted; none of them may come twice.
bool TakeOption(OptionReader& options, Options* read) {
  bool* flag = nullptr;
  if (options.Take("saturate")) {
    flag = &read->saturate;
  } else if (options.Take("enx")) {
    flag = &read->only_without_expiry;
  } else if (options.Take("lbound", &read->lower)) {
    flag = &read->has_lower;
  } else if (options.Take("ubound", &read->upper)) {
    flag = &read->has_upper;
  } else {
    return read->expiry.kind == ExpiryOption::kNone && TakeExpiry(options, ExpiryOption::kPersist, &read->expiry);
  }
  return !std::exchange(*flag, true);
}

bool ReadOptions(CommandContext& context, Options* read) {
  std::string_view increment;
  for (OptionReader options(context, 2); options.More();) {
    if (TakeIncrement(options, read, &increment)) {
      if (!ReadIncrement(context, increment, read)) return false;
    } else if (!TakeOption(options, read)) {
      context.SyntaxError();
      return false;
    }
  }
  if (!read->only_without_expiry || read->expiry.sets()) return true;
  context.reply.Error(read->expiry.kind == ExpiryOption::kPersist ? "ERR syntax error" : "ERR ENX flag requires an expiration");
  return false;
}

// The bounds are the type's limits where the command gives none.
template <typename T>
struct Request {
  T increment{}, lower{}, upper{};
};

template <typename T>
bool ReadBounds(CommandContext& context, const Options& options, Request<T>* request) {
  if (options.has_lower && !Read(context, "LBOUND", options.lower, &request->lower)) return false;
  if (options.has_upper && !Read(context, "UBOUND", options.upper, &request->upper)) return false;
  if (request->lower <= request->upper) return true;
  context.reply.Error("ERR LBOUND can't be greater than UBOUND");
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
  // No number is as long as a rope.
  if (!Read(context, "value", view.rope() == nullptr ? view.Flatten(&scratch) : std::string_view(), value)) return false;
  if (!std::isinf(*value)) return true;
  context.reply.Error("ERR value cannot be Infinity");
  return false;
}

// Whether old + increment is a number from `lower` to `upper`, and then the sum; if not, *below says on which side it lies.
bool Add(int64_t old, const Request<int64_t>& request, int64_t* sum, bool* below) {
  const __int128 exact = static_cast<__int128>(old) + request.increment;
  *below = exact < request.lower;
  *sum = static_cast<int64_t>(exact);
  return !*below && exact <= request.upper;
}

bool Add(long double old, const Request<long double>& request, long double* sum, bool* below) {
  *sum = old + request.increment;
  *below = *sum < request.lower || *sum < -LDBL_MAX;  // an overflow is beyond a bound of infinity too
  return !*below && *sum <= request.upper && *sum <= LDBL_MAX;
}

bool Subtract(CommandContext& context, int64_t a, int64_t b, int64_t* difference) {
  if (!__builtin_sub_overflow(a, b, difference)) return true;
  context.reply.Error("ERR applied increment would overflow");
  return false;
}

bool Subtract(CommandContext& context, long double a, long double b, long double* difference) {
  *difference = a - b;
  if (!std::isinf(*difference)) return true;
  context.reply.Error("ERR applied increment would be Infinity");
  return false;
}

// What an increment comes to: the new value, and how far it is from the old one.
template <typename T>
struct Outcome {
  T value{}, applied{};
  bool stores = true;  // false: beyond a bound, and nothing happens
};

// Answers the error itself and returns false where the command must end.
template <typename T>
bool Compute(CommandContext& context, const Request<T>& request, bool saturate, const Entry* entry, Outcome<T>* outcome) {
  T old{};
  bool below = false;
  if (!ReadOld(context, entry, &old)) return false;
  if (!Add(old, request, &outcome->value, &below)) {
    outcome->stores = saturate;
    outcome->value = !saturate ? old : below ? request.lower : request.upper;
  }
  return Subtract(context, outcome->value, old, &outcome->applied);
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
  if (set.expiry_ms >= 0 && ExpiresAtOnce(context, set.expiry_ms)) {
    if (existed) DeleteLogged(context, key);
    return;
  }
  StoreString(context, key, {text}, set, existed, options.is_float ? "incrbyfloat" : "incrby");
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

std::string Text(int64_t value) { return std::to_string(value); }
std::string Text(long double value) { return FormatLongDouble(value); }

void Reply(ReplySink& reply, int64_t value) { reply.Integer(value); }
void Reply(ReplySink& reply, long double value) {
  if (reply.protocol() > 2) return reply.Double(static_cast<double>(value));
  reply.Bulk(FormatLongDouble(value));
}

template <typename T>
void Increase(CommandContext& context, const Options& options, Request<T> request) {
  int64_t expiry_ms = -1;
  Entry* entry = nullptr;
  Outcome<T> outcome;
  if (!ReadBounds(context, options, &request)) return;
  if (options.expiry.sets() && !ReadExpiry(context, options.expiry, &expiry_ms)) return;
  if (!context.FindTyped(context.key(), ValueType::kString, Keyspace::Access::kWrite, &entry)) return;
  if (!Compute(context, request, options.saturate, entry, &outcome)) return;
  if (outcome.stores) Store(context, entry, options, Text(outcome.value), expiry_ms);
  context.reply.Array(2);
  Reply(context.reply, outcome.value);
  Reply(context.reply, outcome.applied);
}

}  // namespace

void IncrEx(CommandContext& context) {
  Options options;
  if (!ReadOptions(context, &options)) return;
  if (options.is_float) return Increase<long double>(context, options, {options.float_increment, -LDBL_MAX, LDBL_MAX});
  Increase<int64_t>(context, options, {options.int_increment, INT64_MIN, INT64_MAX});
}

}  // namespace cairn::string_commands
