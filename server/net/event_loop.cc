#include "server/net/event_loop.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "base/clock.h"

namespace cairn {
namespace {

constexpr int kEventsPerRound = 512;
constexpr int64_t kLongestSleepMs = 60'000;

}  // namespace

EventLoop::~EventLoop() {
  if (epoll_fd_ >= 0) close(epoll_fd_);
  if (wake_fd_ >= 0) close(wake_fd_);
}

Status EventLoop::Init(RoundListener* listener) {
  listener_ = listener;
  ReadClocks();
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) return Status::FromErrno(errno, "epoll_create1");
  wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd_ < 0) return Status::FromErrno(errno, "eventfd");
  // Edge triggered, so that it need not be read: every write is an event of its own. What is left there ends one Gather() early.
  return Register(wake_fd_, EPOLLIN | EPOLLET, nullptr);
}

void EventLoop::ReadClocks() {
  const int64_t monotonic_us = RealClock().MonotonicUs();
  now_ms_ = monotonic_us / 1000;
  wall_offset_us_ = RealClock().WallUs() - monotonic_us;
}

Status EventLoop::Register(int fd, uint32_t events, EventHandler* handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = handler;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) return Status::FromErrno(errno, "epoll_ctl");
  return Status::Ok();
}

Status EventLoop::AddSocket(int fd, EventHandler* handler) {
  return Register(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, handler);
}

Status EventLoop::AddListening(int fd, EventHandler* handler) { return Register(fd, EPOLLIN, handler); }

void EventLoop::Remove(int fd) { epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr); }

void EventLoop::Every(int64_t period_ms, std::function<void()> work) {
  timers_.push_back({now_ms_ + period_ms, period_ms, std::move(work)});
  next_timer_ms_ = std::min(next_timer_ms_, now_ms_ + period_ms);
}

void EventLoop::At(int64_t monotonic_ms, std::function<void()> work) {
  timers_.push_back({monotonic_ms, 0, std::move(work)});
  next_timer_ms_ = std::min(next_timer_ms_, monotonic_ms);
}

EventLoop::TimerHandle EventLoop::StartTimer(int64_t monotonic_ms, std::function<void()> work) {
  const TimerHandle timer{monotonic_ms, next_timer_number_++};
  deadlines_.emplace(std::pair(timer.at_ms, timer.number), std::move(work));
  return timer;
}

void EventLoop::CancelTimer(const TimerHandle& timer) {
  if (timer.number != 0) deadlines_.erase({timer.at_ms, timer.number});
}

void EventLoop::RunDeadlines() {
  while (!deadlines_.empty() && deadlines_.begin()->first.first <= now_ms_) {
    const std::function<void()> work = std::move(deadlines_.begin()->second);
    deadlines_.erase(deadlines_.begin());
    work();
  }
}

void EventLoop::Post(std::function<void()> work) {
  {
    BasicLock lock(mutex_);
    posted_.push_back(std::move(work));
  }
  posted_any_.store(true, std::memory_order_seq_cst);
  Wake();
}

void EventLoop::Wake() {
  // Pairs with the store in Run(): either the loop sees what was done before this call, or this call sees that it sleeps.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!sleeping_.load(std::memory_order_relaxed)) return;
  if (!sleeping_.exchange(false, std::memory_order_seq_cst)) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

void EventLoop::Stop() {
  stop_.store(true, std::memory_order_seq_cst);
  Wake();
}

void EventLoop::RunPosted() {
  if (!posted_any_.load(std::memory_order_relaxed)) return;
  std::vector<std::function<void()>> work;
  {
    BasicLock lock(mutex_);
    posted_any_.store(false, std::memory_order_relaxed);
    work.swap(posted_);
  }
  for (auto& item : work) item();
}

void EventLoop::RunTimers() {
  if (now_ms_ < next_timer_ms_) [[likely]]
    return;
  std::vector<Timer> due;
  for (size_t i = 0; i < timers_.size();) {
    if (timers_[i].at_ms > now_ms_) {
      i++;
      continue;
    }
    due.push_back(std::move(timers_[i]));
    timers_[i] = std::move(timers_.back());
    timers_.pop_back();
  }
  next_timer_ms_ = INT64_MAX;
  for (Timer& timer : due) {
    timer.work();
    if (timer.period_ms == 0) continue;
    timer.at_ms = now_ms_ + timer.period_ms;
    timers_.push_back(std::move(timer));
  }
  for (const Timer& timer : timers_) next_timer_ms_ = std::min(next_timer_ms_, timer.at_ms);
}

EventLoop::Sleep EventLoop::PlanSleep() {
  if (posted_any_.load(std::memory_order_relaxed)) return {};
  const int64_t next_ms = deadlines_.empty() ? next_timer_ms_ : std::min(next_timer_ms_, deadlines_.begin()->first.first);
  // Asked anew: the round took its time, and a sleep that ends late is a timer that is late.
  const int64_t now_us = RealClock().MonotonicUs();
  const int64_t left_us = std::clamp<int64_t>(next_ms * 1000 - now_us, 0, kLongestSleepMs * 1000);
  return {static_cast<int>((left_us + 999) / 1000), std::min(listener_->GatherUs(now_us), left_us)};
}

void EventLoop::Gather(int64_t duration_us) {
  pollfd wake{wake_fd_, POLLIN, 0};
  const timespec duration{0, duration_us * 1000};
  if (ppoll(&wake, 1, &duration, nullptr) <= 0) return;
  uint64_t wakes = 0;
  [[maybe_unused]] const ssize_t bytes = read(wake_fd_, &wakes, sizeof(wakes));
}

void EventLoop::Run() {
  std::vector<epoll_event> events(kEventsPerRound);
  while (!stop_.load(std::memory_order_relaxed)) {
    RunPosted();
    RunTimers();
    RunDeadlines();
    Sleep sleep = listener_->EndRound() ? Sleep{} : PlanSleep();
    if (sleep.timeout_ms != 0) {
      sleeping_.store(true, std::memory_order_seq_cst);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      const bool awaited = posted_any_.load(std::memory_order_seq_cst) || stop_.load(std::memory_order_seq_cst);
      if (awaited || listener_->MustNotSleep()) sleep = {};
    }
    if (sleep.gather_us > 0) {
      Gather(sleep.gather_us);
      sleep.timeout_ms = 0;  // there should be something, and a wake-up may just have been used up
    }
    const int count = epoll_wait(epoll_fd_, events.data(), kEventsPerRound, sleep.timeout_ms);
    sleeping_.store(false, std::memory_order_relaxed);
    ReadClocks();
    for (int i = 0; i < count; i++) {
      auto* handler = static_cast<EventHandler*>(events[i].data.ptr);
      if (handler != nullptr) handler->OnEvents(events[i].events);
    }
  }
  RunPosted();
}

}  // namespace cairn
