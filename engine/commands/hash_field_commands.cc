#include "engine/commands/arg_reader.h"
#include "engine/commands/hash_access.h"
#include "engine/commands/hash_commands.h"
#include "engine/commands/hash_expiry.h"
#include "engine/commands/string_support.h"

namespace cairn::hash_commands {
namespace {

constexpr auto kHash = ValueType::kHash;

struct TimeOption {
  std::string_view name;
  TimeUnit unit;
  TimeBase base;
};
constexpr TimeOption kTimeOptions[] = {{"ex", TimeUnit::kSeconds, TimeBase::kNow},
                                       {"px", TimeUnit::kMilliseconds, TimeBase::kNow},
                                       {"exat", TimeUnit::kSeconds, TimeBase::kUnix},
                                       {"pxat", TimeUnit::kMilliseconds, TimeBase::kUnix}};

const TimeOption* FindTimeOption(std::string_view text) {
  for (const TimeOption& option : kTimeOptions) {
    if (EqualsIgnoreCase(text, option.name)) return &option;
  }
  return nullptr;
}

struct SetOptions {
  bool all_exist = false, none_exists = false;  // FXX, FNX
  bool keep = false, dated = false;
  int64_t deadline_ms = HashField::kNoDeadline;
  size_t first = 0;  // the first field's index
};

bool Fail(CommandContext& context, std::string_view error) {
  context.reply.Error(error);
  return false;
}

bool ReadSetFields(CommandContext& context, size_t index, SetOptions* options) {
  const size_t args = context.args.size();
  const auto wrong_number = [&] {
    return Fail(context, "ERR wrong number of arguments for '" + std::string(context.row.name) + "' command");
  };
  if (index + 3 >= args) return wrong_number();
  int64_t count = 0;
  if (!ParseInt64(context.args[index + 1], &count) || count < 1 || count > INT32_MAX) {
    return Fail(context, "ERR invalid number of fields");
  }
  if (static_cast<uint64_t>(count) * 2 != args - index - 2) return wrong_number();
  options->first = index + 2;
  return true;
}

bool ReadSetOptions(CommandContext& context, SetOptions* options) {
  for (size_t i = 2; i < context.args.size(); i++) {
    const std::string_view arg = context.args[i];
    if (EqualsIgnoreCase(arg, "fields")) return ReadSetFields(context, i, options);
    const TimeOption* time = FindTimeOption(arg);
    const bool keep = EqualsIgnoreCase(arg, "keepttl");
    if (time != nullptr || keep) {
      if (options->dated || options->keep) {
        return Fail(context, "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
      }
      options->keep = keep;
      options->dated = !keep;
      if (keep) continue;
      if (++i >= context.args.size()) return Fail(context, "ERR missing expire time");
      if (!ReadFieldDeadline(context, i, time->unit, time->base, &options->deadline_ms)) return false;
    } else if (EqualsIgnoreCase(arg, "fxx") || EqualsIgnoreCase(arg, "fnx")) {
      if (options->all_exist || options->none_exists) {
        return Fail(context, "ERR Only one of FXX or FNX arguments can be specified");
      }
      (EqualsIgnoreCase(arg, "fxx") ? options->all_exist : options->none_exists) = true;
    } else {
      return Fail(context, "ERR unknown argument: " + std::string(arg));
    }
  }
  return Fail(context, "ERR Mandatory argument FIELDS is missing or not at the right position");
}

bool Holds(const HashView& view, const SetOptions& options, ArgSpan args) {
  if (!options.all_exist && !options.none_exists) return true;
  for (size_t i = options.first; i < args.size(); i += 2) {
    if (view.Contains(args[i]) != options.all_exist) return false;
  }
  return true;
}

// HSETEX with the deadline as PXAT and without conditions, which held.
void LogSet(CommandContext& context, const SetOptions& options) {
  const size_t first = options.first;
  char time[kIntTextMaxBytes];
  std::vector<std::string_view> command = {"HSETEX", context.key().name};
  if (options.keep) command.emplace_back("KEEPTTL");
  if (options.dated) {
    command.emplace_back("PXAT");
    command.emplace_back(time, static_cast<size_t>(WriteInt(time, options.deadline_ms) - time));
  }
  command.insert(command.end(), context.args.begin() + static_cast<std::ptrdiff_t>(first) - 2, context.args.end());
  context.LogAs(std::span<const std::string_view>(command));
}

}  // namespace

void HSetEx(CommandContext& context) {
  SetOptions options;
  if (!ReadSetOptions(context, &options)) return;
  const KeyRef& key = context.key();
  ValueEdit edit = context.Edit(key);
  if (!context.Expect(edit, kHash)) return;
  if (!Holds(HashView(context, edit.entry()), options, context.args)) return context.reply.Integer(0);
  const FieldDeadline deadline = options.keep ? FieldDeadline::kKeep : FieldDeadline::kDrop;
  for (size_t i = options.first; i < context.args.size(); i += 2) {
    StoreField(context, edit, context.args[i], ListpackItem(context.args[i + 1]), deadline);
  }
  context.Event(kEventHash, "hset", key);
  FieldChanges changes(context, edit);
  for (size_t i = options.first; options.dated && i < context.args.size(); i += 2) {
    // The same field twice: gone, or dated, after the first.
    changes.SetDeadline(context.args[i], options.deadline_ms);
  }
  const bool gone = options.dated && ExpiresAtOnce(context, options.deadline_ms);
  if (!gone) LogSet(context, options);
  changes.Finish(options.deadline_ms, false);
  context.reply.Integer(1);
}

void HGetEx(CommandContext& context) {
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, kHash)) return;
  const TimeOption* time = FindTimeOption(context.args[2]);
  const bool persist = EqualsIgnoreCase(context.args[2], "persist");
  int64_t deadline_ms = HashField::kNoDeadline;
  if (time != nullptr && !ReadFieldDeadline(context, 3, time->unit, time->base, &deadline_ms)) return;
  size_t first = 0;
  if (!ReadFieldList(context, time != nullptr ? 4 : persist ? 3 : 2, kFieldCountError, &first)) return;
  FieldChanges changes(context, edit);
  context.reply.Array(context.args.size() - first);
  for (size_t i = first; i < context.args.size(); i++) {
    const HashView view(context, edit.entry());
    if (!view.Reply(context.reply, context.args[i])) continue;
    if (time != nullptr) {
      changes.SetDeadline(context.args[i], deadline_ms);
    } else if (persist) {
      ListpackValue value;
      int64_t old_ms = HashField::kNoDeadline;
      view.Find(context.args[i], &value, &old_ms);
      if (old_ms != HashField::kNoDeadline) changes.Persist(context.args[i]);
    }
  }
  changes.Finish(deadline_ms);
}

void HGetDel(CommandContext& context) {
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, kHash)) return;
  size_t first = 0;
  if (!ReadFieldList(context, 2, kFieldCountError, &first)) return;
  FieldChanges changes(context, edit);
  context.reply.Array(context.args.size() - first);
  for (size_t i = first; i < context.args.size(); i++) {
    if (HashView(context, edit.entry()).Reply(context.reply, context.args[i])) changes.Erase(context.args[i]);
  }
  changes.Finish(HashField::kNoDeadline);
}

}  // namespace cairn::hash_commands
