// What of the past a directory keeps for point-in-time recovery: which older snapshots, and from where on the log.
//
//   kept = everything from a base on; the base is the newest snapshot (or the directory's empty beginning) that is at least
//          `hours` old and has at least `bytes` of log behind it. So both are promises, and both may be exceeded.
//   Of the snapshots behind the base only those stay that save more than they cost: where the log from the one kept before it has become
//   longer than the snapshot itself. The snapshots kept are then never more than the log kept, and the base.
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <functional>

#include "engine/store_options.h"
#include "snapshot/manifest.h"

namespace cairn {

struct Retention {
  int64_t ms = 0;      // log-retention-hours
  uint64_t bytes = 0;  // log-retention-bytes
  bool on() const { return ms > 0 || bytes > 0; }
};

Retention RetentionOf(const RuntimeOptions& options);

// Bytes of log between two LSNs; not their difference, because LSNs leap.
using LogBytesFunction = std::function<uint64_t(Lsn from, Lsn to)>;

// Makes `newest`, at which the log is (`logged`) or is not written, the manifest's snapshot, and decides about the older ones and the log's
// beginning.
void AdoptSnapshot(Manifest& manifest, const SnapshotInfo& newest, bool logged, const Retention& retention, int64_t now_ms,
                   const LogBytesFunction& log_bytes);

// Whether the directory's beginning, when it was empty, can still be restored: the log is whole from there on.
bool ReachesBeginning(const Manifest& manifest);

}  // namespace cairn
