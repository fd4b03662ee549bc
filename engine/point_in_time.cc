#include "engine/point_in_time.h"

#include <algorithm>
#include <ctime>

#include "base/numbers.h"
#include "base/resp_request.h"
#include "engine/data_directory.h"
#include "engine/retention.h"
#include "wal/segment_set.h"

namespace cairn {
namespace {

constexpr int64_t kUsPerMs = 1'000;
constexpr int64_t kUsPerSecond = 1'000'000;

// Where the known past ends.
struct KnownUntil {
  Lsn lsn = 0;
  int64_t unix_us = 0;
};

Status OutOfRange(const std::string& what, const Manifest& manifest, const KnownUntil& known) {
  const RestorableFrom from = OldestRestorable(manifest);
  return Status::NotFound(what + " is outside of what is kept: from " + UtcText(from.unix_us) + " (LSN " +
                          std::to_string(from.lsn) + ") to " + UtcText(known.unix_us) + " (LSN " + std::to_string(known.lsn) +
                          ")");
}

class Resolver {
 public:
  Resolver(FileSystem& fs, const std::string& path, const Manifest& manifest, int64_t now_us, const LogReadFunction& read_log)
      : fs_(fs),
        log_path_(JoinPath(path, DataDirectory::kLogDirectoryName)),
        manifest_(manifest),
        now_us_(now_us),
        read_log_(read_log) {
    from_ = OldestRestorable(manifest);
  }

  Result<ResolvedPoint> AtLsn(Lsn lsn) {
    CAIRN_RETURN_IF_ERROR(Walk(UINT64_MAX, lsn));
    if (lsn < from_.lsn || lsn > known_.lsn) return OutOfRange("LSN " + std::to_string(lsn), manifest_, known_);
    return ResolvedPoint{lsn, known_.unix_us};
  }

  Result<ResolvedPoint> AtTime(int64_t unix_us) {
    const std::string what = "the time " + UtcText(unix_us);
    if (unix_us < from_.unix_us) {
      CAIRN_RETURN_IF_ERROR(Walk(UINT64_MAX, UINT64_MAX));
      return OutOfRange(what, manifest_, known_);
    }
    CAIRN_RETURN_IF_ERROR(Walk(static_cast<uint64_t>(unix_us), UINT64_MAX));
    if (passed_) return ResolvedPoint{reached_, unix_us};
    // Nothing in the log is younger. Up to now that means that nothing was written; but a copy does not know what came after it.
    const bool copied_before = manifest_.backup_unix_ms != 0 && unix_us > manifest_.backup_unix_ms * kUsPerMs;
    if (!manifest_.has_log || copied_before || unix_us > now_us_) return OutOfRange(what, manifest_, known_);
    return ResolvedPoint{reached_, unix_us};
  }

 private:
  // Reads the log until a unit that is younger than `time_us` or ends beyond `lsn`.
  Status Walk(uint64_t time_us, Lsn lsn) {
    reached_ = from_.lsn;
    known_ = {from_.lsn, from_.unix_us};
    if (manifest_.backup_unix_ms != 0) known_.unix_us = std::max(known_.unix_us, manifest_.backup_unix_ms * kUsPerMs);
    if (!manifest_.has_log) {
      if (manifest_.current_snapshot)
        known_ = {manifest_.current_snapshot->lsn, manifest_.current_snapshot->wall_time_unix_ms * kUsPerMs};
      return Status();
    }
    CAIRN_ASSIGN_OR_RETURN(const Lsn begin, BeginOfWalk(time_us, lsn));
    const auto on_frame = [&](const LogFrame& frame) {
      const Lsn end = frame.first_lsn + frame.payload.size();
      passed_ = frame.wall_us > time_us;
      if (!passed_) reached_ = end;
      known_.lsn = std::max(known_.lsn, end);
      known_.unix_us = std::max(known_.unix_us, static_cast<int64_t>(frame.wall_us));
      return passed_ || end >= lsn ? Status::Unavailable("enough is known") : Status();
    };
    LogRecoveryResult result;
    const Status status = read_log_(begin, on_frame, &result);
    if (passed_ || known_.lsn >= lsn) return Status();
    CAIRN_RETURN_IF_ERROR(status);
    known_.lsn = std::max(known_.lsn, result.log_end_lsn);
    known_.unix_us = std::max(known_.unix_us, static_cast<int64_t>(result.last_wall_us));
    return Status();
  }

  // Segments carry the time and the LSN of their beginning, so the walk begins in the one that may hold the point.
  Result<Lsn> BeginOfWalk(uint64_t time_us, Lsn lsn) {
    CAIRN_ASSIGN_OR_RETURN(const SegmentListing listing, ListSegments(fs_, log_path_));
    Lsn begin = std::max(from_.lsn, manifest_.log_first_segment_lsn);
    for (const SegmentInfo& segment : listing.chain) {
      if (segment.header.wall_us > time_us || segment.header.first_lsn > lsn) break;
      begin = std::max(begin, segment.header.first_lsn);
    }
    reached_ = std::max(reached_, begin);
    known_.lsn = std::max(known_.lsn, begin);
    return begin;
  }

  FileSystem& fs_;
  const std::string log_path_;
  const Manifest& manifest_;
  const int64_t now_us_;
  const LogReadFunction& read_log_;
  RestorableFrom from_;
  KnownUntil known_;     // after a walk to the end
  Lsn reached_ = 0;      // after the last unit that is not younger than asked for
  bool passed_ = false;  // a younger unit was found
};

}  // namespace

LogFrame WholeUnitsUpTo(const LogFrame& frame, Lsn until) {
  LogFrame part = frame;
  if (frame.first_lsn + frame.payload.size() <= until) return part;
  // Records of one unit stand between MULTI and EXEC; a single record is a unit, and a SELECT belongs to what follows it.
  RequestReader reader(frame.payload);
  size_t whole_bytes = 0;
  bool in_unit = false;
  while (reader.Next() && frame.first_lsn + reader.offset() <= until) {
    const auto& args = reader.args();
    if (args.size() == 1 && EqualsIgnoreCase(args[0], "multi")) in_unit = true;
    if (args.size() == 1 && EqualsIgnoreCase(args[0], "exec")) in_unit = false;
    const bool select = args.size() == 2 && EqualsIgnoreCase(args[0], "select");
    if (!in_unit && !select) whole_bytes = reader.offset();
  }
  part.payload = frame.payload.substr(0, whole_bytes);
  return part;
}

std::vector<SnapshotInfo> SnapshotsForRecovery(const Manifest& manifest, std::optional<Lsn> until) {
  std::vector<SnapshotInfo> usable;
  if (!manifest.current_snapshot) return usable;
  const Lsn limit = until.value_or(UINT64_MAX);
  if (manifest.current_snapshot->lsn <= limit) usable.push_back(*manifest.current_snapshot);
  for (const SnapshotInfo& older : manifest.older_snapshots) {
    if (!manifest.has_log || older.lsn < manifest.log_first_segment_lsn) break;
    if (older.lsn <= limit) usable.push_back(older);
  }
  return usable;
}

RestorableFrom OldestRestorable(const Manifest& manifest) {
  const std::vector<SnapshotInfo> usable = SnapshotsForRecovery(manifest, std::nullopt);
  if (usable.empty() || ReachesBeginning(manifest)) return {manifest.log_first_segment_lsn, manifest.created_unix_ms * kUsPerMs};
  return {usable.back().lsn, usable.back().wall_time_unix_ms * kUsPerMs};
}

Result<ResolvedPoint> ResolvePoint(FileSystem& fs, const std::string& path, const Manifest& manifest, const PointInTime& point,
                                   int64_t now_us, const LogReadFunction& read_log) {
  Resolver resolver(fs, path, manifest, now_us, read_log);
  switch (point.kind) {
    case PointInTime::Kind::kEnd: return ResolvedPoint{std::nullopt, now_us};
    case PointInTime::Kind::kLsn: return resolver.AtLsn(point.lsn);
    case PointInTime::Kind::kTime: return resolver.AtTime(point.unix_us);
  }
  return Status::Internal("no such kind of point");
}

std::string UtcText(int64_t unix_us) {
  const std::time_t seconds = unix_us / kUsPerSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const size_t size = std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
  char fraction[32];
  std::snprintf(fraction, sizeof(fraction), ".%06lld UTC", static_cast<long long>(unix_us % kUsPerSecond));
  return std::string(text, size) + fraction;
}

}  // namespace cairn
