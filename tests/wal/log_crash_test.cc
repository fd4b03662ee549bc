// Power cuts at random moments of a random history, recovery included: what was durable is there, what is there stays, and no
// LSN ever names two different bytes.
#include <atomic>
#include <cerrno>
#include <map>

#include "tests/wal/log_test_support.h"

namespace cairn {
namespace {

// A disk whose power is cut before its N-th operation: from then on every call fails, so nothing more can become durable.
class PowerCut {
 public:
  explicit PowerCut(MemoryFileSystem& memory) : faulty_(memory) {
    faulty_.SetHook([this](FileOperation, const std::string&) {
      if (left_.fetch_sub(1) == 1) Cut();
    });
  }
  FileSystem& fs() { return faulty_; }
  FaultyFileSystem& faulty() { return faulty_; }
  void After(int64_t operations) { left_ = operations; }
  void Cut() {
    faulty_.ClearFaults();
    for (int operation = 0; operation < kFileOperationCount; operation++) {
      FileFault fault;
      fault.operation = static_cast<FileOperation>(operation);
      fault.fail_count = UINT64_MAX;
      faulty_.AddFault(fault);
    }
    cut_ = true;
  }
  bool cut() const { return cut_; }

 private:
  std::atomic<int64_t> left_{INT64_MAX};
  std::atomic<bool> cut_{false};
  FaultyFileSystem faulty_;
};

class CrashHistory {
 public:
  explicit CrashHistory(uint64_t seed) : random_(seed) {
    options_.directory = "log";
    options_.clock = &clock_;
    options_.group_commit_wait_us = 0;
  }

  void Run(int rounds) {
    for (round_ = 0; round_ < rounds && !testing::Test::HasFatalFailure(); round_++) OneRound();
  }

 private:
  void OneRound() {
    options_.policy = static_cast<FsyncPolicy>(random_.Uniform(3));
    options_.segment_bytes = random_.OneIn(3) ? 2'000 + random_.Uniform(20'000) : 64 << 20;
    options_.max_frame_bytes = random_.OneIn(2) ? 64 + random_.Uniform(300) : 1 << 20;
    // Some recoveries are themselves cut.
    while (random_.OneIn(3)) {
      PowerCut disk(memory_);
      options_.fs = &disk.fs();
      disk.After(1 + static_cast<int64_t>(random_.Uniform(40)));
      LogRecoveryResult found;
      Status status = RecoverLog(
          options_, 0, [](const LogFrame&) { return Status::Ok(); }, &found);
      if (status.ok() && random_.OneIn(2)) {
        auto log = LogWriter::Open(options_, found.next_lsn, found);
        if (log.ok()) NoteUsed(**log);
      }
      ASSERT_TRUE(status.ok() || disk.cut()) << status.ToString();
      memory_.CrashAndDropUnsynced(random_.Next());
    }
    PowerCut disk(memory_);
    options_.fs = &disk.fs();
    LogRecoveryResult found;
    ASSERT_NO_FATAL_FAILURE(RecoverAndCheck(&found));
    const bool flaky = random_.OneIn(3);
    if (flaky) {
      disk.faulty().FailRandomly(FileOperation::kSync, 8, EIO, random_.Next());
      disk.faulty().FailRandomly(FileOperation::kWrite, 12, random_.OneIn(2) ? EIO : ENOSPC, random_.Next());
    }
    const bool clean = random_.OneIn(6);
    if (!clean) disk.After(1 + static_cast<int64_t>(random_.Uniform(120)));
    auto log = LogWriter::Open(options_, found.next_lsn, found);
    if (log.ok()) {
      ASSERT_NO_FATAL_FAILURE(Write(**log, disk, clean));
    }
    if (log.ok()) log->reset();
    ASSERT_EQ(disk.faulty().syncs_after_failure(), 0u);
    // A clean end needs no crash, and must survive one.
    memory_.CrashAndDropUnsynced(random_.OneIn(5) ? MemoryFileSystem::kDropAll : random_.Next());
  }

  void NoteUsed(const LogWriter& log) { highest_used_ = std::max(highest_used_, log.end_lsn()); }

  void Write(LogWriter& log, PowerCut& disk, bool clean) {
    const uint64_t units = random_.Uniform(200);
    for (uint64_t i = 0; i < units && !disk.cut(); i++) {
      if (log.Admit(100) == Admission::kAdmitted) {
        const uint64_t number = next_number_++;
        const size_t size = random_.OneIn(10) ? random_.Uniform(2'000) : random_.Uniform(60);
        const Lsn before = log.end_lsn();
        unit_at_[before] = {number, size};
        const Lsn after = log.Append(TestUnit(number, size));
        ASSERT_EQ(after, before + TestUnit(number, size).size());
        ASSERT_GE(before, highest_used_);
      }
      if (random_.OneIn(20)) (void)log.RotateSegment();
      if (random_.OneIn(20)) (void)log.RequestSync();
      if (random_.OneIn(6)) std::this_thread::sleep_for(std::chrono::microseconds(200));
      clock_.Advance(static_cast<int64_t>(random_.Uniform(200'000)));
    }
    NoteUsed(log);
    if (clean) {
      (void)log.CloseCleanly();
    }
    // Synced as the log claimed it: from here on these bytes must be there.
    const Lsn durable = log.stats().synced_lsn;
    for (const auto& [lsn, unit] : unit_at_) {
      if (lsn < durable) floor_ = std::max(floor_, unit.number + 1);
    }
  }

  // Everything recovered lies where it was appended, without a hole, up to at least what was durable.
  void RecoverAndCheck(LogRecoveryResult* found) {
    uint64_t expected_number = 0;
    const auto check = [&](const LogFrame& frame) {
      std::vector<uint64_t> numbers;
      if (!ParseUnits(frame.payload, &numbers)) return Status::Internal("half a unit at LSN " + std::to_string(frame.first_lsn));
      Lsn lsn = frame.first_lsn;
      for (const uint64_t number : numbers) {
        auto unit = unit_at_.find(lsn);
        if (unit == unit_at_.end() || unit->second.number != number) {
          return Status::Internal("not what was appended at LSN " + std::to_string(lsn));
        }
        if (number != expected_number) {
          return Status::Internal("unit " + std::to_string(expected_number) + " is missing before " + std::to_string(number));
        }
        expected_number = number + 1;
        lsn += TestUnit(number, unit->second.size).size();
      }
      return Status::Ok();
    };
    const Status status = RecoverLog(options_, 0, check, found);
    ASSERT_TRUE(status.ok()) << "round " << round_ << ": " << status.ToString();
    ASSERT_GE(expected_number, floor_) << "round " << round_ << ": durable units are missing";
    if (found->end == LogEnd::kTornTail) ASSERT_GE(found->next_lsn, highest_used_) << "round " << round_;
    // What did not survive never existed; its numbers are given out again, its LSNs are not.
    next_number_ = floor_ = expected_number;
    for (auto unit = unit_at_.begin(); unit != unit_at_.end();) {
      unit = unit->second.number >= expected_number ? unit_at_.erase(unit) : std::next(unit);
    }
    highest_used_ = std::max(highest_used_, found->end_lsn);
  }

  struct Unit {
    uint64_t number = 0;
    size_t size = 0;
  };
  Random random_;
  MemoryFileSystem memory_;
  ManualClock clock_;
  LogOptions options_;
  int round_ = 0;
  uint64_t next_number_ = 0;
  uint64_t floor_ = 0;  // units below were durable
  Lsn highest_used_ = 0;
  std::map<Lsn, Unit> unit_at_;
};

TEST(LogCrash, PowerCutsLoseNothingDurable) {
  const uint64_t seed = TestSeed();
  for (uint64_t history = 0; history < 25; history++) {
    SCOPED_TRACE("history " + std::to_string(history));
    CrashHistory(seed + history).Run(12);
    if (testing::Test::HasFatalFailure()) return;
  }
}

// A process is killed while it makes a segment: the header is in the page cache, on disk there is none. The next process goes on behind
// that segment; when the power fails, it must not have become a link of the chain that is not on disk.
TEST(LogCrash, ASegmentThatWasOnlyInThePageCacheIsNoPredecessor) {
  MemoryFileSystem memory;
  FaultyFileSystem disk(memory);
  std::unique_ptr<MemoryFileSystem> killed;
  disk.SetHook([&](FileOperation operation, const std::string& path) {
    if (operation == FileOperation::kSync && path.ends_with("2.log") && killed == nullptr) killed = memory.Image();
  });
  ManualClock clock;
  LogOptions options;
  options.directory = "log";
  options.clock = &clock;
  options.fs = &disk;
  const auto ignore = [](const LogFrame&) { return Status::Ok(); };
  {
    auto log = LogWriter::Open(options, 0, {});
    ASSERT_TRUE(log.ok());
    ASSERT_TRUE((*log)->WaitDurable((*log)->Append(TestUnit(0, 10))).ok());
    ASSERT_TRUE((*log)->RotateSegment().ok());
    ASSERT_TRUE((*log)->WaitDurable((*log)->Append(TestUnit(1, 10))).ok());
    while (killed == nullptr) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  options.fs = killed.get();
  LogRecoveryResult found;
  ASSERT_TRUE(RecoverLog(options, 0, ignore, &found).ok());
  const Lsn end = found.log_end_lsn;
  ASSERT_GT(end, 0u);
  ASSERT_TRUE(LogWriter::Open(options, found.next_lsn, found).ok());
  killed->CrashAndDropUnsynced();
  const Status status = RecoverLog(options, 0, ignore, &found);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(found.first_lsn, 0u);
  EXPECT_GE(found.log_end_lsn, end);
}

// The test would notice: without the copy of what lies beyond the mark, a second crash loses what the first recovery served.
TEST(LogCrash, WithoutTheRepairServedUnitsAreLost) {
  bool lost = false;
  for (uint64_t seed = 1; seed < 200 && !lost; seed++) {
    LogFixture fixture;
    ManualClock clock;
    fixture.options.clock = &clock;
    fixture.options.policy = FsyncPolicy::kNo;
    {
      auto log = fixture.Open();
      ASSERT_TRUE(log->WaitDurable(log->Append(TestUnit(seed, 500))).ok());
    }
    ASSERT_TRUE(fixture.Read().ok());
    const std::string served = fixture.stream;
    fixture.memory.CrashAndDropUnsynced(seed);
    ASSERT_TRUE(fixture.Read().ok());
    lost = fixture.stream != served;
  }
  EXPECT_TRUE(lost);
}

}  // namespace
}  // namespace cairn
