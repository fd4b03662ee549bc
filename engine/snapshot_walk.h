// The writing half of a snapshot: workers take blocks from the cut and give them to the writer, and stay out of the way of clients.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "base/thread_annotations.h"
#include "engine/keyspace/snapshot_cut.h"
#include "engine/store_core.h"
#include "engine/walk_rests.h"
#include "snapshot/snapshot_writer.h"

namespace cairn {

// Writers wait while too much of the cut was handed over and not yet taken; whoever takes calls this in between.
void UpdateHandOverGate(StoreCore& core, const SnapshotCut& cut);
// So much handed over, and workers take that before they walk on (SnapshotCut::NextBlock).
uint64_t RelieveFromBytes(const StoreCore& core);

class SnapshotWalk {
 public:
  SnapshotWalk(StoreCore& core, SnapshotCut& cut, SnapshotWriter& writer) : core_(core), cut_(cut), writer_(writer) {}

  // What each worker does, until nothing is left for it or something failed; several threads may call it, with the same argument.
  void Work(SnapshotPace pace);
  // The first failure, after all workers are back.
  Status status() CAIRN_EXCLUDES(mutex_);

 private:
  // One worker's way between work and rests.
  struct Stint {
    int64_t since_us;  // when it began to work
    WalkRests rests;
  };
  // Where most of the cores' time is to be left to clients, and there are any: sleeps, if it has worked for long enough.
  void MayRest(SnapshotPace pace, Stint* stint);
  void LookForClients(int64_t now_us, WalkRests* rests) const;
  // Encodes it twice, the first time for its size; calls `between` again and again.
  Status WriteLarge(const LargeEntry& entry, const std::function<void()>& between);
  void Fail(const Status& status) CAIRN_EXCLUDES(mutex_);

  StoreCore& core_;
  SnapshotCut& cut_;
  SnapshotWriter& writer_;
  std::atomic<bool> failed_{false};
  Mutex mutex_;
  Status failure_ CAIRN_GUARDED_BY(mutex_);
};

}  // namespace cairn
