// What the log's writer and reader are told, and the small types that both sides of their interfaces share.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/status.h"

namespace cairn {

// `appendfsync`. Not persisted.
enum class FsyncPolicy : uint8_t {
  kAlways,       // durable_lsn() follows a sync after every group
  kEverySecond,  // a sync at least twice a second; nothing acknowledged stays undurable for longer than a second
  kNo,           // durable_lsn() follows the write to the operating system, which syncs when it likes
};

struct LogOptions {
  std::string directory;  // the log's own (DIR/log); created if missing, its parent must exist
  // Written into every segment, and compared with what is found there: a segment of another server is damage. 0: not known.
  uint32_t directory_id = 0;
  FileSystem* fs = nullptr;  // not owned; outlives the log
  Clock* clock = nullptr;    // not owned; outlives the log
  FsyncPolicy policy = FsyncPolicy::kAlways;
  // A new segment is started when the current one is this long. One unit is never split over two segments, so a file may be
  // longer by the largest unit and one group.
  uint64_t segment_bytes = uint64_t{64} << 20;
  // Longest frame payload, kMinFrameBytes..kMaxPayloadBytes; a unit that is longer becomes several frames.
  uint64_t max_frame_bytes = uint64_t{1} << 20;
  // With kAlways: the longest a group waits for company. The wait is also at most a quarter of the last sync's time, and ends
  // as soon as as many units are there as clients were seen waiting, so a lone client never waits.
  uint32_t group_commit_wait_us = 500;
  // Memory bound: Admit() makes callers wait while more appended bytes than this are neither durable nor, with kNo, written.
  uint64_t max_undurable_bytes = uint64_t{256} << 20;
  // false: nothing is read or written, only LSNs grow (appendonly no).
  bool enabled = true;
  // May be null. Asked before a segment is made, on the log's thread: an error is as if making it had failed.
  std::function<Status()> may_make_segment;
};

// Part of a unit. With an `owner` the bytes lie inside it and are linked, not copied, until they are durable; without one they
// are copied by Append.
struct LogPiece {
  std::string_view bytes;
  SharedBytes owner;
};

// Answer to "may a write of this size be executed now?".
enum class Admission : uint8_t {
  kAdmitted,
  kWait,     // too much is not durable yet; ask again when the commit listener has run
  kRefused,  // the log cannot be written; LogWriter::refusal_reason() says why. Ask again when the commit listener has run
};

struct LogStats {
  bool enabled = false;
  bool refusing = false;  // writes are refused now
  std::string error;      // why, empty when not refusing
  Lsn first_lsn = 0;      // the oldest byte kept on disk
  Lsn end_lsn = 0;
  Lsn durable_lsn = 0;
  Lsn synced_lsn = 0;          // really synced, whatever the policy
  uint64_t bytes_on_disk = 0;  // of all segments, zero-filled space included
  uint64_t segments = 0;
  uint64_t current_segment_bytes = 0;
  uint64_t pending_bytes = 0;  // appended, not yet durable
  uint64_t groups = 0;         // writes of one or more units
  uint64_t syncs = 0;
  uint64_t failed_syncs = 0;   // writes and syncs that failed
  uint64_t delayed_syncs = 0;  // times writes had to wait because a second's worth was not durable
  uint64_t last_sync_us = 0;   // how long the last sync took
  bool last_sync_ok = true;
  uint64_t buffer_bytes = 0;  // memory held by appended bytes, linked ones not counted
};

}  // namespace cairn
