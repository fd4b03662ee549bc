// What the log's tests share: a directory in memory that can lose power and fail, units that say which they are, and reading
// everything back.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "base/thread_annotations.h"
#include "tests/support/test_seed.h"
#include "wal/log_reader.h"
#include "wal/log_writer.h"

namespace cairn {

// Polls until `condition` holds; false after `timeout_ms`.
inline bool Eventually(const std::function<bool()>& condition, int timeout_ms = 10'000) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// "<number>:<size>:" and then `size` bytes that follow from the number.
inline std::string TestUnit(uint64_t number, size_t size) {
  std::string unit = std::to_string(number) + ":" + std::to_string(size) + ":";
  for (size_t i = 0; i < size; i++) unit.push_back(static_cast<char>('a' + (number * 31 + i * 7) % 26));
  return unit;
}

// Takes the units out of a stream again; false where it is not a sequence of whole units.
inline bool ParseUnits(std::string_view stream, std::vector<uint64_t>* numbers) {
  while (!stream.empty()) {
    char* after = nullptr;
    const std::string head(stream.substr(0, 48));
    const uint64_t number = std::strtoull(head.c_str(), &after, 10);
    if (*after != ':') return false;
    const size_t size = std::strtoull(after + 1, &after, 10);
    if (*after != ':') return false;
    const std::string unit = TestUnit(number, size);
    if (stream.substr(0, unit.size()) != unit) return false;
    numbers->push_back(number);
    stream.remove_prefix(unit.size());
  }
  return true;
}

// Holds up calls into the disk: those for which a file system's hook calls Pass().
class DiskGate {
 public:
  void Pass() {
    MutexLock hold(mutex_);
    waiting_++;
    while (calls_left_ == 0) changed_.Wait(mutex_);
    if (calls_left_ != kOpen) calls_left_--;
    waiting_--;
  }
  // So many more calls pass, the one that waits included; those after them wait.
  void LetPass(uint64_t calls) {
    MutexLock hold(mutex_);
    calls_left_ = calls;
    changed_.NotifyAll();
  }
  void Open() { LetPass(kOpen); }
  void Close() { LetPass(0); }
  bool Blocked() {
    MutexLock hold(mutex_);
    return waiting_ > 0 && calls_left_ == 0;
  }

 private:
  static constexpr uint64_t kOpen = UINT64_MAX;
  Mutex mutex_;
  CondVar changed_;
  uint64_t calls_left_ CAIRN_GUARDED_BY(mutex_) = kOpen;
  int waiting_ CAIRN_GUARDED_BY(mutex_) = 0;
};

// One log directory in memory.
struct LogFixture {
  MemoryFileSystem memory;
  FaultyFileSystem faulty{memory};
  LogOptions options;
  LogRecoveryResult found;
  std::string stream;  // what the last Read or Recover handed out
  std::vector<std::pair<Lsn, std::string>> frames;

  LogFixture() {
    options.directory = "log";
    options.fs = &faulty;
    options.clock = &RealClock();
    options.group_commit_wait_us = 0;
  }

  Status Collect(bool repair, Lsn from) {
    stream.clear();
    frames.clear();
    const auto take = [this](const LogFrame& frame) {
      stream.append(frame.payload);
      frames.emplace_back(frame.first_lsn, std::string(frame.payload));
      return Status::Ok();
    };
    return repair ? RecoverLog(options, from, take, &found) : ReadLog(options, from, take, &found);
  }
  Status Read(Lsn from = 0) { return Collect(false, from); }
  Status Recover(Lsn from = 0) { return Collect(true, from); }

  // Recovers from `from` and starts the log.
  std::unique_ptr<LogWriter> Open(Lsn from = 0) {
    Status status = Recover(from);
    EXPECT_TRUE(status.ok()) << status.ToString();
    auto log = LogWriter::Open(options, found.next_lsn, found);
    EXPECT_TRUE(log.ok()) << log.status().ToString();
    return log.ok() ? std::move(log).value() : nullptr;
  }

  std::vector<std::string> SegmentPaths() {
    std::vector<std::string> paths;
    const std::vector<std::string> names = *memory.ListDirectory("log");
    for (const std::string& name : names) {
      if (ParseSegmentFileName(name)) paths.push_back(JoinPath("log", name));
    }
    return paths;
  }
  std::string Content(const std::string& path) { return *memory.Content(path); }
  void SetContent(const std::string& path, std::string_view bytes) {
    auto file = *memory.OpenForWriting(path, FileSystem::OpenMode::kTruncate);
    ASSERT_TRUE(file->WriteAt(0, bytes).ok());
    ASSERT_TRUE(file->Sync().ok());
  }
};

// A log by a clock that stands still, so that nothing is synced because of its age, on a disk whose calls of one kind can be held up.
struct GatedLog : LogFixture {
  const FileOperation gated;
  ManualClock clock;
  DiskGate gate;
  std::unique_ptr<LogWriter> log;

  GatedLog(FsyncPolicy policy, FileOperation operation) : gated(operation) {
    options.clock = &clock;
    options.policy = policy;
    options.segment_bytes = 4'096;
    options.max_frame_bytes = 256;
    faulty.SetHook([this](FileOperation called, const std::string&) {
      if (called == gated) gate.Pass();
    });
    log = Open();
  }
  ~GatedLog() { gate.Open(); }
};

}  // namespace cairn
