// Reading the log: for recovery, for replicas that catch up, and for tools.
//
// Four ends of a log are told apart, and never confused:
//   kClean      the last frame is a clean-end frame
//   kTornTail   the last whole frames end before bytes that no durable mark covers: a crash cut them; they are ignored
//   kDamaged    a bad frame, or a missing file, before a durable mark: bytes that were on disk are gone. Nothing is served
//   kReadError  the disk did not give the bytes: nothing is known about them
// The last two come with an error Status that names file, offset and LSN. FORMAT.md has the rules.
//
// Threads: each call is independent. A log that is being written is read with ReadLogUntil(): beyond its durable LSN the end
// moves while one looks at it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "wal/log_options.h"
#include "wal/segment_set.h"

namespace cairn {

// Not persisted.
enum class LogEnd : uint8_t { kUnknown, kClean, kTornTail, kDamaged, kReadError };

// Whole units in log order: a frame's payload, or one larger unit put together from several frames.
struct LogFrame {
  Lsn first_lsn = 0;
  std::string_view payload;  // valid while `owner` or a copy of it lives
  uint64_t wall_us = 0;      // when it was written
  SharedBytes owner;         // a copy may be kept, by any thread, to parse the payload later
};
// Called on the thread that reads. An error stops the reading and is returned.
using LogFrameCallback = std::function<Status(const LogFrame& frame)>;

struct LogRecoveryResult {
  LogEnd end = LogEnd::kUnknown;  // until the reading has come to one
  Lsn first_lsn = 0;              // where the readable log begins; `from` when there is none
  Lsn log_end_lsn = 0;            // after the last whole unit in the files
  Lsn end_lsn = 0;            // the same, but at least `from`: a snapshot may be newer than a log that was off or lost its tail
  Lsn durable_mark = 0;       // everything before it is known to have been on disk
  Lsn next_lsn = 0;           // the lowest LSN that may be given out: end_lsn, or far beyond after an unclean end
  uint64_t last_wall_us = 0;  // of the newest frame or header; wall-clock times written later are not smaller
  // Where the log ends: the file and the offset after its last whole unit. Empty without segments.
  std::string end_file;
  uint64_t end_offset = 0;
  size_t end_segment = 0;     // its index in segments.chain; what follows there does not belong to the log any more
  uint64_t torn_bytes = 0;    // kTornTail: bytes after end_offset up to the last that is not zero
  uint64_t frames = 0;        // read
  uint64_t stream_bytes = 0;  // handed to the callback
  SegmentListing segments;    // what is in the directory (after RecoverLog: after the repair)
};

// Hands every unit at or after `from` to `callback` and changes nothing on disk. `from` must be an LSN between two units (a
// snapshot's cut, or the first LSN). OK only for kClean and kTornTail; *result is filled as far as known in any case.
// A missing or empty directory is an empty log that ends cleanly at `from`.
// kDamaged also where the log does not reach back to `from`, or has a hole after it.
Status ReadLog(const LogOptions& options, Lsn from, const LogFrameCallback& callback, LogRecoveryResult* result);

// Reads only bytes before `until`, which is at least `from`; for a log that is being written: its durable LSN, asked for
// before the call. The last frame is cut there, so `until` must lie between two units. result->end says nothing then.
Status ReadLogUntil(const LogOptions& options, Lsn from, Lsn until, const LogFrameCallback& callback, LogRecoveryResult* result);

// The same as ReadLog for files listed before, whatever is in the directory by now.
Status ReadListedLog(const LogOptions& options, SegmentListing listing, Lsn from, const LogFrameCallback& callback,
                     LogRecoveryResult* result);

// Makes the end that ReadLog found safe to go on from. After an unclean end, what lies beyond the last durable mark was
// perhaps never on disk: those units are copied to a new segment, synced, and the old file is cut. Files that an interrupted
// creation or an older repair left behind are removed. On OK everything up to end_lsn is durable and *result is up to date.
// Repeating it after a crash at any moment gives the same log.
Status RepairLogEnd(const LogOptions& options, LogRecoveryResult* result);

// Both, in this order; what a store does before it serves anything.
Status RecoverLog(const LogOptions& options, Lsn from, const LogFrameCallback& callback, LogRecoveryResult* result);

}  // namespace cairn
