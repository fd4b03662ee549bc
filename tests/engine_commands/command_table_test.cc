#include "engine/commands/command_table.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/commands/command_syntax.h"
#include "tests/engine_commands/command_harness.h"

namespace cairn {
namespace {

void Nothing(CommandContext&) {}

struct MadeTable : CommandTable {
  MadeTable();
};

MadeTable::MadeTable() {
  static constexpr CommandRow kSub[] = {
      {.name = "set", .arity = -3, .handler = Nothing, .summary = "s", .since = "1", .group = "g"},
      {.name = "help", .arity = 2, .handler = Nothing, .summary = "s", .since = "1", .group = "g"}};
  static constexpr CommandRow kRows[] = {
      {.name = "get", .arity = 2, .keys = {1, 1, 1}, .handler = Nothing, .summary = "s", .since = "1", .group = "g"},
      {.name = "abcdefgh", .arity = 1, .handler = Nothing, .summary = "s", .since = "1", .group = "g"},
      {.name = "georadiusbymember_ro", .arity = -1, .handler = Nothing, .summary = "s", .since = "1", .group = "g"},
      {.name = "mset", .arity = -3, .keys = {1, -1, 2}, .handler = Nothing, .summary = "s", .since = "1", .group = "g"},
      {.name = "config", .arity = -2, .summary = "s", .since = "1", .group = "g", .subcommands = kSub}};
  Register(kRows);
}

std::string FoundName(const CommandTable& table, std::initializer_list<std::string_view> args) {
  const CommandRow* row = table.Find(ArgSpan(args.begin(), args.size()));
  return row == nullptr ? "none" : CommandTable::FullName(*row);
}

TEST(CommandTable, FindsInAnyCase) {
  const MadeTable table;
  EXPECT_EQ(FoundName(table, {"get"}), "get");
  EXPECT_EQ(FoundName(table, {"GeT", "x"}), "get");
  EXPECT_EQ(FoundName(table, {"ABCDEFGH"}), "abcdefgh");
  EXPECT_EQ(FoundName(table, {"GEORADIUSBYMEMBER_RO"}), "georadiusbymember_ro");
  EXPECT_EQ(FoundName(table, {"georadiusbymember\x7Fro"}), "none");
  EXPECT_EQ(FoundName(table, {"config", "SET", "a"}), "config|set");
  EXPECT_EQ(FoundName(table, {"config", "bogus"}), "config");
  EXPECT_EQ(FoundName(table, {"config"}), "config");
  EXPECT_EQ(FoundName(table, {""}), "none");
  EXPECT_EQ(FoundName(table, {"ge"}), "none");
  EXPECT_EQ(FoundName(table, {std::string_view("get\0", 4)}), "none");
  EXPECT_EQ(FoundName(table, {"a name that is longer than any command has"}), "none");
  EXPECT_EQ(table.Find({}), nullptr);
  EXPECT_EQ(table.FindByName("Config|Set"), table.Find(std::vector<std::string_view>{"config", "set"}));
  EXPECT_EQ(table.FindByName("get|set"), nullptr);
  EXPECT_EQ(table.FindByName("config|set|x"), nullptr);
  EXPECT_EQ(table.FindByName("config|set")->parent, table.FindByName("config"));
}

TEST(CommandTable, Renames) {
  MadeTable table;
  EXPECT_TRUE(table.Rename("GET", "Hidden-And-Very-Long-Name-0123456789").ok());
  EXPECT_EQ(FoundName(table, {"get"}), "none");
  EXPECT_EQ(FoundName(table, {"HIDDEN-and-very-long-name-0123456789"}), "get");
  EXPECT_EQ(table.FindUnrenamed(std::vector<std::string_view>{"Get"}), table.FindByName("hidden-and-very-long-name-0123456789"));
  EXPECT_TRUE(table.Rename("config", "").ok());
  EXPECT_EQ(FoundName(table, {"config", "set"}), "none");
  EXPECT_EQ(table.Rename("bogus", "x").code(), StatusCode::kNotFound);
  EXPECT_EQ(table.Rename("mset", "abcdefgh").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(table.Rows().size(), 4u);
}

std::string CallError(const CommandTable& table, const std::vector<std::string_view>& args) {
  return std::string(CommandTable::CheckCall(table.Find(args), args).message());
}

TEST(CommandTable, ChecksCalls) {
  const MadeTable table;
  EXPECT_EQ(CallError(table, {"get", "k"}), "");
  EXPECT_EQ(CallError(table, {"get"}), "ERR wrong number of arguments for 'get' command");
  EXPECT_EQ(CallError(table, {"Config", "set", "a"}), "");
  EXPECT_EQ(CallError(table, {"config", "set"}), "ERR wrong number of arguments for 'config|set' command");
  EXPECT_EQ(CallError(table, {"config"}), "ERR wrong number of arguments for 'config' command");
  EXPECT_EQ(CallError(table, {"cOnfig", "Bogus"}), "ERR unknown subcommand 'Bogus'. Try CONFIG HELP.");
  EXPECT_EQ(CallError(table, {"foo"}), "ERR unknown command 'foo', with args beginning with: ");
  EXPECT_EQ(CallError(table, {"foo", "a", "b"}), "ERR unknown command 'foo', with args beginning with: 'a' 'b' ");
  const std::string longer(200, 'x');
  EXPECT_EQ(CallError(table, {longer, longer, "b"}),
            "ERR unknown command '" + longer.substr(0, 128) + "', with args beginning with: '" + longer.substr(0, 128) + "' ");
}

TEST(CommandTable, FindsKeys) {
  const MadeTable table;
  std::vector<int> indexes;
  EXPECT_TRUE(
      CommandTable::KeyIndexes(*table.FindByName("mset"), std::vector<std::string_view>{"mset", "a", "1", "b", "2"}, &indexes)
          .ok());
  EXPECT_EQ(indexes, (std::vector<int>{1, 3}));
  EXPECT_TRUE(CommandTable::KeyIndexes(*table.FindByName("abcdefgh"), std::vector<std::string_view>{"abcdefgh"}, &indexes).ok());
  EXPECT_TRUE(indexes.empty());
  EXPECT_FALSE(CommandTable::KeyIndexes(*table.FindByName("get"), std::vector<std::string_view>{"get"}, &indexes).ok());
}

TEST(CommandTable, RefusesRowsThatContradictThemselves) {
  static constexpr CommandRow kTwice[] = {
      {.name = "get", .arity = 2, .handler = Nothing, .summary = "s", .since = "1", .group = "g"}};
  static constexpr CommandRow kBoth[] = {
      {.name = "x", .arity = 2, .flags = kWrite | kReadOnly, .handler = Nothing, .summary = "s", .since = "1", .group = "g"}};
  MadeTable table;
  EXPECT_DEATH(table.Register(kTwice), "check failed");
  EXPECT_DEATH(table.Register(kBoth), "check failed");
}

// All rows that the engine has, subcommands included.
std::vector<const CommandRow*> EngineRows(const CommandTable& table) {
  std::vector<const CommandRow*> rows;
  for (const CommandRow* row : table.Rows()) {
    rows.push_back(row);
    for (const CommandRow& subcommand : row->subcommands) rows.push_back(&subcommand);
  }
  return rows;
}

TEST(CommandRows, EveryRowHasATest) {
  const CommandHarness harness;
  std::set<std::string> tested;
  for (const Session& session : AllSessions()) {
    for (const Step& step : session.steps) {
      const std::vector<std::string> args = CommandHarness::Split(step.command);
      const std::vector<std::string_view> views(args.begin(), args.end());
      const CommandRow* row = harness.table.Find(views);
      if (row != nullptr && (step.reply.empty() || step.reply[0] != '-')) tested.insert(CommandTable::FullName(*row));
    }
  }
  for (const CommandRow* row : EngineRows(harness.table)) {
    const std::string name = CommandTable::FullName(*row);
    // EXEC, OBJECT FREQ under an LFU policy and bare containers need more than a handler.
    if (row->handler == nullptr || name == "exec") continue;
    EXPECT_TRUE(tested.contains(name)) << name;
  }
}

TEST(CommandRows, AreDocumentedAndConsistent) {
  const CommandHarness harness;
  for (const CommandRow* row : EngineRows(harness.table)) {
    SCOPED_TRACE(CommandTable::FullName(*row));
    EXPECT_TRUE(row->summary.ends_with("."));
    EXPECT_FALSE(row->complexity.empty());
    EXPECT_EQ(std::count(row->since.begin(), row->since.end(), '.'), 2);
    if (row->has(kDenyOom)) EXPECT_TRUE(row->has(kWrite));
    if (row->keys.first != 0) {
      const bool writes = (row->keys.access & (kKeyWrite | kKeyRemove)) != 0;
      EXPECT_EQ(writes, row->has(kWrite) || row->has(kMayReplicate));  // PFCOUNT, which keeps the count that it answers
    }
    EXPECT_NE(CommandTable::Categories(*row) & (kAclFast | kAclSlow), 0u);
  }
}

// How many arguments a call must have by the syntax line, and whether it may have more.
size_t Required(const std::vector<SyntaxArgument>& arguments, bool* more) {
  size_t count = 0;
  for (const SyntaxArgument& argument : arguments) {
    if (argument.optional || argument.multiple) *more = true;
    if (argument.optional) continue;
    if (argument.type == SyntaxArgument::Type::kOneOf) {
      size_t least = SIZE_MAX;
      for (const SyntaxArgument& one : argument.arguments) {
        bool any = false;
        least = std::min(least, Required({one}, &any));
      }
      count += least + (argument.token.empty() ? 0 : 1);
      continue;
    }
    const bool block = argument.type == SyntaxArgument::Type::kBlock;
    count += block ? Required(argument.arguments, more) : 1;
    if (!argument.token.empty() && (block || argument.type != SyntaxArgument::Type::kPureToken)) count++;
  }
  return count;
}

TEST(CommandRows, ArityAgreesWithSyntax) {
  const CommandHarness harness;
  for (const CommandRow* row : EngineRows(harness.table)) {
    if (row->handler == nullptr || !row->subcommands.empty()) continue;
    SCOPED_TRACE(CommandTable::FullName(*row));
    bool more = false;
    const int names = row->parent != nullptr ? 2 : 1;
    const int required = names + static_cast<int>(Required(ParseSyntax(row->syntax), &more));
    EXPECT_EQ(row->arity, more ? -required : required);
  }
}

std::string Describe(const std::vector<SyntaxArgument>& arguments) {
  std::string text;
  for (const SyntaxArgument& argument : arguments) {
    if (!text.empty()) text += " ";
    if (!argument.token.empty()) text += argument.token + "=";
    text += argument.name + ":" + std::string(TypeText(argument.type));
    if (argument.optional) text += "?";
    if (argument.multiple) text += "*";
    if (!argument.arguments.empty()) text += "(" + Describe(argument.arguments) + ")";
  }
  return text;
}

TEST(CommandSyntax, ParsesItsGrammar) {
  EXPECT_EQ(Describe(ParseSyntax("")), "");
  EXPECT_EQ(Describe(ParseSyntax("key value")), "key:key value:string");
  EXPECT_EQ(Describe(ParseSyntax("key [key ...]")), "key:key*");
  EXPECT_EQ(Describe(ParseSyntax("key value [key value ...]")), "data:block*(key:key value:string)");
  EXPECT_EQ(Describe(ParseSyntax("key [NX | XX] [GET]")),
            "key:key condition:oneof?(NX=nx:pure-token XX=xx:pure-token) GET=get:pure-token?");
  EXPECT_EQ(Describe(ParseSyntax("[EX seconds | PX milliseconds | KEEPTTL]")),
            "expiration:oneof?(EX=seconds:integer PX=milliseconds:integer KEEPTTL=keepttl:pure-token)");
  EXPECT_EQ(Describe(ParseSyntax("key [start end [BYTE | BIT]]")),
            "key:key start:block?(start:integer end:integer byte-bit:oneof?(BYTE=byte:pure-token BIT=bit:pure-token))");
  EXPECT_EQ(Describe(ParseSyntax("<AND | OR> key")), "and-or:oneof(AND=and:pure-token OR=or:pure-token) key:key");
  EXPECT_EQ(Describe(ParseSyntax("cursor [MATCH pattern] [COUNT count]")),
            "cursor:integer MATCH=pattern:pattern? COUNT=count:integer?");
  EXPECT_EQ(Describe(ParseSyntax("[LIMIT offset count]")), "LIMIT=limit:block?(offset:integer count:integer)");
  EXPECT_EQ(Describe(ParseSyntax("[name [name ...]]")), "name:string?*");
}

}  // namespace
}  // namespace cairn
