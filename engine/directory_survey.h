// Looks at every byte of a data directory, changes nothing, and says what is damaged, where, and what it held: for cairn-check and its
// repair. The formats' own surveys (wal/log_survey.h, snapshot/snapshot_survey.h) do the reading; here is what they mean together.
//
// Threads: each call is independent.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "snapshot/manifest.h"
#include "snapshot/snapshot_survey.h"
#include "wal/log_survey.h"

namespace cairn {

struct DirectoryFault {
  enum class Kind : uint8_t {
    kDamaged,
    kMissing,
    kTornTail,  // what a crash may leave and the next start cuts
    kForeign,   // whole, but of another directory or another time
  };
  Kind kind = Kind::kDamaged;
  std::string file;
  uint64_t offset = 0;
  uint64_t bytes = 0;    // from there on; 0: the file as a whole
  Lsn from_lsn = 0;      // of the log: what is lost; equal: nothing, or no log
  Lsn until_lsn = 0;     // UINT64_MAX: to the end, wherever that was
  bool loses = false;    // something that nothing else in this file holds; an older snapshot and the log may
  uint64_t entries = 0;  // of a snapshot: how many keys are lost, where that is known
  std::string what;
  std::string holds;  // what stood there, as far as the damaged bytes and their neighbours tell; a guess
};

struct DirectorySurvey {
  std::optional<Manifest> manifest;  // absent: missing or damaged
  struct Snapshot {
    SnapshotInfo info;  // of the manifest; without one: of the directory's name
    std::string path;
    bool current = false;
    bool usable = true;  // false: missing, or another server's
    SnapshotSurvey survey;
  };
  std::vector<Snapshot> snapshots;  // newest first
  bool has_log = false;
  LogSurvey log;
  uint64_t log_records = 0;
  std::set<uint32_t> databases;  // that hold keys in a snapshot, or are selected in the log
  std::vector<DirectoryFault> faults;
  std::vector<std::string> notes;  // what is there and does not count
  uint64_t checked_bytes = 0;

  // Whether the next start goes well without a loss.
  bool sound() const { return faults.empty(); }
  bool only_torn() const;
};

struct DirectorySurveyOptions {
  bool live = false;          // a server uses the directory meanwhile
  bool decode_values = true;  // also what the checksums cannot show: values that do not decode, records that do not parse
  // Called with the bytes looked at so far; an error ends the survey.
  std::function<Status(uint64_t checked_bytes)> progress;
};

// kNotFound where `path` is no data directory at all; kNewerFormat, kIoError naming the file. Damage is in the survey.
Status SurveyDirectory(FileSystem& fs, const std::string& path, const DirectorySurveyOptions& options, DirectorySurvey* survey);

// A value as a snapshot holds it: kDamaged where it is not of its type.
Status CheckEncodedValue(uint8_t rdb_type, std::string_view value);
// Where the log is read from so that it completes the snapshots; the survey's log, of which `path` is the directory's.
LogOptions SurveyedLogOptions(FileSystem& fs, const std::string& path, const std::optional<Manifest>& manifest);

}  // namespace cairn
