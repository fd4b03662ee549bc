// Replays the log into the keyspace with several threads: the reading thread parses records and deals them out by shard, workers apply
// them.
//
// Order: records of one shard are applied in log order, because each shard belongs to one worker. A record that touches shards of
// several workers, or all shards, is a barrier: it waits until everything before it was applied, and is applied by the reading thread.
// MULTI and EXEC need no care: the unit they frame was checked whole by the log's reader before its first record comes here.
// Failure: the first record that cannot be applied ends the replay with kDamaged, naming the place; the keyspace is then useless.
// Threads: one thread calls OnFrame and Finish; the workers are this object's.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/thread_annotations.h"
#include "engine/store_core.h"
#include "wal/log_reader.h"

namespace cairn {

struct ReplayOptions {
  bool locks_held = false;  // the caller holds all shards' locks and nobody else is there; otherwise the workers lock as they go
  // Not our log but one of Redis's append-only files: "LSNs" are bytes of this file, and commands that answer an error are passed over,
  // as Redis does when it loads the file.
  std::string redis_file;
  // A repair, where what records build on may be lost: those that fail are passed over, and told here, one call at a time on any thread.
  std::function<void(const std::string& problem)> on_failure;
};

class LogReplay {
 public:
  LogReplay(StoreCore& core, uint32_t threads, ReplayOptions options);
  ~LogReplay();

  Status OnFrame(const LogFrame& frame);
  // One command, whose arguments live as long as `owner` or a copy of it.
  Status OnCommand(const std::vector<std::string_view>& args, const SharedBytes& owner, Lsn lsn);
  // Waits until all was applied.
  Status Finish();
  uint64_t records() const { return records_; }
  // After Finish: the commands of a Redis file that were passed over.
  uint64_t failed_records() const CAIRN_EXCLUDES(mutex_);
  std::string first_failed_record() const CAIRN_EXCLUDES(mutex_);

 private:
  struct Item;
  struct Batch;
  struct Worker;
  class Applier;

  const CommandRow* FindRow(const std::vector<std::string_view>& args);
  // "the log at LSN 5", or the file and the byte.
  std::string PlaceOf(Lsn lsn) const;
  // What becomes of a record that answered an error.
  Status Judge(const Item& item, const std::string& problem) CAIRN_EXCLUDES(mutex_);
  Status ApplyBarrier(const Item& item, const std::vector<std::string_view>& args);
  Status Select(const std::vector<std::string_view>& args, Lsn lsn);
  uint32_t WorkerOf(uint32_t shard) const { return shard % static_cast<uint32_t>(workers_.size()); }
  void Enqueue(uint32_t worker, const Item& item, const std::vector<std::string_view>& args, const SharedBytes& owner);
  void Submit(uint32_t worker);
  // Until no worker has anything left.
  void Drain();
  void WorkerMain(uint32_t number);
  Status failure() CAIRN_EXCLUDES(mutex_);

  StoreCore& core_;
  const ReplayOptions options_;
  const CommandRow* const set_row_;
  uint32_t database_ = 0;
  uint64_t records_ = 0;
  std::string last_name_;  // the last record's command as written, and its row: most logs repeat few
  const CommandRow* last_row_ = nullptr;
  std::vector<int> key_indexes_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Applier> barrier_applier_;
  std::atomic<bool> failed_{false};
  mutable Mutex mutex_;
  Status failure_ CAIRN_GUARDED_BY(mutex_);
  uint64_t failed_records_ CAIRN_GUARDED_BY(mutex_) = 0;
  std::string first_failed_record_ CAIRN_GUARDED_BY(mutex_);
};

}  // namespace cairn
