// The files of one log directory: which there are, in which order they continue each other, and making and dropping them.
//
// Every segment names its predecessor, so the log is the chain that ends at the highest file id. What lies beside the chain is
// stale: a creation that a crash or a full disk interrupted, a segment that a repair replaced, leftovers of a drop.
//
// A segment that repeats bytes of earlier ones (after a failure, or an unclean end) is written under a temporary name and gets
// its own when it is complete: a crash before leaves the earlier ones valid.
//
// Durability: Create() of an empty segment returns after the file's header and its directory entry are synced, CommitNewest()
// after the new name is, DropBefore() after the removal is.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "base/thread_annotations.h"
#include "wal/record_format.h"

namespace cairn {

struct SegmentInfo {
  std::string path;
  SegmentHeader header;
  uint64_t file_bytes = 0;
};

struct SegmentListing {
  std::vector<SegmentInfo> chain;  // oldest first; each continues the one before
  std::vector<std::string> stale;  // paths
  uint64_t highest_file_id = 0;    // of any file, stale ones included; 0 without files
};

// Reads the directory and every header. A file that is shorter than a header or all zero is an interrupted creation, hence
// stale; kDamaged for any other bad header, kNewerFormat for a newer one. A missing directory gives an empty listing.
Result<SegmentListing> ListSegments(FileSystem& fs, const std::string& directory);

// A segment just made. Bytes before `zeroed_until` are on disk: the header, then zeros.
struct NewSegment {
  std::unique_ptr<WritableFile> file;
  uint64_t zeroed_until = 0;
};

// The writer's view of the directory. Any thread.
class SegmentSet {
 public:
  SegmentSet(FileSystem* fs, std::string directory, SegmentListing listing);

  // Makes the directory, durably, where it is missing.
  Status EnsureDirectory();
  enum class Kind : uint8_t {
    kEmpty,        // begins where everything before it is durable: it counts at once
    kReplacement,  // will repeat what earlier segments hold: it does not count before CommitNewest()
    kFromReserve,  // a replacement that takes over the reserve file, so that it needs no free space
  };
  // A new file that continues the chain. `header` comes without file id, predecessor and salt; they are filled in. After a
  // failure nothing is left behind as far as the disk allows, and the next call takes another file id. Log thread only.
  Result<NewSegment> Create(SegmentHeader* header, uint64_t zero_ahead_bytes, Kind kind);
  // The replacement is written and synced: gives it its name, durably. Nothing to do for other kinds. Log thread only.
  Status CommitNewest();
  // The newest segment, if it is a replacement that CommitNewest has not made a part of the log, will not become one: takes it from the
  // chain and removes its file as far as the disk allows. Any other may be named by its predecessor already, and stays. Log thread only.
  void AbandonPending();
  SegmentListing listing() const;
  // The newest segment grew.
  void NoteWrite(uint64_t file_bytes);

  // See LogWriter::DropSegmentsBefore. What a replacement repeats stays until CommitNewest() has made that a part of the log.
  Status DropBefore(Lsn lsn);
  // See LogWriter::StreamBytesBetween.
  uint64_t StreamBytesBetween(Lsn from, Lsn to) const;

  // --- The reserve, a file of zeros that takes no room when it becomes a segment. Log thread only. ---
  // How much of it is there, by this or an earlier start.
  Result<uint64_t> ReserveBytes() const;
  // Grows it by up to `chunk_bytes` towards `goal_bytes`; true when it is whole. Where there is no room for more, what had grown before
  // stays; where it cannot be synced, nothing.
  Result<bool> GrowReserve(uint64_t goal_bytes, uint64_t chunk_bytes);
  // Whether it takes so many bytes; it need not be whole.
  bool ReserveTakes(uint64_t bytes) const { return reserve_bytes_ >= bytes; }
  void DiscardReserve();
  bool reserve_whole() const { return reserve_whole_; }

  std::string path_of(uint64_t file_id) const;
  uint64_t count() const;
  uint64_t bytes_on_disk() const;
  Lsn first_lsn() const;  // of the oldest segment; 0 without
  // The newest segment whose name is durable; no later start finds less. 0 without.
  uint64_t newest_file_id() const;

 private:
  Status FillNew(const std::string& path, const SegmentHeader& header, uint64_t zero_ahead_bytes, Kind kind, NewSegment* made);
  void Forget(const std::string& path);

  FileSystem* const fs_;
  const std::string directory_;
  const std::string reserve_path_;
  mutable Mutex mutex_;
  std::vector<SegmentInfo> chain_ CAIRN_GUARDED_BY(mutex_);
  std::vector<std::string> stale_ CAIRN_GUARDED_BY(mutex_);
  uint64_t highest_file_id_ CAIRN_GUARDED_BY(mutex_);
  uint64_t newest_file_id_ CAIRN_GUARDED_BY(mutex_);
  std::string pending_path_;                    // log thread only; where the newest segment is until it is committed
  std::unique_ptr<WritableFile> reserve_file_;  // log thread only, like the next two; open while it grows
  uint64_t reserve_bytes_ = 0;
  bool reserve_whole_ = false;
};

}  // namespace cairn
