// The MANIFEST of a data directory: which snapshot and which part of the log together are the
// keyspace. It is the only file that decides; what it does not name is not part of the data.
//
// Durability: StoreManifest returns OK only when the new content is on disk under its name. Before
// that, and after any failure or crash, the file holds the old or the new content, whole: callers
// delete nothing that either of them names until a later store succeeded. Threads: the functions
// may be called from any thread, but two stores into one directory must not overlap.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/status.h"

namespace cairn {

inline constexpr uint32_t kManifestFormatVersion = 1;
inline constexpr std::string_view kManifestFileName = "MANIFEST";

// One finished snapshot, as SnapshotWriter::Finish returns it.
struct SnapshotInfo {
  std::string directory_name;  // inside DIR/snapshots
  Lsn lsn = 0;                 // the keyspace equals the one at this LSN exactly
  int64_t wall_time_unix_ms = 0;
  uint64_t entry_count = 0;
  uint64_t size_bytes = 0;  // of its files
  // Names the content: a checksum over the indexes of its files, which hold those of all blocks. So a snapshot of another server, or of
  // another time, is told from the right one although all of its own checksums are right. Absent in what older versions wrote.
  std::optional<uint32_t> index_checksum = std::nullopt;

  bool operator==(const SnapshotInfo&) const = default;
};

constexpr size_t kTimelineIdChars = 40;

// A stretch of history that replicas can follow (Redis's replication id).
struct Timeline {
  std::string id;    // kTimelineIdChars hexadecimal digits
  Lsn fork_lsn = 0;  // it begins here; earlier history is its predecessor's
  int64_t base = 0;  // its replication offsets are LSN minus base

  bool operator==(const Timeline&) const = default;
};

struct Manifest {
  // Of the file this came from; StoreManifest writes kManifestFormatVersion.
  uint32_t format_version = kManifestFormatVersion;
  // Absent in a directory that has only a log yet.
  std::optional<SnapshotInfo> current_snapshot;
  // Kept for point-in-time recovery, newest first.
  std::vector<SnapshotInfo> older_snapshots;
  // Whether the directory has a log, and the first LSN of its oldest segment that counts.
  bool has_log = false;
  Lsn log_first_segment_lsn = 0;
  // The newest segment when this was stored: the log's chain reaches it, or a file is missing. 0 where older versions wrote it.
  uint64_t log_newest_file_id = 0;
  // The keyspace was empty there, and everything since is in the log: a log that reaches back so far needs no snapshot. Absent where that
  // is not known.
  std::optional<Lsn> empty_at_lsn = std::nullopt;
  // Random, the same in every manifest and segment of the directory: files of another server are told from its own. 0 where older versions
  // wrote it.
  uint32_t directory_id = 0;
  // Oldest first; the last one is running.
  std::vector<Timeline> timelines;
  // LSNs below it may have been used although no log and no snapshot shows them; a start without a
  // log begins here.
  Lsn lsn_ceiling = 0;
  // The last process ended in good order and had stored everything before it set this.
  bool clean_shutdown = false;
  // When, by which version and from which file (empty: none) the directory was made.
  int64_t created_unix_ms = 0;
  std::string created_by;
  std::string imported_from;
  // When the directory was made as a backup of another; 0: it was not, or has been started since.
  int64_t backup_unix_ms = 0;

  bool operator==(const Manifest&) const = default;
};

// Reads DIR/MANIFEST. kNotFound where there is none, kDamaged or kNewerFormat naming the file, or
// what the file system says.
Result<Manifest> LoadManifest(FileSystem& fs, const std::string& directory);

// Replaces DIR/MANIFEST durably.
Status StoreManifest(FileSystem& fs, const std::string& directory, const Manifest& manifest);

// The file's bytes, for tools and tests; Decode's messages do not name a file.
Result<std::string> EncodeManifest(const Manifest& manifest);
Result<Manifest> DecodeManifest(std::string_view bytes);

// The envelope: magic, format version, payload length, CRC32C of all else. It is the same in every
// format version.
inline constexpr std::string_view kManifestMagic = "CAIRNMAN";
inline constexpr size_t kManifestEnvelopeBytes = 20;
inline constexpr size_t kManifestMaxBytes = 64 * 1024 * 1024;
static_assert(kManifestMagic.size() == 8 && kManifestEnvelopeBytes == 8 + 4 + 4 + 4);

}  // namespace cairn
