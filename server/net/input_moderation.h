// How long a network thread lets input gather before it looks at its sockets again.
//
// With many clients and little to do for each, a fast server finds one request at a time: every one of them costs an epoll_wait, often a
// sleep, and cold caches. As network cards moderate their interrupts, it waits a little, when it may expect that several requests arrive
// meanwhile and that nobody notices: at most a tenth of the time that a session takes from one turn to the next. Where the waits do not
// bring what was expected (one caller that takes its connections in turn looks like many), there are none for a while.
// For one thread.
#pragma once

#include <cstdint>

namespace cairn {

class InputModeration {
 public:
  // A session has input in this round. `window` is the session's own, begins as 0, and is for this class.
  void Count(uint32_t& window) {
    turns_in_round_++;
    if (window == window_) return;
    window = window_;
    sessions_++;
  }

  // The round has ended at `now_us` (monotonic). Returns how many microseconds to let input gather: at most `limit_us`, mostly 0.
  int64_t EndRound(int64_t now_us, int64_t limit_us);

 private:
  void Judge(uint32_t gathered);
  void BeginWindow(int64_t now_us, int64_t limit_us);

  uint32_t turns_in_round_ = 0;
  uint32_t window_ = 1;  // its number; 0 is no window's
  int64_t window_began_us_ = 0;
  uint64_t turns_ = 0, sessions_ = 0;  // of this window
  int64_t wait_us_ = 0;                // after each round of this window
  bool waited_ = false;                // before the round under way
  uint32_t waits_ = 0, gathered_ = 0;  // since they were judged
  bool failed_ = false;
  int64_t rests_until_us_ = 0;
};

}  // namespace cairn
