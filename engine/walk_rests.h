// How much the worker of a snapshot rests, so that clients notice little of it and it still comes to an end.
#pragma once

#include <cstdint>

namespace cairn {

// One worker's; no other thread may use it.
class WalkRests {
 public:
  // What a worker sees when it looks up.
  struct View {
    int64_t now_us = 0;         // of the monotonic clock
    uint64_t accesses = 0;      // of clients to keys, since the server began
    uint64_t entries_done = 0;  // by all workers of the snapshot
    uint64_t entries = 0;
  };

  // The snapshot begins now. Until the second look clients count as busy.
  explicit WalkRests(int64_t now_us);

  // Whether to look again. Seldom, as each look takes lines that the clients' threads write.
  bool LookIsDue(int64_t now_us) const;
  void Look(const View& view);

  // How long to rest after so much work, at most 20 ms; 0 where there are no clients.
  int64_t RestUs(int64_t worked_us) const;

 private:
  const int64_t began_us_;
  int64_t looked_us_ = 0;         // when it last looked; 0: not yet
  uint64_t accesses_before_ = 0;  // until then
  int64_t accesses_;              // between two looks, at most as many as count
  bool behind_ = false;
};

}  // namespace cairn
