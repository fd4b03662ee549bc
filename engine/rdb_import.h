// Loads an RDB file into the keyspace with several threads: each in turn reads some megabytes, which it then decodes and puts into the
// shards, all of a shard's under one lock.
//
// Failure: kDamaged, kNewerFormat, kInvalidArgument (a database that this store does not have) or the file system's error, naming the
// file and the place; the keyspace is partly filled then and must not be served.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_annotations.h"
#include "engine/store_core.h"
#include "snapshot/entry_codec.h"
#include "snapshot/rdb_reader.h"

namespace cairn {

class RdbImport {
 public:
  struct Options {
    // Keys whose time has come: commands that follow may look at them, otherwise they are left out.
    bool keep_expired = false;
  };
  struct Counts {
    uint64_t keys = 0;
    uint64_t expired_keys = 0, empty_keys = 0;  // left out
  };

  RdbImport(StoreCore& core, Options options);

  // The keyspace must have none of the file's keys, and nobody else in it. `progress` (bytes and keys so far) is called some times a
  // second from the calling thread.
  Status Run(const std::string& path, const std::function<void(uint64_t done_bytes, uint64_t keys)>& progress);

  // After Run.
  const Counts& counts() const { return counts_; }
  const RdbReader& reader() const CAIRN_NO_THREAD_SAFETY_ANALYSIS { return *reader_; }

 private:
  struct Work;
  void WorkerMain(uint32_t number);
  bool NextBatch(RdbBatch* batch) CAIRN_EXCLUDES(reader_mutex_);
  void ReserveTables() CAIRN_REQUIRES(reader_mutex_);
  Status LoadBatch(const RdbBatch& batch, Work* work);
  Status LoadShard(const RdbBatch& batch, uint32_t shard, Work* work);
  Status LoadOne(const RdbBatch& batch, const RdbEntry& entry, const KeyRef& key, Work* work);
  LoadedAttributes AttributesOf(const RdbEntry& entry) const;
  void Fail(const Status& status) CAIRN_EXCLUDES(mutex_);

  StoreCore& core_;
  const Options options_;
  const int64_t now_ms_;
  const AccessKind access_kind_;
  std::string path_;
  Mutex reader_mutex_;  // held while a batch is read
  std::unique_ptr<RdbReader> reader_ CAIRN_GUARDED_BY(reader_mutex_);
  size_t reserved_ CAIRN_GUARDED_BY(reader_mutex_) = 0;
  std::atomic<uint64_t> done_bytes_{0}, done_keys_{0};
  bool ended_ CAIRN_GUARDED_BY(reader_mutex_) = false;
  std::atomic<bool> failed_{false};
  Mutex mutex_;
  CondVar changed_;
  uint32_t running_ CAIRN_GUARDED_BY(mutex_) = 0;
  Status failure_ CAIRN_GUARDED_BY(mutex_);
  Counts counts_;  // guarded by mutex_ while workers run
};

// Logs which modules' values an RDB file holds that were passed over. After the whole file was read.
void LogSkippedModules(const RdbReader& reader, const std::string& file);

}  // namespace cairn
