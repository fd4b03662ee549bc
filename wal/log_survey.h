// Looks at every byte of a log and hands out every unit that can still be read, whatever lies between: for cairn-check, its repair, and the
// scrub. ReadLog (log_reader.h) is for who wants a history without holes and nothing else.
//
// What it does beyond ReadLog: behind bytes that are no frame it goes on at the next valid frame; a segment whose header is damaged is read
// by its frames; a missing segment does not end the reading. Each such place is a LogFault that says what it cost.
//
// Threads: each call is independent.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "wal/log_reader.h"

namespace cairn {

// One place where the bytes are not what was written.
struct LogFault {
  enum class Kind : uint8_t {
    kDamaged,   // bytes that were on disk are changed or gone
    kTornTail,  // bytes behind the end that no durable mark covers: a crash may leave such, the next start cuts them
    kMissing,   // a file is not there
    kForeign,   // a segment of another directory
  };
  Kind kind = Kind::kDamaged;
  std::string file;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  // The stream's bytes that are lost; equal where none are (a mark, a header, zeros).
  Lsn from_lsn = 0;
  Lsn until_lsn = 0;
  std::string what;
  std::string sample;  // the first of the bytes as they are, for a guess at what they held

  bool loses() const { return until_lsn > from_lsn; }
};

struct SegmentSurvey {
  std::string path;
  SegmentHeader header;  // put together from its frames where it is damaged
  bool header_damaged = false;
  uint64_t file_bytes = 0;
  uint64_t frames = 0;
  uint64_t superseded_bytes = 0;  // behind what counts of it: a later segment replaced them
  Lsn end_lsn = 0;
  uint64_t last_wall_us = 0;
};

struct LogSurvey {
  std::vector<SegmentSurvey> segments;  // oldest first
  std::vector<std::string> stale;       // files that do not count: interrupted creations, leftovers
  std::vector<LogFault> faults;
  Lsn first_lsn = 0;
  Lsn end_lsn = 0;
  Lsn durable_mark = 0;
  bool clean_end = false;
  uint64_t units_bytes = 0;  // handed out
  uint64_t checked_bytes = 0;
};

// A unit, or several that one frame holds.
struct SurveyedUnits {
  LogFrame frame;
  const std::string& file;
  bool after_loss;  // bytes of the stream before it are lost; the first one after them
};
using SurveyCallback = std::function<Status(const SurveyedUnits& units)>;

struct SurveyRequest {
  // What the snapshots do not cover. Older segments are looked at where they are there and missed only from here on.
  Lsn from = 0;
  // The log is being written: the end of its newest segment moves, and files may be dropped meanwhile.
  bool live = false;
  Lsn until = UINT64_MAX;  // nothing beyond it is looked at
};

// Fails where the disk does, or the callback; damage is no failure.
Status SurveyLog(const LogOptions& options, const SurveyRequest& request, const SurveyCallback& callback, LogSurvey* survey);

}  // namespace cairn
