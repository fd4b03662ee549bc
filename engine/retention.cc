#include "engine/retention.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace cairn {
namespace {

constexpr int64_t kMsPerHour = 3'600'000;

// Oldest first into `kept`, without those that save too little.
std::vector<SnapshotInfo> Thinned(const std::vector<SnapshotInfo>& newest_first, bool from_beginning, Lsn log_begin,
                                  const LogBytesFunction& log_bytes) {
  std::vector<SnapshotInfo> kept;
  Lsn last = log_begin;
  bool has_last = from_beginning;
  for (auto at = newest_first.rbegin(); at != newest_first.rend(); ++at) {
    if (has_last && log_bytes(last, at->lsn) < at->size_bytes) continue;
    kept.push_back(*at);
    last = at->lsn;
    has_last = true;
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

}  // namespace

Retention RetentionOf(const RuntimeOptions& options) {
  return {.ms = options.log_retention_hours * kMsPerHour, .bytes = options.log_retention_bytes};
}

bool ReachesBeginning(const Manifest& manifest) {
  if (!manifest.has_log) return false;
  if (!manifest.current_snapshot) return true;
  const SnapshotInfo& oldest = manifest.older_snapshots.empty() ? *manifest.current_snapshot : manifest.older_snapshots.back();
  return manifest.log_first_segment_lsn < oldest.lsn;
}

void AdoptSnapshot(Manifest& manifest, const SnapshotInfo& newest, bool logged, const Retention& retention, int64_t now_ms,
                   const LogBytesFunction& log_bytes) {
  std::vector<SnapshotInfo> kept;
  Lsn log_begin = newest.lsn;
  // A snapshot of a time without a log has nothing that leads on from it.
  if (retention.on() && logged && manifest.has_log) {
    std::vector<SnapshotInfo> candidates;
    if (manifest.current_snapshot) candidates.push_back(*manifest.current_snapshot);
    for (const SnapshotInfo& older : manifest.older_snapshots) {
      if (older.lsn >= manifest.log_first_segment_lsn) candidates.push_back(older);
    }
    const auto is_base = [&](const SnapshotInfo& snapshot) {
      return (retention.ms == 0 || snapshot.wall_time_unix_ms <= now_ms - retention.ms) &&
             (retention.bytes == 0 || log_bytes(snapshot.lsn, newest.lsn) >= retention.bytes);
    };
    const auto base = std::find_if(candidates.begin(), candidates.end(), is_base);
    const bool from_beginning = base == candidates.end() && ReachesBeginning(manifest);
    if (base != candidates.end()) candidates.erase(base + 1, candidates.end());
    kept = Thinned(candidates, from_beginning, manifest.log_first_segment_lsn, log_bytes);
    if (from_beginning) {
      log_begin = manifest.log_first_segment_lsn;
    } else if (!kept.empty()) {
      // An older snapshot's own LSN may lie before the first segment of a log that was switched on after it.
      log_begin = std::max(kept.back().lsn, manifest.log_first_segment_lsn);
    }
  }
  manifest.older_snapshots = std::move(kept);
  manifest.current_snapshot = newest;
  manifest.has_log = logged;
  manifest.log_first_segment_lsn = log_begin;
}

}  // namespace cairn
