// The writing half of a snapshot: workers take blocks from the cut and give them to the writer, and stay out of the way of clients.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/thread_annotations.h"
#include "engine/keyspace/snapshot_cut.h"
#include "engine/store_core.h"
#include "snapshot/snapshot_writer.h"

namespace cairn {

class SnapshotWalk {
 public:
  SnapshotWalk(StoreCore& core, SnapshotCut& cut, SnapshotWriter& writer) : core_(core), cut_(cut), writer_(writer) {}

  // Until all entries are written or something failed. `yields`: clients come first where both want a core.
  Status Run(uint32_t threads, bool yields);

 private:
  void Work(bool yields);
  Status WriteLarge(const LargeEntry& entry);
  void UpdateGate();
  void Fail(const Status& status) CAIRN_EXCLUDES(mutex_);

  StoreCore& core_;
  SnapshotCut& cut_;
  SnapshotWriter& writer_;
  std::atomic<bool> failed_{false};
  Mutex mutex_;
  Status failure_ CAIRN_GUARDED_BY(mutex_);
};

}  // namespace cairn
