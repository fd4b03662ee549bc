#include "server/net/reply_workers.h"

#include "base/scheduling.h"

namespace cairn {
namespace {

constexpr int64_t kSleepUs = 60'000'000;

}  // namespace

ReplyWorkers::~ReplyWorkers() { Stop(); }

void ReplyWorkers::Run(std::function<void()> job) {
  {
    MutexLock lock(mutex_);
    if (stopping()) return;
    if (idle_ <= jobs_.size() && threads_.size() < kThreads) AddThread();
    if (!threads_.empty()) {
      jobs_.push_back(std::move(job));
      waiting_.store(jobs_.size(), std::memory_order_relaxed);
      wake_.NotifyAll();
      return;
    }
  }
  job();  // where the system has no thread to give, others wait for it
}

void ReplyWorkers::AddThread() {
  std::thread thread;
  const bool started = TryStartThread(&thread, [this] {
    NameThisThread("replies");
    LetOthersGoFirst();
    Loop();
  });
  if (started) threads_.push_back(std::move(thread));
}

void ReplyWorkers::Loop() {
  mutex_.Lock();
  while (!stopping()) {
    if (jobs_.empty()) {
      idle_++;
      wake_.WaitFor(mutex_, kSleepUs);
      idle_--;
      continue;
    }
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    waiting_.store(jobs_.size(), std::memory_order_relaxed);
    mutex_.Unlock();
    job();
    job = nullptr;  // what it held is freed here
    mutex_.Lock();
  }
  mutex_.Unlock();
}

void ReplyWorkers::Stop() {
  std::vector<std::thread> threads;
  std::deque<std::function<void()>> dropped;
  {
    MutexLock lock(mutex_);
    stopping_.store(true, std::memory_order_relaxed);
    dropped.swap(jobs_);
    threads.swap(threads_);
    wake_.NotifyAll();
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace cairn
