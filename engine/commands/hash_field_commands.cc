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

// Which options and errors a command has: HSETEX's or HGETEX's.
struct OptionRules {
  FieldBlockRules fields;
  std::string_view state;  // the option that is no time but excludes one
  std::string_view several_deadlines;

  bool stores() const { return fields.args_per_field == 2; }  // and knows FXX and FNX
};

constexpr FieldBlockRules FieldRules(size_t args_per_field, std::string_view wrong_number) {
  return {.args_per_field = args_per_field,
          .args_min = 1,
          .none = wrong_number,
          .count = "ERR invalid number of fields",
          .beyond = wrong_number};
}
constexpr OptionRules kSetRules = {
    .fields = FieldRules(2, "ERR wrong number of arguments for 'hsetex' command"),
    .state = "keepttl",
    .several_deadlines = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"};
constexpr OptionRules kGetRules = {
    .fields = FieldRules(1, "ERR wrong number of arguments for 'hgetex' command"),
    .state = "persist",
    .several_deadlines = "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified"};

struct FieldOptions {
  bool all_exist = false, none_exists = false;  // FXX, FNX
  bool state = false;                           // KEEPTTL or PERSIST
  bool dated = false;                           // deadline_ms was given
  int64_t deadline_ms = HashField::kNoDeadline;
  FieldBlock fields;

  ArgSpan Pairs(ArgSpan args) const { return args.subspan(fields.first, 2 * fields.count); }  // field, value, field...
};

bool Fail(CommandContext& context, std::string_view error) {
  context.reply.Error(error);
  return false;
}

// The options and the fields in any order, from args[2] to the end.
bool ReadOptions(CommandContext& context, const OptionRules& rules, FieldOptions* options) {
  for (size_t i = 2; i < context.args.size(); i++) {
    const std::string_view arg = context.args[i];
    if (EqualsIgnoreCase(arg, "fields")) {
      if (!ReadFieldBlock(context, &i, rules.fields, &options->fields)) return false;
      continue;
    }
    const TimeOption* time = FindTimeOption(arg);
    const bool all_exist = rules.stores() && EqualsIgnoreCase(arg, "fxx");
    if (time != nullptr || EqualsIgnoreCase(arg, rules.state)) {
      if (options->dated || options->state) return Fail(context, rules.several_deadlines);
      (time != nullptr ? options->dated : options->state) = true;
      if (time == nullptr) continue;
      if (++i >= context.args.size()) return Fail(context, "ERR missing expire time");
      if (!ReadFieldDeadline(context, i, time->unit, time->base, &options->deadline_ms)) return false;
    } else if (all_exist || (rules.stores() && EqualsIgnoreCase(arg, "fnx"))) {
      if (options->all_exist || options->none_exists) {
        return Fail(context, "ERR Only one of FXX or FNX arguments can be specified");
      }
      (all_exist ? options->all_exist : options->none_exists) = true;
    } else {
      return Fail(context, UnknownArgumentError(arg));
    }
  }
  return options->fields.count != 0 || Fail(context, kNoFieldBlockError);
}

bool Holds(const HashView& view, const FieldOptions& options, ArgSpan pairs) {
  if (!options.all_exist && !options.none_exists) return true;
  for (size_t i = 0; i < pairs.size(); i += 2) {
    if (view.Contains(pairs[i]) != options.all_exist) return false;
  }
  return true;
}

// HSETEX with the deadline as PXAT, before the fields, and without conditions, which held.
void LogSet(CommandContext& context, const FieldOptions& options) {
  char time[kIntTextMaxBytes];
  std::vector<std::string_view> command = {"HSETEX", context.key().name};
  if (options.state) command.emplace_back("KEEPTTL");
  if (options.dated) {
    command.emplace_back("PXAT");
    command.emplace_back(time, static_cast<size_t>(WriteInt(time, options.deadline_ms) - time));
  }
  const ArgSpan block = context.args.subspan(options.fields.first - 2, 2 + 2 * options.fields.count);
  command.insert(command.end(), block.begin(), block.end());
  context.LogAs(std::span<const std::string_view>(command));
}

}  // namespace

void HSetEx(CommandContext& context) {
  FieldOptions options;
  if (!ReadOptions(context, kSetRules, &options)) return;
  const ArgSpan pairs = options.Pairs(context.args);
  const KeyRef& key = context.key();
  ValueEdit edit = context.Edit(key);
  if (!context.Expect(edit, kHash)) return;
  if (!Holds(HashView(context, edit.entry()), options, pairs)) return context.reply.Integer(0);
  const FieldDeadline deadline = options.state ? FieldDeadline::kKeep : FieldDeadline::kDrop;
  for (size_t i = 0; i < pairs.size(); i += 2) StoreField(context, edit, pairs[i], ListpackItem(pairs[i + 1]), deadline);
  context.HashEvent("hset", pairs, 2);
  FieldChanges changes(context, edit);
  for (size_t i = 0; options.dated && i < pairs.size(); i += 2) {
    // The same field twice: gone, or dated, after the first.
    changes.SetDeadline(pairs[i], options.deadline_ms);
  }
  const bool gone = options.dated && ExpiresAtOnce(context, options.deadline_ms);
  if (!gone) LogSet(context, options);
  changes.Finish(options.deadline_ms, false);
  context.reply.Integer(1);
}

void HGetEx(CommandContext& context) {
  FieldOptions options;
  if (!ReadOptions(context, kGetRules, &options)) return;
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, kHash)) return;
  FieldChanges changes(context, edit);
  context.reply.Array(options.fields.count);
  for (const std::string_view name : context.args.subspan(options.fields.first, options.fields.count)) {
    const HashView view(context, edit.entry());
    if (!view.Reply(context.reply, name)) continue;
    if (options.dated) {
      changes.SetDeadline(name, options.deadline_ms);
    } else if (options.state) {
      ListpackValue value;
      int64_t old_ms = HashField::kNoDeadline;
      view.Find(name, &value, &old_ms);
      if (old_ms != HashField::kNoDeadline) changes.Persist(name);
    }
  }
  changes.Finish(options.deadline_ms);
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
