// Changes and results of large values that are prepared without locks and put in place if the values are still the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/commands/apart.h"
#include "tests/engine/store_test_support.h"

namespace cairn {
namespace {

// Keeps the work that it is asked for, for the test to do it.
class Port final : public WaitPort {
 public:
  void OnBlocked(const std::shared_ptr<Waiter>&) override {}
  bool OnDeferred(uint64_t, std::function<void(ReplySink&)>&) override { return false; }
  bool OnApartWork(const std::shared_ptr<ApartWork>& work) override {
    asked = work;
    return true;
  }

  std::shared_ptr<ApartWork> asked;
};

class ApartTest : public StoreTest {
 protected:
  static constexpr int kElements = 3 * static_cast<int>(kNearElements);

  void SetUp() override {
    Open();
    for (int i = 0; i < kElements;) {
      std::vector<std::string> texts = {"RPUSH", "l"};
      for (const int end = i + 10'000; i < end; i++) texts.push_back("e" + std::to_string(i));
      Do(texts);
    }
  }
  void TearDown() override { Close(); }

  std::string Do(const std::vector<std::string>& words) {
    const std::vector<std::string_view> args(words.begin(), words.end());
    return Shown(store_->Run(client_, args));
  }
  // Once, with the work done before; what was answered, or "" where the command asked for work (port_.asked).
  std::string Try(const std::vector<std::string>& words, ApartWork* apart) {
    const std::vector<std::string_view> args(words.begin(), words.end());
    ReplyValueSink sink;
    Client client;
    client.database = client_.database;
    client.wait_port = &port_;
    const Outcome outcome = store_->Execute(client, {.row = store_->commands().Find(args), .args = args, .apart = apart}, sink);
    return outcome.kind == Outcome::Kind::kApart ? "" : Shown(sink.Take());
  }

  static std::string Shown(const ReplyValue& reply) {
    if (reply.kind == ReplyValue::Kind::kInteger) return std::to_string(reply.integer);
    return reply.kind == ReplyValue::Kind::kString || reply.kind == ReplyValue::Kind::kStatus ? reply.text : reply.ToString();
  }

  Port port_;
};

TEST_F(ApartTest, PutInPlaceWhereNothingChanged) {
  const std::string pivot = "e" + std::to_string(kElements - 5);
  const std::vector<std::string> insert = {"LINSERT", "l", "AFTER", pivot, "new"};
  EXPECT_EQ(Try(insert, nullptr), "");
  ASSERT_NE(port_.asked, nullptr);
  port_.asked->Run();
  EXPECT_EQ(Try(insert, port_.asked.get()), std::to_string(kElements + 1));
  EXPECT_EQ(Do({"LPOS", "l", "new"}), std::to_string(kElements - 4));
  // The same work does not fit any more.
  EXPECT_EQ(Try(insert, port_.asked.get()), "");
}

TEST_F(ApartTest, TriesEndUnderTheLock) {
  const std::vector<std::string> remove = {"LREM", "l", "0", "e" + std::to_string(kElements / 2)};
  std::shared_ptr<ApartWork> work;
  int tries = 0;
  while (Try(remove, work.get()).empty()) {
    work = port_.asked;
    work->Run();
    Do({"RPUSH", "l", "x"});
    ASSERT_LT(++tries, 10);
  }
  EXPECT_GT(tries, 1);
  EXPECT_EQ(Do({"LLEN", "l"}), std::to_string(kElements - 1 + tries));
  EXPECT_EQ(Do({"LPOS", "l", "x"}), std::to_string(kElements - 1));
}

TEST_F(ApartTest, ForgottenWithTheKey) {
  const std::vector<std::string> trim = {"LTRIM", "l", "5", "-" + std::to_string(kNearElements + 10)};
  EXPECT_EQ(Try(trim, nullptr), "");
  const std::shared_ptr<ApartWork> work = port_.asked;
  work->Run();
  Do({"DEL", "l"});
  EXPECT_EQ(Try(trim, work.get()), "OK");
  EXPECT_EQ(Do({"EXISTS", "l"}), "0");
  Do({"RPUSH", "l", "a", "b"});
  EXPECT_EQ(Try(trim, work.get()), "OK");
  EXPECT_EQ(Do({"EXISTS", "l"}), "0");  // nothing of so short a list is in the range
}

TEST_F(ApartTest, SameAfterARestart) {
  const auto element = [](int i) { return "e" + std::to_string(i); };
  EXPECT_EQ(Do({"LINSERT", "l", "BEFORE", element(kElements - 7), "new"}), std::to_string(kElements + 1));
  EXPECT_EQ(Do({"LINSERT", "l", "BEFORE", "nobody", "new"}), "-1");
  EXPECT_EQ(Do({"LREM", "l", "-1", element(100)}), "1");
  EXPECT_EQ(Do({"LREM", "l", "0", "nobody"}), "0");
  EXPECT_EQ(Do({"LTRIM", "l", std::to_string(kNearElements + 1), "-2"}), "OK");
  const int left = kElements - static_cast<int>(kNearElements) - 2;
  for (int round = 0; round < 2; round++) {
    EXPECT_EQ(Do({"LLEN", "l"}), std::to_string(left));
    EXPECT_EQ(Do({"LINDEX", "l", "0"}), element(static_cast<int>(kNearElements) + 2));
    EXPECT_EQ(Do({"LINDEX", "l", "-7"}), "new");
    EXPECT_EQ(Do({"LINDEX", "l", "-1"}), element(kElements - 2));
    if (round > 0) break;
    Close();
    Open();
  }
}

// --- sets, sorted sets and results that are stored -------------------------------------------------------------------------------------

class ApartResultTest : public ApartTest {
 protected:
  void SetUp() override {
    Open();
    Fill("z", 0, kElements);
    Fill("other", kElements / 2, kElements);
    Fill("small", 0, 10);
  }

  // A sorted set of members whose scores are their numbers, and a set of the same name with an "s" in front.
  void Fill(const std::string& name, int first, int end) {
    while (first < end) {
      std::vector<std::string> pairs = {"ZADD", name}, members = {"SADD", "s" + name};
      for (const int stop = std::min(first + 10'000, end); first < stop; first++) {
        const std::string number = std::to_string(first);
        pairs.insert(pairs.end(), {number, "m" + number});
        members.push_back("m" + number);
      }
      Do(pairs);
      Do(members);
    }
  }

  // Runs a command as a client does that waits for its work; what was answered. `between` runs when the work is done.
  std::string RunApart(const std::vector<std::string>& words, const std::function<void()>& between = {}) {
    std::shared_ptr<ApartWork> work;
    for (int tries = 0; tries < 10; tries++) {
      std::string reply = Try(words, work.get());
      if (!reply.empty()) {
        EXPECT_GT(tries, 0) << words[0] << " did its work under the locks";
        return reply;
      }
      work = port_.asked;
      work->Run();
      if (between) between();
    }
    return "it asks for ever";
  }
  // Type, encoding, deadline and all of the value.
  std::string Content(const std::string& key) {
    const std::string type = Do({"TYPE", key});
    std::string text = key + ": " + type + " " + Do({"OBJECT", "ENCODING", key}) + " " + Do({"EXPIRETIME", key});
    ReplyValue value;
    if (type == "zset") value = store_->Run(client_, {"ZRANGE", key, "0", "-1", "WITHSCORES"});
    if (type == "list") value = store_->Run(client_, {"LRANGE", key, "0", "-1"});
    if (type == "set") value = store_->Run(client_, {"SMEMBERS", key});
    if (type == "string") value = store_->Run(client_, {"GET", key});
    std::vector<std::string> shown;
    for (const ReplyValue& element : value.elements) shown.push_back(Shown(element));
    if (type == "set") std::sort(shown.begin(), shown.end());
    for (const std::string& element : shown) text += " " + element;
    return text + (shown.empty() ? " " + Shown(value) : "") + "\n";
  }
  std::string Contents() { return Content("z") + Content("sz") + Content("to"); }

  static std::vector<std::vector<std::string>> Commands() {
    const std::string half = std::to_string(kElements / 2);
    return {{"ZREMRANGEBYRANK", "z", "10", half},
            {"ZREMRANGEBYSCORE", "z", "(5", half},
            {"ZRANGESTORE", "to", "z", "5", half},
            {"ZRANGESTORE", "z", "z", "5", half},
            {"ZRANGESTORE", "to", "z", half, "0", "BYSCORE", "REV", "LIMIT", "3", "25000"},
            {"ZUNIONSTORE", "to", "3", "z", "other", "small", "WEIGHTS", "2", "3", "-1", "AGGREGATE", "MIN"},
            {"ZUNIONSTORE", "z", "2", "z", "sother"},
            {"ZINTERSTORE", "to", "2", "other", "z"},
            {"ZDIFFSTORE", "to", "2", "z", "other"},
            {"ZDIFFSTORE", "to", "2", "small", "z"},
            {"SUNIONSTORE", "to", "sz", "sother", "ssmall"},
            {"SUNIONSTORE", "sz", "sz", "nothing"},
            {"SINTERSTORE", "to", "sz", "sother"},
            {"SDIFFSTORE", "to", "sz", "sother"},
            {"SDIFFSTORE", "to", "sz", "sz"},
            {"SORT", "sz", "ALPHA", "DESC", "LIMIT", "10", "21000", "STORE", "to"},
            {"SORT", "z", "BY", "nosort", "STORE", "to"},
            {"SORT", "sz", "STORE", "to"},
            {"GEOSEARCHSTORE", "to", "z", "FROMLONLAT", "0", "0", "BYRADIUS", "30000", "km", "STOREDIST"}};
  }
};

// What one database's keys become apart, another's become in a transaction, which works under the locks.
TEST_F(ApartResultTest, SameAsUnderTheLocks) {
  Do({"SET", "to", "old", "EX", "1000"});
  Do({"EXPIRE", "z", "1000"});
  for (const std::vector<std::string>& words : Commands()) {
    SCOPED_TRACE(testing::PrintToString(words));
    for (const char* key : {"z", "sz", "to", "other", "sother", "small", "ssmall"}) {
      for (const char* database : {"1", "2"}) Do({"COPY", key, key, "DB", database, "REPLACE"});
    }
    Do({"SELECT", "1"});
    const std::string apart = RunApart(words);
    const std::string found = Contents();
    EXPECT_GT(found.size(), size_t{kElements});
    Do({"SELECT", "2"});
    Do({"MULTI"});
    Do(words);
    const ReplyValue answers = store_->Run(client_, {"EXEC"});
    ASSERT_EQ(answers.elements.size(), 1u);
    EXPECT_EQ(apart, Shown(answers.elements[0]));
    EXPECT_EQ(found, Contents());
    Do({"SELECT", "0"});
  }
}

// Every source is looked at again; whoever changes one in time is not forgotten.
TEST_F(ApartResultTest, ChangedMeanwhile) {
  int changes = 0;
  const auto touch = [&](const std::string& member) {
    return [&, member] { Do({"ZADD", "small", std::to_string(100 + changes++), member}); };
  };
  EXPECT_EQ(RunApart({"ZUNIONSTORE", "to", "2", "z", "small"}, touch("new")), std::to_string(kElements + 1));
  EXPECT_GT(changes, 1);
  EXPECT_EQ(Do({"ZSCORE", "to", "new"}), std::to_string(100 + changes - 1));
  int64_t size = kElements;
  EXPECT_EQ(RunApart({"SUNIONSTORE", "to", "sz", "ssmall"},
                     [&] {
                       Do({"SADD", "sz", "more" + std::to_string(size++)});
                     }),
            std::to_string(size));
  EXPECT_EQ(Do({"SCARD", "to"}), std::to_string(size));
  // A key that goes, and comes back the same.
  EXPECT_EQ(RunApart({"ZRANGESTORE", "to", "z", "0", "-1"}, [&] { Do({"DEL", "z"}); }), "0");
  EXPECT_EQ(Do({"EXISTS", "to"}), "0");
}

// --- streams ---------------------------------------------------------------------------------------------------------------------------

class ApartTrimTest : public ApartResultTest {
 protected:
  void SetUp() override {
    Open();
    for (int i = 1; i <= kElements; i++) {
      const std::string id = std::to_string(i) + "-1";
      store_->Run(client_, {"XADD", "x", id, "f", "v"}, Store::Durability::kDoNotAwait);
    }
    Do({"XGROUP", "CREATE", "x", "g", "0"});
  }
};

TEST_F(ApartTrimTest, GroupsGoOnMeanwhile) {
  const std::string left = std::to_string(kElements - 30'000);
  int reads = 0;
  EXPECT_EQ(RunApart({"XTRIM", "x", "MAXLEN", left},
                     [&] {
                       Do({"XREADGROUP", "GROUP", "g", "c", "COUNT", "3", "STREAMS", "x", ">"});
                       reads++;
                     }),
            "30000");
  EXPECT_EQ(reads, 1);
  for (int round = 0; round < 2; round++) {
    EXPECT_EQ(Do({"XLEN", "x"}), left);
    EXPECT_EQ(store_->Run(client_, {"XPENDING", "x", "g", "-", "+", "10"}).elements.size(), 3u);
    const ReplyValue first = store_->Run(client_, {"XRANGE", "x", "-", "+", "COUNT", "1"});
    EXPECT_EQ(Shown(first.elements[0].elements[0]), "30001-1");
    if (round > 0) break;
    Close();
    Open();
  }
}

TEST_F(ApartTrimTest, EntriesThatComeMeanwhileAreCounted) {
  int added = 0;
  EXPECT_EQ(RunApart({"XTRIM", "x", "MINID", "50001"},
                     [&] {
                       if (added++ == 0) Do({"XADD", "x", "70000-1", "f", "v"});
                     }),
            "50000");
  EXPECT_EQ(added, 2);
  EXPECT_EQ(Do({"XLEN", "x"}), std::to_string(kElements - 50'000 + 1));
}

}  // namespace
}  // namespace cairn
