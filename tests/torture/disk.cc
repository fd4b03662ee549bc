#include "tests/torture/disk.h"

#include <chrono>
#include <thread>

namespace cairn::torture {
namespace {

constexpr const char* kCallNames[kFileOperationCount] = {"open",   "read",     "write",          "zero-fill",
                                                         "sync",   "truncate", "sync directory", "rename",
                                                         "remove", "link",     "list",           "create directory"};

}  // namespace

Disk::Disk(std::unique_ptr<MemoryFileSystem> memory, Clock& clock, HistoryClock* stamps, const Options& options)
    : clock_(clock), stamps_(stamps), options_(options), memory_(std::move(memory)), faulty_(*memory_), random_(options.seed) {
  faulty_.SetHook([this](FileOperation operation, const std::string& path) { OnCall(operation, path); });
  faulty_.SetFailureHook([this](FileOperation operation, const std::string& path) {
    if (operation != FileOperation::kSync) return;
    uint64_t seed;
    {
      MutexLock lock(mutex_);
      seed = random_.Next();
    }
    memory_->FailSync(path, seed);
  });
}

void Disk::CaptureBefore(std::set<uint64_t> calls) {
  MutexLock lock(mutex_);
  capture_before_.clear();
  for (const uint64_t call : calls) capture_before_.insert(calls_.load(std::memory_order_relaxed) + call);
}

void Disk::CaptureNow(std::string before) {
  MutexLock lock(mutex_);
  Image image;
  image.before = std::move(before);
  image.moment.replies_before = stamps_->Next();
  image.moment.at_us = clock_.MonotonicUs();
  image.used_lsn = used_lsn_.load(std::memory_order_seq_cst);
  image.memory = memory_->Image();
  image.moment.sent_before = stamps_->Next();
  images_.push_back(std::move(image));
}

void Disk::NoteUsed(Lsn lsn) {
  Lsn seen = used_lsn_.load(std::memory_order_relaxed);
  while (seen < lsn && !used_lsn_.compare_exchange_weak(seen, lsn)) {
  }
}

void Disk::OnCall(FileOperation operation, const std::string& path) {
  const uint64_t call = calls_.fetch_add(1, std::memory_order_relaxed);
  bool capture;
  uint64_t delay_us = 0;
  {
    MutexLock lock(mutex_);
    if (operation == FileOperation::kSync && options_.sync_delay_us > 0) delay_us = random_.Uniform(options_.sync_delay_us + 1);
    capture = capture_before_.contains(call);
    if (options_.trace) trace_.push_back(std::string(kCallNames[static_cast<int>(operation)]) + " " + path);
  }
  if (delay_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(delay_us));
  if (capture) CaptureNow(std::string(kCallNames[static_cast<int>(operation)]) + " " + path);
}

}  // namespace cairn::torture
