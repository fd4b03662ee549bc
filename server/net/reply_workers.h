// Threads that write long replies, so that the other clients of a network thread do not wait for them. A few, started when first needed.
//
// Any thread may add a job. A job may wait for its reader; others_wait() tells it that others are in line, and stopping() that nobody will
// read any more.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/thread_annotations.h"

namespace cairn {

class ReplyWorkers {
 public:
  ReplyWorkers() = default;
  ~ReplyWorkers();  // Stop()
  ReplyWorkers(const ReplyWorkers&) = delete;
  ReplyWorkers& operator=(const ReplyWorkers&) = delete;

  // Ignored after Stop().
  void Run(std::function<void()> job) CAIRN_EXCLUDES(mutex_);
  // Waits for the jobs under way, drops the others.
  void Stop() CAIRN_EXCLUDES(mutex_);
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  bool others_wait() const { return waiting_.load(std::memory_order_relaxed) > 0; }

 private:
  static constexpr size_t kThreads = 2;
  void AddThread() CAIRN_REQUIRES(mutex_);
  void Loop() CAIRN_EXCLUDES(mutex_);

  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> jobs_ CAIRN_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ CAIRN_GUARDED_BY(mutex_);
  size_t idle_ CAIRN_GUARDED_BY(mutex_) = 0;
  std::atomic<size_t> waiting_{0};  // jobs that no thread has begun
  std::atomic<bool> stopping_{false};
};

}  // namespace cairn
