#include "engine/commands/hash_expiry.h"

#include "engine/commands/arg_reader.h"
#include "engine/commands/string_support.h"

namespace cairn {

bool ReadFieldDeadline(CommandContext& context, size_t index, TimeUnit unit, TimeBase base, int64_t* deadline_ms) {
  int64_t time = 0;
  if (!ReadInt(context, index, &time)) return false;
  if (time < 0) {
    context.reply.Error("ERR invalid expire time, must be >= 0");
    return false;
  }
  const int64_t base_ms = base == TimeBase::kNow ? context.now_ms() : 0;
  const bool overflow = (unit == TimeUnit::kSeconds && __builtin_mul_overflow(time, int64_t{1000}, &time)) ||
                        time > HashTable::kMaxDeadlineMs - base_ms;
  if (overflow) {
    InvalidExpireTime(context);
    return false;
  }
  *deadline_ms = time + base_ms;
  return true;
}

bool ReadFieldList(CommandContext& context, size_t index, std::string_view count_error, size_t* first) {
  const ArgSpan args = context.args;
  if (index >= args.size() || !EqualsIgnoreCase(args[index], "fields")) {
    context.reply.Error("ERR Mandatory argument FIELDS is missing or not at the right position");
    return false;
  }
  int64_t count = 0;
  if (index + 1 >= args.size() || !ParseInt64(args[index + 1], &count) || count < 1) {
    context.reply.Error(count_error);
    return false;
  }
  if (static_cast<uint64_t>(count) != args.size() - index - 2) {
    context.reply.Error("ERR The `numfields` parameter must match the number of arguments");
    return false;
  }
  *first = index + 2;
  return true;
}

bool ReadFieldBlock(CommandContext& context, size_t* index, const FieldBlockRules& rules, FieldBlock* block) {
  const ArgSpan args = context.args;
  const size_t behind = args.size() - *index - 1;
  int64_t count = 0;
  std::string_view error;
  if (block->count != 0) {
    error = "ERR FIELDS keyword specified multiple times";
  } else if (behind < rules.args_min) {
    error = rules.none;
  } else if (!ParseInt64(args[*index + 1], &count) || count < 1 || count > INT32_MAX) {
    error = rules.count;
  } else if (static_cast<uint64_t>(count) * rules.args_per_field > behind - 1) {
    error = rules.beyond;
  }
  if (!error.empty()) {
    context.reply.Error(error);
    return false;
  }
  *block = {.first = *index + 2, .count = static_cast<size_t>(count)};
  *index = block->first + block->count * rules.args_per_field - 1;
  return true;
}

bool FieldChanges::SetDeadline(std::string_view name, int64_t deadline_ms) {
  if (ExpiresAtOnce(context_, deadline_ms)) {
    Erase(name);
    return false;
  }
  TableForChange(edit_).SetDeadline(name, deadline_ms);
  dated_.Add(name);
  return true;
}

void FieldChanges::Persist(std::string_view name) {
  TableForChange(edit_).SetDeadline(name, HashField::kNoDeadline);
  persisted_.Add(name);
}

void FieldChanges::Erase(std::string_view name) {
  EraseField(edit_, name);
  erased_.Add(name);
}

void FieldChanges::Finish(int64_t deadline_ms, bool log_dated) {
  if (!any()) return;
  const KeyRef& key = context_.key();
  char time[kIntTextMaxBytes], count[kIntTextMaxBytes];
  const auto text = [](char* buffer, int64_t number) {
    return std::string_view(buffer, static_cast<size_t>(WriteInt(buffer, number) - buffer));
  };
  if (!dated_.empty()) {
    if (log_dated) {
      dated_.Log(context_,
                 {"HPEXPIREAT", key.name, text(time, deadline_ms), "FIELDS", text(count, static_cast<int64_t>(dated_.size()))});
    }
    context_.HashEvent("hexpire", dated_.names());
  }
  if (!persisted_.empty()) {
    persisted_.Log(context_, {"HPERSIST", key.name, "FIELDS", text(count, static_cast<int64_t>(persisted_.size()))});
    context_.HashEvent("hpersist", persisted_.names());
  }
  if (!erased_.empty()) {
    erased_.Log(context_, {"HDEL", key.name});
    context_.HashEvent("hdel", erased_.names());
    if (edit_.entry() == nullptr) context_.Event(kEventGeneric, "del", key);
  }
}

}  // namespace cairn
