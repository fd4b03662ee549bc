#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "engine/commands/limits.h"
#include "engine/store_options.h"
#include "tests/engine_commands/command_harness.h"

namespace cairn {
namespace {

TEST(CommandSessions, Strings) { RunSessions(StringSessions()); }
TEST(CommandSessions, Bitmaps) { RunSessions(BitmapSessions()); }
TEST(CommandSessions, Keys) { RunSessions(KeySessions()); }
TEST(CommandSessions, Transactions) { RunSessions(TransactionSessions()); }
TEST(CommandSessions, Commands) { RunSessions(CommandSessions()); }

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
      copy.client.database = original.client.database;
      original.Run(step.command);
      for (const std::vector<std::string>& record : original.record_args()) copy.RunArgs(record);
      // The original's expired keys go when they are looked at, and their DEL is logged then.
    }
    for (uint32_t database = 0; database < original.keyspace.databases(); database++) {
      original.client.database = copy.client.database = database;
      for (const std::string& name : original.Names()) {
        EXPECT_EQ(original.RunArgs({"GET", name}), copy.RunArgs({"GET", name})) << name;
        EXPECT_EQ(original.RunArgs({"PEXPIRETIME", name}), copy.RunArgs({"PEXPIRETIME", name})) << name;
      }
      for (const std::string& name : copy.Names()) {
        if (original.RunArgs({"EXISTS", name}) == ":1") continue;
        // Only a key whose expiry has passed unseen may be left over.
        EXPECT_NE(copy.RunArgs({"PEXPIRETIME", name}), ":-1") << name;
      }
    }
  }
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

TEST(StringCommands, ObeyTheLongestString) {
  CommandHarness harness;
  SetProtoMaxBulkBytes(100);
  EXPECT_EQ(harness.RunArgs({"SETRANGE", "k", "90", std::string(10, 'x')}), ":100");
  EXPECT_EQ(harness.Run("APPEND k x"), "-ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  EXPECT_EQ(harness.Run("SETRANGE k 100 x"), "-ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  EXPECT_EQ(harness.Run("SETBIT k 800 1"), "-ERR bit offset is not an integer or out of range");
  EXPECT_EQ(harness.Run("LCS k k"), "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  harness.replaying = true;
  EXPECT_EQ(harness.Run("APPEND k x"), ":101");
  SetProtoMaxBulkBytes(int64_t{512} << 20);
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
