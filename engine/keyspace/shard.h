// One of the 64 parts of the keyspace: its lock and what the lock guards. Internal to engine/keyspace.
//
// Everything but the lock and the atomics is guarded by the lock. The atomics are written by its holder only (plain additions, no
// read-modify-write) and read by anybody. A table may be looked at without the lock, to prefetch, by who is in a ReadSection
// (base/epoch.h): its last holder awaits the readers before it goes.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/random.h"
#include "base/thread_annotations.h"
#include "engine/keyspace/dictionary.h"
#include "engine/keyspace/expiry_index.h"
#include "engine/keyspace/keyspace.h"
#include "engine/keyspace/waiters.h"
#include "engine/keyspace/watch_table.h"

namespace cairn {

// The keys of one shard and database. FLUSHALL and SWAPDB exchange whole tables; a snapshot's cut holds those it began with.
struct Table {
  explicit Table(uint32_t roots) : dictionary(roots) {}
  Dictionary dictionary;
  ExpiryIndex expiry;
  ExpiryIndex
      inner_expiry;  // entries whose values hold deadlines of their own (LargeValue::next_deadline_ms): the earliest of each
  uint64_t entry_bytes = 0;  // of all entries with their values
  uint64_t layout = 0;       // grows with every insertion and removal: pointers to slots are valid while it stays

  uint64_t memory_bytes() const {
    return dictionary.memory_bytes() + expiry.memory_bytes() + inner_expiry.memory_bytes() + entry_bytes;
  }
  int64_t first_deadline_ms() const { return std::min(expiry.first_deadline_ms(), inner_expiry.first_deadline_ms()); }
};

// A number with one writer at a time.
template <typename T>
class Published {
 public:
  T Get() const { return value_.load(std::memory_order_relaxed); }
  // What stays as it is, is not written: the cache line stays shared between the cores that use the shard in turn.
  void Set(T value) {
    if (Get() != value) value_.store(value, std::memory_order_relaxed);
  }
  void Add(T difference) { Set(static_cast<T>(Get() + difference)); }

 private:
  std::atomic<T> value_{0};
};

struct TableCounters {
  Published<uint64_t> keys, expiring, with_expiring_fields, dictionary_bytes;

  void Show(const Table& table) {
    keys.Set(table.dictionary.size());
    expiring.Set(table.expiry.size());
    with_expiring_fields.Set(table.inner_expiry.size());
    dictionary_bytes.Set(table.dictionary.memory_bytes());
  }
  void ShowNone() {
    keys.Set(0);
    expiring.Set(0);
    with_expiring_fields.Set(0);
    dictionary_bytes.Set(0);
  }
};

struct alignas(64) Shard {
  static constexpr uint32_t kNearTables = 16;

  // What every command writes, and the first database's table, are one cache line: a line that was written by another core takes
  // as long to come as everything else that a command does.
  SpinLock lock;  // the first member: Keyspace::LockShard computes its address
  uint32_t index = 0;
  Published<uint64_t> hits, misses, changes, memory_bytes;
  Published<uint64_t> expired_keys, evicted_keys;
  std::atomic<Table*> near_tables[kNearTables] = {};  // the first of `tables`, without the way through two more cache lines
  std::vector<std::shared_ptr<Table>> tables;         // by database; null where it never had a key
  std::vector<TableCounters> counters;                // by database
  WatchTable watches;
  WaiterTable waiters;
  Random random{0};  // for LFU counters
  std::atomic<int64_t> next_expiry_ms{INT64_MAX};
  Published<uint64_t> expired_fields;  // of hashes
  Published<uint64_t> waited_keys, awaited_gone;

  void ShowWaiters() {
    waited_keys.Set(waiters.size());
    awaited_gone.Set(waiters.awaited_gone());
  }

  Table* table(uint32_t database) const {
    return database < kNearTables ? near_tables[database].load(std::memory_order_relaxed) : tables[database].get();
  }
  // Without the lock, within a ReadSection. Databases that are not near are not shown.
  const Table* PeekTable(uint32_t database) const {
    return database < kNearTables ? near_tables[database].load(std::memory_order_acquire) : nullptr;
  }
  // Puts a table, or none, in a database's place and returns what was there.
  std::shared_ptr<Table> ExchangeTable(uint32_t database, std::shared_ptr<Table> table) {
    if (database < kNearTables) near_tables[database].store(table.get(), std::memory_order_release);
    tables[database].swap(table);
    return table;
  }
};
static_assert(sizeof(Shard) <= Keyspace::kShardStrideBytes);
static_assert(offsetof(Shard, near_tables) + sizeof(Table*) == 64);

}  // namespace cairn
