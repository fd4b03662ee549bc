// Looks at every byte of a snapshot and hands out every entry that can still be read: for cairn-check, its repair, and the scrub.
// SnapshotReader is for who wants all of it or nothing.
//
// What it does beyond SnapshotReader: it goes on behind a damaged block; takes a block's header from the index where the block's own is
// damaged; and finds the blocks by their headers where the index is.
//
// Threads: each call is independent.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "snapshot/entry_codec.h"
#include "snapshot/manifest.h"

namespace cairn {

// One place where the bytes are not what was written.
struct SnapshotFault {
  std::string file;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  std::string what;
  bool loses = false;         // entries, or a section
  uint64_t lost_entries = 0;  // 0 with `loses`: not known how many
  std::string sample;         // the block's raw bytes as far as they could be had, unchecked, for a guess at its keys
};

struct SnapshotSurvey {
  Lsn lsn = 0;
  int64_t wall_time_unix_ms = 0;
  std::string created_by;
  uint64_t files = 0;
  uint64_t blocks = 0;
  uint64_t entries = 0;  // read
  uint64_t size_bytes = 0;
  bool belongs = true;  // false: whole, but not the one that was expected; of another server or time
  std::vector<SnapshotFault> faults;
};

// kDamaged from it is a fault of the entry, and the survey goes on; any other error ends it.
using SnapshotEntryCallback = std::function<Status(const EntryView& entry)>;
// Called after each block with its stored bytes; an error ends the survey.
using SnapshotPaceCallback = std::function<Status(uint64_t stored_bytes)>;

// The snapshot in `path`; `expected`, if given, is what the manifest says of it. Fails where the disk does, for a newer format, or with a
// callback; damage is no failure. Either callback may be null.
Status SurveySnapshot(FileSystem& fs, const std::string& path, const SnapshotInfo* expected,
                      const SnapshotEntryCallback& on_entry, const SnapshotPaceCallback& on_block, SnapshotSurvey* survey);

}  // namespace cairn
