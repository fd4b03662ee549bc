// What stream commands log is taken back by a replay, whatever numbers clients gave before; what strangers' payloads say is no harm; and
// what reads of streams are counted as.
#include <gtest/gtest.h>

#include <tuple>

#include "base/bytes.h"
#include "base/crc64.h"
#include "tests/engine_commands/command_harness.h"

namespace cairn {
namespace {

TEST(StreamReplay, TakesCountersThatOverflowed) {
  CommandHarness written, replayed;
  replayed.replaying = true;
  for (const char* command : {"XADD s 1-1 a b", "XSETID s 2-0 ENTRIESADDED 9223372036854775807", "XADD s 3-0 a b",
                              "XGROUP CREATE s g 0", "XREADGROUP GROUP g c STREAMS s >"}) {
    EXPECT_FALSE(written.Run(command).starts_with("-")) << command;
    for (const std::vector<std::string>& record : written.record_args()) {
      const std::string reply = replayed.RunArgs(record);
      EXPECT_FALSE(reply.starts_with("-")) << command << ": " << reply;
    }
  }
  EXPECT_EQ(replayed.Run("XINFO GROUPS s"), written.Run("XINFO GROUPS s"));
}

// As Redis counts: two lookups for a read of news, one for an acknowledgement, none when a command that waited is served.
TEST(StreamReads, AreCountedAsLookups) {
  CommandHarness harness;
  for (const char* command : {"XADD s 1-1 a b", "XGROUP CREATE s g 0"}) EXPECT_FALSE(harness.Run(command).starts_with("-"));
  EXPECT_EQ(harness.keyspace.stats().hits, 0u);
  for (const auto& [command, hits, misses] :
       {std::tuple("XREAD STREAMS s t 0 0", 2u, 2u), std::tuple("XREADGROUP GROUP g c STREAMS s >", 4u, 2u),
        std::tuple("XACK s g 1-1", 5u, 2u), std::tuple("XACK t g 1-1", 5u, 3u)}) {
    harness.Run(command);
    EXPECT_EQ(harness.keyspace.stats().hits, hits) << command;
    EXPECT_EQ(harness.keyspace.stats().misses, misses) << command;
  }
  harness.Run("XADD s 2-1 a b");
  harness.ready_key = 0;
  EXPECT_TRUE(harness.Run("XREADGROUP GROUP g c BLOCK 0 STREAMS s >").starts_with("[[\"s\""));
  EXPECT_EQ(harness.keyspace.stats().hits, 5u);
}

// The dumped value with one time instead of another, wherever that stands.
std::string WithTime(std::string payload, int64_t from_ms, int64_t to_ms) {
  char from[sizeof(from_ms)], to[sizeof(to_ms)], checksum[sizeof(uint64_t)];
  StoreLittleEndian<int64_t>(from, from_ms);
  StoreLittleEndian<int64_t>(to, to_ms);
  payload.resize(payload.size() - sizeof(checksum));
  size_t at = 0;
  while ((at = payload.find(std::string(from, sizeof(from)), at)) != std::string::npos)
    payload.replace(at, sizeof(to), to, sizeof(to));
  StoreLittleEndian<uint64_t>(checksum, Crc64(payload, 0));
  return payload.append(checksum, sizeof(checksum));
}

TEST(StreamRestore, TakesTimesAtTheEndsOfTheRange) {
  for (const int64_t delivered_ms : {INT64_MIN, INT64_MAX}) {
    SCOPED_TRACE(delivered_ms);
    CommandHarness harness;
    for (const char* command :
         {"XADD s 1-1 a b", "XADD s 2-1 a b", "XGROUP CREATE s g 0", "XREADGROUP GROUP g c COUNT 1 STREAMS s >"}) {
      EXPECT_FALSE(harness.Run(command).starts_with("-")) << command;
    }
    const std::string payload = WithTime(CommandHarness::Split(harness.Run("DUMP s")).at(0), harness.now_ms, delivered_ms);
    ASSERT_EQ(harness.RunArgs({"RESTORE", "s", "0", payload, "REPLACE"}), "+OK");
    const bool long_ago = delivered_ms < 0;
    const std::string idle = long_ago ? ":9223372036854775807" : ":0";
    EXPECT_EQ(harness.Run("XPENDING s g IDLE 1 - + 10"), long_ago ? "[[\"1-1\" \"c\" " + idle + " :1]]" : "[]");
    EXPECT_EQ(harness.Run("XINFO CONSUMERS s g"),
              "[[\"name\" \"c\" \"pending\" :1 \"idle\" " + idle + " \"inactive\" " + idle + "]]");
    EXPECT_EQ(harness.Run("XCLAIM s g d 1 1-1 JUSTID"), long_ago ? "[\"1-1\"]" : "[]");
    ASSERT_EQ(harness.RunArgs({"RESTORE", "s", "0", payload, "REPLACE"}), "+OK");
    EXPECT_EQ(harness.Run("XAUTOCLAIM s g d 1 0 JUSTID"), long_ago ? "[\"0-0\" [\"1-1\"] []]" : "[\"0-0\" [] []]");
    ASSERT_EQ(harness.RunArgs({"RESTORE", "s", "0", payload, "REPLACE"}), "+OK");
    EXPECT_EQ(harness.Run("XREADGROUP GROUP g d CLAIM 1 STREAMS s >"),
              "[[\"s\" [" + (long_ago ? "[\"1-1\" [\"a\" \"b\"] " + idle + " :1] " : std::string()) +
                  "[\"2-1\" [\"a\" \"b\"] :0 :0]]]]");
    ASSERT_EQ(harness.RunArgs({"RESTORE", "s", "0", payload, "REPLACE"}), "+OK");
    EXPECT_EQ(harness.Run("XREADGROUP GROUP g d CLAIM 0 STREAMS s >"),
              "[[\"s\" [[\"1-1\" [\"a\" \"b\"] " + idle + " :1] [\"2-1\" [\"a\" \"b\"] :0 :0]]]]");
  }
}

}  // namespace
}  // namespace cairn
