// Writes a cut of the keyspace as an RDB file that Redis 7.0 loads, while the store goes on serving. Several threads encode; what they
// encoded is appended in turn.
//
// Keys whose time has come at the cut are left out; what Redis 7.0 does not know is written in the form that it does
// (engine/codec/redis70_value.h). Failure: the file system's; no file is left then.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_annotations.h"
#include "engine/keyspace/snapshot_cut.h"
#include "engine/store_core.h"
#include "snapshot/rdb_writer.h"

namespace cairn {

class RdbExport {
 public:
  // The cut is being handed out to nobody else.
  RdbExport(StoreCore& core, SnapshotCut& cut, std::unique_ptr<RdbWriter> writer);

  // What each worker does, until nothing is left for it or something failed; several threads may call it.
  void Work();
  // After all workers are back: ends and publishes the file.
  Status Finish() CAIRN_EXCLUDES(mutex_);
  // Values that were written in another form than they have here.
  uint64_t converted_values() const { return converted_.load(std::memory_order_relaxed); }

 private:
  void WriteHeader() CAIRN_REQUIRES(mutex_);
  // Encodes a block's keys into `out`, one run of bytes for each stretch of one database.
  struct Run {
    uint32_t database;
    std::string bytes;
  };
  Status EncodeBlock(const EntryBlock& block, std::vector<Run>* runs);
  Status WriteLarge(const LargeEntry& entry) CAIRN_EXCLUDES(mutex_);
  // The head in RDB's form; false where the key is left out.
  bool FillHead(const EntryHead& head, std::string_view key, RdbEntry* entry) const;
  // Changes type and value where Redis 7.0 needs it; false where nothing is left of the value.
  Result<bool> Convert(RdbEntry* entry, std::string* scratch);
  void Append(const std::vector<Run>& runs) CAIRN_EXCLUDES(mutex_);
  void Fail(const Status& status) CAIRN_EXCLUDES(mutex_);

  StoreCore& core_;
  SnapshotCut& cut_;
  const int64_t now_ms_;
  std::atomic<bool> failed_{false};
  std::atomic<uint64_t> converted_{0};
  Mutex mutex_;
  std::unique_ptr<RdbWriter> writer_ CAIRN_GUARDED_BY(mutex_);
  Status failure_ CAIRN_GUARDED_BY(mutex_);
};

}  // namespace cairn
