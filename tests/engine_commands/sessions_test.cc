#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/random.h"
#include "engine/store_options.h"
#include "tests/engine_commands/command_harness.h"

namespace cairn {
namespace {

TEST(CommandSessions, Strings) { RunSessions(StringSessions()); }
TEST(CommandSessions, Lists) { RunSessions(ListSessions()); }
TEST(CommandSessions, Bitmaps) { RunSessions(BitmapSessions()); }
TEST(CommandSessions, HyperLogLogs) { RunSessions(HyperLogLogSessions()); }
TEST(CommandSessions, Hashes) { RunSessions(HashSessions()); }
TEST(CommandSessions, Keys) { RunSessions(KeySessions()); }
TEST(CommandSessions, Sets) { RunSessions(SetSessions()); }
TEST(CommandSessions, Sorting) { RunSessions(SortSessions()); }
TEST(CommandSessions, Streams) { RunSessions(StreamSessions()); }
TEST(CommandSessions, SortedSets) { RunSessions(SortedSetSessions()); }
TEST(CommandSessions, Places) { RunSessions(GeoSessions()); }
TEST(CommandSessions, Transactions) { RunSessions(TransactionSessions()); }
TEST(CommandSessions, Commands) { RunSessions(CommandSessions()); }

// When a consumer was seen last is not logged: asking without getting anything changes nothing else.
std::string WithoutTimes(std::string reply) {
  constexpr std::string_view kSeen = "\"seen-time\" :";
  for (size_t at = reply.find(kSeen); at != std::string::npos; at = reply.find(kSeen, at + kSeen.size())) {
    reply.erase(at + kSeen.size(), reply.find(' ', at + kSeen.size()) - at - kSeen.size());
  }
  return reply;
}

// A key's value as a reply, whatever its type; hashes and sets, which have no order, as their sorted characters.
std::string ValueText(CommandHarness& harness, const std::string& name) {
  const std::string type = harness.RunArgs({"TYPE", name});
  if (type == "+string") return harness.RunArgs({"GET", name});
  if (type == "+list") return harness.RunArgs({"LRANGE", name, "0", "-1"});
  if (type == "+zset") return harness.RunArgs({"ZRANGE", name, "0", "-1", "WITHSCORES"});
  if (type == "+stream") return WithoutTimes(harness.RunArgs({"XINFO", "STREAM", name, "FULL", "COUNT", "0"}));
  std::string unordered = harness.RunArgs({type == "+hash" ? "HGETALL" : "SMEMBERS", name});
  std::sort(unordered.begin(), unordered.end());
  return type + unordered;
}

// Every live key of `original` is the same in `copy`, which may still hold what has expired unseen.
void ExpectSameKeyspace(CommandHarness& original, CommandHarness& copy) {
  const uint32_t selected = original.client.database;
  for (uint32_t database = 0; database < original.keyspace.databases(); database++) {
    original.client.database = copy.client.database = database;
    const std::set<std::string> names = original.Names();
    for (const std::string& name : names) {
      EXPECT_EQ(ValueText(original, name), ValueText(copy, name)) << name;
      EXPECT_EQ(original.RunArgs({"PEXPIRETIME", name}), copy.RunArgs({"PEXPIRETIME", name})) << name;
    }
    for (const std::string& name : copy.Names()) {
      if (!names.contains(name)) EXPECT_NE(copy.RunArgs({"PEXPIRETIME", name}), ":-1") << name;
    }
  }
  original.client.database = copy.client.database = selected;
}

// What is logged, run elsewhere at another time, makes the same keyspace.
TEST(CommandSessions, RecordsRebuildTheKeyspace) {
  for (const Session& session : AllSessions()) {
    SCOPED_TRACE(session.name);
    CommandHarness original, copy;
    copy.replaying = true;
    copy.now_ms = original.now_ms + 1'000'000'000'000;
    for (const Step& step : session.steps) {
      if (step.command.starts_with("@advance ")) original.now_ms += std::stoll(step.command.substr(9));
      if (step.command.starts_with("@")) continue;
      original.Run(step.command);
      copy.client.database = original.record_database();
      for (const std::vector<std::string>& record : original.record_args()) copy.RunArgs(record);
    }
    ExpectSameKeyspace(original, copy);
  }
}

// Words that are options, numbers at the edges, and names of few keys, so that commands meet each other's values.
const std::vector<std::string> kWords = {"a",
                                         "b",
                                         "c",
                                         "d",
                                         "1",
                                         "0",
                                         "-1",
                                         "10",
                                         "7",
                                         "#3",
                                         "100000",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "1.5",
                                         "1e3",
                                         "inf",
                                         "",
                                         "EX",
                                         "PX",
                                         "EXAT",
                                         "PXAT",
                                         "KEEPTTL",
                                         "PERSIST",
                                         "NX",
                                         "XX",
                                         "GT",
                                         "LT",
                                         "GET",
                                         "SET",
                                         "INCRBY",
                                         "OVERFLOW",
                                         "SAT",
                                         "FAIL",
                                         "WRAP",
                                         "IFEQ",
                                         "IFNE",
                                         "IFDEQ",
                                         "IFDNE",
                                         "9555e8555c62dcfd",
                                         "hello",
                                         "u8",
                                         "i64",
                                         "u63",
                                         "i1",
                                         "BIT",
                                         "BYTE",
                                         "AND",
                                         "OR",
                                         "NOT",
                                         "XOR",
                                         "DIFF",
                                         "ONE",
                                         "ANDOR",
                                         "LEN",
                                         "IDX",
                                         "MINMATCHLEN",
                                         "WITHMATCHLEN",
                                         "REPLACE",
                                         "DB",
                                         "3",
                                         "MATCH",
                                         "COUNT",
                                         "TYPE",
                                         "string",
                                         "*",
                                         "1700000005000",
                                         "1700000005",
                                         "ASYNC",
                                         "SYNC",
                                         "2",
                                         "LEFT",
                                         "RIGHT",
                                         "BEFORE",
                                         "AFTER",
                                         "RANK",
                                         "MAXLEN"};

TEST(CommandSessions, RandomCallsAnswerOnceAndReplay) {
  constexpr uint64_t kSeed = 42;
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  CommandHarness original, copy;
  copy.replaying = true;
  copy.now_ms = original.now_ms + 1'000'000'000'000;
  const std::vector<const CommandRow*> rows = original.table.Rows();
  int accepted = 0;
  for (int i = 0; i < 30000; i++) {
    const CommandRow& row = *rows[random.Uniform(rows.size())];
    std::vector<std::string> args = {std::string(row.name)};
    if (row.name.starts_with("flush") && !random.OneIn(10)) continue;
    if (!row.subcommands.empty()) args.emplace_back(row.subcommands[random.Uniform(row.subcommands.size())].name);
    const auto least = static_cast<size_t>(std::abs(row.arity));
    const size_t most = row.arity > 0 ? least : least + random.Uniform(6);
    while (args.size() < most) args.push_back(kWords[random.Uniform(random.OneIn(2) ? 12 : kWords.size())]);
    original.now_ms += static_cast<int64_t>(random.Uniform(20));
    const std::string reply = original.RunArgs(args);
    copy.client.database = original.record_database();
    ASSERT_FALSE(reply.empty() || reply.ends_with("!")) << row.name << " " << reply;
    if (!reply.starts_with("-")) accepted++;
    for (const std::vector<std::string>& record : original.record_args()) copy.RunArgs(record);
    if (i % 3000 == 0) ExpectSameKeyspace(original, copy);
  }
  ExpectSameKeyspace(original, copy);
  EXPECT_GT(accepted, 5000);  // otherwise the words have lost their use
}

TEST(StringCommands, LargeValuesKeepTheirBytes) {
  CommandHarness harness;
  Random random(7);
  std::string model;
  for (int i = 0; i < 200; i++) {
    const std::string bytes = random.Bytes(random.Uniform(40000));
    switch (random.Uniform(4)) {
      case 0:
        model = bytes;
        EXPECT_EQ(harness.RunArgs({"SET", "k", bytes}), "+OK");
        break;
      case 1:
        model += bytes;
        EXPECT_EQ(harness.RunArgs({"APPEND", "k", bytes}), ":" + std::to_string(model.size()));
        break;
      case 2: {
        const size_t offset = random.Uniform(model.size() + 1000);
        if (bytes.empty()) continue;
        model.resize(std::max(model.size(), offset + bytes.size()));
        model.replace(offset, bytes.size(), bytes);
        EXPECT_EQ(harness.RunArgs({"SETRANGE", "k", std::to_string(offset), bytes}), ":" + std::to_string(model.size()));
        break;
      }
      default: {
        const size_t start = random.Uniform(model.size() + 10), end = start + random.Uniform(100000);
        const std::string part = start < model.size() ? model.substr(start, end - start + 1) : "";
        ASSERT_EQ(harness.RunArgs({"GETRANGE", "k", std::to_string(start), std::to_string(end)}), "\"" + Escaped(part) + "\"");
      }
    }
    ASSERT_EQ(harness.RunArgs({"STRLEN", "k"}), ":" + std::to_string(model.size()));
    if (model.size() > 1'000'000) model.clear(), harness.Run("DEL k");
  }
  EXPECT_EQ(harness.RunArgs({"GET", "k"}), model.empty() ? "nil" : "\"" + Escaped(model) + "\"");
  EXPECT_EQ(harness.RunArgs({"SET", "k", "x", "IFEQ", model}), model.empty() ? "nil" : "+OK");
}

TEST(StringCommands, LargeValuesAreLoggedWhole) {
  CommandHarness harness;
  const std::string value(100'000, 'v');
  EXPECT_EQ(harness.RunArgs({"SET", "k", value}), "+OK");
  EXPECT_EQ(harness.records(), "SET k " + value);
  EXPECT_EQ(harness.RunArgs({"SET", "k", value, "EX", "10"}), "+OK");
  EXPECT_EQ(harness.records(), "SET k " + value + " PXAT 1700000010000");
  EXPECT_EQ(harness.RunArgs({"GETSET", "k", value + "w"}), "\"" + value + "\"");
  EXPECT_EQ(harness.records(), "SET k " + value + "w");
  EXPECT_EQ(harness.RunArgs({"DIGEST", "k"}), harness.RunArgs({"DIGEST", "k"}));
  EXPECT_EQ(harness.RunArgs({"DELEX", "k", "IFEQ", value + "w"}), ":1");
}

TEST(StringCommands, ObeyTheLongestString) {
  CommandHarness harness;
  harness.keyspace.limits().proto_max_bulk_bytes.Set(100);
  EXPECT_EQ(harness.RunArgs({"SETRANGE", "k", "90", std::string(10, 'x')}), ":100");
  EXPECT_EQ(harness.Run("APPEND k x"), "-ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  EXPECT_EQ(harness.Run("SETRANGE k 100 x"), "-ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  EXPECT_EQ(harness.Run("SETBIT k 800 1"), "-ERR bit offset is not an integer or out of range");
  EXPECT_EQ(harness.Run("LCS k k"), "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  harness.replaying = true;
  EXPECT_EQ(harness.Run("APPEND k x"), ":101");
}

TEST(KeyCommands, ScanSeesEveryKeyThatStays) {
  CommandHarness harness;
  harness.want_events = false;
  std::set<std::string> staying;
  for (int i = 0; i < 3000; i++) {
    staying.insert("stays:" + std::to_string(i));
    harness.RunArgs({"SET", "stays:" + std::to_string(i), "x"});
  }
  Random random(11);
  std::set<std::string> seen;
  std::string cursor = "0";
  do {
    const std::string reply = harness.RunArgs({"SCAN", cursor, "COUNT", "50"});
    cursor = reply.substr(2, reply.find('"', 2) - 2);
    for (size_t at = reply.find("\"stays:"); at != std::string::npos; at = reply.find("\"stays:", at + 1)) {
      seen.insert(reply.substr(at + 1, reply.find('"', at + 1) - at - 1));
    }
    for (int i = 0; i < 100; i++) {
      const std::string name = "other:" + std::to_string(random.Uniform(20000));
      harness.RunArgs({random.OneIn(3) ? "DEL" : "SET", name, "x"});
    }
  } while (cursor != "0");
  EXPECT_EQ(seen, staying);
  EXPECT_EQ(harness.Names("stays:*").size(), staying.size());
}

TEST(KeyCommands, NoTouchLeavesAccessTimesAlone) {
  CommandHarness harness;
  harness.Run("SET k v");
  harness.now_ms += 10'000;
  harness.client.no_touch = true;
  EXPECT_EQ(harness.Run("GET k"), "\"v\"");
  EXPECT_EQ(harness.Run("OBJECT IDLETIME k"), ":10");
  EXPECT_EQ(harness.Run("TOUCH k"), ":1");
  EXPECT_EQ(harness.Run("OBJECT IDLETIME k"), ":0");
  EXPECT_EQ(harness.keyspace.stats().hits, 2u);
}

TEST(KeyCommands, FrequencyUnderLfu) {
  CommandHarness harness;
  harness.keyspace.ConfigureEviction({.policy = EvictionPolicy::kAllKeysLfu});
  harness.Run("SET k v");
  EXPECT_EQ(harness.Run("OBJECT FREQ k"), ":5");
  for (int i = 0; i < 1000; i++) harness.Run("GET k");
  EXPECT_GT(std::stoi(harness.Run("OBJECT FREQ k").substr(1)), 5);
  // A copy is a new key; a new name is not.
  harness.Run("COPY k copy");
  EXPECT_EQ(harness.Run("OBJECT FREQ copy"), ":5");
  const std::string frequency = harness.Run("OBJECT FREQ k");
  harness.Run("RENAME k other");
  EXPECT_EQ(harness.Run("OBJECT FREQ other"), frequency);
  harness.Run("RENAME other k");
  EXPECT_TRUE(harness.Run("OBJECT IDLETIME k").starts_with("-ERR An LFU maxmemory policy is selected"));
}

TEST(TransactionCommands, WatchesAreMarked) {
  CommandHarness harness, unused;
  harness.Run("SET a 1");
  harness.Run("WATCH a b");
  ASSERT_NE(harness.client.watch, nullptr);
  EXPECT_EQ(harness.client.watch->keys.size(), 2u);
  harness.Run("SET c 1");
  EXPECT_FALSE(harness.client.watch->dirty);
  harness.Run("EXPIRE a 10");
  EXPECT_TRUE(harness.client.watch->dirty);
  harness.Run("UNWATCH");
  EXPECT_EQ(harness.client.watch, nullptr);
  harness.Run("WATCH a");
  harness.Run("FLUSHALL");
  EXPECT_TRUE(harness.client.watch->dirty);
  harness.Run("MULTI");
  harness.Run("DISCARD");
  EXPECT_EQ(harness.client.watch, nullptr);
  EXPECT_FALSE(harness.client.transaction.open);
}

}  // namespace
}  // namespace cairn
