// Which moments of a data directory's past can be restored, and where in the log a moment is.
//
// What a moment means:
//   at LSN n    every unit (a command, a transaction, a script) that ends at or before n, and nothing else
//   at time t   every unit whose frame of the log carries a time of t or earlier, and nothing else. A frame's time is taken when it is
//               written: after its commands were executed, and, with `appendfsync always`, before any of their replies leave. So the
//               state at t has every write that was acknowledged before t, none that was sent after t, and what was under way at t
//               whole or not at all. (With everysec and no, writes acknowledged in the moment before t may miss.)
// Times in a log never go back, even where the machine's clock did.
//
// Failure: kNotFound with the range that can be restored; otherwise what the readers of wal/ say. Nothing is changed.
// Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "engine/recovery.h"
#include "snapshot/manifest.h"
#include "wal/log_reader.h"

namespace cairn {

struct PointInTime {
  enum class Kind : uint8_t { kEnd, kLsn, kTime };
  Kind kind = Kind::kEnd;
  Lsn lsn = 0;
  int64_t unix_us = 0;
};

// The whole units of a frame that end at or before `until`: a part of its payload, perhaps empty.
LogFrame WholeUnitsUpTo(const LogFrame& frame, Lsn until);

// The snapshots from which the state at `until` (absent: the end) can be reached, the newest first: it must not be younger, and the log
// must begin at or before it.
std::vector<SnapshotInfo> SnapshotsForRecovery(const Manifest& manifest, std::optional<Lsn> until);

// What can be restored from a directory with this manifest, as far as the manifest says: from the oldest usable snapshot on, or, without
// any, from the log's beginning.
struct RestorableFrom {
  Lsn lsn = 0;
  int64_t unix_us = 0;
};
RestorableFrom OldestRestorable(const Manifest& manifest);

struct ResolvedPoint {
  std::optional<Lsn> lsn;  // what to recover to (RecoveryOptions::until); absent: the end
  int64_t unix_us = 0;     // the moment that the state belongs to: which keys have expired by then
};
// `now_us`: later moments are not known yet. `path` is the directory.
Result<ResolvedPoint> ResolvePoint(FileSystem& fs, const std::string& path, const Manifest& manifest, const PointInTime& point,
                                   int64_t now_us, const LogReadFunction& read_log);

// "2026-11-23 10:15:00.250000 UTC"
std::string UtcText(int64_t unix_us);

}  // namespace cairn
