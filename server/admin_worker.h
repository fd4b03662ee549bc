// One thread for what must not hold a network thread: jobs such as reloading the data set, or waiting for conditions with a deadline
// (WAITAOF, a snapshot once another has ended).
//
// Jobs run one after the other; conditions are looked at about once a millisecond, and not while a job runs: a worker is given jobs or
// conditions. Any thread may add either; both run on the worker's thread and reach sessions by Server::PostToSession.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <thread>

#include "base/thread_annotations.h"

namespace cairn {

class AdminWorker {
 public:
  // `thread_name` as for NameThisThread; it must outlive the worker.
  explicit AdminWorker(const char* thread_name) : thread_name_(thread_name) {}
  ~AdminWorker();  // Stop()
  AdminWorker(const AdminWorker&) = delete;
  AdminWorker& operator=(const AdminWorker&) = delete;

  // Starts the thread, once; false where the system has none to give. What was added before runs then. At the server's start: a command
  // that found no thread later could not be answered.
  [[nodiscard]] bool Start() CAIRN_EXCLUDES(mutex_);
  // Ignored after Stop().
  void Run(std::function<void()> job) CAIRN_EXCLUDES(mutex_);
  // Calls `met` again and again until it returns true, then `done(true)`; at the deadline (monotonic ms, INT64_MAX: none) `done(false)`.
  // Returns a handle for Cancel.
  uint64_t Await(int64_t deadline_ms, std::function<bool()> met, std::function<void(bool met)> done) CAIRN_EXCLUDES(mutex_);
  // Forgets a condition; false where it is over or its `done` is being called. Its `done` is not called after true.
  bool Cancel(uint64_t handle) CAIRN_EXCLUDES(mutex_);
  // Waits for the job under way, drops the others, calls no `done`. Before the store is closed.
  void Stop() CAIRN_EXCLUDES(mutex_);

 private:
  struct Condition {
    uint64_t handle;
    int64_t deadline_ms;
    std::function<bool()> met;
    std::function<void(bool)> done;
  };
  void Loop() CAIRN_EXCLUDES(mutex_);
  void CheckConditions() CAIRN_REQUIRES(mutex_);

  const char* const thread_name_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> jobs_ CAIRN_GUARDED_BY(mutex_);
  std::list<Condition> conditions_ CAIRN_GUARDED_BY(mutex_);
  uint64_t next_handle_ CAIRN_GUARDED_BY(mutex_) = 1;
  bool stopping_ CAIRN_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // started under mutex_, joined by Stop()
};

}  // namespace cairn
