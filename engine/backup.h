// A consistent copy of a running store's directory: manifest, snapshot and the log from there on, as a data directory of its own.
//
// Step by step:
//   1. Everything executed so far is made durable; that is the point the copy equals (at least: units that follow in the same group commit
//      come along). Without a log a snapshot is taken first.
//   2. While nothing may be dropped, files that do not change any more (snapshots, finished segments) get a second name in TARGET.partial
//      by a hard link. Where that is not possible, on another file system, they are linked from the earlier backup or else opened, to be
//      copied afterwards.
//   3. The newest segment is copied up to the point and closed with a clean end; the manifest is written; everything is synced.
//   4. The copy is read again, block by block and frame by frame, then gets its name.
// A failure at any step removes TARGET.partial and leaves the store as it was. Clients are served meanwhile: no lock of theirs is taken.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "engine/checkpointer.h"
#include "engine/data_directory.h"
#include "engine/store.h"
#include "engine/store_core.h"
#include "wal/segment_set.h"

namespace cairn {

class Backup {
 public:
  Backup(StoreCore& core, DataDirectory& directory, Checkpointer& checkpointer)
      : core_(core), directory_(directory), checkpointer_(checkpointer), fs_(core.fs) {}

  // Once. See Store::Backup.
  Result<BackupReport> Run(const BackupRequest& request);

 private:
  // A file that could not be linked.
  struct ToCopy {
    std::unique_ptr<RandomAccessFile> from;
    std::string to;
  };
  Status CheckRequest(const BackupRequest& request);
  Status Make();
  Status TakeFiles(Lsn lsn);
  Status TakeSnapshot(const SnapshotInfo& snapshot);
  Status TakeLog(SegmentListing listing, Lsn from);
  Status Take(const std::string& from, const std::string& in_earlier, const std::string& to);
  bool LinkFromEarlier(const std::string& from, const std::string& in_earlier, const std::string& to);
  Status CopyFile(const RandomAccessFile& from, const std::string& to);
  Status CopyNewestSegment(Lsn lsn);
  Status SyncAll(const std::string& directory);
  Status Verify();
  Status StopIfClosing() const;

  StoreCore& core_;
  DataDirectory& directory_;
  Checkpointer& checkpointer_;
  FileSystem& fs_;
  std::string target_, partial_, earlier_;
  Manifest manifest_;  // of the copy
  std::vector<ToCopy> to_copy_;
  std::optional<SegmentInfo> newest_;
  BackupReport report_;
};

// Removes a data directory that was never finished, with all that is in it. OK where there is none; kAlreadyExists, and nothing is removed,
// where other names are in it than a data directory has.
Status RemoveUnfinished(FileSystem& fs, const std::string& path);

}  // namespace cairn
