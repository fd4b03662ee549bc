// The loop of one network thread: sockets, timers, work posted from other threads, and the moment before it sleeps.
//
// epoll, edge triggered, one registration per socket for its whole life: whoever handles a readable socket reads until a short read.
// Functions are for the loop's own thread except where "any thread" is said. Another thread wakes the loop only while it sleeps, so
// that a busy server makes no system call for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/thread_annotations.h"

namespace cairn {

// What a descriptor belongs to. It must outlive the round in which its descriptor was removed: events fetched before may still come.
class EventHandler {
 public:
  virtual void OnEvents(uint32_t epoll_events) = 0;

 protected:
  ~EventHandler() = default;
};

// Asked by the loop once a round.
class RoundListener {
 public:
  // The events of a round are handled. Returns true where more work is ready, so that the loop only looks at its sockets and comes back.
  virtual bool EndRound() = 0;
  // Nothing is left to do at `now_us` (monotonic): how long input may gather before the loop looks at its sockets; 0: not at all.
  virtual int64_t GatherUs(int64_t now_us) = 0;
  // The loop is about to sleep and Wake() works from now on: whether something came up in between.
  virtual bool MustNotSleep() = 0;

 protected:
  ~RoundListener() = default;
};

class EventLoop {
 public:
  EventLoop() = default;
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Before anything else, from any one thread. kIoError where the system has no descriptors left.
  Status Init(RoundListener* listener);
  // Until Stop().
  void Run();

  // Edge triggered for input, output and hang-up.
  Status AddSocket(int fd, EventHandler* handler);
  // Level triggered for input only: listening sockets. Any thread.
  Status AddListening(int fd, EventHandler* handler);
  // Before the descriptor is closed. Any thread.
  void Remove(int fd);

  // Runs `work` every `period_ms`, for as long as the loop lives.
  void Every(int64_t period_ms, std::function<void()> work);
  // Runs `work` once, at the earliest at this monotonic time.
  void At(int64_t monotonic_ms, std::function<void()> work);
  // The same, exact to the millisecond and never early, for many at a time that mostly are cancelled: O(log n) each.
  struct TimerHandle {
    int64_t at_ms = 0;
    uint64_t number = 0;  // 0: none
  };
  TimerHandle StartTimer(int64_t monotonic_ms, std::function<void()> work);
  void CancelTimer(const TimerHandle& timer);  // nothing where it ran already, or is none
  // Monotonic milliseconds when the round began.
  int64_t now_ms() const { return now_ms_; }
  // Unix milliseconds at a moment of the monotonic clock in this round, without asking the system again.
  int64_t WallMsAt(uint64_t monotonic_ns) const { return (wall_offset_us_ + static_cast<int64_t>(monotonic_ns / 1000)) / 1000; }

  // --- any thread -----------------------------------------------------------------------------------------------------------
  // Runs `work` on the loop's thread, in the order of the calls. Work posted after Stop() may never run.
  void Post(std::function<void()> work) CAIRN_EXCLUDES(mutex_);
  void Wake();
  void Stop();

 private:
  struct Timer {
    int64_t at_ms;
    int64_t period_ms;  // 0: once
    std::function<void()> work;
  };

  void RunPosted() CAIRN_EXCLUDES(mutex_);
  void RunTimers();
  void RunDeadlines();
  struct Sleep {
    int timeout_ms = 0;
    int64_t gather_us = 0;  // first, until Wake()
  };
  Sleep PlanSleep();
  void Gather(int64_t duration_us);
  void ReadClocks();
  Status Register(int fd, uint32_t events, EventHandler* handler);

  RoundListener* listener_ = nullptr;  // set by Init
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  int64_t now_ms_ = 0;
  int64_t wall_offset_us_ = 0;  // wall clock minus monotonic clock, when the round began
  std::vector<Timer> timers_;   // a handful: looked through each round
  int64_t next_timer_ms_ = INT64_MAX;
  std::map<std::pair<int64_t, uint64_t>, std::function<void()>> deadlines_;  // by time, then number
  uint64_t next_timer_number_ = 1;
  std::atomic<bool> stop_{false};
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> posted_any_{false};
  Mutex mutex_;
  std::vector<std::function<void()>> posted_ CAIRN_GUARDED_BY(mutex_);
};

}  // namespace cairn
