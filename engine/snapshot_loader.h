// Loads a snapshot into an empty keyspace with all threads: each takes whole shards, so that nobody waits for a lock.
//
// Failure: kDamaged naming file and block, or the file system's error; the keyspace is then partly filled and must not be served.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/thread_annotations.h"
#include "engine/store_core.h"
#include "snapshot/snapshot_reader.h"

namespace cairn {

class SnapshotLoader {
 public:
  // `locks_held`: the caller holds all shards' locks and nobody else is there.
  SnapshotLoader(StoreCore& core, const SnapshotReader& reader, bool locks_held);

  // `progress` (bytes and keys so far) is called some times a second from the calling thread.
  Status Run(uint32_t threads, const std::function<void(uint64_t done_bytes, uint64_t keys)>& progress);

 private:
  Status CheckShape() const;
  void Work();
  Status LoadShard(uint32_t shard, BlockBuffer& buffer);
  Status LoadBlock(size_t block, BlockBuffer& buffer);
  Status LoadBigEntry(size_t block);
  Status LoadOne(const EntryHead& head, std::string_view key, std::string_view value, uint32_t shard);
  void Fail(const Status& status) CAIRN_EXCLUDES(mutex_);

  StoreCore& core_;
  const SnapshotReader& reader_;
  const bool locks_held_;
  const int64_t now_ms_;
  const AccessKind access_kind_;                         // what this store's policy makes of access fields
  std::array<std::vector<size_t>, kShardCount> blocks_;  // to load, by shard
  std::atomic<uint32_t> next_shard_{0};
  std::atomic<uint64_t> done_bytes_{0};
  std::atomic<uint64_t> keys_{0};
  std::atomic<bool> failed_{false};
  Mutex mutex_;
  CondVar changed_;
  uint32_t running_ CAIRN_GUARDED_BY(mutex_) = 0;
  Status failure_ CAIRN_GUARDED_BY(mutex_);
};

}  // namespace cairn
