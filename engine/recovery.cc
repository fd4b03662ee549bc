#include "engine/recovery.h"

#include <algorithm>
#include <utility>

#include "base/logger.h"
#include "engine/log_replay.h"
#include "engine/point_in_time.h"
#include "engine/snapshot_loader.h"
#include "snapshot/snapshot_directory.h"

namespace cairn {
namespace {

constexpr int64_t kProgressEveryUs = 1'000'000;

uint64_t KeyCount(const StoreCore& core) {
  uint64_t keys = 0;
  for (uint32_t i = 0; i < core.keyspace->databases(); i++) keys += core.keyspace->Size(i);
  return keys;
}

class Recovery {
 public:
  Recovery(StoreCore& core, const std::string& path, const Manifest& manifest, const RecoveryOptions& options,
           const ProgressCallback& progress)
      : core_(core), path_(path), options_(options), progress_(progress) {
    outcome_.manifest = manifest;
  }

  Result<RecoveryOutcome> Run() {
    const int64_t began_us = core_.clock.MonotonicUs();
    CAIRN_RETURN_IF_ERROR(LoadSnapshot());
    outcome_.had_log = outcome_.manifest.has_log;
    outcome_.clean = outcome_.manifest.clean_shutdown;
    outcome_.end_lsn = snapshot_lsn_;
    if (outcome_.had_log && options_.read_log) CAIRN_RETURN_IF_ERROR(ReadTheLog());
    outcome_.next_lsn = std::max({outcome_.next_lsn, outcome_.end_lsn, outcome_.manifest.lsn_ceiling});
    outcome_.duration_us = core_.clock.MonotonicUs() - began_us;
    return std::move(outcome_);
  }

 private:
  // The newest snapshot, or, where that is damaged, an older one from which the log reaches on.
  Status LoadSnapshot() {
    std::vector<SnapshotInfo> usable = SnapshotsForRecovery(outcome_.manifest, options_.until);
    if (usable.empty()) return Status();
    Status newest = LoadOne(usable.front());
    if (newest.ok() || newest.code() != StatusCode::kDamaged || options_.locks_held) return newest;
    usable.erase(usable.begin());
    for (const SnapshotInfo& older : usable) {
      Note(std::string(newest.message()) + "; using the older snapshot " + older.directory_name + " and the log after it");
      EmptyKeyspace();
      if (LoadOne(older).ok()) return Status();
    }
    return newest;
  }

  Status LoadOne(const SnapshotInfo& info) {
    CAIRN_ASSIGN_OR_RETURN(const auto reader, SnapshotReader::Open(core_.fs, path_, info));
    SnapshotLoader loader(core_, *reader, options_.locks_held);
    CAIRN_RETURN_IF_ERROR(loader.Run(core_.worker_threads, [&](uint64_t done_bytes, uint64_t keys) {
      Report("snapshot", done_bytes, info.size_bytes, keys);
    }));
    snapshot_lsn_ = info.lsn;
    outcome_.snapshot_keys = reader->entry_count();
    return Status();
  }

  void EmptyKeyspace() {
    ChangeScope scope;
    scope.replaying = true;
    scope.locked_shards.set();
    core_.keyspace->LockShards(scope.locked_shards);
    core_.keyspace->Flush(scope, -1, true);
    core_.keyspace->UnlockShards(scope.locked_shards);
  }

  Status ReadTheLog() {
    const LogOptions log_options = LogOptionsFor(core_, path_, outcome_.manifest);
    CAIRN_ASSIGN_OR_RETURN(const bool exists, core_.fs.Exists(log_options.directory));
    if (!exists) {
      return Status::Damaged(log_options.directory +
                             " is missing although the manifest says that it belongs to the data: put it back");
    }
    const Lsn from = std::max(snapshot_lsn_, outcome_.manifest.log_first_segment_lsn);
    CAIRN_ASSIGN_OR_RETURN(const SegmentListing listing, ListSegments(core_.fs, log_options.directory));
    CAIRN_RETURN_IF_ERROR(CheckNewestSegment(listing, log_options.directory));
    uint64_t total_bytes = 0;
    for (const SegmentInfo& segment : listing.chain) total_bytes += segment.file_bytes;
    LogReplay replay(core_, core_.worker_threads, {.locks_held = options_.locks_held});
    uint64_t done_bytes = 0;
    const auto apply = [&](const LogFrame& frame) {
      done_bytes += frame.payload.size();
      Report("log", done_bytes, total_bytes, 0);
      return replay.OnFrame(frame);
    };
    if (options_.until) {
      CAIRN_RETURN_IF_ERROR(ReadLogUpTo(from, *options_.until, apply));
    } else {
      CAIRN_RETURN_IF_ERROR(Read(log_options, from, apply));
    }
    CAIRN_RETURN_IF_ERROR(replay.Finish());
    CAIRN_RETURN_IF_ERROR(CheckCleanEnd());
    const std::string end_file = outcome_.log.end_file;
    const uint64_t end_offset = outcome_.log.end_offset;
    const uint64_t torn_bytes = outcome_.log.torn_bytes;
    if (options_.repair_log) CAIRN_RETURN_IF_ERROR(RepairLogEnd(log_options, &outcome_.log));
    outcome_.log_records = replay.records();
    outcome_.loaded_log_bytes = done_bytes;
    if (options_.until) return Status();
    outcome_.end_lsn = std::max(outcome_.log.end_lsn, snapshot_lsn_);
    outcome_.next_lsn = outcome_.log.next_lsn;
    if (outcome_.log.end != LogEnd::kClean) {
      outcome_.clean = false;
      if (options_.repair_log) {
        Note("the log has no clean end: it was read up to LSN " + std::to_string(outcome_.log.end_lsn) + ", " + end_file +
             " offset " + std::to_string(end_offset) +
             (torn_bytes == 0 ? "" : "; " + std::to_string(torn_bytes) + " bytes behind were never complete and are cut"));
      }
    }
    return Status();
  }

  // Without a complaint of the log itself: what is missing at its end may have been a whole file.
  Status CheckNewestSegment(const SegmentListing& listing, const std::string& directory) {
    const uint64_t expected = outcome_.manifest.log_newest_file_id;
    const uint64_t found = listing.chain.empty() ? 0 : listing.chain.back().header.file_id;
    if (listing.chain.empty() && expected == 0) {
      return Status::Damaged(directory +
                             " holds no segment although the manifest says that the log belongs to the data: put it back");
    }
    if (found >= expected) return Status();
    return Status::Damaged(JoinPath(directory, SegmentFileName(expected)) +
                           " is missing or empty although the manifest names it: put it back");
  }

  // The manifest says so only after the clean end was synced.
  Status CheckCleanEnd() {
    if (options_.until || !outcome_.manifest.clean_shutdown || outcome_.log.end == LogEnd::kClean) return Status();
    return Status::Damaged("the log ends in " + outcome_.log.end_file + " at offset " + std::to_string(outcome_.log.end_offset) +
                           " (LSN " + std::to_string(outcome_.log.log_end_lsn) + ") without a clean end, although " +
                           JoinPath(path_, kManifestFileName) +
                           " says that it has one: bytes are missing. Nothing was changed; restore the file from a backup");
  }

  void Note(const std::string& what) {
    LogF(LogLevel::kWarning, "Recovery: %s", what.c_str());
    outcome_.report += (outcome_.report.empty() ? "" : "; ") + what;
  }

  Status Read(const LogOptions& log_options, Lsn from, const LogFrameCallback& callback) {
    if (options_.log_reader) return options_.log_reader(from, callback, &outcome_.log);
    return ReadLog(log_options, from, callback, &outcome_.log);
  }

  Status ReadLogUpTo(Lsn from, Lsn until, const LogFrameCallback& apply) {
    outcome_.end_lsn = from;
    bool reached = false;
    const auto on_frame = [&](const LogFrame& frame) {
      const LogFrame part = WholeUnitsUpTo(frame, until);
      reached = part.payload.size() < frame.payload.size();
      if (!part.payload.empty()) {
        CAIRN_RETURN_IF_ERROR(apply(part));
        outcome_.end_lsn = part.first_lsn + part.payload.size();
      }
      return reached ? Status::Unavailable("the point is reached") : Status();
    };
    Status status = Read(LogOptionsFor(core_, path_, outcome_.manifest), from, on_frame);
    if (reached || (status.ok() && outcome_.log.log_end_lsn >= until)) return Status();
    if (!status.ok()) return status;
    return Status::NotFound("the log ends at LSN " + std::to_string(outcome_.log.log_end_lsn) + ", before LSN " +
                            std::to_string(until));
  }

  void Report(std::string_view phase, uint64_t done_bytes, uint64_t total_bytes, uint64_t keys) {
    if (!progress_) return;
    const int64_t now_us = core_.clock.MonotonicUs();
    if (now_us - last_report_us_ < kProgressEveryUs) return;
    if (last_report_us_ != 0) progress_({phase, done_bytes, total_bytes, keys != 0 ? keys : KeyCount(core_)});
    last_report_us_ = now_us;
  }

  StoreCore& core_;
  const std::string path_;
  const RecoveryOptions options_;
  const ProgressCallback& progress_;
  RecoveryOutcome outcome_;
  Lsn snapshot_lsn_ = 0;
  int64_t last_report_us_ = 0;
};

}  // namespace

LogOptions LogOptionsFor(const StoreCore& core, const std::string& path, const Manifest& manifest) {
  LogOptions options;
  const RuntimeOptions runtime = core.runtime();
  options.directory = JoinPath(path, DataDirectory::kLogDirectoryName);
  options.directory_id = manifest.directory_id;
  options.fs = &core.fs;
  options.clock = &core.clock;
  options.policy = runtime.append_fsync;
  options.enabled = runtime.append_only;
  return options;
}

Result<RecoveryOutcome> RecoverKeyspace(StoreCore& core, const std::string& path, const Manifest& manifest,
                                        const RecoveryOptions& options, const ProgressCallback& progress) {
  return Recovery(core, path, manifest, options, progress).Run();
}

}  // namespace cairn
