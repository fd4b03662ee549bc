// What the parts of Keyspace share: the shards and the steps that every change is made of. Internal to engine/keyspace.
//
// Each change goes through a TableChange object, which publishes counters, memory and the earliest expiry when it ends. Functions
// that take a Shard require its lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/status.h"
#include "engine/keyspace/access_field.h"
#include "engine/keyspace/entry_codec.h"
#include "engine/keyspace/keyspace.h"
#include "engine/keyspace/pending_frees.h"
#include "engine/keyspace/shard.h"
#include "engine/values/large_value.h"
#include "engine/values/value_limits.h"

namespace cairn {

struct Keyspace::State {
  explicit State(KeyspaceOptions keyspace_options);

  const KeyspaceOptions options;
  std::unique_ptr<char[], void (*)(char*)> memory;  // the shards', aligned
  PendingFrees pending;
  std::function<void(int64_t)> earlier_expiry;
  // What NextExpiryMs last said; see AnnounceExpiry.
  std::atomic<int64_t> announced_expiry_ms{INT64_MAX};
  std::atomic<EvictionPolicy> policy{};
  std::atomic<int> samples{5};
  std::atomic<bool> lfu{false};
  std::atomic<int> lfu_log_factor{10};
  std::atomic<int> lfu_decay_minutes{1};
  std::atomic<bool> memory_limited{false};
  std::atomic<uint32_t> epoch{0};
  std::atomic<bool> cut_active{false};
  std::atomic<uint64_t> changes_at_flush{0};  // see KeyspaceStats
  ValueLimits limits;

  Shard& shard(uint32_t index) { return *reinterpret_cast<Shard*>(memory.get() + index * kShardStrideBytes); }
  const Shard& shard(uint32_t index) const { return *reinterpret_cast<const Shard*>(memory.get() + index * kShardStrideBytes); }
  Shard& LockedShard(const ChangeScope& scope, const KeyRef& key) {
    CAIRN_CHECK(scope.locked_shards[key.shard()]);
    return shard(key.shard());
  }
  // The database's table, made where there is none yet.
  Table& MakeTable(Shard& shard, uint32_t database) {
    Table* table = shard.table(database);
    return table != nullptr ? *table : NewTable(shard, database);
  }
  Table& NewTable(Shard& shard, uint32_t database);
  AccessPolicy access_policy() const {
    return {lfu.load(std::memory_order_relaxed), lfu_log_factor.load(std::memory_order_relaxed),
            lfu_decay_minutes.load(std::memory_order_relaxed)};
  }
  static bool IsExpired(const ChangeScope& scope, const Entry& entry) {
    return entry.has_expiry() && !scope.replaying && entry.expiry_ms() <= scope.now_ms;
  }

  // Whether a hash has fields whose time has come.
  static bool HasDueFields(const ChangeScope& scope, const Entry& entry) {
    return entry.encoding() == Encoding::kLarge && entry.type() == ValueType::kHash && !scope.replaying &&
           entry.large().next_deadline_ms() <= scope.now_ms;
  }
  // Removes up to `limit` of them, the earliest first, with record and event, and the key with its last field; how many steps of
  // work that was. `*slot` becomes nullptr where the key is gone. `key.name` may lie in the entry.
  size_t ExpireFields(ChangeScope& scope, Shard& shard, Table& table, uint32_t database, const KeyRef& key, uint64_t** slot,
                      size_t limit);
  // Deletes a hash of which every field is due, in one step, with record, events and count. `key.name` may lie in the entry.
  void DeleteExpiredHash(ChangeScope& scope, Shard& shard, Table& table, uint32_t database, const KeyRef& key, uint64_t* slot);
  // The slot, or nullptr where all that is left of the hash are such fields; before, up to `limit` are removed if the scope may.
  uint64_t* SlotWithoutDueFields(ChangeScope& scope, Shard& shard, Table& table, uint32_t database, const KeyRef& key,
                                 uint64_t* slot, size_t limit);

  // The key's slot for a change, or nullptr. A key whose time has come is deleted first, as Find does.
  uint64_t* SlotForChange(ChangeScope& scope, Shard& shard, Table& table, uint32_t database, const KeyRef& key);
  // Deletes a key whose time has come, with record, event and count. `key.name` may lie in the entry.
  void DeleteExpired(ChangeScope& scope, Shard& shard, Table& table, uint32_t database, const KeyRef& key, uint64_t* slot);
  void RemoveEntry(Table& table, const KeyRef& key, uint64_t* slot);
  void InsertEntry(Table& table, const KeyRef& key, Entry* entry);
  // Puts `entry` in the place of the slot's entry, whose shell is freed; an old rope or large value stays the caller's.
  void ReplaceEntry(Table& table, const KeyRef& key, uint64_t* slot, Entry* entry);
  // Gives an entry that has an expiry another one.
  static void MoveExpiry(Table& table, Entry* entry, int64_t expiry_ms);
  static void DropFromExpiry(Table& table, const Entry* entry);
  // Moves the first item of the expiry index, which is not empty, to where its entry's expiry is; false when it is there.
  static bool SettleFirstExpiry(Table& table);
  // Puts a string in the place of a value of another type.
  Entry* ReplaceValue(Table& table, const KeyRef& key, uint64_t* slot, int64_t expiry_ms, const StringSource& value,
                      const EntryCodec::ValueShape& shape);
  // Writes bytes into a string, growing it; offset + bytes.size() is within Redis's limit. Returns the slot's entry, which may be
  // new.
  Entry* WriteInto(Table& table, const KeyRef& key, uint64_t* slot, uint64_t offset, std::string_view bytes);
  static uint64_t StringSize(const Entry& entry);
  // A deadline inside an entry's value, into and out of the index of those; nothing where it has none.
  static void AddInnerDeadline(Table& table, const Entry* entry);
  static void DropInnerDeadline(Table& table, const Entry* entry);
  // What an entry owned besides its own allocation: freed at once where that is little, otherwise in the background.
  void FreeRope(Rope* rope);
  void FreeLarge(LargeValue* large);
  // The key changed, or is gone: for its stripe, the counters, those who wait for it, and its watchers.
  void Touched(ChangeScope& scope, Shard& shard, uint32_t database, const KeyRef& key, bool gone);
  // The same but for its watchers: it changed in a way that breaks no WATCH.
  static void TouchedUnwatched(ChangeScope& scope, Shard& shard, uint32_t database, const KeyRef& key);
  void MarkAccess(Shard& shard, Entry* entry, int64_t now_ms) {
    const uint32_t access = lfu.load(std::memory_order_relaxed)
                                ? AccessedNow(entry->access(), now_ms, access_policy(), shard.random)
                                : LruClock(now_ms);
    if (access != entry->access()) entry->set_access(access);
  }
  // Drops what a pinned or flushed table counted for.
  void Unaccount(Shard& shard, uint32_t database, const Table& table);
  void UpdateNextExpiry(Shard& shard);
  void AnnounceExpiry(int64_t expiry_ms);
};

// One change of a table: publishes what became of it when it goes out of scope, before the shard's lock is released.
class TableChange {
 public:
  TableChange(Keyspace::State& state, Shard& shard, Table& table, uint32_t database)
      : state_(state),
        shard_(shard),
        table_(table),
        database_(database),
        memory_before_(table.memory_bytes()),
        first_before_(table.first_deadline_ms()) {}
  ~TableChange() {
    shard_.memory_bytes.Add(table_.memory_bytes() - memory_before_);
    shard_.counters[database_].Show(table_);
    if (table_.first_deadline_ms() != first_before_) [[unlikely]]
      state_.UpdateNextExpiry(shard_);
  }
  TableChange(const TableChange&) = delete;
  TableChange& operator=(const TableChange&) = delete;

 private:
  Keyspace::State& state_;
  Shard& shard_;
  Table& table_;
  const uint32_t database_;
  const uint64_t memory_before_;
  const int64_t first_before_;
};

// Holds a shard's lock unless the scope says that its owner holds it already.
class ScopedShard {
 public:
  ScopedShard(const ChangeScope& scope, Shard& shard) CAIRN_NO_THREAD_SAFETY_ANALYSIS
      : lock_(scope.locked_shards[shard.index] ? nullptr : &shard.lock) {
    if (lock_ != nullptr) lock_->Lock();
  }
  ~ScopedShard() CAIRN_NO_THREAD_SAFETY_ANALYSIS {
    if (lock_ != nullptr) lock_->Unlock();
  }
  ScopedShard(const ScopedShard&) = delete;
  ScopedShard& operator=(const ScopedShard&) = delete;

 private:
  SpinLock* lock_;
};

}  // namespace cairn
