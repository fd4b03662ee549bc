#include "engine/directory_survey.h"

#include <algorithm>
#include <utility>

#include "base/numbers.h"
#include "base/resp_request.h"
#include "engine/codec/value_codec.h"
#include "engine/damage_guess.h"
#include "engine/data_directory.h"
#include "snapshot/rdb_string_decoder.h"
#include "snapshot/snapshot_directory.h"

namespace cairn {
namespace {

// Numbers beyond it are what damage makes of one.
constexpr int64_t kDatabasesMost = 65536;

class Survey {
 public:
  Survey(FileSystem& fs, const std::string& path, const DirectorySurveyOptions& options, DirectorySurvey* survey)
      : fs_(fs), path_(path), options_(options), survey_(*survey) {}

  Status Run() {
    CAIRN_RETURN_IF_ERROR(ReadTheManifest());
    CAIRN_RETURN_IF_ERROR(ListSnapshots());
    for (DirectorySurvey::Snapshot& snapshot : survey_.snapshots) CAIRN_RETURN_IF_ERROR(SurveyOne(snapshot));
    CAIRN_RETURN_IF_ERROR(SurveyTheLog());
    return SurveyReserve();
  }

 private:
  using Kind = DirectoryFault::Kind;
  Status ReadTheManifest();
  Status ListSnapshots();
  Status SurveyOne(DirectorySurvey::Snapshot& snapshot);
  Status SurveyTheLog();
  Status CheckRecords(const LogFrame& frame);
  void JudgeLog(const LogOptions& options);
  Status SurveyReserve();
  Status Count(uint64_t bytes) {
    survey_.checked_bytes += bytes;
    return options_.progress ? options_.progress(survey_.checked_bytes) : Status();
  }
  DirectoryFault& AddFault(Kind kind, std::string file, std::string what) {
    survey_.faults.push_back({.kind = kind, .file = std::move(file), .what = std::move(what)});
    return survey_.faults.back();
  }

  FileSystem& fs_;
  const std::string path_;
  const DirectorySurveyOptions& options_;
  DirectorySurvey& survey_;
};

Status Survey::ReadTheManifest() {
  const std::string file = JoinPath(path_, kManifestFileName);
  Result<Manifest> manifest = LoadManifest(fs_, path_);
  if (manifest.ok()) {
    survey_.manifest = std::move(*manifest);
    survey_.has_log = survey_.manifest->has_log;
    CAIRN_ASSIGN_OR_RETURN(const uint64_t bytes, fs_.FileSize(file));
    return Count(bytes);
  }
  const StatusCode code = manifest.status().code();
  if (code != StatusCode::kDamaged && code != StatusCode::kNotFound) return manifest.status();
  // What it said is guessed from what is there.
  CAIRN_ASSIGN_OR_RETURN(const bool has_log, fs_.Exists(JoinPath(path_, DataDirectory::kLogDirectoryName)));
  CAIRN_ASSIGN_OR_RETURN(const bool has_snapshots, fs_.Exists(SnapshotsPath(path_)));
  if (code == StatusCode::kNotFound && !has_log && !has_snapshots) return Status::NotFound(path_ + " is not a data directory");
  survey_.has_log = has_log;
  AddFault(code == StatusCode::kDamaged ? Kind::kDamaged : Kind::kMissing, file, std::string(manifest.status().message())).holds =
      "which snapshot and which part of the log are the data";
  return Status();
}

Status Survey::ListSnapshots() {
  if (survey_.manifest) {
    if (survey_.manifest->current_snapshot)
      survey_.snapshots.push_back({.info = *survey_.manifest->current_snapshot, .current = true});
    for (const SnapshotInfo& older : survey_.manifest->older_snapshots) survey_.snapshots.push_back({.info = older});
  }
  Result<std::vector<std::string>> names = fs_.ListDirectory(SnapshotsPath(path_));
  if (!names.ok() && names.status().code() != StatusCode::kNotFound) return names.status();
  for (const std::string& name : names.ok() ? *names : std::vector<std::string>()) {
    const auto named = [&](const DirectorySurvey::Snapshot& snapshot) { return snapshot.info.directory_name == name; };
    if (std::any_of(survey_.snapshots.begin(), survey_.snapshots.end(), named)) continue;
    const std::optional<Lsn> lsn = ParseSnapshotDirectoryName(name);
    if (survey_.manifest || !lsn) {
      survey_.notes.push_back(SnapshotPath(path_, name) + " is not named by the manifest: the next start removes it");
      continue;
    }
    survey_.snapshots.push_back({.info = {.directory_name = name, .lsn = *lsn}});
  }
  for (DirectorySurvey::Snapshot& snapshot : survey_.snapshots) snapshot.path = SnapshotPath(path_, snapshot.info.directory_name);
  const auto newer = [](const auto& a, const auto& b) { return a.info.lsn > b.info.lsn; };
  std::stable_sort(survey_.snapshots.begin(), survey_.snapshots.end(), newer);
  if (!survey_.manifest && !survey_.snapshots.empty()) survey_.snapshots.front().current = true;
  return Status();
}

Status Survey::SurveyOne(DirectorySurvey::Snapshot& snapshot) {
  CAIRN_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(snapshot.path));
  if (!exists) {
    snapshot.usable = false;
    // Beside a server that dropped it meanwhile.
    if (!options_.live) AddFault(Kind::kMissing, snapshot.path, "the snapshot that the manifest names is missing").loses = true;
    return Status();
  }
  const auto decode = [this](const EntryView& entry) {
    if (entry.head.database < kDatabasesMost) survey_.databases.insert(entry.head.database);
    if (!options_.decode_values) return Status();
    const Status status = CheckEncodedValue(entry.head.value_type, entry.value);
    // Whatever is wrong with one value, the others are looked at.
    return status.ok() ? status : Status::Damaged("the value of " + Printable(entry.key) + ": " + std::string(status.message()));
  };
  const auto pace = [this](uint64_t bytes) { return Count(bytes); };
  const SnapshotInfo* expected = survey_.manifest ? &snapshot.info : nullptr;
  CAIRN_RETURN_IF_ERROR(SurveySnapshot(fs_, snapshot.path, expected, decode, pace, &snapshot.survey));
  snapshot.usable = snapshot.survey.belongs && snapshot.survey.files > 0;
  for (const SnapshotFault& fault : snapshot.survey.faults) {
    DirectoryFault& added = AddFault(snapshot.survey.belongs ? Kind::kDamaged : Kind::kForeign, fault.file, fault.what);
    added.offset = fault.offset;
    added.bytes = fault.bytes;
    added.loses = fault.loses;
    added.entries = fault.lost_entries;
    added.holds = GuessEntries(fault.sample);
  }
  return Status();
}

Status Survey::CheckRecords(const LogFrame& frame) {
  RequestReader reader(frame.payload);
  while (reader.Next()) {
    survey_.log_records++;
    const std::vector<std::string_view>& args = reader.args();
    int64_t database;
    if (args.size() != 2 || args[0].size() != 6 || !EqualsIgnoreCase(args[0], "select")) continue;
    if (ParseInt64(args[1], &database) && database >= 0 && database < kDatabasesMost)
      survey_.databases.insert(static_cast<uint32_t>(database));
  }
  if (!reader.status().ok() && options_.decode_values) {
    DirectoryFault& fault = AddFault(Kind::kDamaged, JoinPath(path_, DataDirectory::kLogDirectoryName),
                                     "records that do not parse: " + std::string(reader.status().message()));
    fault.from_lsn = frame.first_lsn + reader.offset();
    fault.until_lsn = frame.first_lsn + frame.payload.size();
    fault.loses = true;
  }
  return Count(frame.payload.size());
}

Status Survey::SurveyTheLog() {
  const LogOptions options = SurveyedLogOptions(fs_, path_, survey_.manifest);
  SurveyRequest request{.live = options_.live};
  for (const DirectorySurvey::Snapshot& snapshot : survey_.snapshots) {
    if (snapshot.usable && snapshot.current) request.from = snapshot.info.lsn;
  }
  if (survey_.manifest) request.from = std::max(request.from, survey_.manifest->log_first_segment_lsn);
  if (survey_.manifest && !survey_.has_log) {
    CAIRN_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(options.directory));
    if (!exists) return Status();
    Result<SegmentListing> listing = ListSegments(fs_, options.directory);
    if (listing.ok() && listing->chain.empty()) return Status();
    const Status uncounted = CheckUncountedLog(fs_, path_, *survey_.manifest);
    if (uncounted.ok()) {
      survey_.notes.push_back(options.directory + " does not count: the log is off");
      return Status();
    }
    AddFault(Kind::kForeign, JoinPath(path_, kManifestFileName), std::string(uncounted.message())).loses = true;
    survey_.has_log = true;
    request.from = 0;
  }
  if (!survey_.has_log) return Status();
  const auto check = [this](const SurveyedUnits& units) { return CheckRecords(units.frame); };
  CAIRN_RETURN_IF_ERROR(SurveyLog(options, request, check, &survey_.log));
  JudgeLog(options);
  return Status();
}

void Survey::JudgeLog(const LogOptions& options) {
  for (const LogFault& fault : survey_.log.faults) {
    Kind kind = Kind::kDamaged;
    if (fault.kind == LogFault::Kind::kMissing) kind = Kind::kMissing;
    if (fault.kind == LogFault::Kind::kTornTail) kind = Kind::kTornTail;
    if (fault.kind == LogFault::Kind::kForeign) kind = Kind::kForeign;
    DirectoryFault& added = AddFault(kind, fault.file, fault.what);
    added.offset = fault.offset;
    added.bytes = fault.bytes;
    added.from_lsn = fault.from_lsn;
    added.until_lsn = fault.until_lsn;
    added.loses = fault.loses();
    added.holds = GuessLogContent(fault.sample);
  }
  for (const std::string& path : survey_.log.stale) {
    survey_.notes.push_back(path + " does not count: an interrupted creation, or a leftover");
  }
  if (!survey_.manifest || options_.live) return;
  const bool torn =
      std::any_of(survey_.log.faults.begin(), survey_.log.faults.end(), [](const LogFault& fault) { return fault.loses(); });
  const uint64_t newest = survey_.log.segments.empty() ? 0 : survey_.log.segments.back().header.file_id;
  const bool none = survey_.log.segments.empty();
  if (newest < survey_.manifest->log_newest_file_id || none) {
    const std::string name = none && survey_.manifest->log_newest_file_id == 0
                                 ? options.directory
                                 : JoinPath(options.directory, SegmentFileName(survey_.manifest->log_newest_file_id));
    DirectoryFault& fault = AddFault(Kind::kMissing, name, "the newest segment is missing or empty");
    fault.from_lsn = survey_.log.end_lsn;
    fault.until_lsn = UINT64_MAX;
    fault.loses = true;
  } else if (survey_.manifest->clean_shutdown && !survey_.log.clean_end && !torn) {
    DirectoryFault& fault = AddFault(Kind::kDamaged, survey_.log.segments.back().path,
                                     "the log has no clean end although the manifest says that it was closed with one");
    fault.from_lsn = survey_.log.end_lsn;
    fault.until_lsn = survey_.log.end_lsn;
  }
}

// Zeros, so that what is written into it later is all that it holds.
Status Survey::SurveyReserve() {
  const std::string file = JoinPath(JoinPath(path_, DataDirectory::kLogDirectoryName), kReserveFileName);
  CAIRN_ASSIGN_OR_RETURN(const bool exists, fs_.Exists(file));
  if (!exists || options_.live) return Status();
  Result<std::unique_ptr<RandomAccessFile>> opened = fs_.OpenForReading(file);
  if (!opened.ok()) return opened.status();
  std::string bytes(size_t{1} << 20, '\0');
  for (uint64_t at = 0;; at += bytes.size()) {
    CAIRN_ASSIGN_OR_RETURN(const size_t got, (*opened)->Read(at, bytes.size(), bytes.data()));
    const size_t found = std::string_view(bytes.data(), got).find_first_not_of('\0');
    if (found != std::string_view::npos) {
      AddFault(Kind::kDamaged, file, "the space held in reserve is not all zeros; nothing is lost, and the file may be removed")
          .offset = at + found;
      return Status();
    }
    CAIRN_RETURN_IF_ERROR(Count(got));
    if (got < bytes.size()) return Status();
  }
}

}  // namespace

bool DirectorySurvey::only_torn() const {
  return std::all_of(faults.begin(), faults.end(),
                     [](const DirectoryFault& fault) { return fault.kind == DirectoryFault::Kind::kTornTail; });
}

LogOptions SurveyedLogOptions(FileSystem& fs, const std::string& path, const std::optional<Manifest>& manifest) {
  LogOptions options;
  options.directory = JoinPath(path, DataDirectory::kLogDirectoryName);
  options.fs = &fs;
  options.clock = &RealClock();
  if (manifest) options.directory_id = manifest->directory_id;
  return options;
}

Status CheckEncodedValue(uint8_t rdb_type, std::string_view value) {
  if (rdb_type != kRdbTypeString) {
    LoadedValue decoded;
    return DecodeCollection(rdb_type, value, ValueLimits{}, &decoded);
  }
  RdbString decoded;
  std::string scratch;
  CAIRN_RETURN_IF_ERROR(DecodeRdbString(&value, &decoded, &scratch));
  return value.empty() ? Status() : Status::Damaged("bytes behind a value");
}

Status SurveyDirectory(FileSystem& fs, const std::string& path, const DirectorySurveyOptions& options, DirectorySurvey* survey) {
  *survey = DirectorySurvey();
  return Survey(fs, path, options, survey).Run();
}

}  // namespace cairn
