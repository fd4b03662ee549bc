// Commands that wait for keys, through the embedded store. There is a pop and a move of strings that wait, made for these tests.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "engine/commands/arg_reader.h"
#include "engine/commands/command_context.h"
#include "engine/keyspace/shard.h"
#include "engine/recording_sink.h"
#include "engine/values/string_value.h"
#include "tests/engine/store_test_support.h"
#include "tests/support/take_command.h"

namespace cairn {
namespace {

// MOVESTRING source destination timeout
void MoveString(CommandContext& context) {
  int64_t timeout_ms = 0;
  if (!ReadBlockTimeout(context, 3, &timeout_ms)) return;
  const auto* entry = context.Find(context.key(0), Keyspace::Access::kWrite);
  if (entry == nullptr) {
    if (!context.may_block()) return context.reply.Null();
    return context.Block({.wanted = ValueType::kString, .timeout_ms = timeout_ms, .waited_keys = 1});
  }
  std::string scratch;
  const std::string value(StringView(entry).Flatten(&scratch));
  context.keyspace.Delete(context.scope, context.database(), context.key(0));
  context.keyspace.SetString(context.scope, context.database(), context.key(1), {value}, {});
  context.reply.Bulk(value);
  context.LogAs({"DEL", context.key(0).name});
  context.LogAs({"SET", context.key(1).name, value});
}

// WATCHGONE key timeout: waits until the key goes.
void WatchGone(CommandContext& context) {
  if (context.Find(context.key(), Keyspace::Access::kWrite) == nullptr) return context.reply.Error("UNBLOCKED it is gone");
  if (!context.may_block()) return context.reply.Null();
  context.Block({.wanted = ValueType::kStream, .wake_on_gone = true});
}

constexpr CommandRow kRows[] = {
    kTakeRow,
    {.name = "movestring",
     .arity = 4,
     .flags = kWrite | kBlocking,
     .keys = {1, 2, 1, kKeyReadWrite},
     .handler = MoveString,
     .summary = "-",
     .since = "1",
     .group = "test"},
    {.name = "watchgone",
     .arity = 2,
     .flags = kWrite | kBlocking,
     .keys = {1, 1, 1, kKeyReadWrite},
     .handler = WatchGone,
     .summary = "-",
     .since = "1",
     .group = "test"},
};

class WaitingTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreOptions options = Options();
    options.register_commands = [](CommandTable& table) { table.Register(kRows); };
    Result<std::unique_ptr<Store>> opened = Store::Open(std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    store_ = std::move(opened).value();
  }
  void TearDown() override {
    if (store_ != nullptr) Close();
    for (std::thread& thread : threads_) thread.join();
  }
  uint64_t Waiting() { return store_->keyspace().waiter_count(); }
  // Runs a command on a thread of its own; returns once `waiting` commands wait.
  std::shared_ptr<std::string> Wait(std::vector<std::string> args, uint64_t waiting, uint32_t database = 0) {
    auto answer = std::make_shared<std::string>();
    threads_.emplace_back([this, args = std::move(args), answer, database] {
      Client client;
      client.database = database;
      const std::vector<std::string_view> views(args.begin(), args.end());
      *answer = store_->Run(client, views).ToString();
      ended_.fetch_add(1);
    });
    EXPECT_TRUE(Eventually([&] { return Waiting() == waiting; }));
    return answer;
  }
  void AwaitEnded(int count) {
    ASSERT_TRUE(Eventually([&] { return ended_.load() == count; }));
  }

  std::vector<std::thread> threads_;
  std::atomic<int> ended_{0};
};

TEST_F(WaitingTest, AnswersAtOnceWhereThereIsSomething) {
  Run({"SET", "k", "v"});
  EXPECT_EQ(Text({"TAKE", "a", "k", "0"}), R"(["k", "v"])");
  EXPECT_EQ(Text({"EXISTS", "k"}), "(integer) 0");
}

TEST_F(WaitingTest, FirstComeFirstServed) {
  const auto first = Wait({"TAKE", "k", "0"}, 1);
  const auto second = Wait({"TAKE", "other", "k", "0"}, 2);
  Run({"SET", "k", "1"});
  AwaitEnded(1);
  EXPECT_EQ(*first, R"(["k", "1"])");
  EXPECT_EQ(Text({"GET", "k"}), "(nil)");
  Run({"SET", "other", "2"});
  AwaitEnded(2);
  EXPECT_EQ(*second, R"(["other", "2"])");
  EXPECT_EQ(Waiting(), 0u);
}

TEST_F(WaitingTest, TimesOutExactly) {
  const int64_t begin_us = RealClock().MonotonicUs();
  EXPECT_EQ(Text({"TAKE", "k", "0.05"}), "(nil)");
  const int64_t waited_us = RealClock().MonotonicUs() - begin_us;
  EXPECT_GE(waited_us, 50'000);
  EXPECT_LT(waited_us, 500'000);
  EXPECT_EQ(Waiting(), 0u);
  EXPECT_EQ(Text({"TAKE", "k", "x"}), "(error) ERR timeout is not a float or out of range");
  EXPECT_EQ(Text({"TAKE", "k", "-1"}), "(error) ERR timeout is negative");
  EXPECT_EQ(Text({"TAKE", "k", "1e100"}), "(error) ERR timeout is out of range");
}

TEST_F(WaitingTest, NeverWaitsInATransactionAndIsServedAfterIt) {
  const auto waiting = Wait({"TAKE", "k", "0"}, 1);
  Run({"MULTI"});
  Run({"SET", "k", "1"});
  Run({"SET", "k", "2"});
  Run({"TAKE", "nothing", "0"});
  Run({"GET", "k"});
  EXPECT_EQ(Text({"EXEC"}), R"([OK, OK, (nil), "2"])");
  AwaitEnded(1);
  EXPECT_EQ(*waiting, R"(["k", "2"])");
}

TEST_F(WaitingTest, AChainOfMovesIsOneUnit) {
  const auto ends = Wait({"TAKE", "c", "0"}, 1);
  const auto second = Wait({"MOVESTRING", "b", "c", "0"}, 2);
  const auto first = Wait({"MOVESTRING", "a", "b", "0"}, 3);
  Run({"SET", "a", "x"});
  AwaitEnded(3);
  EXPECT_EQ(*first, R"("x")");
  EXPECT_EQ(*second, R"("x")");
  EXPECT_EQ(*ends, R"(["c", "x"])");
  EXPECT_EQ(Text({"DBSIZE"}), "(integer) 0");
  Crash(1);
  Open();
  EXPECT_EQ(Text({"DBSIZE"}), "(integer) 0");
}

TEST_F(WaitingTest, OtherTypesAndDatabasesDoNotWake) {
  const auto gone = Wait({"TAKE", "k", "0"}, 1, 3);
  Run({"SET", "k", "here"});
  EXPECT_EQ(Waiting(), 1u);
  Run({"MOVE", "k", "3"});
  AwaitEnded(1);
  EXPECT_EQ(*gone, R"(["k", "here"])");
}

TEST_F(WaitingTest, EveryWayToMakeAKeyWakes) {
  int ended = 0;
  const auto expect = [&](std::initializer_list<std::string_view> command) {
    const auto answer = Wait({"TAKE", "k", "0"}, 1);
    Run(command);
    AwaitEnded(++ended);
    EXPECT_EQ(*answer, R"(["k", "v"])") << *command.begin();
  };
  Run({"SET", "from", "v"});
  expect({"RENAME", "from", "k"});
  Run({"SET", "from", "v"});
  expect({"COPY", "from", "k"});
  expect({"APPEND", "k", "v"});
  expect({"MSET", "x", "1", "k", "v", "y", "2"});
  client_.database = 1;
  Run({"SET", "k", "v"});
  expect({"SWAPDB", "0", "1"});
}

TEST_F(WaitingTest, HearsThatAKeyIsGone) {
  int ended = 0;
  for (std::vector<std::string_view> how : std::vector<std::vector<std::string_view>>{
           {"DEL", "k"}, {"FLUSHALL"}, {"RENAME", "k", "z"}, {"PEXPIREAT", "k", "1"}, {"PEXPIRE", "k", "20"}}) {
    Run({"SET", "k", "v"});
    const auto answer = Wait({"WATCHGONE", "k"}, 1);
    store_->Run(client_, how);
    AwaitEnded(++ended);
    EXPECT_EQ(*answer, "(error) UNBLOCKED it is gone") << how[0];
  }
}

TEST_F(WaitingTest, CloseEndsAllWaits) {
  const auto answer = Wait({"TAKE", "k", "j", "0"}, 1);
  ASSERT_TRUE(store_->Close(false).ok());
  AwaitEnded(1);
  EXPECT_EQ(*answer, "(error) ERR the store is closed");
}

// Many threads wait, with timeouts that often end in the moment of service, and others make keys and move them around: each value comes
// out exactly once.
TEST_F(WaitingTest, EachValueIsTakenOnce) {
  constexpr int kTakers = 6, kMakers = 3, kPerMaker = 300;
  const uint64_t seed = TestSeed();
  std::atomic<int> taken{0};
  std::vector<std::atomic<int>> times(kMakers * kPerMaker);
  std::atomic<bool> done{false};
  const auto note = [&](const ReplyValue& reply) {
    if (reply.is_null() || reply.is_error()) return;
    times[static_cast<size_t>(std::atoi(reply.elements[1].text.c_str()))].fetch_add(1);
    taken.fetch_add(1);
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kTakers; t++) {
    threads.emplace_back([&, t] {
      Client client;
      Random random(seed + static_cast<uint64_t>(t));
      while (!done.load()) {
        const std::string a = "k" + std::to_string(random.Uniform(8)), b = "k" + std::to_string(random.Uniform(8));
        const std::string timeout = "0.00" + std::to_string(1 + random.Uniform(5));
        if (random.Uniform(4) == 0 && a != b) {
          store_->Run(client, {"MOVESTRING", a, "end", timeout}, Store::Durability::kDoNotAwait);
          note(store_->Run(client, {"TAKE", "end", timeout}, Store::Durability::kDoNotAwait));
        } else {
          note(store_->Run(client, {"TAKE", a, b, timeout}, Store::Durability::kDoNotAwait));
        }
      }
    });
  }
  for (int m = 0; m < kMakers; m++) {
    threads.emplace_back([&, m] {
      Client client;
      Random random(seed + 100 + static_cast<uint64_t>(m));
      for (int i = 0; i < kPerMaker; i++) {
        const std::string value = std::to_string(m * kPerMaker + i);
        while (true) {  // never over a value that nobody took; "end" may be overwritten by a move, so moves wait for it in turn
          const std::string key = "k" + std::to_string(random.Uniform(8));
          if (store_->Run(client, {"SETNX", key, value}, Store::Durability::kDoNotAwait).integer == 1) break;
          std::this_thread::yield();
        }
      }
    });
  }
  for (size_t i = kTakers; i < size_t{kTakers} + kMakers; i++) threads[i].join();
  (void)Eventually([&] { return Text({"DBSIZE"}) == "(integer) 0"; }, 5'000);
  done.store(true);
  for (int t = 0; t < kTakers; t++) threads[static_cast<size_t>(t)].join();
  int twice = 0;
  for (const std::atomic<int>& count : times) twice += count.load() > 1 ? 1 : 0;
  EXPECT_EQ(twice, 0);
  // What two moves put into "end" one after the other counts once.
  EXPECT_GT(taken.load(), kMakers * kPerMaker / 2);
  EXPECT_EQ(Waiting(), 0u);
}

TEST(RecordingSinkTest, RepeatsEveryCall) {
  const auto write = [](ReplySink& reply) {
    reply.Array(9);
    reply.Simple("OK");
    reply.Error("ERR no");
    reply.Integer(-5);
    reply.Bulk(std::string_view("a\0b", 3));
    reply.BulkRope(Rope::Copy("rope"));
    reply.Null();
    reply.Map(1);
    reply.Double(1.5);
    reply.Boolean(true);
    reply.Verbatim("txt", "text");
    reply.Set(1);
    reply.BigNumber("12345678901234567890");
  };
  ReplyValueSink direct, replayed;
  write(direct);
  RecordingSink recorded(3);
  write(recorded);
  EXPECT_EQ(recorded.protocol(), 3);
  EXPECT_EQ(recorded.error_count(), 1u);
  recorded.Replay(replayed);
  EXPECT_EQ(replayed.Take(), direct.Take());
}

}  // namespace
}  // namespace cairn
