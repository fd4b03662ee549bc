#include "snapshot/manifest.h"

#include <algorithm>

#include "base/crc32c.h"
#include "snapshot/manifest.pb.h"
#include "snapshot/snapshot_directory.h"

namespace cairn {
namespace {

// The checksum covers the envelope in front of it and the payload behind it.
uint32_t ManifestChecksum(std::string_view envelope, std::string_view payload) {
  return Crc32c(payload, Crc32c(envelope.substr(0, 16)));
}

void ToProto(const SnapshotInfo& from, pb::ManifestSnapshot* to) {
  to->set_directory_name(from.directory_name);
  to->set_lsn(from.lsn);
  to->set_wall_time_unix_ms(from.wall_time_unix_ms);
  to->set_entry_count(from.entry_count);
  to->set_size_bytes(from.size_bytes);
  if (from.index_checksum) to->set_index_checksum(*from.index_checksum);
}

SnapshotInfo FromProto(const pb::ManifestSnapshot& from) {
  return {.directory_name = from.directory_name(),
          .lsn = from.lsn(),
          .wall_time_unix_ms = from.wall_time_unix_ms(),
          .entry_count = from.entry_count(),
          .size_bytes = from.size_bytes(),
          .index_checksum = from.has_index_checksum() ? std::optional(from.index_checksum()) : std::nullopt};
}

pb::Manifest ToProto(const Manifest& from) {
  pb::Manifest to;
  if (from.current_snapshot) ToProto(*from.current_snapshot, to.mutable_current_snapshot());
  for (const SnapshotInfo& older : from.older_snapshots) ToProto(older, to.add_older_snapshots());
  to.set_has_log(from.has_log);
  to.set_log_first_segment_lsn(from.log_first_segment_lsn);
  to.set_log_newest_file_id(from.log_newest_file_id);
  to.set_directory_id(from.directory_id);
  if (from.empty_at_lsn) to.set_empty_at_lsn(*from.empty_at_lsn);
  for (const Timeline& timeline : from.timelines) {
    pb::ManifestTimeline* added = to.add_timelines();
    added->set_id(timeline.id);
    added->set_fork_lsn(timeline.fork_lsn);
    added->set_base(timeline.base);
  }
  to.set_lsn_ceiling(from.lsn_ceiling);
  to.set_clean_shutdown(from.clean_shutdown);
  to.set_created_unix_ms(from.created_unix_ms);
  to.set_created_by(from.created_by);
  to.set_imported_from(from.imported_from);
  to.set_backup_unix_ms(from.backup_unix_ms);
  return to;
}

Manifest FromProto(const pb::Manifest& from) {
  Manifest to;
  if (from.has_current_snapshot()) to.current_snapshot = FromProto(from.current_snapshot());
  for (const auto& older : from.older_snapshots()) to.older_snapshots.push_back(FromProto(older));
  to.has_log = from.has_log();
  to.log_first_segment_lsn = from.log_first_segment_lsn();
  to.log_newest_file_id = from.log_newest_file_id();
  to.directory_id = from.directory_id();
  if (from.has_empty_at_lsn()) to.empty_at_lsn = from.empty_at_lsn();
  for (const auto& timeline : from.timelines()) {
    to.timelines.push_back({.id = timeline.id(), .fork_lsn = timeline.fork_lsn(), .base = timeline.base()});
  }
  to.lsn_ceiling = from.lsn_ceiling();
  to.clean_shutdown = from.clean_shutdown();
  to.created_unix_ms = from.created_unix_ms();
  to.created_by = from.created_by();
  to.imported_from = from.imported_from();
  to.backup_unix_ms = from.backup_unix_ms();
  return to;
}

// A name that no writer makes could lead a reader, or a removal, out of the directory.
bool NamesFit(const Manifest& manifest) {
  const auto fits = [](const SnapshotInfo& info) { return ParseSnapshotDirectoryName(info.directory_name) == info.lsn; };
  return (!manifest.current_snapshot || fits(*manifest.current_snapshot)) &&
         std::all_of(manifest.older_snapshots.begin(), manifest.older_snapshots.end(), fits);
}

std::string ManifestPath(const std::string& directory) { return JoinPath(directory, kManifestFileName); }

}  // namespace

Result<std::string> EncodeManifest(const Manifest& manifest) {
  if (!NamesFit(manifest)) return Status::Internal("a snapshot's name does not fit its LSN");
  std::string bytes(kManifestEnvelopeBytes, '\0');
  if (!ToProto(manifest).AppendToString(&bytes) || bytes.size() > kManifestMaxBytes) {
    return Status::Internal("the manifest cannot be encoded (too large)");
  }
  const std::string_view payload = std::string_view(bytes).substr(kManifestEnvelopeBytes);
  kManifestMagic.copy(bytes.data(), 8);
  StoreLittleEndian<uint32_t>(bytes.data() + 8, kManifestFormatVersion);
  StoreLittleEndian<uint32_t>(bytes.data() + 12, static_cast<uint32_t>(payload.size()));
  StoreLittleEndian<uint32_t>(bytes.data() + 16, ManifestChecksum(bytes, payload));
  return bytes;
}

Result<Manifest> DecodeManifest(std::string_view bytes) {
  if (bytes.size() < kManifestEnvelopeBytes) return Status::Damaged("shorter than its envelope");
  if (bytes.substr(0, 8) != kManifestMagic) return Status::Damaged("not a manifest (wrong magic)");
  const std::string_view payload = bytes.substr(kManifestEnvelopeBytes);
  if (LoadLittleEndian<uint32_t>(bytes.data() + 12) != payload.size()) {
    return Status::Damaged("its length contradicts the file's size");
  }
  if (LoadLittleEndian<uint32_t>(bytes.data() + 16) != ManifestChecksum(bytes, payload)) {
    return Status::Damaged("fails its checksum");
  }
  const uint32_t version = LoadLittleEndian<uint32_t>(bytes.data() + 8);
  if (version > kManifestFormatVersion) {
    return Status::NewerFormat("format version " + std::to_string(version) + ", this program reads up to " +
                               std::to_string(kManifestFormatVersion) + ": use a newer Cairn");
  }
  pb::Manifest parsed;
  if (version == 0 || !parsed.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return Status::Damaged("its content does not parse");
  }
  Manifest manifest = FromProto(parsed);
  manifest.format_version = version;
  if (!NamesFit(manifest)) return Status::Damaged("a snapshot's name does not fit its LSN");
  return manifest;
}

Result<Manifest> LoadManifest(FileSystem& fs, const std::string& directory) {
  const std::string path = ManifestPath(directory);
  CAIRN_ASSIGN_OR_RETURN(const uint64_t size_bytes, fs.FileSize(path));
  if (size_bytes > kManifestMaxBytes) {
    return Status::Damaged("manifest " + path + ": larger than any manifest is");
  }
  CAIRN_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(fs, path, kManifestMaxBytes));
  Result<Manifest> manifest = DecodeManifest(bytes);
  if (manifest.ok()) return manifest;
  return Status(manifest.status().code(), "manifest " + path + ": " + std::string(manifest.status().message()));
}

Status StoreManifest(FileSystem& fs, const std::string& directory, const Manifest& manifest) {
  CAIRN_ASSIGN_OR_RETURN(const std::string bytes, EncodeManifest(manifest));
  return ReplaceFileDurably(fs, ManifestPath(directory), bytes);
}

}  // namespace cairn
