// What was taken out of the keyspace but takes long to free: large values and whole tables, freed in small steps by the
// background.
//
// Adding is a leaf operation: shard locks may be held. FreeFor may be called by any thread; one frees at a time.
// A table that a snapshot still holds is let go; the snapshot adds it again when it is done. All references to tables are dropped
// through here, so that exactly one holder is the last.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>

#include "base/thread_annotations.h"

namespace cairn {

class LargeValue;
class Rope;
struct Table;

class PendingFrees {
 public:
  PendingFrees();
  ~PendingFrees();  // frees everything
  void Add(Rope* rope);
  void Add(LargeValue* large);
  void Add(std::shared_ptr<Table> table);
  // Frees for about `budget_us`, at least one step; true while more is left.
  bool FreeFor(int64_t budget_us) CAIRN_EXCLUDES(freeing_);
  // Keys and values that wait, and how many were freed since the start (or ResetFreed).
  uint64_t pending_objects() const { return pending_.load(std::memory_order_relaxed); }
  uint64_t freed_objects() const { return freed_.load(std::memory_order_relaxed); }
  void ResetFreed() { freed_.store(0, std::memory_order_relaxed); }

 private:
  // Takes the next thing to free into rope_, large_ or table_; false where there is none.
  bool TakeNext() CAIRN_REQUIRES(freeing_) CAIRN_EXCLUDES(lock_);

  Mutex freeing_;  // taken before lock_
  SpinLock lock_;
  std::deque<Rope*> ropes_ CAIRN_GUARDED_BY(lock_);
  std::deque<LargeValue*> larges_ CAIRN_GUARDED_BY(lock_);
  std::deque<std::shared_ptr<Table>> tables_ CAIRN_GUARDED_BY(lock_);
  // Being freed.
  std::unique_ptr<Rope> rope_ CAIRN_GUARDED_BY(freeing_);
  std::unique_ptr<LargeValue> large_ CAIRN_GUARDED_BY(freeing_);
  std::shared_ptr<Table> table_ CAIRN_GUARDED_BY(freeing_);
  std::atomic<uint64_t> pending_{0};
  std::atomic<uint64_t> freed_{0};
};

}  // namespace cairn
