// The store's own housekeeping on two threads: one removes keys whose time has come and wakes waiters whose time has, the other does
// everything that may take longer: frees, memory samples, eviction over the limit, save points, compaction of the log, the LSN ceiling of
// stores without a log.
//
// What is deleted here is logged, sent as an event and made visible exactly as a command would do it. While the log refuses writes
// nothing is deleted (promise P5).
// Threads: the public functions from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "base/thread_annotations.h"
#include "engine/checkpointer.h"
#include "engine/data_directory.h"
#include "engine/keyspace/eviction.h"
#include "engine/store_core.h"

namespace cairn {

EvictionSettings EvictionSettingsOf(const RuntimeOptions& options);

class Background {
 public:
  Background(StoreCore& core, Checkpointer& checkpointer, DataDirectory* directory);
  ~Background();

  void Start();
  void Stop();

  // Evicts keys until used memory is within the limit, for `budget_us` at most; false where nothing can be evicted (policy, no keys,
  // the log refuses). When the time was up others go on later, and the answer is true. No lock held.
  bool Evict(int64_t budget_us);
  static constexpr int64_t kCommandEvictBudgetUs = 2'000;
  uint64_t eviction_exceeded_ms() const { return exceeded_ms_.load(std::memory_order_relaxed); }
  // Settings changed: look again soon.
  void Wake();
  // Stops, and goes on with, deleting expired keys and starting snapshots, for Reload. Pause returns when nothing is under way.
  void Pause() CAIRN_EXCLUDES(pause_mutex_);
  void Resume();

 private:
  void ExpiryMain();
  void CareMain();
  // One round over all shards, each for its share.
  void ExpireRound(int64_t now_ms);
  void NoteEarlierTime();
  void SampleMemory();
  void WatchDirectory();
  void ConsiderSavePoints(int64_t now_s);
  void ConsiderLog(int64_t now_s);
  void ConsiderCompaction();
  void RaiseCeiling();
  void NotifyParked();

  StoreCore& core_;
  Checkpointer& checkpointer_;
  DataDirectory* const directory_;
  std::unique_ptr<Evictor> evictor_;

  std::thread expiry_thread_, care_thread_;
  Mutex expiry_mutex_;
  CondVar expiry_changed_;
  bool expiry_wake_ CAIRN_GUARDED_BY(expiry_mutex_) = false;
  Mutex care_mutex_;
  CondVar care_changed_;
  bool care_wake_ CAIRN_GUARDED_BY(care_mutex_) = false;
  std::atomic<bool> stopping_{false};
  Mutex pause_mutex_;  // held during each round of either thread
  std::atomic<bool> paused_{false};
  std::atomic<uint64_t> exceeded_ms_{0};
  int64_t exceeded_since_ms_ = 0;       // care thread only
  int64_t last_compaction_try_ms_ = 0;  // care thread only
};

}  // namespace cairn
