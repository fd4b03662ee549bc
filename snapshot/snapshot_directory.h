// Names and lifetimes of what lies in DIR/snapshots: one directory a snapshot, named by its LSN,
// with data files in it.
//
// A snapshot is made as NAME.tmp and renamed when all of it is on disk; it counts once a manifest
// names it. So whatever no manifest names is left over from a crash or a failure and may be
// removed. Names are chosen never to clash: a second snapshot at one LSN gets a number behind a
// dot. Threads: any; but nothing here may run on a snapshot that is being written. Failures are the
// file system's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/status.h"
#include "snapshot/manifest.h"

namespace cairn {

inline constexpr std::string_view kUnfinishedSnapshotSuffix = ".tmp";

// DIR/snapshots, and one snapshot in it.
std::string SnapshotsPath(std::string_view directory);
std::string SnapshotPath(std::string_view directory, std::string_view name);

// "00000000000000001234", or "00000000000000001234.2" for a later one at the same LSN (`attempt`
// 2).
std::string SnapshotDirectoryName(Lsn lsn, uint32_t attempt);
// The LSN of such a name; nothing for other names, so that a manifest cannot lead outside the
// directory.
std::optional<Lsn> ParseSnapshotDirectoryName(std::string_view name);

// "data-00000"
std::string SnapshotFileName(uint32_t file_number);

// Removes a snapshot that no manifest on disk names (or its unfinished form). OK where there is
// none.
Status RemoveSnapshot(FileSystem& fs, const std::string& directory, std::string_view name);

// Removes every snapshot, finished or not, that `manifest` does not name, and returns their names;
// foreign names stay. For the start of a process, with the manifest just loaded, and after a
// manifest that drops snapshots has been stored.
Result<std::vector<std::string>> RemoveStaleSnapshots(FileSystem& fs, const std::string& directory, const Manifest& manifest);

}  // namespace cairn
