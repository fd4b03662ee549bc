// What is logged makes the same values in replay, where nothing is due and limits may be others.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/values/value_limits.h"
#include "tests/engine_commands/command_harness.h"

namespace cairn {
namespace {

class ReplayedOutcome : public testing::Test {
 protected:
  static constexpr int kFields = 150;  // more than one reader removes

  ReplayedOutcome() {
    replayed_.replaying = true;
    replayed_.now_ms = written_.now_ms + 1'000'000'000'000;
  }
  std::string Do(const std::vector<std::string>& args) {
    std::string reply = written_.RunArgs(args);
    replayed_.client.database = written_.record_database();
    for (const std::vector<std::string>& record : written_.record_args()) {
      const std::string answer = replayed_.RunArgs(record);
      EXPECT_FALSE(answer.starts_with("-")) << record[0] << ": " << answer;
    }
    return reply;
  }
  std::string Do(std::string_view line) { return Do(CommandHarness::Split(line)); }
  void ExpectSame(std::string_view read) { EXPECT_EQ(written_.Run(read), replayed_.Run(read)) << read; }

  // A hash whose fields are all due, of which a reader leaves some behind, which nobody sees.
  void MakeDueHash(const std::string& key) {
    std::vector<std::string> set = {"HSET", key}, expire = {"HPEXPIRE", key, "1", "FIELDS", std::to_string(kFields)};
    for (int i = 0; i < kFields; i++) {
      const std::string name = "f" + std::to_string(i);
      set.insert(set.end(), {name, "v" + std::to_string(i)});
      expire.push_back(name);
    }
    Do(set);
    Do(expire);
    written_.now_ms += 10;
  }

  CommandHarness written_, replayed_;
};

TEST_F(ReplayedOutcome, SortStoresWhatHashesSaidThen) {
  Do("RPUSH l 1");
  for (const int field : {0, 75, kFields - 1}) {
    MakeDueHash("h1");
    const std::string pattern = "h*->f" + std::to_string(field);
    EXPECT_EQ(Do({"SORT", "l", "BY", "nosort", "GET", pattern, "STORE", "got"}), ":1");
    EXPECT_EQ(written_.Run("LRANGE got 0 -1"), "[\"\"]");
    ExpectSame("LRANGE got 0 -1");
    MakeDueHash("h1");
    EXPECT_EQ(Do({"SORT", "l", "BY", pattern, "STORE", "sorted"}), ":1");  // the field is no number
    ExpectSame("LRANGE sorted 0 -1");
  }
}

// Each look at the hash takes more of the due fields away, beneath what was read there before.
TEST_F(ReplayedOutcome, SortReadsHashesThatChangeByBeingRead) {
  MakeDueHash("h1");
  Do("HSET h1 weight bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
  MakeDueHash("h1");
  Do("HSET h2 weight aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  Do("RPUSH l 1 1 2 1");
  EXPECT_EQ(written_.Run("SORT l BY h*->weight ALPHA"), "[\"2\" \"1\" \"1\" \"1\"]");
}

TEST_F(ReplayedOutcome, SortStoresListsOfAnySize) {
  constexpr int kElements = 3000;
  std::vector<std::string> push = {"RPUSH", "l"};
  for (int i = 0; i < kElements; i++) push.push_back(std::to_string(i));
  Do(push);
  Do({"SET", "w7", std::string(40'000, 'x')});
  Do("SET w8 -5");
  Do("SET d old EX 100");
  EXPECT_EQ(Do("SORT l BY nosort GET w* GET # STORE d"), ":6000");
  EXPECT_EQ(written_.record_args().front(), (std::vector<std::string>{"DEL", "d"}));
  EXPECT_GT(written_.record_args().size(), 4u);
  for (const std::vector<std::string>& record : written_.record_args()) EXPECT_LE(record.size(), 1002u);
  ExpectSame("LRANGE d 0 -1");
  ExpectSame("PTTL d");
  EXPECT_EQ(Do("SORT none BY nosort GET w* STORE d"), ":0");
  EXPECT_EQ(written_.records(), "DEL d");
  EXPECT_EQ(Do("SORT none BY nosort GET w* STORE d"), ":0");
  EXPECT_EQ(written_.records(), "");
}

TEST_F(ReplayedOutcome, KeysAreTakenFromHashesThatAreAllDue) {
  for (const char* command :
       {"COPY a h", "COPY a h REPLACE", "RENAME a h", "RENAMENX a h", "SETNX h 5", "SORT l BY nosort GET # STORE h",
        "LMOVE l h LEFT LEFT", "PFADD h x", "APPEND h x", "MSETNX h 1 i 2"}) {
    SCOPED_TRACE(command);
    Do("FLUSHALL");
    Do("SET a 5");
    Do("RPUSH l 5 6");
    MakeDueHash("h");
    EXPECT_FALSE(Do(command).starts_with("-"));
    ExpectSame("TYPE h");
    EXPECT_NE(written_.Run("TYPE h"), "+hash");
    ExpectSame("DUMP h");
  }
  Do("FLUSHALL");
  MakeDueHash("h");
  Do("SELECT 1");
  Do("SET h 5");
  EXPECT_EQ(Do("MOVE h 0"), ":1");
  Do("SELECT 0");
  replayed_.client.database = 0;
  EXPECT_EQ(written_.Run("GET h"), "\"5\"");
  ExpectSame("GET h");
}

TEST_F(ReplayedOutcome, EstimatesAreDenseWhereTheyWere) {
  for (const int written_max : {0, 40, 300, 3000, 16000}) {
    for (const int replayed_max : {0, 3000, 16000}) {
      SCOPED_TRACE(std::to_string(written_max) + " then " + std::to_string(replayed_max));
      Do("FLUSHALL");
      written_.keyspace.limits().hll_sparse_max_bytes.Set(written_max);
      replayed_.keyspace.limits().hll_sparse_max_bytes.Set(replayed_max);
      Do("PFADD h 0 EX");
      Do("EXPIRE h 1000");
      for (int i = 0; i < 4000; i += 20) {
        std::vector<std::string> add = {"PFADD", i % 200 == 0 ? "g" : "h"};
        for (int j = i; j < i + 20; j++) add.push_back(std::to_string(j));
        Do(add);
        if (i % 1000 == 0) Do("PFMERGE m g h");
        if (i % 1000 == 0) ExpectSame("GET m");
        ExpectSame("GET h");
      }
      Do("PFMERGE new m");
      for (const char* read : {"GET g", "GET h", "GET m", "GET new", "PTTL g"}) ExpectSame(read);
      if (written_.Run("PFDEBUG ENCODING h") == "+dense") Do("SETBIT h 98000 1");  // which a sparse value would not survive
      Do("PFADD h another");
      ExpectSame("GET h");
    }
  }
}

TEST_F(ReplayedOutcome, RestoreTakesChecksumsThatWereNotLookedAt) {
  CommandHarness harness;
  harness.Run("SET a text");
  std::string payload = CommandHarness::Split(harness.Run("DUMP a")).at(0);
  payload.back() = static_cast<char>(payload.back() ^ 1);
  EXPECT_TRUE(harness.RunArgs({"RESTORE", "b", "0", payload}).starts_with("-ERR DUMP payload"));
  harness.replaying = true;
  EXPECT_EQ(harness.RunArgs({"RESTORE", "b", "0", payload}), "+OK");
  EXPECT_EQ(harness.Run("GET b"), "\"text\"");
}

}  // namespace
}  // namespace cairn
