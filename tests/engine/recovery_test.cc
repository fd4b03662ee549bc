// What a store finds when it is opened again: after a clean end, a crash, a snapshot, in the middle of one, and on damage.

#include "tests/engine/store_test_support.h"

namespace cairn {
namespace {

class RecoveryTest : public StoreTest {
 protected:
  // One random command of a workload over few keys, so that every kind of change meets every other.
  void Step(Random& random) {
    client_.database = random.OneIn(8) ? 1 + random.Uniform(3) : 0;
    const std::string key = "key:" + std::to_string(random.Uniform(300));
    const std::string other = "key:" + std::to_string(random.Uniform(300));
    const std::string number = std::to_string(random.Uniform(1000));
    const std::string far_ms = std::to_string(RealClock().WallMs() + 1'000'000 + static_cast<int64_t>(random.Uniform(1000)));
    switch (random.Uniform(16)) {
      case 0: Run({"DEL", key}); break;
      case 1: Run({"INCRBY", "n:" + key, number}); break;
      case 2: Run({"APPEND", key, random.Bytes(random.Uniform(300))}); break;
      case 3: Run({"SETRANGE", key, number, "range"}); break;
      case 4: Run({"PEXPIREAT", key, far_ms}); break;
      case 5: Run({"PERSIST", key}); break;
      case 6: Run({"RENAME", key, other}); break;
      case 7: Run({"COPY", key, other, "REPLACE"}); break;
      case 8: Run({"MSET", key, "m1", other, "m2"}); break;
      case 9: Run({"SETBIT", "bits:" + key, number, "1"}); break;
      case 10: Run({"SET", key, random.Bytes(20'000 + random.Uniform(40'000))}); break;
      case 11: Transaction(random, key, other); break;
      case 12:
        if (random.OneIn(100)) Run({"FLUSHDB"});
        break;
      case 13:
        if (random.OneIn(50)) Run({"SWAPDB", "0", "1"});
        break;
      case 14: Run({"SET", key, number, "PX", "10000000"}); break;
      default: Run({"SET", key, random.Bytes(random.Uniform(100))}); break;
    }
    client_.database = 0;
  }
  void Transaction(Random& random, const std::string& key, const std::string& other) {
    Run({"MULTI"});
    Run({"SET", key, random.Bytes(random.Uniform(20'000))});
    Run({"INCR", "counter"});
    if (random.OneIn(2)) Run({"RENAME", key, other});
    Run({"EXEC"});
  }
};

TEST_F(RecoveryTest, EmptyDirectoryOpensAndOpensAgain) {
  Open();
  const std::string timeline = store_->Info().timeline_id;
  EXPECT_EQ(timeline.size(), 40u);
  Close();
  Open();
  EXPECT_EQ(store_->Info().timeline_id, timeline);
  EXPECT_EQ(Text({"DBSIZE"}), "(integer) 0");
}

TEST_F(RecoveryTest, FromTheLogAlone) {
  Random random(TestSeed());
  Open();
  for (int i = 0; i < 3000; i++) Step(random);
  const Contents before = ContentsOf(*store_);
  const Lsn end = store_->end_lsn();
  Close();
  Open();
  EXPECT_TRUE(ContentsOf(*store_) == before);
  EXPECT_GE(store_->end_lsn(), end);
}

TEST_F(RecoveryTest, FromSnapshotsAndTheLogAfterThem) {
  Random random(TestSeed());
  Open();
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < 500; i++) Step(random);
    const Status saved = store_->SaveAndWait();
    ASSERT_TRUE(saved.ok()) << saved.ToString();
    for (int i = 0; i < 200; i++) Step(random);
    const Contents before = ContentsOf(*store_);
    if (round % 2 == 0) {
      Close();
    } else {
      ASSERT_TRUE(store_->WaitDurable(store_->end_lsn()).ok());
      Crash();
    }
    Open();
    ASSERT_TRUE(ContentsOf(*store_) == before) << "round " << round;
  }
}

TEST_F(RecoveryTest, WritesDuringASnapshot) {
  Random random(TestSeed());
  Open();
  for (int i = 0; i < 20'000; i++) {
    store_->Run(client_, {"SET", "fill:" + std::to_string(i), random.Bytes(200)}, Store::Durability::kDoNotAwait);
  }
  ASSERT_TRUE(store_->StartSnapshot(true).ok());
  EXPECT_EQ(store_->StartSnapshot(true).code(), StatusCode::kUnavailable);
  int steps = 0;
  while (store_->Info().snapshot_in_progress || steps < 100) {
    Step(random);
    steps++;
  }
  EXPECT_EQ(store_->Info().last_snapshot_error, "");
  EXPECT_EQ(store_->Info().snapshots_made, 1u);
  const Contents before = ContentsOf(*store_);
  ASSERT_TRUE(store_->WaitDurable(store_->end_lsn()).ok());
  Crash();
  Open();
  EXPECT_TRUE(ContentsOf(*store_) == before);
}

// Commits share the disk with a snapshot that is being written, and wait for what of it was given to the disk at once.
TEST_F(RecoveryTest, ASnapshotInTheBackgroundGoesToDiskInSmallParts) {
  constexpr uint64_t kAtOnceMost = 3 << 20;
  struct Synced {
    std::map<std::string, uint64_t> bytes;
    uint64_t most_at_once = 0;
  };
  const auto synced = std::make_shared<Synced>();  // the snapshot's thread writes there
  faulty_->SetHook([this, synced](FileOperation operation, const std::string& path) {
    if (operation != FileOperation::kSync || path.find("snapshots") == std::string::npos) return;
    const uint64_t size = *memory_->FileSize(path);
    synced->most_at_once = std::max(synced->most_at_once, size - std::exchange(synced->bytes[path], size));
  });
  Random random(TestSeed());
  Open();
  for (int i = 0; i < 160; i++) {
    store_->Run(client_, {"SET", std::to_string(i), random.Bytes(100'000)}, Store::Durability::kDoNotAwait);
  }
  ASSERT_TRUE(store_->StartSnapshot(false).ok());
  ASSERT_TRUE(Eventually([&] { return store_->Info().snapshots_made == 1; }));
  EXPECT_GT(synced->most_at_once, 0u);
  EXPECT_LE(synced->most_at_once, kAtOnceMost);
}

// With the log off, what comes back is exactly the keyspace at the snapshot's cut, whatever was written meanwhile.
TEST_F(RecoveryTest, ASnapshotIsOneInstant) {
  Random random(TestSeed());
  runtime_.append_only = false;
  Open();
  for (int i = 0; i < 30'000; i++) Run({"SET", "k" + std::to_string(i), "before", "PX", i % 3 == 0 ? "9000000" : "8000000"});
  const Contents before = ContentsOf(*store_);
  ASSERT_TRUE(store_->StartSnapshot(false).ok());
  while (store_->Info().snapshot_started_unix_s == 0 || store_->Info().snapshot_entries_total == 0) {
    if (store_->Info().snapshots_made > 0) break;
    std::this_thread::yield();
  }
  for (int i = 0; store_->Info().snapshot_in_progress; i++) {
    const std::string key = "k" + std::to_string(random.Uniform(30'000));
    if (i % 5 == 0)
      Run({"DEL", key});
    else if (i % 7 == 0)
      Run({"RENAME", key, "renamed" + std::to_string(i)});
    else if (i == 1000)
      Run({"FLUSHALL"});
    else
      Run({"SET", key, "after"});
  }
  Crash();
  Open();
  const Contents after = ContentsOf(*store_);
  EXPECT_EQ(after.size(), before.size());
  EXPECT_TRUE(after == before);
}

TEST_F(RecoveryTest, ClosingDuringASnapshot) {
  for (const bool save : {false, true}) {
    Open();
    for (int i = 0; i < 30'000; i++) {
      store_->Run(client_, {"SET", "k" + std::to_string(i), save ? "second" : "first"}, Store::Durability::kDoNotAwait);
    }
    const Contents before = ContentsOf(*store_);
    ASSERT_TRUE(store_->StartSnapshot(false).ok());
    const Status closed = store_->Close(save);
    EXPECT_TRUE(closed.ok()) << closed.ToString();
    EXPECT_TRUE(Run({"SET", "late", "v"}).is_error());
    store_.reset();
    Open();
    EXPECT_TRUE(ContentsOf(*store_) == before);
    Close();
  }
}

TEST_F(RecoveryTest, ExpiriesSurviveAndDueOnesExpire) {
  Open();
  Run({"SET", "short", "v", "PX", "150"});
  Run({"SET", "long", "v", "EX", "1000"});
  const std::string long_ms = Text({"PEXPIRETIME", "long"});
  ASSERT_TRUE(store_->SaveAndWait().ok());
  Close();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  Open();
  EXPECT_EQ(Text({"PEXPIRETIME", "long"}), long_ms);
  EXPECT_TRUE(Eventually([&] { return Text({"DBSIZE"}) == "(integer) 1"; }));
}

TEST_F(RecoveryTest, LsnsOnlyGrowWithoutALog) {
  runtime_.append_only = false;
  Lsn last = 0;
  for (int i = 0; i < 3; i++) {
    Open();
    EXPECT_GE(store_->end_lsn(), last);
    Run({"SET", "k", "v"});
    EXPECT_GT(store_->end_lsn(), last);
    last = store_->end_lsn();
    if (i == 1)
      Crash();
    else
      Close();
  }
}

TEST_F(RecoveryTest, TheLogIsSwitchedOffAndOn) {
  Open();
  Run({"SET", "logged", "1"});
  ASSERT_TRUE(store_->UpdateOptions([](RuntimeOptions& options) { options.append_only = false; }).ok());
  Run({"SET", "unlogged", "1"});
  ASSERT_TRUE(store_->UpdateOptions([](RuntimeOptions& options) { options.append_only = true; }).ok());
  ASSERT_TRUE(Eventually([&] { return !store_->Info().snapshot_in_progress; }));
  EXPECT_EQ(store_->Info().last_snapshot_error, "");
  Run({"SET", "again", "1"});
  Crash();
  Open();
  EXPECT_EQ(ContentsOf(*store_).size(), 3u);
  runtime_.append_only = false;
  Close();
  Open();
  EXPECT_EQ(ContentsOf(*store_).size(), 3u);
  Run({"SET", "saved", "1"});
  ASSERT_TRUE(store_->SaveAndWait().ok());
  Run({"SET", "lost", "1"});
  Close();
  Open();
  EXPECT_EQ(ContentsOf(*store_).size(), 4u);
  runtime_.append_only = true;
  Close();
  Open();
  EXPECT_EQ(ContentsOf(*store_).size(), 4u);
  Run({"SET", "more", "1"});
  Crash();
  Open();
  EXPECT_EQ(ContentsOf(*store_).size(), 5u);
}

// Right after FLUSHALL, which starts a snapshot where there is no log, and BGSAVE the log is switched on in its turn, or not at all
// where it was switched off again.
TEST_F(RecoveryTest, LogSwitchedOnDuringASnapshot) {
  const auto logs = [this](bool on) {
    return store_->UpdateOptions([on](RuntimeOptions& options) { options.append_only = on; }).ok();
  };
  runtime_.append_only = false;
  Open();
  for (int round = 0; round < 10; round++) {
    ASSERT_TRUE(Run({"SET", "k", std::to_string(round)}).is_ok());
    (void)store_->StartSnapshot(false);
    ASSERT_TRUE(logs(true));
    ASSERT_TRUE(Eventually([&] { return store_->log().enabled() && !store_->Info().snapshot_in_progress; }));
    ASSERT_TRUE(logs(false));
    ASSERT_TRUE(Run({"INCR", "n"}).text.empty());
    (void)store_->StartSnapshot(false);
    ASSERT_TRUE(logs(true));
    ASSERT_TRUE(logs(false));
    EXPECT_FALSE(store_->log().enabled());
    ASSERT_TRUE(Eventually([&] { return !store_->Info().snapshot_in_progress; }));
  }
  ASSERT_TRUE(Run({"SET", "k", "nearly"}).is_ok());
  ASSERT_TRUE(logs(true));
  ASSERT_TRUE(Eventually([&] { return store_->log().enabled() && !store_->Info().snapshot_in_progress; }));
  ASSERT_TRUE(Run({"SET", "k", "last"}).is_ok());
  Crash();
  runtime_.append_only = true;
  Open();
  EXPECT_EQ(Text({"GET", "k"}), "\"last\"");
  Close();
}

// Without a log units are counted, not written down. What is under way while the log is switched on is one or the other, and in the end
// everything that was acknowledged is there.
TEST_F(RecoveryTest, LogSwitchedOnUnderWriters) {
  constexpr int kWriters = 3;
  constexpr int kRounds = 8;
  const auto logs = [this](bool on) {
    return store_->UpdateOptions([on](RuntimeOptions& options) { options.append_only = on; }).ok();
  };
  runtime_.append_fsync = FsyncPolicy::kAlways;
  int64_t acknowledged[kWriters] = {};
  for (int round = 0; round < kRounds; round++) {
    runtime_.append_only = round > 0;
    Open();
    if (::testing::Test::HasFatalFailure()) return;
    if (round > 0) ASSERT_TRUE(logs(false));
    std::atomic<bool> stop{false};
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; w++) {
      writers.emplace_back([&, w] {
        Client client;
        const std::string key = "n:" + std::to_string(w);
        while (!stop.load(std::memory_order_relaxed)) acknowledged[w] = store_->Run(client, {"INCR", key}).integer;
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const bool switched = logs(true);
    const bool saved = Eventually([&] { return store_->log().enabled() && !store_->Info().snapshot_in_progress; });
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    stop.store(true, std::memory_order_relaxed);
    for (std::thread& writer : writers) writer.join();
    ASSERT_TRUE(switched && saved);
    Crash();
    runtime_.append_only = true;
    Open();
    if (::testing::Test::HasFatalFailure()) return;
    for (int w = 0; w < kWriters; w++)
      EXPECT_EQ(Run({"GET", "n:" + std::to_string(w)}).text, std::to_string(acknowledged[w])) << "round " << round;
    Close();
  }
}

// Snapshots of one LSN take each other's names in turn: a crash must never leave a manifest with the name of another one's files.
TEST_F(RecoveryTest, SnapshotsOfOneLsnSurviveCrashes) {
  Random random(TestSeed());
  for (int round = 0; round < 60; round++) {
    runtime_.append_only = random.OneIn(2);
    Open();
    if (::testing::Test::HasFatalFailure()) return;
    if (random.OneIn(3)) ASSERT_TRUE(Run({"SET", "k", std::to_string(round)}).is_ok());
    for (uint64_t i = random.Uniform(5); i > 0; i--) {
      (void)store_->StartSnapshot(false);
      if (random.OneIn(2)) ASSERT_TRUE(Eventually([&] { return !store_->Info().snapshot_in_progress; }));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random.Uniform(500)));
    Crash(random.OneIn(3) ? MemoryFileSystem::kDropAll : random.Next() | 1);
  }
}

TEST_F(RecoveryTest, AnUncleanEndStartsANewTimeline) {
  Open();
  Run({"SET", "k", "v"});
  const std::string first = store_->Info().timeline_id;
  Crash();
  Open();
  EXPECT_NE(store_->Info().timeline_id, first);
  EXPECT_EQ(Text({"GET", "k"}), "\"v\"");
}

TEST_F(RecoveryTest, ReloadKeepsEverything) {
  Random random(TestSeed());
  Open();
  for (int i = 0; i < 500; i++) Step(random);
  Contents before = ContentsOf(*store_);
  ASSERT_TRUE(store_->Reload(true).ok());
  EXPECT_TRUE(ContentsOf(*store_) == before);
  for (int i = 0; i < 100; i++) Step(random);
  before = ContentsOf(*store_);
  const Status reloaded = store_->Reload(false);
  ASSERT_TRUE(reloaded.ok()) << reloaded.ToString();
  EXPECT_TRUE(ContentsOf(*store_) == before);
  Run({"SET", "after", "1"});
  Close();
  Open();
  EXPECT_EQ(Text({"GET", "after"}), "\"1\"");
}

TEST_F(RecoveryTest, OneStoreADirectory) {
  Open();
  const auto second = Store::Open(Options());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), StatusCode::kLocked);
}

TEST_F(RecoveryTest, DamageIsNamedAndNothingIsServed) {
  Open();
  for (int i = 0; i < 100; i++) Run({"SET", "k" + std::to_string(i), std::string(100, 'v')});
  ASSERT_TRUE(store_->SaveAndWait().ok());
  Close();
  const auto snapshots = memory_->ListDirectory("db/snapshots");
  ASSERT_EQ(snapshots->size(), 1u);
  const std::string data = "db/snapshots/" + (*snapshots)[0] + "/data-00000";
  ASSERT_TRUE(memory_->FlipBit(data, 100, 3).ok());
  const auto opened = Store::Open(Options());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), StatusCode::kDamaged);
  EXPECT_NE(opened.status().message().find("data-00000"), std::string_view::npos) << opened.status().ToString();
  ASSERT_TRUE(memory_->FlipBit(data, 100, 3).ok());
  Open();
  EXPECT_EQ(ContentsOf(*store_).size(), 100u);
  Close();
  ASSERT_TRUE(memory_->RemoveFile("db/MANIFEST").ok());
  EXPECT_EQ(Store::Open(Options()).status().code(), StatusCode::kDamaged);
}

TEST_F(RecoveryTest, RetentionKeepsOlderSnapshotsAndTheirLog) {
  runtime_.log_retention_hours = 1;
  Open();
  for (int i = 0; i < 3; i++) {
    // More log than a snapshot of it takes, so that each is worth keeping.
    for (int j = 0; j < 50; j++) Run({"SET", "k" + std::to_string(i), "v"});
    ASSERT_TRUE(store_->SaveAndWait().ok());
  }
  EXPECT_EQ(memory_->ListDirectory("db/snapshots")->size(), 3u);
  Run({"SET", "last", "v"});
  Close();
  // The newest is damaged: an older one and the log from there on give the same.
  const auto snapshots = memory_->ListDirectory("db/snapshots");
  ASSERT_TRUE(memory_->FlipBit("db/snapshots/" + snapshots->back() + "/data-00000", 60, 1).ok());
  Open();
  EXPECT_EQ(ContentsOf(*store_).size(), 4u);
}

}  // namespace
}  // namespace cairn
