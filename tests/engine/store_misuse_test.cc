// What an application may do to a store that it should not: an answer, and nothing worse.
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "tests/engine/store_test_support.h"

namespace cairn {
namespace {

class StoreMisuseTest : public StoreTest {};

TEST_F(StoreMisuseTest, OptionsAreChecked) {
  StoreOptions options = Options();
  options.databases = 0;
  EXPECT_EQ(Store::Open(options).status().code(), StatusCode::kInvalidArgument);
  options = Options();
  options.runtime.maxmemory_samples = 0;
  EXPECT_EQ(Store::Open(options).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(StoreMisuseTest, DatabasesThatDoNotExist) {
  Open();
  Client client;
  client.database = 99;
  EXPECT_TRUE(store_->Run(client, {"SET", "k", "v"}).is_error());
  store_->ForEachKey(99, [](std::string_view, const Entry&) { FAIL(); });
}

TEST_F(StoreMisuseTest, AfterClose) {
  Open();
  ASSERT_TRUE(Run({"SET", "k", "v"}).is_ok());
  ASSERT_TRUE(store_->Close(false).ok());
  EXPECT_TRUE(Run({"GET", "k"}).is_error());
  EXPECT_EQ(store_->UpdateOptions([](RuntimeOptions& options) { options.append_only = false; }).code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->WaitDurable(store_->end_lsn() + 100).code(), StatusCode::kUnavailable);
  store_->ForEachKey(0, [](std::string_view, const Entry&) { FAIL(); });
  EXPECT_TRUE(store_->Close(false).ok());
}

TEST_F(StoreMisuseTest, WhereASnapshotIsToldOf) {
  Open();
  std::atomic<bool> told{false};
  ASSERT_TRUE(store_
                  ->StartSnapshot(false,
                                  [&](const Status& status) {
                                    EXPECT_TRUE(status.ok());
                                    EXPECT_EQ(store_->SaveAndWait().code(), StatusCode::kUnavailable);
                                    EXPECT_EQ(store_->Reload(true).code(), StatusCode::kUnavailable);
                                    EXPECT_EQ(store_->Close(false).code(), StatusCode::kUnavailable);
                                    told = true;
                                  })
                  .ok());
  EXPECT_TRUE(Eventually([&] { return told.load(); }));
}

TEST_F(StoreMisuseTest, TheProgramGoesElsewhere) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::string folder = std::filesystem::temp_directory_path() / "cairn-misuse-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::filesystem::current_path(folder);
  {
    StoreOptions options;
    options.directory = "relative";
    auto opened = Store::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    std::filesystem::current_path(before);
    EXPECT_TRUE((*opened)->SaveAndWait().ok());
    EXPECT_TRUE((*opened)->Close(false).ok());
  }
  std::filesystem::remove_all(folder);
}

// A flush that found the store open and gets its locks when it is closed: it is refused, or it is in what a start reads.
TEST_F(StoreMisuseTest, AFlushBesideClose) {
  for (int round = 0; round < 5; round++) {
    Open();
    ASSERT_TRUE(Run({"SET", "k", "v"}).is_ok());
    std::atomic<bool> held{false}, flushed{false};
    std::thread holder([&] {
      store_->ForEachKey(0, [&](std::string_view, const Entry&) {
        held = true;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      });
    });
    ASSERT_TRUE(Eventually([&] { return held.load(); }));
    std::thread flusher([&] {
      Client client;
      flushed = store_->Run(client, {"FLUSHALL"}).is_ok();
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(store_->Close(false).ok());
    holder.join();
    flusher.join();
    store_.reset();
    Open();
    EXPECT_EQ(Text({"DBSIZE"}), flushed ? "(integer) 0" : "(integer) 1");
    Run({"FLUSHALL"});
    Close();
  }
}

}  // namespace
}  // namespace cairn
