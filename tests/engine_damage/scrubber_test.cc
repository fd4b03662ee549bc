// The scrub of a store that runs: silent while all is well and files come and go, loud about a changed byte in what it will need.
#include "engine/scrubber.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/engine_damage/directory_image.h"

namespace cairn {
namespace {

class ScrubberTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::Open(ImageStoreOptions(fs_, kImageDirectory));
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    store_ = std::move(opened).value();
    scrubber_ = std::make_unique<Scrubber>(fs_, RealClock(), kImageDirectory, hours_, [this]() -> std::optional<Lsn> {
      if (!store_->log().enabled()) return std::nullopt;
      if (before_a_look_) before_a_look_();
      return store_->durable_lsn();
    });
    Write(100);
  }
  void Write(int commands) {
    for (int i = 0; i < commands; i++) store_->Run(client_, {"SET", "key:" + std::to_string(i), std::string(100, 'v')});
  }

  MemoryFileSystem fs_;
  std::atomic<int64_t> hours_{0};
  std::unique_ptr<Store> store_;
  std::unique_ptr<Scrubber> scrubber_;
  std::function<void()> before_a_look_;  // at the log
  Client client_;
};

TEST_F(ScrubberTest, NothingIsWrongWhileFilesComeAndGo) {
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    while (!stop) {
      Write(20);
      ASSERT_TRUE(store_->StartSnapshot(true, nullptr, SnapshotPace::kFast).ok());
      while (store_->Info().snapshot_in_progress) std::this_thread::yield();
    }
  });
  for (int i = 0; i < 30; i++) {
    scrubber_->Pass();
    const Scrubber::Report report = scrubber_->report();
    EXPECT_TRUE(report.faults.empty()) << report.faults.front();
    EXPECT_EQ(report.error, "");
  }
  stop = true;
  writer.join();
  EXPECT_EQ(scrubber_->report().passes, 30u);
  EXPECT_GT(scrubber_->report().checked_bytes, 0u);
}

TEST_F(ScrubberTest, AChangedByteIsReportedWithItsFile) {
  ASSERT_TRUE(store_->SaveAndWait().ok());
  Write(10);
  const std::string snapshot = "db/snapshots/" + fs_.ListDirectory("db/snapshots")->front() + "/data-00000";
  const std::string segment = "db/log/00000000000000000001.log";
  for (const auto& [path, offset] : {std::pair<std::string, uint64_t>{snapshot, 100}, {segment, 100}, {"db/MANIFEST", 30}}) {
    ASSERT_TRUE(fs_.FlipBit(path, offset, 3).ok());
    scrubber_->Pass();
    const Scrubber::Report report = scrubber_->report();
    ASSERT_EQ(report.faults.size(), 1u) << path;
    EXPECT_NE(report.faults[0].find(path), std::string::npos) << report.faults[0];
    ASSERT_TRUE(fs_.FlipBit(path, offset, 3).ok());
  }
  scrubber_->Pass();
  EXPECT_TRUE(scrubber_->report().faults.empty());
  // The newest durable frame is looked at, although no mark covers it yet.
  const std::string bytes = *fs_.Content(segment);
  ASSERT_TRUE(fs_.FlipBit(segment, bytes.rfind("key:9"), 0).ok());
  scrubber_->Pass();
  EXPECT_EQ(scrubber_->report().faults.size(), 1u);
}

TEST_F(ScrubberTest, AFaultIsOneWhateverIsWrittenBehindItMeanwhile) {
  ASSERT_TRUE(store_->SaveAndWait().ok());
  Write(10);
  const std::string segment = "db/log/00000000000000000001.log";
  const std::string bytes = *fs_.Content(segment);
  ASSERT_TRUE(fs_.FlipBit(segment, bytes.rfind("key:9"), 0).ok());
  // Damage is looked at twice, and the second time a later frame stands behind it.
  int looks = 0;
  before_a_look_ = [&] {
    if (++looks == 2) Write(1);
  };
  scrubber_->Pass();
  EXPECT_EQ(looks, 2);
  EXPECT_EQ(scrubber_->report().faults.size(), 1u);
}

TEST_F(ScrubberTest, ALogThatIsOffIsNotLookedAt) {
  ASSERT_TRUE(store_->UpdateOptions([](RuntimeOptions& options) { options.append_only = false; }).ok());
  Write(10);
  scrubber_->Pass();
  EXPECT_TRUE(scrubber_->report().faults.empty());
  scrubber_->Start();
  scrubber_->Stop();
}

}  // namespace
}  // namespace cairn
