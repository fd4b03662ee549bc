// Commands that meet a hash whose fields have come due, more of them than a reader removes at once.
#include <gtest/gtest.h>

#include "tests/engine_commands/command_harness.h"

namespace cairn {
namespace {

constexpr int kFields = 500;

// `live` of them have no deadline; the others are due when it returns.
void MakeDueHash(CommandHarness& harness, const std::string& key, int fields, int live) {
  std::vector<std::string> set = {"HSET", key};
  std::vector<std::string> expire = {"HPEXPIRE", key, "10", "FIELDS", std::to_string(fields - live)};
  for (int i = 0; i < fields; i++) {
    set.insert(set.end(), {"f" + std::to_string(i), "v"});
    if (i >= live) expire.push_back("f" + std::to_string(i));
  }
  ASSERT_EQ(harness.RunArgs(set), ":" + std::to_string(fields));
  harness.RunArgs(expire);
  harness.now_ms += 20;
}

TEST(HashDue, AKeyIsPutInItsPlace) {
  for (const bool want_events : {false, true}) {
    for (const char* command : {"RENAME source hash", "RENAMENX source hash", "COPY source hash", "COPY source hash REPLACE"}) {
      SCOPED_TRACE(command);
      CommandHarness harness;
      harness.want_events = want_events;
      harness.Run("SET source value");
      MakeDueHash(harness, "hash", kFields, 0);
      EXPECT_FALSE(harness.Run(command).starts_with("-"));
      EXPECT_EQ(harness.Run("GET hash"), "\"value\"");
    }
    CommandHarness harness;
    harness.want_events = want_events;
    harness.Run("SELECT 1");
    MakeDueHash(harness, "hash", kFields, 0);
    harness.Run("SELECT 0");
    harness.Run("SET hash value");
    EXPECT_EQ(harness.Run("MOVE hash 1"), ":1");
    harness.Run("SELECT 1");
    EXPECT_EQ(harness.Run("GET hash"), "\"value\"");
  }
}

TEST(HashDue, OneThatLivesAmongManyIsDrawn) {
  CommandHarness harness;
  MakeDueHash(harness, "hash", 10 * kFields, 1);
  EXPECT_EQ(harness.Run("HRANDFIELD hash"), "\"f0\"");
  EXPECT_EQ(harness.Run("HRANDFIELD hash 5"), "[\"f0\"]");
  EXPECT_EQ(harness.Run("HRANDFIELD hash -3 WITHVALUES"), R"(["f0" "v" "f0" "v" "f0" "v"])");
  EXPECT_EQ(harness.Run("HLEN hash"), ":1");
}

TEST(HashDue, SomeOfThoseThatLiveAreDrawn) {
  CommandHarness harness;
  MakeDueHash(harness, "hash", 10 * kFields, 100);
  std::set<std::string> drawn;
  for (int i = 0; i < 2000; i++) drawn.insert(harness.Run("HRANDFIELD hash 1"));
  EXPECT_EQ(drawn.size(), 100u);
  EXPECT_FALSE(drawn.contains("[\"f100\"]"));
}

}  // namespace
}  // namespace cairn
