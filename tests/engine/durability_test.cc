// Promises P1, P2 and P5: what is acknowledged survives, what a crash could undo is not shown, and a failing disk refuses writes until
// it works again.

#include <atomic>
#include <vector>

#include "base/clock.h"
#include "tests/engine/store_test_support.h"

namespace cairn {
namespace {

class DurabilityTest : public StoreTest {
 protected:
  // Until ClearFaults().
  void Fail() {
    faulty_->AddFault({.operation = FileOperation::kSync, .path_part = "log/", .fail_count = UINT64_MAX});
    faulty_->AddFault({.operation = FileOperation::kWrite, .path_part = "log/", .fail_count = UINT64_MAX});
  }
  // From now on such operations on the log's files do not begin while hold_->on is set. Not a variable of the test's: the store, and its
  // log thread, outlive its body.
  struct Hold {
    std::atomic<bool> on{false};
    std::atomic<int> waiting{0};
  };
  void HoldUp(std::function<bool(FileOperation)> which) {
    faulty_->SetHook([hold = hold_, which = std::move(which)](FileOperation operation, const std::string& path) {
      if (!hold->on || !which(operation) || path.find("log/") == std::string::npos) return;
      hold->waiting++;
      while (hold->on) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
  }
  ~DurabilityTest() override { hold_->on = false; }

  bool Refuses() { return store_->Info().writes_refused; }
  // Another key of the same stripe.
  static std::string NeighbourOf(std::string_view key) {
    for (int i = 0;; i++) {
      std::string name = "k" + std::to_string(i);
      if (KeyRef::Of(name).stripe() == KeyRef::Of(key).stripe()) return name;
    }
  }
  static bool IsMisconf(const ReplyValue& reply) { return reply.is_error() && reply.text.starts_with("MISCONF"); }

  const std::shared_ptr<Hold> hold_ = std::make_shared<Hold>();
};

// Clients write while the power fails at a random moment: with `always` everything acknowledged is there afterwards.
TEST_F(DurabilityTest, NothingAcknowledgedIsLost) {
  const uint64_t seed = TestSeed();
  Random random(seed);
  std::vector<std::atomic<int>> acknowledged(4);
  for (int round = 0; round < 12; round++) {
    Open();
    for (int writer = 0; writer < 4; writer++) {
      const ReplyValue value = Run({"GET", "w" + std::to_string(writer)});
      const int stored = value.is_null() ? 0 : std::stoi(value.text);
      ASSERT_GE(stored, acknowledged[writer].load()) << "round " << round << " writer " << writer;
      acknowledged[writer] = stored;
    }
    std::atomic<bool> crashed{false};
    std::vector<std::thread> writers;
    writers.reserve(4);
    for (int writer = 0; writer < 4; writer++) {
      writers.emplace_back([&, writer] {
        Client client;
        for (int next = acknowledged[writer] + 1; !crashed.load(); next++) {
          const ReplyValue reply = store_->Run(client, {"SET", "w" + std::to_string(writer), std::to_string(next)});
          if (crashed.load()) return;
          if (reply.is_ok()) acknowledged[writer] = next;
        }
      });
    }
    if (round % 3 == 2) ASSERT_TRUE(store_->StartSnapshot(true).ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(5 + random.Uniform(30)));
    // What is acknowledged from here on was durable before the power failed, or is not counted.
    crashed = true;
    PowerFails(round % 2 == 0 ? MemoryFileSystem::kDropAll : random.Next() | 1);
    for (std::thread& writer : writers) writer.join();
    PowerReturns();
  }
}

TEST_F(DurabilityTest, AFailedSyncRefusesWritesUntilTheDiskWorks) {
  Open();
  ASSERT_TRUE(Run({"SET", "kept", "1"}).is_ok());
  Fail();
  store_->Run(client_, {"SET", "doubtful", "1"}, Store::Durability::kDoNotAwait);
  ASSERT_TRUE(Eventually([&] { return Refuses(); }));
  EXPECT_TRUE(IsMisconf(Run({"SET", "refused", "1"})));
  EXPECT_EQ(Text({"GET", "kept"}), "\"1\"");
  EXPECT_TRUE(IsMisconf(Run({"GET", "doubtful"})));
  EXPECT_TRUE(IsMisconf(Run({"DBSIZE"})));
  faulty_->ClearFaults();
  EXPECT_TRUE(Eventually([&] { return Run({"SET", "again", "1"}).is_ok(); }));
  EXPECT_EQ(Text({"GET", "doubtful"}), "\"1\"");
  EXPECT_TRUE(IsMisconf(Run({"GET", "refused"})) || Run({"GET", "refused"}).is_null());
  EXPECT_EQ(faulty_->syncs_after_failure(), 0u);
  Crash();
  Open();
  EXPECT_EQ(Text({"GET", "doubtful"}), "\"1\"");
  EXPECT_EQ(Text({"GET", "again"}), "\"1\"");
}

// Keys share LSN stripes: while the disk fails each must still be answered for itself.
TEST_F(DurabilityTest, WhatIsDurableIsReadThoughItsNeighbourIsNot) {
  for (const FsyncPolicy policy : {FsyncPolicy::kAlways, FsyncPolicy::kEverySecond}) {
    runtime_.append_fsync = policy;
    Open();
    const std::string large(100'000, 'v');
    const std::string neighbour = NeighbourOf("doubtful");
    ASSERT_TRUE(Run({"SET", neighbour, large}).is_ok());
    ASSERT_TRUE(store_->log().WaitDurable(store_->end_lsn()).ok());
    Fail();
    store_->Run(client_, {"SET", "doubtful", large}, Store::Durability::kDoNotAwait);
    ASSERT_TRUE(Eventually([&] { return Refuses(); }));
    EXPECT_TRUE(Eventually([&] { return Run({"STRLEN", neighbour}).integer == 100'000; }));  // a commit may be under way
    EXPECT_TRUE(IsMisconf(Run({"STRLEN", "doubtful"})));
    Run({"MULTI"});
    Run({"STRLEN", neighbour});
    EXPECT_EQ(Text({"EXEC"}), "[(integer) 100000]");
    faulty_->ClearFaults();
    EXPECT_TRUE(Eventually([&] { return Run({"STRLEN", "doubtful"}).integer == 100'000; }));
    // A command that names no keys puts all of them in doubt.
    Fail();
    store_->Run(client_, {"FLUSHALL"}, Store::Durability::kDoNotAwait);
    ASSERT_TRUE(Eventually([&] { return Refuses(); }));
    EXPECT_TRUE(IsMisconf(Run({"STRLEN", neighbour})));
    faulty_->ClearFaults();
    EXPECT_TRUE(Eventually([&] { return Run({"STRLEN", neighbour}).integer == 0; }));
    EXPECT_TRUE(Eventually([&] { return Run({"SET", "again", "1"}).is_ok(); }));
    Close();
  }
}

// A read that waits for its stripe when the sync fails is answered for its key, as one that comes later.
TEST_F(DurabilityTest, AReadUnderWayIsServedThoughItsNeighbourIsLost) {
  HoldUp([](FileOperation operation) { return operation == FileOperation::kSync; });
  Open();
  const std::string neighbour = NeighbourOf("doubtful");
  ASSERT_TRUE(Run({"SET", neighbour, "durable"}).is_ok());
  hold_->on = true;
  std::vector<std::thread> threads;
  std::vector<ReplyValue> replies(5);
  const auto run = [&](size_t at, std::vector<std::vector<std::string>> commands) {
    threads.emplace_back([&, at, commands] {
      Client client;
      for (const std::vector<std::string>& command : commands) {
        replies[at] = store_->Run(client, std::vector<std::string_view>(command.begin(), command.end()));
      }
    });
  };
  run(0, {{"SET", "doubtful", "1"}});
  ASSERT_TRUE(Eventually([&] { return hold_->waiting > 0; }));
  const Lsn waited_for = store_->end_lsn();
  run(1, {{"GET", neighbour}});
  run(2, {{"MULTI"}, {"GET", neighbour}, {"EXEC"}});
  run(3, {{"GET", "doubtful"}});
  run(4, {{"MGET", neighbour, "doubtful"}});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(store_->StateOfReads(std::vector<uint64_t>{KeyRef::Hash(neighbour)}, waited_for), Store::ReadState::kUndurable);
  Fail();
  hold_->on = false;
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(IsMisconf(replies[0])) << replies[0].ToString();
  EXPECT_EQ(replies[1].ToString(), "\"durable\"");
  EXPECT_EQ(replies[2].ToString(), "[\"durable\"]");
  EXPECT_TRUE(IsMisconf(replies[3])) << replies[3].ToString();
  EXPECT_TRUE(IsMisconf(replies[4])) << replies[4].ToString();
  EXPECT_EQ(store_->StateOfReads({}, waited_for), Store::ReadState::kUndurable);
  faulty_->ClearFaults();
  EXPECT_TRUE(Eventually([&] { return Text({"MGET", neighbour, "doubtful"}) == "[\"durable\", \"1\"]"; }));
}

// What is known of a failure is not forgotten where it cannot be looked at anew.
TEST_F(DurabilityTest, AKeyStaysUndurableWhileTheLogIsBusy) {
  HoldUp([](FileOperation) { return true; });
  Open();
  Fail();
  store_->Run(client_, {"SET", "doubtful", "1"}, Store::Durability::kDoNotAwait);
  ASSERT_TRUE(Eventually([&] { return Refuses(); }));
  const Lsn lsn = store_->end_lsn();
  const std::vector<uint64_t> doubtful = {KeyRef::Hash("doubtful")};
  const std::vector<uint64_t> durable = {KeyRef::Hash("durable")};
  EXPECT_TRUE(Eventually([&] { return store_->StateOfReads(durable, lsn) == Store::ReadState::kDurable; }));
  EXPECT_EQ(store_->StateOfReads(doubtful, lsn), Store::ReadState::kUndurable);
  hold_->on = true;  // in the log's next attempt
  ASSERT_TRUE(Eventually([&] { return hold_->waiting > 0; }));
  EXPECT_EQ(store_->StateOfReads(doubtful, lsn + 1), Store::ReadState::kUnknown);
  EXPECT_NE(store_->StateOfReads(doubtful, lsn), Store::ReadState::kDurable);
  hold_->on = false;
  EXPECT_TRUE(Eventually([&] { return store_->StateOfReads(durable, lsn) == Store::ReadState::kDurable; }));
  EXPECT_EQ(store_->StateOfReads(doubtful, lsn), Store::ReadState::kUndurable);
  faulty_->ClearFaults();
  EXPECT_TRUE(Eventually([&] { return Text({"GET", "doubtful"}) == "\"1\""; }));
}

TEST_F(DurabilityTest, AFullDiskRecoversByItself) {
  Open();
  ASSERT_TRUE(Run({"SET", "before", "1"}).is_ok());
  memory_->SetCapacityBytes(0);
  const std::string filler(1'000'000, 'f');
  ASSERT_TRUE(Eventually([&] {
    store_->Run(client_, {"SET", "filler", filler}, Store::Durability::kDoNotAwait);
    return Refuses();
  }));
  EXPECT_TRUE(IsMisconf(Run({"SET", "refused", "1"})));
  EXPECT_EQ(Text({"GET", "before"}), "\"1\"");
  memory_->SetCapacityBytes(UINT64_MAX);
  EXPECT_TRUE(Eventually([&] { return Run({"SET", "after", "1"}).is_ok(); }));
  Crash();
  Open();
  EXPECT_EQ(Text({"GET", "after"}), "\"1\"");
}

TEST_F(DurabilityTest, AFullDiskRefusesTheStartAndSaysWhatToDo) {
  Open();
  ASSERT_TRUE(Run({"SET", "before", "1"}).is_ok());
  Crash();
  memory_->SetCapacityBytes(0);
  const Status refused = Store::Open(Options()).status();
  EXPECT_EQ(refused.code(), StatusCode::kNoSpace);
  EXPECT_NE(refused.message().find(".log"), std::string_view::npos) << refused.ToString();
  EXPECT_NE(refused.message().find("make room there"), std::string_view::npos) << refused.ToString();
  memory_->SetCapacityBytes(UINT64_MAX);
  Open();
  EXPECT_EQ(Text({"GET", "before"}), "\"1\"");
}

TEST_F(DurabilityTest, ExpiredKeysAreHiddenAndNothingIsEvictedWhileRefused) {
  runtime_.maxmemory_policy = EvictionPolicy::kAllKeysRandom;
  Open();
  for (int i = 0; i < 100; i++) Run({"SET", "k" + std::to_string(i), std::string(1000, 'v')});
  Run({"SET", "short", "v", "PX", "300"});
  Fail();
  store_->Run(client_, {"SET", "doubtful", "1"}, Store::Durability::kDoNotAwait);
  ASSERT_TRUE(Eventually([&] { return Refuses(); }));
  ASSERT_TRUE(store_->UpdateOptions([](RuntimeOptions& options) { options.maxmemory_bytes = 10'000; }).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_EQ(Text({"GET", "short"}), "(nil)");
  EXPECT_EQ(store_->Info().expired_keys, 0u);
  EXPECT_EQ(store_->Info().evicted_keys, 0u);
  ASSERT_TRUE(store_->UpdateOptions([](RuntimeOptions& options) { options.maxmemory_bytes = 0; }).ok());
  faulty_->ClearFaults();
  // Counted while it is deleted; the number of keys follows when that is done.
  EXPECT_TRUE(Eventually([&] { return store_->Info().expired_keys == 1; }));
  EXPECT_TRUE(Eventually([&] { return Text({"DBSIZE"}) == "(integer) 101"; }));
}

TEST_F(DurabilityTest, AFailedSnapshotLeavesTheDataAsItWas) {
  Open();
  Run({"SET", "k", "v"});
  ASSERT_TRUE(store_->SaveAndWait().ok());
  Run({"SET", "k", "w"});
  faulty_->AddFault({.operation = FileOperation::kWrite, .path_part = "snapshots/", .fail_count = UINT64_MAX});
  EXPECT_FALSE(store_->SaveAndWait().ok());
  EXPECT_FALSE(store_->Info().last_snapshot_ok);
  faulty_->ClearFaults();
  Crash();
  Open();
  EXPECT_EQ(Text({"GET", "k"}), "\"w\"");
  ASSERT_TRUE(store_->SaveAndWait().ok());
}

TEST_F(DurabilityTest, StopWritesOnSnapshotError) {
  runtime_.save_points = {{.seconds = 3600, .changes = 1'000'000}};
  Open();
  faulty_->AddFault({.operation = FileOperation::kWrite, .path_part = "snapshots/", .fail_count = UINT64_MAX});
  EXPECT_FALSE(store_->SaveAndWait().ok());
  EXPECT_TRUE(IsMisconf(Run({"SET", "k", "v"})));
  EXPECT_EQ(Text({"GET", "k"}), "(nil)");
  ASSERT_TRUE(store_->UpdateOptions([](RuntimeOptions& o) { o.stop_writes_on_snapshot_error = false; }).ok());
  EXPECT_TRUE(Run({"SET", "k", "v"}).is_ok());
  ASSERT_TRUE(store_->UpdateOptions([](RuntimeOptions& o) { o.stop_writes_on_snapshot_error = true; }).ok());
  EXPECT_TRUE(IsMisconf(Run({"SET", "k", "v"})));
  faulty_->ClearFaults();
  EXPECT_TRUE(store_->SaveAndWait().ok());
  EXPECT_TRUE(Run({"SET", "k", "v"}).is_ok());
}

TEST_F(DurabilityTest, SavePointsOutliveAClockThatIsSetBack) {
  constexpr int64_t kDayUs = 86'400'000'000;
  runtime_.append_only = false;
  runtime_.save_points = {{.seconds = 3600, .changes = 1}};
  ManualClock clock;
  Open(&clock);
  const auto tick = [&] {
    clock.Advance(1'000'000);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  };
  ASSERT_TRUE(Run({"SET", "k", "v"}).is_ok());
  clock.SetWallUs(clock.WallUs() - kDayUs);
  EXPECT_TRUE(Eventually(
      [&] {
        tick();
        return store_->Info().snapshots_made > 0;
      },
      200));

  // One that failed is tried again, and the writes that are refused meanwhile are accepted when it was made.
  ASSERT_TRUE(Run({"SET", "k", "w"}).is_ok());
  faulty_->AddFault({.operation = FileOperation::kWrite, .path_part = "snapshots/", .fail_count = UINT64_MAX});
  EXPECT_FALSE(store_->SaveAndWait().ok());
  EXPECT_TRUE(IsMisconf(Run({"SET", "k", "x"})));
  faulty_->ClearFaults();
  clock.SetWallUs(clock.WallUs() - kDayUs);
  EXPECT_TRUE(Eventually(
      [&] {
        tick();
        return Run({"SET", "k", "x"}).is_ok();
      },
      200));
  Close();  // while the clock still lives
}

// Nothing has changed since the snapshot before, and nothing can while writes are refused: no save point comes due.
TEST_F(DurabilityTest, WritesComeBackAfterASnapshotThatFailedBesideNoChange) {
  runtime_.save_points = {{.seconds = 3600, .changes = 1}};
  ManualClock clock;
  Open(&clock);
  ASSERT_TRUE(store_->SaveAndWait().ok());
  faulty_->AddFault(
      {.operation = FileOperation::kWrite, .path_part = "snapshots/", .fail_count = UINT64_MAX, .error_number = ENOSPC});
  EXPECT_FALSE(store_->SaveAndWait().ok());
  EXPECT_TRUE(IsMisconf(Run({"SET", "k", "v"})));
  faulty_->ClearFaults();
  EXPECT_TRUE(Eventually(
      [&] {
        clock.Advance(1'000'000);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        return Run({"SET", "k", "v"}).is_ok();
      },
      200));
  Close();  // while the clock still lives
}

// What is counted has been logged: who writes is awaited.
TEST_F(DurabilityTest, CountingKeysWaitsForWhoWrites) {
  Open();
  ShardSet shard;
  shard.set(KeyRef::Of("k").shard());
  for (const std::string_view command : {"DBSIZE", "RANDOMKEY"}) {
    std::atomic<bool> counted{false};
    store_->keyspace().LockShards(shard);
    std::thread reader([&] {
      Client client;
      store_->Run(client, {command});
      counted = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    EXPECT_FALSE(counted) << command;
    store_->keyspace().UnlockShards(shard);
    reader.join();
  }
}

// With everysec a slow disk makes writers wait and then refuses them; nothing older than about a second is ever undurable.
TEST_F(DurabilityTest, EverySecondIsEnforced) {
  runtime_.append_fsync = FsyncPolicy::kEverySecond;
  std::atomic<bool> slow{false};
  faulty_->SetHook([&](FileOperation operation, const std::string& path) {
    if (operation != FileOperation::kSync || path.find("log/") == std::string::npos) return;
    for (int i = 0; i < 4000 && slow.load(); i++) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  Open();
  slow = true;
  const CommandRow* set = store_->commands().FindByName("set");
  const std::string_view args[] = {"SET", "k", "v"};
  bool held_back = false;
  for (int i = 0; i < 3000 && !held_back; i++) {
    ReplyValueSink sink;
    const Outcome outcome = store_->Execute(client_, {.row = set, .args = args}, sink);
    held_back = outcome.kind == Outcome::Kind::kParked || IsMisconf(sink.Take());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(held_back);
  slow = false;
  EXPECT_TRUE(Eventually([&] { return Run({"SET", "k", "w"}).is_ok(); }));
  Close();  // while the hook's flag still lives
}

}  // namespace
}  // namespace cairn
