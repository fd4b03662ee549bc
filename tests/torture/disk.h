// The disk that a store under torture runs on: a file system in memory, faults around it, and images of it taken at chosen calls.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "base/thread_annotations.h"
#include "tests/torture/history.h"

namespace cairn::torture {

struct Image {
  CrashMoment moment;
  Lsn used_lsn = 0;  // LSNs below had been given out
  std::unique_ptr<MemoryFileSystem> memory;
  std::string before;  // the call that was about to be made
};

class Disk {
 public:
  struct Options {
    uint64_t seed = 0;
    uint32_t sync_delay_us = 0;
    bool trace = false;  // remember every call
  };
  // `stamps` may be null: then no image can be taken. All must outlive this object.
  Disk(std::unique_ptr<MemoryFileSystem> memory, Clock& clock, HistoryClock* stamps, const Options& options);

  FileSystem& fs() { return faulty_; }
  MemoryFileSystem& memory() { return *memory_; }
  FaultyFileSystem& faulty() { return faulty_; }
  std::unique_ptr<MemoryFileSystem> Release() { return std::move(memory_); }

  // An image before each of these calls, counted from now on; once taken they are in images().
  void CaptureBefore(std::set<uint64_t> calls);
  void CaptureNow(std::string before);
  // After all who use the disk have ended.
  std::vector<Image>& images() { return images_; }
  const std::vector<std::string>& trace() const { return trace_; }
  uint64_t calls() const { return calls_.load(std::memory_order_relaxed); }

  // Clients raise it to the log's end after their operations.
  void NoteUsed(Lsn lsn);

 private:
  void OnCall(FileOperation operation, const std::string& path);

  Clock& clock_;
  HistoryClock* const stamps_;
  const Options options_;
  std::unique_ptr<MemoryFileSystem> memory_;
  FaultyFileSystem faulty_;
  std::atomic<uint64_t> calls_{0};
  std::atomic<Lsn> used_lsn_{0};
  Mutex mutex_;
  Random random_ CAIRN_GUARDED_BY(mutex_);
  std::set<uint64_t> capture_before_ CAIRN_GUARDED_BY(mutex_);
  std::vector<Image> images_;
  std::vector<std::string> trace_;
};

}  // namespace cairn::torture
