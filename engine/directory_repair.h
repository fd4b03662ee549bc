// Saves what is readable of a damaged data directory into a new one, and says what is lost.
//
// The state is built from the snapshot, or the log's beginning, behind which the least of the log is lost; of those from one that is
// whole; of those from the newest. What is damaged in the one chosen is left out, and so are the damaged frames of the log after it.
// Records behind a hole in the log are applied as if nothing were missing, except where that cannot be right: where the hole may have
// changed the database they belong to they are kept in a file beside the data, and those that fail are passed over; both are reported.
//
// The old directory is only read. Threads: one call at a time for one new directory.
#pragma once

#include <string>
#include <vector>

#include "engine/directory_survey.h"

namespace cairn {

struct RepairOptions {
  std::string new_directory;  // must not exist, or be empty; it appears whole or not at all
  // End at the first loss in the log: the result is a state that the store once had, apart from what the snapshot lost.
  bool cut = false;
};

struct RepairReport {
  Lsn snapshot_lsn = 0;  // 0: built from the log alone
  Lsn end_lsn = 0;
  uint64_t keys = 0;
  uint64_t records = 0;
  std::vector<std::string> losses;
};

// `survey` is SurveyDirectory's of `path`, which nobody changed since. kAlreadyExists where the new directory has files.
Status RepairDirectory(FileSystem& fs, const std::string& path, const DirectorySurvey& survey, const RepairOptions& options,
                       RepairReport* report);

}  // namespace cairn
