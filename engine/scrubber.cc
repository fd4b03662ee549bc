#include "engine/scrubber.h"

#include <algorithm>
#include <utility>

#include "base/logger.h"
#include "base/scheduling.h"
#include "engine/directory_survey.h"
#include "snapshot/snapshot_directory.h"

namespace cairn {
namespace {

constexpr uint64_t kBytesPerSecond = uint64_t{32} << 20;
constexpr int64_t kUsPerSecond = 1'000'000;
constexpr int64_t kSecondsPerHour = 3600;
constexpr int64_t kRestAtLeastUs = 10'000;

void Note(const std::string& file, uint64_t offset, const std::string& what, std::map<std::string, std::string>* faults) {
  const std::string place = file + " at offset " + std::to_string(offset);
  faults->emplace(place, place + ": " + what);
}

}  // namespace

Scrubber::Scrubber(FileSystem& fs, Clock& clock, std::string directory, const std::atomic<int64_t>& period_hours,
                   std::function<std::optional<Lsn>()> durable_lsn)
    : fs_(fs),
      clock_(clock),
      directory_(std::move(directory)),
      period_hours_(period_hours),
      durable_lsn_(std::move(durable_lsn)) {}

Scrubber::~Scrubber() { Stop(); }

void Scrubber::Start() {
  thread_ = std::thread([this] { ThreadMain(); });
}

void Scrubber::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

Scrubber::Report Scrubber::report() const {
  MutexLock lock(mutex_);
  return report_;
}

void Scrubber::Pass() { RunPass(UINT64_MAX); }

void Scrubber::ThreadMain() {
  NameThisThread("scrub");
  // Counted from the start, not from the wall clock's hours, so that servers started together do not stay together for ever.
  int64_t waited_since_us = clock_.MonotonicUs();
  while (true) {
    {
      MutexLock lock(mutex_);
      if (stopping_) return;
      changed_.WaitFor(mutex_, kUsPerSecond);
      if (stopping_) return;
    }
    const int64_t hours = period_hours_.load(std::memory_order_relaxed);
    if (hours <= 0 || clock_.MonotonicUs() - waited_since_us < hours * kSecondsPerHour * kUsPerSecond) continue;
    RunPass(kBytesPerSecond);
    waited_since_us = clock_.MonotonicUs();
  }
}

void Scrubber::RunPass(uint64_t bytes_per_second) {
  {
    MutexLock lock(mutex_);
    report_.in_progress = true;
    report_.checked_bytes = 0;
  }
  FaultsByPlace faults;
  Status status = Look(bytes_per_second, &faults);
  if (status.ok() && !faults.empty()) {
    // A file that was dropped, or a log that was switched off, while it was read looks damaged once. What is damaged may be told in
    // other words by what was written behind it meanwhile, but stands where it stood.
    FaultsByPlace again;
    status = Look(bytes_per_second, &again);
    std::erase_if(again, [&](const auto& fault) { return !faults.contains(fault.first); });
    if (status.ok()) faults = std::move(again);
  }
  MutexLock lock(mutex_);
  report_.in_progress = false;
  if (stopping_) return;
  report_.faults.clear();
  for (const auto& [place, text] : faults) {
    report_.faults.push_back(text);
    LogF(LogLevel::kWarning, "Scrub: %s. Save a snapshot now, run cairn-check, and look after the disk",
         report_.faults.back().c_str());
  }
  if (!status.ok()) LogF(LogLevel::kWarning, "Scrub: %s", std::string(status.message()).c_str());
  report_.error = status.message();
  report_.last_unix_s = clock_.WallMs() / 1000;
  report_.passes++;
}

Status Scrubber::Look(uint64_t bytes_per_second, FaultsByPlace* faults) {
  pass_began_us_ = clock_.MonotonicUs();
  {
    MutexLock lock(mutex_);
    report_.checked_bytes = 0;
  }
  Result<Manifest> manifest = LoadManifest(fs_, directory_);
  if (!manifest.ok()) {
    if (manifest.status().code() != StatusCode::kDamaged) return manifest.status();
    faults->emplace(JoinPath(directory_, kManifestFileName), manifest.status().message());
    return Status();
  }
  const auto pace = [&](uint64_t bytes) { return Pace(bytes, bytes_per_second); };
  std::vector<SnapshotInfo> snapshots = manifest->older_snapshots;
  if (manifest->current_snapshot) snapshots.push_back(*manifest->current_snapshot);
  for (const SnapshotInfo& info : snapshots) {
    const std::string path = SnapshotPath(directory_, info.directory_name);
    SnapshotSurvey survey;
    CAIRN_RETURN_IF_ERROR(SurveySnapshot(fs_, path, &info, nullptr, pace, &survey));
    const Result<Manifest> now = LoadManifest(fs_, directory_);
    const auto is_it = [&](const SnapshotInfo& named) { return named.directory_name == info.directory_name; };
    const bool dropped = now.ok() && !(now->current_snapshot && is_it(*now->current_snapshot)) &&
                         std::none_of(now->older_snapshots.begin(), now->older_snapshots.end(), is_it);
    if (dropped) continue;
    for (const SnapshotFault& fault : survey.faults) Note(fault.file, fault.offset, fault.what, faults);
  }
  const std::optional<Lsn> until = durable_lsn_();
  if (!until || !manifest->has_log) return Status();
  SurveyRequest request{.from = manifest->log_first_segment_lsn, .live = true, .until = *until};
  if (manifest->current_snapshot) request.from = std::max(request.from, manifest->current_snapshot->lsn);
  LogSurvey survey;
  const auto on_units = [&](const SurveyedUnits& units) { return pace(units.frame.payload.size()); };
  CAIRN_RETURN_IF_ERROR(SurveyLog(SurveyedLogOptions(fs_, directory_, *manifest), request, on_units, &survey));
  for (const LogFault& fault : survey.faults) Note(fault.file, fault.offset, fault.what, faults);
  return Status();
}

Status Scrubber::Pace(uint64_t bytes, uint64_t bytes_per_second) {
  MutexLock lock(mutex_);
  report_.checked_bytes += bytes;
  const double due_s = static_cast<double>(report_.checked_bytes) / static_cast<double>(bytes_per_second);
  while (!stopping_) {
    const int64_t rest_us = pass_began_us_ + static_cast<int64_t>(due_s * kUsPerSecond) - clock_.MonotonicUs();
    if (rest_us < kRestAtLeastUs) return Status();
    changed_.WaitFor(mutex_, rest_us);
  }
  return Status::Unavailable("the scrub was stopped");
}

}  // namespace cairn
