#include "engine/directory_repair.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/numbers.h"
#include "base/resp_request.h"
#include "engine/checkpointer.h"
#include "engine/commands/command_context.h"
#include "engine/damage_guess.h"
#include "engine/data_directory.h"
#include "engine/encoded_entry.h"
#include "engine/log_replay.h"
#include "engine/partial_directory.h"
#include "engine/store_core.h"

namespace cairn {
namespace {

// What is lost "to the end" counts as so much.
constexpr uint64_t kToTheEnd = uint64_t{1} << 62;

std::string LsnRange(Lsn from, Lsn until) {
  return "LSN " + std::to_string(from) + " to " + (until == UINT64_MAX ? "the end" : std::to_string(until));
}

class Repair {
 public:
  Repair(FileSystem& fs, const std::string& path, const DirectorySurvey& survey, const RepairOptions& options,
         RepairReport* report)
      : fs_(fs), path_(path), survey_(survey), options_(options), report_(*report) {}

  Status Run();

 private:
  void ChooseSnapshot();
  bool LogHasAll() const;
  uint64_t LogLossFrom(Lsn lsn) const;
  Status StoreDirectory(StoreCore& core);
  Status LoadSnapshot(StoreCore& core);
  Status ReplayLog(StoreCore& core);
  Status TakeUnits(const SurveyedUnits& units);
  // Passes what stands before the next SELECT to the file of what cannot be placed.
  Status KeepUnplaced(const LogFrame& units, LogFrame* rest);
  Status StoreUnplaced();
  void ReportLosses();

  FileSystem& fs_;
  const std::string path_;
  const DirectorySurvey& survey_;
  const RepairOptions& options_;
  RepairReport& report_;
  std::unique_ptr<PartialDirectory> made_;
  const DirectorySurvey::Snapshot* snapshot_ = nullptr;
  Lsn from_ = 0;  // of the log
  std::unique_ptr<LogReplay> replay_;
  bool database_known_ = true;
  bool was_cut_ = false;
  std::string unplaced_;
  Lsn unplaced_from_ = 0, unplaced_until_ = 0;
};

// Bytes of the log's stream that are lost behind `lsn`.
uint64_t Repair::LogLossFrom(Lsn lsn) const {
  if (!survey_.has_log) return 0;
  uint64_t lost = survey_.log.first_lsn > lsn ? survey_.log.first_lsn - lsn : 0;
  for (const LogFault& fault : survey_.log.faults) {
    if (!fault.loses() || fault.until_lsn <= lsn || lost > kToTheEnd) continue;
    lost += std::min(fault.until_lsn - std::max(fault.from_lsn, lsn), kToTheEnd);
  }
  return lost;
}

// Whether the log alone can give the state.
bool Repair::LogHasAll() const {
  if (!survey_.has_log || survey_.log.segments.empty()) return false;
  if (!survey_.manifest) return survey_.snapshots.empty();
  return survey_.manifest->empty_at_lsn && survey_.log.first_lsn <= *survey_.manifest->empty_at_lsn;
}

// Where the least of the log is lost behind it; of those, a snapshot that is whole; of those, the newest.
void Repair::ChooseSnapshot() {
  const auto loses = [](const SnapshotFault& fault) { return fault.loses; };
  std::pair<uint64_t, bool> best{LogHasAll() ? LogLossFrom(survey_.log.first_lsn) : UINT64_MAX, false};
  for (const DirectorySurvey::Snapshot& snapshot : survey_.snapshots) {
    if (!snapshot.usable) continue;
    const auto& faults = snapshot.survey.faults;
    const std::pair<uint64_t, bool> cost{LogLossFrom(snapshot.info.lsn), std::any_of(faults.begin(), faults.end(), loses)};
    if (snapshot_ != nullptr ? cost >= best : cost > best) continue;
    best = cost;
    snapshot_ = &snapshot;
  }
  from_ = snapshot_ != nullptr ? snapshot_->info.lsn : 0;
}

Status Repair::Run() {
  CAIRN_ASSIGN_OR_RETURN(made_, PartialDirectory::Create(fs_, options_.new_directory));
  ChooseSnapshot();
  StoreOptions store_options;
  store_options.databases =
      std::max<uint32_t>(store_options.databases, survey_.databases.empty() ? 0 : *survey_.databases.rbegin() + 1);
  store_options.runtime.append_only = false;
  StoreCore core(store_options, fs_, RealClock());
  RegisterEngineCommands(core.commands);
  core.keyspace = std::make_unique<Keyspace>(KeyspaceOptions{.databases = store_options.databases});
  CAIRN_RETURN_IF_ERROR(LoadSnapshot(core));
  if (survey_.has_log) CAIRN_RETURN_IF_ERROR(ReplayLog(core));
  for (uint32_t i = 0; i < store_options.databases; i++) report_.keys += core.keyspace->Size(i);
  CAIRN_RETURN_IF_ERROR(StoreDirectory(core));
  ReportLosses();
  return made_->Publish();
}

// A snapshot and no log.
Status Repair::StoreDirectory(StoreCore& core) {
  CAIRN_ASSIGN_OR_RETURN(const std::unique_ptr<DataDirectory> directory, DataDirectory::Open(fs_, core.clock, made_->path()));
  LogOptions log_options;
  log_options.fs = &fs_;
  log_options.clock = &core.clock;
  log_options.enabled = false;
  CAIRN_ASSIGN_OR_RETURN(core.log, LogWriter::Open(log_options, std::max<Lsn>(report_.end_lsn, 1), {}));
  {
    Checkpointer checkpointer(core, directory.get());
    checkpointer.Start();
    CAIRN_RETURN_IF_ERROR(checkpointer.SaveAndWait());
  }
  const Lsn end = core.log->end_lsn();
  CAIRN_RETURN_IF_ERROR(core.log->CloseCleanly());
  CAIRN_RETURN_IF_ERROR(StoreUnplaced());
  return directory->Update([end](Manifest& manifest) {
    manifest.clean_shutdown = true;
    manifest.lsn_ceiling = end;
  });
}

Status Repair::LoadSnapshot(StoreCore& core) {
  if (snapshot_ == nullptr) return Status();
  report_.snapshot_lsn = report_.end_lsn = snapshot_->info.lsn;
  const int64_t now_ms = core.clock.WallMs();
  const AccessKind access_kind = LoadedAccessKind(core.runtime().maxmemory_policy);
  const auto load = [&](const EntryView& entry) {
    if (entry.head.database >= core.keyspace->databases())
      return Status::Damaged("database " + std::to_string(entry.head.database) + " is more than a server can have");
    const KeyRef key = KeyRef::Of(entry.key);
    core.keyspace->LockShard(key.shard());
    const LoadedAttributes attributes{entry.head.has_expiry ? entry.head.expiry_unix_ms : -1,
                                      entry.head.access_kind == access_kind, entry.head.access};
    const Status loaded =
        LoadEncodedEntry(*core.keyspace, entry.head.database, key, entry.head.value_type, entry.value, attributes, now_ms);
    core.keyspace->UnlockShard(key.shard());
    // Whatever is wrong with one value, the others are saved.
    return loaded.ok() ? loaded : Status::Damaged(std::string(loaded.message()));
  };
  SnapshotSurvey again;
  return SurveySnapshot(fs_, snapshot_->path, nullptr, load, nullptr, &again);
}

Status Repair::ReplayLog(StoreCore& core) {
  ReplayOptions replay_options;
  replay_options.on_failure = [this](const std::string& problem) { report_.losses.push_back(problem); };
  replay_ = std::make_unique<LogReplay>(core, core.worker_threads, std::move(replay_options));
  LogSurvey again;
  const auto take = [this](const SurveyedUnits& units) { return TakeUnits(units); };
  Status status = SurveyLog(SurveyedLogOptions(fs_, path_, survey_.manifest), {.from = from_}, take, &again);
  if (was_cut_) status = Status();
  if (status.ok()) status = replay_->Finish();
  report_.records = replay_->records();
  if (!was_cut_) report_.end_lsn = std::max(report_.end_lsn, again.end_lsn);
  replay_.reset();
  return status;
}

Status Repair::TakeUnits(const SurveyedUnits& units) {
  LogFrame frame = units.frame;
  const Lsn end = frame.first_lsn + frame.payload.size();
  if (end <= from_) return Status();
  if (frame.first_lsn < from_) {
    frame.payload.remove_prefix(from_ - frame.first_lsn);
    frame.first_lsn = from_;
  }
  if (units.after_loss) {
    if (options_.cut) {
      was_cut_ = true;
      return Status::Unavailable("cut at the first loss");
    }
    database_known_ = survey_.databases.size() <= 1;
  }
  report_.end_lsn = end;
  if (database_known_) return replay_->OnFrame(frame);
  LogFrame rest;
  CAIRN_RETURN_IF_ERROR(KeepUnplaced(frame, &rest));
  return rest.payload.empty() ? Status() : replay_->OnFrame(rest);
}

Status Repair::KeepUnplaced(const LogFrame& units, LogFrame* rest) {
  RequestReader reader(units.payload);
  size_t placed_from = units.payload.size();
  while (reader.Next()) {
    if (reader.args().size() != 2 || !EqualsIgnoreCase(reader.args()[0], "select")) continue;
    placed_from = reader.request_offset();
    database_known_ = true;
    break;
  }
  if (unplaced_.empty()) unplaced_from_ = units.first_lsn;
  if (placed_from > 0) unplaced_until_ = units.first_lsn + placed_from;
  unplaced_.append(units.payload.substr(0, placed_from));
  *rest = units;
  rest->payload.remove_prefix(placed_from);
  rest->first_lsn += placed_from;
  return Status();
}

Status Repair::StoreUnplaced() {
  if (unplaced_.empty()) return Status();
  const std::string name = std::string(PartialDirectory::kUnplacedPrefix) + std::to_string(unplaced_from_) + ".resp";
  CAIRN_RETURN_IF_ERROR(ReplaceFileDurably(fs_, JoinPath(made_->path(), name), unplaced_));
  report_.losses.push_back(
      "records between " + LsnRange(unplaced_from_, unplaced_until_) +
      " stand behind a hole that may have held a SELECT, so their database is not known: they were not applied, and "
      "are kept in " +
      JoinPath(made_->target(), name) + ": " + GuessLogContent(unplaced_));
  return Status();
}

void Repair::ReportLosses() {
  const std::string chosen = snapshot_ != nullptr ? snapshot_->path + "/" : "";
  for (const DirectoryFault& fault : survey_.faults) {
    const bool of_log = fault.until_lsn > fault.from_lsn;
    const bool matters = of_log ? fault.until_lsn > from_ : fault.loses && !chosen.empty() && fault.file.starts_with(chosen);
    if (!matters) continue;
    std::string text = fault.file + " at offset " + std::to_string(fault.offset) + ": ";
    if (of_log) text += LsnRange(std::max(fault.from_lsn, from_), fault.until_lsn);
    if (!of_log) text += fault.entries > 0 ? std::to_string(fault.entries) + " keys" : "an unknown number of keys";
    if (!fault.holds.empty()) text += ", which seems to have held: " + fault.holds;
    report_.losses.push_back(std::move(text));
  }
  if (snapshot_ == nullptr && !LogHasAll() && (!survey_.snapshots.empty() || survey_.log.first_lsn > 0)) {
    report_.losses.push_back("no snapshot is usable: every key that was not written after LSN " +
                             std::to_string(survey_.log.first_lsn));
  }
  if (was_cut_) report_.losses.push_back("cut: everything after LSN " + std::to_string(report_.end_lsn));
}

}  // namespace

Status RepairDirectory(FileSystem& fs, const std::string& path, const DirectorySurvey& survey, const RepairOptions& options,
                       RepairReport* report) {
  *report = RepairReport();
  return Repair(fs, path, survey, options, report).Run();
}

}  // namespace cairn
