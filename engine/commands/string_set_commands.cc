#include <algorithm>
#include <cstdint>

#include "engine/commands/arg_reader.h"
#include "engine/commands/string_commands.h"
#include "engine/commands/string_support.h"

namespace cairn::string_commands {
namespace {

// When a SET or DELEX may go ahead.
struct Condition {
  enum Kind : uint8_t { kAlways, kAbsent, kPresent, kEqual, kNotEqual, kDigestEqual, kDigestNotEqual };
  Kind kind = kAlways;
  std::string_view operand;

  bool compares() const { return kind >= kEqual; }
  bool digest() const { return kind >= kDigestEqual; }
};

struct ComparisonName {
  std::string_view text;
  Condition::Kind kind;
};
constexpr ComparisonName kComparisons[] = {{"ifeq", Condition::kEqual},
                                           {"ifne", Condition::kNotEqual},
                                           {"ifdeq", Condition::kDigestEqual},
                                           {"ifdne", Condition::kDigestNotEqual}};

bool IsComparison(std::string_view arg) {
  return std::ranges::any_of(kComparisons, [arg](const ComparisonName& name) { return EqualsIgnoreCase(arg, name.text); });
}

bool TakeComparison(OptionReader& options, Condition* condition) {
  if (condition->kind != Condition::kAlways) return false;
  for (const ComparisonName& name : kComparisons) {
    if (!options.Take(name.text, &condition->operand)) continue;
    condition->kind = name.kind;
    return true;
  }
  return false;
}

// NX and XX may be repeated, but not be combined with anything else.
bool TakePresence(OptionReader& options, Condition* condition) {
  const auto free_for = [&](Condition::Kind kind) { return condition->kind == Condition::kAlways || condition->kind == kind; };
  if (free_for(Condition::kAbsent) && options.Take("nx")) {
    condition->kind = Condition::kAbsent;
  } else if (free_for(Condition::kPresent) && options.Take("xx")) {
    condition->kind = Condition::kPresent;
  } else {
    return false;
  }
  return true;
}

// Whether a condition can be told of a string. What a digest consists of makes no difference: it then equals none.
bool CheckDigest(CommandContext& context, const Condition& condition) {
  if (!condition.digest() || condition.operand.size() == kDigestChars) return true;
  context.reply.Error("ERR must be exactly 16 hexadecimal characters");
  return false;
}

// `entry` is null or a string where the condition compares.
bool Holds(const Condition& condition, const Entry* entry) {
  switch (condition.kind) {
    case Condition::kAlways: return true;
    case Condition::kAbsent: return entry == nullptr;
    case Condition::kPresent: return entry != nullptr;
    case Condition::kEqual: return entry != nullptr && StringEquals(StringView(entry), condition.operand);
    case Condition::kNotEqual: return entry == nullptr || !StringEquals(StringView(entry), condition.operand);
    case Condition::kDigestEqual:
    case Condition::kDigestNotEqual: {
      if (entry == nullptr) return condition.kind == Condition::kDigestNotEqual;
      char digits[kDigestChars];
      WriteDigest(StringView(entry), digits);
      const bool equal = EqualsIgnoreCase({digits, kDigestChars}, condition.operand);
      return equal == (condition.kind == Condition::kDigestEqual);
    }
  }
  return false;
}

struct SetOptions {
  Condition condition;
  ExpiryOption expiry;
  bool get = false;
};

bool ReadSetOptions(CommandContext& context, SetOptions* set) {
  for (OptionReader options(context, 3); options.More();) {
    if (TakePresence(options, &set->condition) || TakeComparison(options, &set->condition)) continue;
    if (TakeExpiry(options, ExpiryOption::kKeep, &set->expiry)) continue;
    if (options.Take("get")) {
      set->get = true;
      continue;
    }
    context.SyntaxError();
    return false;
  }
  return true;
}

bool ReadStoreOptions(CommandContext& context, const ExpiryOption& expiry, Keyspace::SetOptions* options) {
  options->keep_expiry = expiry.kind == ExpiryOption::kKeep;
  return !expiry.sets() || ReadExpiry(context, expiry, &options->expiry_ms);
}

void StoreWithExpiryEvent(CommandContext& context, const KeyRef& key, size_t value_index, const Keyspace::SetOptions& options,
                          bool existed) {
  StoreString(context, key, context.source(value_index), options, existed, "set");
  if (options.expiry_ms >= 0) context.Event(kEventGeneric, "expire", key);
}

void SetWithOptions(CommandContext& context) {
  SetOptions set;
  Keyspace::SetOptions options;
  if (!ReadSetOptions(context, &set) || !ReadStoreOptions(context, set.expiry, &options)) return;
  const KeyRef& key = context.key();
  Entry* entry = context.Find(key, set.get ? Keyspace::Access::kRead : Keyspace::Access::kWrite);
  if ((set.get || set.condition.compares()) && entry != nullptr && entry->type() != ValueType::kString) {
    return context.WrongType();
  }
  if (entry != nullptr && !CheckDigest(context, set.condition)) return;
  const bool holds = Holds(set.condition, entry);
  const bool existed = entry != nullptr;
  if (set.get) {
    ReplyString(context.reply, entry);  // before the old value goes
  } else if (!holds) {
    context.reply.Null();
  }
  if (!holds) return;
  StoreWithExpiryEvent(context, key, 2, options, existed);
  LogSet(context, key, 2, options);
  if (!set.get) context.reply.Ok();
}

// Whether the key exists, for the event "new"; true without a look where nobody listens and the old value plays no part.
bool Existed(CommandContext& context, const KeyRef& key, const Keyspace::SetOptions& options) {
  if (context.scope.wanted_events == 0 && !options.keep_expiry) return true;
  return context.Find(key, Keyspace::Access::kWrite) != nullptr;
}

// SETEX and PSETEX: key, amount, value.
void SetExpiring(CommandContext& context, ExpiryOption::Kind kind) {
  Keyspace::SetOptions options;
  if (!ReadStoreOptions(context, {kind, context.args[2]}, &options)) return;
  StoreWithExpiryEvent(context, context.key(), 3, options, Existed(context, context.key(), options));
  LogSet(context, context.key(), 3, options);
  context.reply.Ok();
}

// Stores the keys, whose values follow them in the arguments.
void StorePairs(CommandContext& context, size_t first_value, const Keyspace::SetOptions& options) {
  for (size_t i = 0; i < context.keys().size(); i++) {
    const KeyRef& key = context.key(i);
    StoreWithExpiryEvent(context, key, first_value + 2 * i, options, Existed(context, key, options));
  }
}

size_t CountExisting(CommandContext& context) {
  size_t existing = 0;
  for (const KeyRef& key : context.keys()) existing += context.Find(key, Keyspace::Access::kWrite) != nullptr ? 1 : 0;
  return existing;
}

bool CheckArity(CommandContext& context, bool fits) {
  if (!fits) context.WrongArity();
  return fits;
}

bool CheckPairs(CommandContext& context) { return CheckArity(context, context.args.size() % 2 == 1); }

}  // namespace

void Set(CommandContext& context) {
  if (context.args.size() != 3) return SetWithOptions(context);
  StoreString(context, context.key(), context.source(2), {}, Existed(context, context.key(), {}), "set");
  context.reply.Ok();
}

void SetNx(CommandContext& context) {
  if (context.Find(context.key(), Keyspace::Access::kWrite) != nullptr) return context.reply.Integer(0);
  StoreString(context, context.key(), context.source(2), {}, false, "set");
  context.reply.Integer(1);
}

void SetEx(CommandContext& context) { SetExpiring(context, ExpiryOption::kEx); }

void PSetEx(CommandContext& context) { SetExpiring(context, ExpiryOption::kPx); }

void GetSet(CommandContext& context) {
  Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kString, Keyspace::Access::kRead, &entry)) return;
  const bool existed = entry != nullptr;
  ReplyString(context.reply, entry);
  StoreString(context, context.key(), context.source(2), {}, existed, "set");
  LogSet(context, context.key(), 2, {});
}

void MSet(CommandContext& context) {
  if (!CheckPairs(context)) return;
  StorePairs(context, 2, {});
  context.reply.Ok();
}

void MSetNx(CommandContext& context) {
  if (!CheckPairs(context)) return;
  if (CountExisting(context) > 0) return context.reply.Integer(0);
  StorePairs(context, 2, {});
  context.reply.Integer(1);
}

void MSetEx(CommandContext& context) {
  const size_t count = context.keys().size();  // MSetExKeys has checked the number
  Condition condition;
  ExpiryOption expiry;
  for (OptionReader options(context, 2 + 2 * count); options.More();) {
    if (TakePresence(options, &condition) || TakeExpiry(options, ExpiryOption::kKeep, &expiry)) continue;
    return context.SyntaxError();
  }
  Keyspace::SetOptions options;
  if (!ReadStoreOptions(context, expiry, &options)) return;
  if (condition.kind != Condition::kAlways) {
    const size_t wanted = condition.kind == Condition::kPresent ? count : 0;
    if (CountExisting(context) != wanted) return context.reply.Integer(0);
  }
  StorePairs(context, 3, options);
  for (size_t i = 0; i < count; i++) LogSet(context, context.key(i), 3 + 2 * i, options);
  context.reply.Integer(1);
}

void DelEx(CommandContext& context) {
  const bool compares = context.args.size() == 4;
  if (!CheckArity(context, compares || context.args.size() == 2)) return;
  Entry* entry = context.Find(context.key(), Keyspace::Access::kWrite);
  if (entry == nullptr) return context.reply.Integer(0);
  Condition condition;
  if (compares) {
    if (entry->type() != ValueType::kString) {
      return context.reply.Error("ERR Key should be of string type if conditions are specified");
    }
    OptionReader options(context, 2);
    if (!TakeComparison(options, &condition)) {
      return context.reply.Error("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
    }
    if (!CheckDigest(context, condition)) return;
  }
  if (!Holds(condition, entry)) return context.reply.Integer(0);
  DeleteLogged(context, context.key());
  context.reply.Integer(1);
}

Status MSetExKeys(ArgSpan args, std::vector<int>* key_indexes) {
  int64_t count = 0;
  if (!ParseInt64(args[1], &count) || count <= 0 || count > INT32_MAX)
    return Status::InvalidArgument("ERR invalid numkeys value");
  if (args.size() < 2 + 2 * static_cast<size_t>(count)) {
    return Status::InvalidArgument("ERR wrong number of key-value pairs");
  }
  for (int64_t i = 0; i < count; i++) key_indexes->push_back(static_cast<int>(2 + 2 * i));
  return Status::Ok();
}

KeyAccess SetKeyAccess(ArgSpan args) {
  KeyAccess access = kKeyWrite | kKeyForUpdate;
  for (const std::string_view arg : args.subspan(3)) {
    if (EqualsIgnoreCase(arg, "get")) return kKeyReadWrite | kKeyForAccess | kKeyForUpdate;
    if (IsComparison(arg)) access = kKeyReadWrite | kKeyForUpdate;
  }
  return access;
}

KeyAccess DelExKeyAccess(ArgSpan args) { return (args.size() > 2 ? kKeyReadWrite : kKeyRemove) | kKeyForDelete; }

}  // namespace cairn::string_commands
