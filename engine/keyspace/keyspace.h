// The keyspace: 64 shards, each with a lock, one dictionary and expiry index per database, watch table and counters.
//
// Lock protocol
//  1. A command takes the locks of all shards its keys live in, in index order (LockShards), before it looks at any of them.
//  2. Functions that take a ChangeScope require the key's shard to be in scope.locked_shards and held; they assert it.
//  3. Under a shard's lock nothing blocks: no I/O, no waiting for the log, no other lock but leaf locks (log buffer, event hub).
//  4. Background work (expiry, eviction, frees, snapshots) takes one shard at a time, for microseconds.
// Invariants: an entry is in exactly one dictionary; in the expiry index of its database if and only if it has an expiry; memory
// counters equal the sum of AllocationSize over what the shard owns; an entry that was there when a snapshot began is handed to it
// before it changes (snapshot_cut.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "base/thread_annotations.h"
#include "engine/client.h"
#include "engine/keyspace/change_scope.h"
#include "engine/keyspace/entry.h"
#include "engine/keyspace/key_ref.h"
#include "engine/values/string_value.h"

namespace cairn {

class SnapshotCut;
struct ValueLimits;
struct LoadedValue;
struct Shard;
struct Waiter;
enum class EvictionPolicy : uint8_t;  // engine/store_options.h

struct KeyspaceOptions {
  uint32_t databases = 16;
};

// What decides which keys are evicted, and therefore what the entries' access fields mean (access_field.h, eviction.h).
struct EvictionSettings {
  EvictionPolicy policy{};  // kNoEviction
  int samples = 5;
  int lfu_log_factor = 10;
  int lfu_decay_minutes = 1;
  bool limited = false;  // maxmemory is set: the policy may come to be used
};

// A string key as a snapshot or an import holds it.
struct LoadedString {
  StringSource value;  // is_int: not used
  bool is_int = false;
  int64_t number = 0;
  int64_t expiry_ms = -1;   // < 0: none
  bool has_access = false;  // otherwise the key counts as used just now
  uint32_t access = 0;
};

// What belongs to a loaded key besides its value; as in LoadedString.
struct LoadedAttributes {
  int64_t expiry_ms = -1;
  bool has_access = false;
  uint32_t access = 0;
};

// Counters summed over the shards when read; each is exact once its writer is done.
struct KeyspaceStats {
  uint64_t hits = 0, misses = 0, expired_keys = 0, expired_fields = 0, evicted_keys = 0, changes = 0;
  uint64_t changes_at_flush = 0;  // when all databases were last emptied: nothing is left of what was changed before
};

class Keyspace {
 public:
  explicit Keyspace(KeyspaceOptions options);
  ~Keyspace();

  uint32_t databases() const;
  ValueLimits& limits();  // any thread

  // --- locks -----------------------------------------------------------------------------------------------------------
  // Takes / releases the locks of the set in index order. Not recursive.
  void LockShards(const ShardSet& shards);
  void UnlockShards(const ShardSet& shards);
  void LockShard(uint32_t shard) CAIRN_NO_THREAD_SAFETY_ANALYSIS { LockOf(shard).Lock(); }
  void UnlockShard(uint32_t shard) CAIRN_NO_THREAD_SAFETY_ANALYSIS { LockOf(shard).Unlock(); }
  // The shard will be locked soon.
  void PrefetchShard(uint32_t shard) const { PrefetchForWrite(shards_ + shard * kShardStrideBytes); }
  // Overlaps the cache misses of a batch: touches the buckets, then the entries, of keys about to be used. Takes no lock. Does nothing
  // for databases from the 17th on.
  void Prefetch(std::span<const KeyRef> keys, uint32_t database);

  // --- one key (its shard locked) --------------------------------------------------------------------------------------
  enum class Access : uint8_t {
    kRead,   // counts a hit or a miss, updates LRU/LFU, an absent key is a keymiss event
    kWrite,  // updates LRU/LFU
    kLook,   // counts like kRead but leaves LRU/LFU alone (EXISTS, TYPE, TTL; every read after CLIENT NO-TOUCH)
    kPeek,   // changes and counts nothing (OBJECT, DEBUG, DEL's check)
  };
  // The key's entry, or nullptr. A key past its expiry is not found: it is deleted, recorded as DEL and its event sent first
  // (hidden where the scope may not delete). The reply is made to wait for the key's stripe.
  Entry* Find(ChangeScope& scope, uint32_t database, const KeyRef& key, Access access);

  struct SetOptions {
    bool keep_expiry = false;  // otherwise an expiry is removed
    int64_t expiry_ms = -1;    // >= 0: the new expiry
    bool raw = false;          // never int- or embstr-encode (results of APPEND, SETRANGE...)
    bool text = false;         // never int-encode (results of INCRBYFLOAT)
  };
  // Stores a string under the key, replacing a value of any type; the returned entry is the key's. Records nothing, sends no
  // event (the handler does), touches the key.
  Entry* SetString(ChangeScope& scope, uint32_t database, const KeyRef& key, StringSource value, const SetOptions& options);
  // Appends to a string, or writes into it at an offset (a gap is filled with zeros); creates an absent key. The entry, if any,
  // is of type string. Amortised O(bytes written), and O(16 KiB) of copying where a snapshot or reply still holds the old bytes.
  Entry* AppendString(ChangeScope& scope, uint32_t database, const KeyRef& key, std::string_view bytes);
  Entry* OverwriteString(ChangeScope& scope, uint32_t database, const KeyRef& key, uint64_t offset, std::string_view bytes);
  // Removes the key; false if absent. Large values are freed in the background.
  bool Delete(ChangeScope& scope, uint32_t database, const KeyRef& key);
  // Sets (>= 0) or removes (-1) the expiry of an existing key; returns its entry, which may have moved.
  Entry* SetExpiry(ChangeScope& scope, uint32_t database, const KeyRef& key, int64_t expiry_ms);
  // Copies the value (sharing large ones) with its expiry to a key that is absent. Both shards locked.
  Entry* CopyEntry(ChangeScope& scope, const Entry& from, uint32_t to_database, const KeyRef& to);

  // --- loading (the shard locked, or nobody else there) ------------------------------------------------------------------
  // Makes room for `keys` keys in an empty table, so that loading them moves nothing.
  void Reserve(uint32_t shard, uint32_t database, uint64_t keys);
  // Stores a key, recording nothing and touching nobody. `unique`: the caller knows that the key is absent, and it is not looked
  // up; otherwise it replaces what is there.
  void LoadEntry(uint32_t database, const KeyRef& key, const LoadedString& loaded, int64_t now_ms, bool unique);

  void LoadCollection(uint32_t database, const KeyRef& key, LoadedValue value, const LoadedAttributes& attributes, int64_t now_ms,
                      bool unique);

  // --- watch (the key's shard locked) ----------------------------------------------------------------------------------
  void Watch(const std::shared_ptr<WatchState>& watch, uint32_t database, const KeyRef& key, int64_t now_ms);
  void Unwatch(const std::shared_ptr<WatchState>& watch, uint32_t database, const KeyRef& key);
  // Watch adds to watch->keys, Unwatch leaves them alone: the caller clears them when it has unwatched all.
  // Whether EXEC must fail: a watched key was changed, or has expired since it was watched.
  bool WatchBroken(ChangeScope& scope, const WatchState& watch);

  // --- waiting for keys (waiters.h) ---------------------------------------------------------------------------------------
  // Whether anybody waits for any key: under a key's shard lock, false says that nobody waits for that key. One relaxed load.
  bool anybody_waits() const { return waiters_.load(std::memory_order_relaxed) != 0; }
  uint64_t waiter_count() const { return waiters_.load(std::memory_order_relaxed); }
  struct WaitedKeys {
    uint64_t keys = 0;     // names that somebody waits for
    uint64_t on_gone = 0;  // of them, those of which somebody wants to hear that the key is gone
  };
  WaitedKeys waited_keys() const;  // any thread, no lock
  // Registers a waiter under its keys, or forgets it; the shards in waiter.needs locked. Whoever forgets it decides its fate: true once
  // only.
  void AddWaiter(const std::shared_ptr<Waiter>& waiter);
  bool RemoveWaiter(Waiter& waiter);
  // Notes for the scope's owner that a key may have what somebody waits for. What touches a key does so by itself.
  void SignalReady(ChangeScope& scope, uint32_t database, const KeyRef& key);

  // --- whole keyspace --------------------------------------------------------------------------------------------------
  uint64_t Size(uint32_t database) const;  // any thread, no lock: exact when no write is under way
  // The same for who answers a client: it waits for the shards' holders, so that what is counted has been logged. Reads the whole keyspace.
  uint64_t CountKeys(ChangeScope& scope, uint32_t database);
  uint64_t ExpiringKeys(uint32_t database) const;                 // likewise
  uint64_t KeysWithExpiringFields(uint32_t database) const;       // likewise: hashes of which a field has an expiry
  int64_t AverageTtlMs(uint32_t database, int64_t now_ms) const;  // an estimate for INFO; takes shard locks one by one
  // All shards locked: drops every key of one database (all: -1) by swapping in empty dictionaries; the old ones are freed in the
  // background (`synchronous`: before returning). Touches watchers. Returns how many keys there were.
  uint64_t Flush(ChangeScope& scope, int database, bool synchronous);
  void SwapDatabases(ChangeScope& scope, uint32_t a, uint32_t b);  // all shards locked
  // One step of SCAN: visits whole buckets until at least `count` entries were seen; returns the next cursor, 0 at the end. A key
  // that is there from the first to the last call is visited at least once, whatever grows meanwhile. Takes its own locks, one
  // shard at a time, and calls `visit` under them; cursors are below 2^53. The reply is made to wait for the newest LSN. With
  // shards already locked pass their scope (MULTI): no lock is taken.
  uint64_t Scan(ChangeScope& scope, uint32_t database, uint64_t cursor, uint64_t count,
                const std::function<void(const Entry&)>& visit);
  // Every live key, each once; same locking as Scan, the lock held for some hundred keys at a time.
  void ForEach(ChangeScope& scope, uint32_t database, const std::function<void(const Entry&)>& visit);
  // A random live key's name, or false where the database is empty. Same locking as Scan.
  bool RandomKey(ChangeScope& scope, uint32_t database, std::string* key);

  // --- background ------------------------------------------------------------------------------------------------------
  // Unix ms of the earliest expiry in any shard, INT64_MAX where none; any thread, no lock; may be early, never late.
  int64_t NextExpiryMs() const;
  // Called (from any thread, under a shard's lock: must only signal) when NextExpiryMs() moved to an earlier time.
  void SetEarlierExpiryCallback(std::function<void(int64_t expiry_ms)> callback);
  // With the shard locked by the caller: deletes up to `limit` keys and fields of hashes whose time has come; records a DEL or HDEL,
  // touches and sends "expired" or "hexpired" for each key. Returns how many steps that took, with those for expiries that turned out to
  // have been moved on, and one for a whole hash; fewer than `limit` means none is due.
  size_t ExpireDue(ChangeScope& scope, uint32_t shard, size_t limit);
  // Frees what was taken out of a value: in the background where it is large. A leaf operation: any lock may be held.
  void FreeLater(std::unique_ptr<LargeValue> value);
  // Frees for at most `budget_us` what was handed to the background; true while more is left. Any one thread, no lock needed.
  bool FreePending(int64_t budget_us);
  uint64_t lazy_freed_objects() const;
  uint64_t pending_free_objects() const;

  // --- eviction and snapshots ------------------------------------------------------------------------------------------
  void ConfigureEviction(const EvictionSettings& settings);  // any thread
  EvictionSettings eviction_settings() const;
  // A cut that has not begun. Without locks: what it allocates may take milliseconds.
  std::shared_ptr<SnapshotCut> MakeCut();
  // With all shards locked: from now on every entry is handed to the cut before it changes (snapshot_cut.h). One cut at a time.
  void BeginCut(SnapshotCut& cut);
  // Lets go of what the cut holds, finished or not; takes the shards' locks one by one. Every cut must be ended.
  void EndCut(SnapshotCut& cut);

  // --- memory and counters ---------------------------------------------------------------------------------------------
  // Bytes of entries, values, dictionaries and indexes by our own exact accounting; any thread. Not what only snapshots, replies
  // or pending frees hold.
  uint64_t memory_bytes() const;
  uint64_t dictionary_bytes(uint32_t database) const;  // buckets and directories of one database
  uint64_t entry_count_all() const;
  KeyspaceStats stats() const;
  void ResetStats();
  Shard& shard(uint32_t index);

  static constexpr size_t kShardStrideBytes = 512;
  struct State;

 private:
  friend class Evictor;
  friend class ValueEdit;
  // The lock is the first member of a shard; shards lie one stride apart.
  SpinLock& LockOf(uint32_t shard) { return *reinterpret_cast<SpinLock*>(shards_ + shard * kShardStrideBytes); }

  std::unique_ptr<State> state_;
  std::atomic<uint64_t> waiters_{0};
  char* shards_ = nullptr;
};

}  // namespace cairn
