// COMMAND and its subcommands: what the table says about itself.

#include <algorithm>

#include "base/glob.h"
#include "base/numbers.h"
#include "engine/commands/command_context.h"
#include "engine/commands/command_docs.h"
#include "engine/commands/command_help.h"

namespace cairn {
namespace {

void AllInfo(CommandContext& context) {
  // An unknown subcommand's row is the command's own, which takes none.
  const Status status = CommandTable::CheckCall(&context.row, context.args);
  if (!status.ok()) return context.reply.Error(status.message());
  const std::vector<const CommandRow*> rows = context.table.Rows();
  context.reply.Array(rows.size());
  for (const CommandRow* row : rows) ReplyCommandInfo(context.reply, *row);
}

void Count(CommandContext& context) { context.reply.Integer(static_cast<int64_t>(context.table.Rows().size())); }

void Info(CommandContext& context) {
  const ArgSpan names = context.args.subspan(2);
  if (names.empty()) return AllInfo(context);
  context.reply.Array(names.size());
  for (const std::string_view name : names) {
    const CommandRow* row = context.table.FindByName(name);
    if (row == nullptr) {
      context.reply.Null();
    } else {
      ReplyCommandInfo(context.reply, *row);
    }
  }
}

void Docs(CommandContext& context) {
  const ArgSpan names = context.args.subspan(2);
  std::vector<const CommandRow*> rows;
  if (names.empty()) rows = context.table.Rows();
  for (const std::string_view name : names) {
    if (const CommandRow* row = context.table.FindByName(name)) rows.push_back(row);
  }
  context.reply.Map(rows.size());
  for (const CommandRow* row : rows) {
    context.reply.Bulk(CommandTable::FullName(*row));
    ReplyCommandDocs(context.reply, *row);
  }
}

// How LIST chooses; every row passes where nothing is asked.
struct ListFilter {
  enum Kind : uint8_t { kAll, kModule, kCategory, kPattern } kind = kAll;
  std::string_view operand;
  uint32_t category = 0;

  bool Passes(const CommandRow& row) const {
    switch (kind) {
      case kAll: return true;
      case kModule: return false;  // there are no modules
      case kCategory: return (CommandTable::Categories(row) & category) != 0;
      case kPattern: return GlobMatch(operand, CommandTable::FullName(row), true);
    }
    return false;
  }
};

bool ReadListFilter(CommandContext& context, ListFilter* filter) {
  const ArgSpan args = context.args;
  if (args.size() == 2) return true;
  if (args.size() == 5 && EqualsIgnoreCase(args[2], "filterby")) {
    filter->operand = args[4];
    if (EqualsIgnoreCase(args[3], "module")) {
      filter->kind = ListFilter::kModule;
    } else if (EqualsIgnoreCase(args[3], "aclcat")) {
      filter->kind = ListFilter::kCategory;
      filter->category = AclCategoryByName(args[4]).value_or(0);
    } else if (EqualsIgnoreCase(args[3], "pattern")) {
      filter->kind = ListFilter::kPattern;
    }
    if (filter->kind != ListFilter::kAll) return true;
  }
  context.SyntaxError();
  return false;
}

void List(CommandContext& context) {
  ListFilter filter;
  if (!ReadListFilter(context, &filter)) return;
  std::vector<std::string> names;
  for (const CommandRow* row : context.table.Rows()) {
    if (filter.Passes(*row)) names.push_back(CommandTable::FullName(*row));
    for (const CommandRow& subcommand : row->subcommands) {
      if (filter.Passes(subcommand)) names.push_back(CommandTable::FullName(subcommand));
    }
  }
  context.reply.Array(names.size());
  for (const std::string& name : names) context.reply.Bulk(name);
}

KeyAccess AccessOf(const CommandRow& row, ArgSpan args, int index) {
  if (row.key_access != nullptr) return row.key_access(args);
  const int count = static_cast<int>(args.size());
  for (const KeySpec& spec : row.key_specs) {
    if (!spec.plain()) continue;
    const int last = spec.last < 0 ? count + spec.last : spec.last;
    if (index >= spec.first && index <= last && (index - spec.first) % spec.step == 0) return spec.access;
  }
  return row.key_specs.empty() ? row.keys.access : row.key_specs.back().access;
}

// The count of keys was no good: only those beside it were found.
bool LacksCountedKeys(const CommandRow& row, const std::vector<int>& indexes) {
  const auto specs = row.key_specs;
  const auto plain = std::count_if(specs.begin(), specs.end(), [](const KeySpec& spec) { return spec.plain(); });
  const bool counted = std::any_of(specs.begin(), specs.end(), [](const KeySpec& spec) { return spec.counted; });
  return counted && indexes.size() <= static_cast<size_t>(plain);
}

void ReplyKeys(CommandContext& context, bool with_access) {
  const ArgSpan call = context.args.subspan(2);
  const CommandRow* row = context.table.Find(call);
  if (row == nullptr || (!row->subcommands.empty() && call.size() > 1))
    return context.reply.Error("ERR Invalid command specified");
  if (row->keys.first == 0 && row->get_keys == nullptr) return context.reply.Error("ERR The command has no key arguments");
  if (!CommandTable::CheckCall(row, call).ok()) {
    return context.reply.Error("ERR Invalid number of arguments specified for command");
  }
  std::vector<int> indexes;
  if (!CommandTable::KeyIndexes(*row, call, &indexes).ok() || LacksCountedKeys(*row, indexes)) indexes.clear();
  if (indexes.empty() && !row->has(kNoMandatoryKeys)) {
    return context.reply.Error("ERR Invalid arguments specified for command");
  }
  context.reply.Array(indexes.size());
  for (const int index : indexes) {
    if (with_access) context.reply.Array(2);
    context.reply.Bulk(call[static_cast<size_t>(index)]);
    if (with_access) ReplyKeyAccess(context.reply, AccessOf(*row, call, index));
  }
}

void GetKeys(CommandContext& context) { ReplyKeys(context, false); }

void GetKeysAndFlags(CommandContext& context) { ReplyKeys(context, true); }

constexpr uint32_t kFlags = kLoading | kStale;
constexpr std::string_view kUnordered = "nondeterministic_output_order";

constexpr CommandRow kSubcommands[] = {
    {.name = "count",
     .arity = 2,
     .flags = kFlags,
     .categories = kAclConnection,
     .handler = Count,
     .summary = "Answers how many commands there are.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "docs",
     .arity = -2,
     .flags = kFlags,
     .categories = kAclConnection,
     .handler = Docs,
     .summary = "Describes commands for people; all of them without names.",
     .since = "7.0.0",
     .group = "server",
     .complexity = "O(N) for N commands",
     .syntax = "[command-name [command-name ...]]",
     .tips = kUnordered},
    {.name = "getkeys",
     .arity = -4,
     .flags = kFlags,
     .categories = kAclConnection,
     .handler = GetKeys,
     .summary = "Answers the keys in a whole command.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(N) for N arguments",
     .syntax = "command arg [arg ...]"},
    {.name = "getkeysandflags",
     .arity = -4,
     .flags = kFlags,
     .categories = kAclConnection,
     .handler = GetKeysAndFlags,
     .summary = "Answers the keys in a whole command and what it does with them.",
     .since = "7.0.0",
     .group = "server",
     .complexity = "O(N) for N arguments",
     .syntax = "command arg [arg ...]"},
    {.name = "help",
     .arity = 2,
     .flags = kFlags,
     .categories = kAclConnection,
     .handler = ReplyHelp,
     .summary = "Lists the subcommands.",
     .since = "5.0.0",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "info",
     .arity = -2,
     .flags = kFlags,
     .categories = kAclConnection,
     .handler = Info,
     .summary = "Describes commands for programs; all of them without names.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(N) for N commands",
     .syntax = "[command-name [command-name ...]]",
     .tips = kUnordered},
    {.name = "list",
     .arity = -2,
     .flags = kFlags,
     .categories = kAclConnection,
     .handler = List,
     .summary = "Answers the names of commands, all or some.",
     .since = "7.0.0",
     .group = "server",
     .complexity = "O(N) for N commands",
     .syntax = "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
     .tips = kUnordered},
};

constexpr CommandRow kRows[] = {
    {.name = "command",
     .arity = -1,
     .flags = kFlags,
     .categories = kAclConnection,
     .handler = AllInfo,
     .summary = "Describes all commands for programs.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(N) for N commands",
     .subcommands = kSubcommands,
     .tips = kUnordered},
};

}  // namespace

void RegisterCommandCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
