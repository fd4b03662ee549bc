#include "server/admin_worker.h"

#include "base/clock.h"
#include "base/scheduling.h"

namespace cairn {
namespace {

constexpr int64_t kLookEveryUs = 1'000;
constexpr int64_t kSleepUs = 60'000'000;

}  // namespace

AdminWorker::~AdminWorker() { Stop(); }

bool AdminWorker::Start() {
  MutexLock lock(mutex_);
  return TryStartThread(&thread_, [this] { Loop(); });
}

void AdminWorker::Run(std::function<void()> job) {
  MutexLock lock(mutex_);
  if (stopping_) return;
  jobs_.push_back(std::move(job));
  wake_.NotifyAll();
}

uint64_t AdminWorker::Await(int64_t deadline_ms, std::function<bool()> met, std::function<void(bool)> done) {
  MutexLock lock(mutex_);
  const uint64_t handle = next_handle_++;
  if (stopping_) return handle;
  conditions_.push_back({handle, deadline_ms, std::move(met), std::move(done)});
  wake_.NotifyAll();
  return handle;
}

bool AdminWorker::Cancel(uint64_t handle) {
  MutexLock lock(mutex_);
  return conditions_.remove_if([&](const Condition& condition) { return condition.handle == handle; }) > 0;
}

void AdminWorker::CheckConditions() {
  const int64_t now_ms = RealClock().MonotonicMs();
  for (auto at = conditions_.begin(); at != conditions_.end();) {
    const bool met = at->met();
    if (!met && now_ms < at->deadline_ms) {
      ++at;
      continue;
    }
    at->done(met);
    at = conditions_.erase(at);
  }
}

void AdminWorker::Loop() {
  NameThisThread(thread_name_);
  mutex_.Lock();
  while (!stopping_) {
    if (!jobs_.empty()) {
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      mutex_.Unlock();
      job();
      mutex_.Lock();
      continue;
    }
    CheckConditions();
    if (jobs_.empty() && !stopping_) wake_.WaitFor(mutex_, conditions_.empty() ? kSleepUs : kLookEveryUs);
  }
  mutex_.Unlock();
}

void AdminWorker::Stop() {
  std::thread thread;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    jobs_.clear();
    conditions_.clear();
    wake_.NotifyAll();
    thread.swap(thread_);
  }
  if (thread.joinable()) thread.join();
}

}  // namespace cairn
