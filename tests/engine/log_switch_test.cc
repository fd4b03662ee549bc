// The log is switched on and off, reloaded and closed while the disk fails or a snapshot is under way: what was acknowledged meanwhile is
// kept as the settings say.

#include <atomic>
#include <string>
#include <thread>

#include "base/clock.h"
#include "tests/engine/store_test_support.h"

namespace cairn {
namespace {

class LogSwitchTest : public StoreTest {
 protected:
  LogSwitchTest() { runtime_.append_only = false; }
  Status Switch(bool on) {
    return store_->UpdateOptions([on](RuntimeOptions& options) { options.append_only = on; });
  }
  bool LogCounts() {
    const StoreInfo info = store_->Info();
    return info.log.enabled && !info.log_awaits_snapshot;
  }
};

TEST_F(LogSwitchTest, TheSnapshotThatALogNeedsIsTriedAgain) {
  ManualClock clock;
  Open(&clock);
  ASSERT_TRUE(Run({"SET", "before", "1"}).is_ok());
  faulty_->AddFault({.operation = FileOperation::kSync, .path_part = "snapshots/", .error_number = ENOSPC});
  ASSERT_TRUE(Switch(true).ok());
  ASSERT_TRUE(Eventually([&] { return !store_->Info().snapshot_in_progress; }));
  EXPECT_TRUE(store_->Info().log_awaits_snapshot);
  EXPECT_TRUE(Eventually([&] {
    clock.Advance(1'000'000);
    return LogCounts();
  }));
  ASSERT_TRUE(Run({"SET", "after", "2"}).is_ok());
  PowerFails();
  (void)store_->Close(false);  // while the clock still lives
  PowerReturns();
  runtime_.append_only = true;
  Open();
  EXPECT_EQ(Text({"GET", "before"}), "\"1\"");
  EXPECT_EQ(Text({"GET", "after"}), "\"2\"");
}

TEST_F(LogSwitchTest, ClosingFinishesWhatALogNeeds) {
  Open();
  const std::string value(100, 'v');
  for (int i = 0; i < 50'000; i++) Run({"SET", "k" + std::to_string(i), value});
  ASSERT_TRUE(Switch(true).ok());
  ASSERT_TRUE(Eventually([&] { return store_->Info().log.enabled; }));
  ASSERT_TRUE(Run({"SET", "late", "1"}).is_ok());
  Close();
  runtime_.append_only = true;
  Open();
  EXPECT_EQ(Text({"DBSIZE"}), "(integer) 50001");
  EXPECT_EQ(Text({"GET", "late"}), "\"1\"");
  EXPECT_EQ(store_->Info().load_report, "");
}

TEST_F(LogSwitchTest, ACloseThatCannotFinishItSaysSo) {
  Open();
  ASSERT_TRUE(Run({"SET", "k", "v"}).is_ok());
  faulty_->AddFault(
      {.operation = FileOperation::kSync, .path_part = "snapshots/", .fail_count = UINT64_MAX, .error_number = ENOSPC});
  ASSERT_TRUE(Switch(true).ok());
  EXPECT_FALSE(store_->Close(false).ok());
}

TEST_F(LogSwitchTest, ABackupBesideItHoldsEverything) {
  Open();
  const std::string value(100, 'v');
  for (int i = 0; i < 50'000; i++) Run({"SET", "k" + std::to_string(i), value});
  ASSERT_TRUE(Switch(true).ok());
  ASSERT_TRUE(Run({"SET", "late", "1"}).is_ok());
  const Result<BackupReport> report = store_->Backup({.directory = "/backup"});
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  Close();
  runtime_.append_only = true;
  directory_ = "/backup";
  Open();
  EXPECT_EQ(Text({"DBSIZE"}), "(integer) 50001");
}

TEST_F(LogSwitchTest, NothingToFinishWaitsForNoSnapshot) {
  struct Stage {
    std::atomic<bool> begun{false}, go_on{false};
  };
  const auto stage = std::make_shared<Stage>();
  Open();
  ASSERT_TRUE(Run({"SET", "k", "v"}).is_ok());
  faulty_->SetHook([stage](FileOperation operation, const std::string& path) {
    if (operation != FileOperation::kSync || path.find("snapshots/") == std::string::npos) return;
    stage->begun = true;
    Eventually([&] { return stage->go_on.load(); }, 10'000);
  });
  ASSERT_TRUE(store_->StartSnapshot(false).ok());
  ASSERT_TRUE(Eventually([&] { return stage->begun.load(); }));
  EXPECT_TRUE(store_->FinishEnablingLog().ok());
  EXPECT_TRUE(store_->Info().snapshot_in_progress);
  stage->go_on = true;
}

TEST_F(LogSwitchTest, WhatTookNoSnapshotCountsAsNone) {
  Open();
  ASSERT_TRUE(Run({"SET", "k", "v"}).is_ok());
  faulty_->AddFault({.operation = FileOperation::kSync, .path_part = "snapshots/", .error_number = ENOSPC});
  EXPECT_FALSE(store_->SaveAndWait().ok());
  // The checkpointer's thread is held up, so that the log is not wanted any longer when its turn comes.
  struct Stage {
    std::atomic<bool> begun{false}, go_on{false};
  };
  const auto stage = std::make_shared<Stage>();
  ASSERT_TRUE(store_
                  ->StartRdbExport(directory_ + "/dump.rdb",
                                   [stage](const Status&) {
                                     stage->begun = true;
                                     Eventually([&] { return stage->go_on.load(); }, 10'000);
                                   })
                  .ok());
  ASSERT_TRUE(Eventually([&] { return stage->begun.load(); }));
  ASSERT_TRUE(Switch(true).ok());
  ASSERT_TRUE(Switch(false).ok());
  stage->go_on = true;
  ASSERT_TRUE(Eventually([&] { return !store_->Info().snapshot_in_progress; }));
  const StoreInfo info = store_->Info();
  EXPECT_FALSE(info.last_snapshot_ok);
  EXPECT_EQ(info.snapshots_made, 0u);
}

TEST_F(LogSwitchTest, OffWhileTheDiskFailsIsOff) {
  runtime_.append_only = true;
  Open();
  ASSERT_TRUE(Run({"SET", "a", "1"}).is_ok());
  faulty_->AddFault({.operation = FileOperation::kSync, .path_part = "log/", .fail_count = UINT64_MAX});
  EXPECT_TRUE(Switch(false).ok());
  EXPECT_FALSE(store_->options().runtime.append_only);
  EXPECT_FALSE(store_->log().enabled());
  EXPECT_TRUE(Run({"SET", "b", "2"}).is_ok());
  faulty_->ClearFaults();
  ASSERT_TRUE(Switch(true).ok());
  ASSERT_TRUE(Eventually([&] { return LogCounts(); }));
  EXPECT_TRUE(Run({"SET", "c", "3"}).is_ok());
  Crash();
  Open();
  EXPECT_EQ(Text({"MGET", "a", "b", "c"}), R"(["1", "2", "3"])");
}

TEST_F(LogSwitchTest, OnAndOffBesideWritersLosesNothingThatWasPromised) {
  Open();
  std::atomic<bool> stop{false};
  std::atomic<int> last{0};
  std::thread writer([&] {
    Client client;
    for (int i = 1; !stop.load(); i++) {
      if (store_->Run(client, {"SET", "k", std::to_string(i)}).is_ok()) last = i;
    }
  });
  for (int i = 0; i < 20; i++) {
    ASSERT_TRUE(Switch(true).ok());
    if (i % 4 == 0) EXPECT_TRUE(Eventually([&] { return LogCounts(); }));
    if (i % 4 != 3) ASSERT_TRUE(Switch(false).ok());
  }
  ASSERT_TRUE(Eventually([&] { return LogCounts(); }));
  const int promised = last.load() + 1;
  ASSERT_TRUE(Eventually([&] { return last.load() > promised + 10; }));
  const int acknowledged = last.load();
  PowerFails();
  stop = true;
  writer.join();
  PowerReturns();
  runtime_.append_only = true;
  Open();
  EXPECT_GE(std::stoi(Run({"GET", "k"}).text), acknowledged);
}

TEST_F(LogSwitchTest, SettingsThatAreRefusedLeaveThePolicy) {
  runtime_.append_only = true;
  Open();
  faulty_->AddFault(
      {.operation = FileOperation::kWrite, .path_part = "MANIFEST", .fail_count = UINT64_MAX, .error_number = ENOSPC});
  EXPECT_FALSE(store_
                   ->UpdateOptions([](RuntimeOptions& options) {
                     options.append_only = false;
                     options.append_fsync = FsyncPolicy::kNo;
                   })
                   .ok());
  EXPECT_EQ(store_->options().runtime.append_fsync, FsyncPolicy::kAlways);
  EXPECT_EQ(store_->log().policy(), FsyncPolicy::kAlways);
  EXPECT_TRUE(Run({"SET", "a", "1"}).is_ok());
  Crash();
  Open();
  EXPECT_EQ(Text({"GET", "a"}), "\"1\"");
}

TEST_F(LogSwitchTest, ASnapshotThatTheManifestDoesNotNameWasNone) {
  Open();
  for (int i = 0; i < 100; i++) Run({"SET", "k" + std::to_string(i), "v"});
  faulty_->AddFault({.operation = FileOperation::kWrite, .path_part = "MANIFEST", .error_number = ENOSPC});
  EXPECT_FALSE(store_->SaveAndWait().ok());
  EXPECT_EQ(store_->Info().changes_since_snapshot, 100u);
  EXPECT_TRUE(store_->SaveAndWait().ok());
  EXPECT_EQ(store_->Info().changes_since_snapshot, 0u);
}

// What the manifest names stays until it was loaded.
TEST_F(LogSwitchTest, AReloadBesideASnapshotThatIsPublished) {
  runtime_.append_only = true;
  struct Stage {
    std::atomic<bool> renamed{false}, loading{false}, published{false};
  };
  const auto stage = std::make_shared<Stage>();
  Open();
  ASSERT_TRUE(Run({"SET", "a", "1"}).is_ok());
  ASSERT_TRUE(store_->SaveAndWait().ok());
  ASSERT_TRUE(Run({"SET", "b", "2"}).is_ok());
  faulty_->SetHook([stage](FileOperation operation, const std::string& path) {
    if (operation == FileOperation::kRename && path.find("snapshots") != std::string::npos) {
      stage->renamed = true;
      Eventually([&] { return stage->loading.load(); }, 3000);
    }
    if (stage->renamed && operation == FileOperation::kOpen && path.find("snapshots/") != std::string::npos &&
        path.find(".tmp") == std::string::npos) {
      stage->loading = true;
      Eventually([&] { return stage->published.load(); }, 300);
    }
  });
  ASSERT_TRUE(store_->StartSnapshot(true, [stage](const Status&) { stage->published = true; }).ok());
  ASSERT_TRUE(Eventually([&] { return stage->renamed.load(); }));
  const Status reloaded = store_->Reload(false);
  EXPECT_TRUE(reloaded.ok()) << reloaded.ToString();
  EXPECT_EQ(Text({"MGET", "a", "b"}), R"(["1", "2"])");
  EXPECT_TRUE(Run({"SET", "c", "3"}).is_ok());
}

TEST_F(LogSwitchTest, AReloadThatFailedIsNotServed) {
  runtime_.append_only = true;
  Open();
  ASSERT_TRUE(Run({"SET", "a", "1"}).is_ok());
  ASSERT_TRUE(store_->SaveAndWait().ok());
  faulty_->AddFault({.operation = FileOperation::kRead, .path_part = "snapshots/", .fail_count = UINT64_MAX});
  EXPECT_FALSE(store_->Reload(false).ok());
  for (const ReplyValue& reply : {Run({"GET", "a"}), Run({"DBSIZE"}), Run({"SET", "b", "2"}), Run({"KEYS", "*"})}) {
    EXPECT_TRUE(reply.is_error() && reply.text.find("incomplete") != std::string::npos) << reply.ToString();
  }
}

}  // namespace
}  // namespace cairn
