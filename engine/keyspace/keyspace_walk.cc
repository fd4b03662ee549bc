// The keyspace as a whole: SCAN, KEYS, RANDOMKEY, FLUSHALL, SWAPDB and the figures over all shards.
#include <algorithm>

#include "engine/keyspace/keyspace_state.h"

namespace cairn {

namespace {

constexpr size_t kEntriesPerLock = 256;  // gathered before a walk releases the shard's lock
constexpr size_t kStepsPerLock = 1024;   // of which many may find nothing

bool Exists(const Table* table, const KeyRef& key) { return table != nullptr && table->dictionary.Find(key) != nullptr; }

// Tells watchers of one database's keys what became of them when `before` was replaced by `after` (null: nothing).
void TouchReplaced(ChangeScope& scope, Shard& shard, uint32_t database, const Table* before, const Table* after) {
  if (shard.watches.empty()) return;
  shard.watches.DatabaseReplaced(database, [&](std::string_view name) {
    const KeyRef key = KeyRef::Of(name);
    const Entry* entry = after == nullptr ? nullptr : after->dictionary.Find(key);
    return WatchTable::Fate{Exists(before, key), entry != nullptr, entry != nullptr && Keyspace::State::IsExpired(scope, *entry)};
  });
}

// Notes the keys of one database that somebody waits for: they may be there now, or gone.
void SignalReplaced(ChangeScope& scope, const Shard& shard, uint32_t database) {
  shard.waiters.ForEachName([&](std::string_view name, const WaiterTable::Queue&) { scope.Ready(database, name); });
}

}  // namespace

uint64_t Keyspace::Size(uint32_t database) const {
  uint64_t keys = 0;
  for (uint32_t i = 0; i < kShardCount; i++) keys += state_->shard(i).counters[database].keys.Get();
  return keys;
}

uint64_t Keyspace::CountKeys(ChangeScope& scope, uint32_t database) {
  scope.ReadAll();
  uint64_t keys = 0;
  for (uint32_t i = 0; i < kShardCount; i++) {
    Shard& shard = state_->shard(i);
    ScopedShard hold(scope, shard);
    keys += shard.counters[database].keys.Get();
  }
  return keys;
}

uint64_t Keyspace::ExpiringKeys(uint32_t database) const {
  uint64_t keys = 0;
  for (uint32_t i = 0; i < kShardCount; i++) keys += state_->shard(i).counters[database].expiring.Get();
  return keys;
}

uint64_t Keyspace::KeysWithExpiringFields(uint32_t database) const {
  uint64_t keys = 0;
  for (uint32_t i = 0; i < kShardCount; i++) keys += state_->shard(i).counters[database].with_expiring_fields.Get();
  return keys;
}

int64_t Keyspace::AverageTtlMs(uint32_t database, int64_t now_ms) const {
  double sum_ms = 0;
  uint64_t keys = 0;
  for (uint32_t i = 0; i < kShardCount; i++) {
    Shard& shard = state_->shard(i);
    if (shard.counters[database].expiring.Get() == 0) continue;
    SpinLockHolder hold(shard.lock);
    const Table* table = shard.table(database);
    if (table == nullptr || table->expiry.size() == 0) continue;
    sum_ms += (table->expiry.AverageDeadlineMs() - static_cast<double>(now_ms)) * static_cast<double>(table->expiry.size());
    keys += table->expiry.size();
  }
  return keys == 0 ? 0 : std::max<int64_t>(0, static_cast<int64_t>(sum_ms / static_cast<double>(keys)));
}

uint64_t Keyspace::Flush(ChangeScope& scope, int database, bool synchronous) {
  CAIRN_CHECK(scope.locked_shards.all());
  uint64_t dropped = 0;
  for (uint32_t i = 0; i < kShardCount; i++) {
    Shard& shard = state_->shard(i);
    for (uint32_t db = 0; db < databases(); db++) {
      if ((database >= 0 && db != static_cast<uint32_t>(database)) || shard.table(db) == nullptr) continue;
      std::shared_ptr<Table> table = shard.ExchangeTable(db, nullptr);
      dropped += table->dictionary.size();
      state_->Unaccount(shard, db, *table);
      TouchReplaced(scope, shard, db, table.get(), nullptr);
      SignalReplaced(scope, shard, db);
      state_->pending.Add(std::move(table));
    }
    state_->UpdateNextExpiry(shard);
  }
  // What is read again afterwards is no change since it was saved.
  if (!scope.replaying) {
    state_->shard(0).changes.Add(dropped);
    if (database < 0) state_->changes_at_flush.store(stats().changes, std::memory_order_release);
  }
  scope.TouchAll(dropped);
  while (synchronous && state_->pending.FreeFor(1000000)) {
  }
  return dropped;
}

void Keyspace::SwapDatabases(ChangeScope& scope, uint32_t a, uint32_t b) {
  CAIRN_CHECK(scope.locked_shards.all());
  if (a == b) return;
  for (uint32_t i = 0; i < kShardCount; i++) {
    Shard& shard = state_->shard(i);
    shard.ExchangeTable(a, shard.ExchangeTable(b, shard.ExchangeTable(a, nullptr)));
    for (const uint32_t db : {a, b}) {
      const Table* table = shard.table(db);
      if (table != nullptr) {
        shard.counters[db].Show(*table);
      } else {
        shard.counters[db].ShowNone();
      }
      TouchReplaced(scope, shard, db, shard.table(db == a ? b : a), table);
      SignalReplaced(scope, shard, db);
    }
  }
  state_->shard(0).changes.Add(1);
  scope.TouchAll(1);
}

uint64_t Keyspace::Scan(ChangeScope& scope, uint32_t database, uint64_t cursor, uint64_t count,
                        const std::function<void(const Entry&)>& visit) {
  static_assert(HashPosition::kPackedBits + 6 <= 53 && kShardCount == 64);
  scope.ReadAll();
  uint32_t shard_index = static_cast<uint32_t>(cursor >> HashPosition::kPackedBits) % kShardCount;
  HashPosition position = HashPosition::Unpack(cursor & ((uint64_t{1} << HashPosition::kPackedBits) - 1));
  std::vector<Entry*> entries;
  uint64_t seen = 0;
  while (seen < count || count == 0) {
    Shard& shard = state_->shard(shard_index);
    bool more = false;
    {
      ScopedShard hold(scope, shard);
      const Table* table = shard.table(database);
      entries.clear();
      size_t steps = 0;
      do {
        more = table != nullptr && table->dictionary.size() > 0 && table->dictionary.Gather(&position, &entries);
      } while (more && seen + entries.size() < count && entries.size() < kEntriesPerLock && ++steps < kStepsPerLock);
      for (const Entry* entry : entries) {
        if (!State::IsExpired(scope, *entry)) visit(*entry);
      }
    }
    seen += entries.size();
    if (!more) {
      position = HashPosition();
      if (++shard_index == kShardCount) return 0;
    }
    if (count == 0) break;
  }
  return uint64_t{shard_index} << HashPosition::kPackedBits | position.Pack();
}

void Keyspace::ForEach(ChangeScope& scope, uint32_t database, const std::function<void(const Entry&)>& visit) {
  for (uint64_t cursor = Scan(scope, database, 0, kEntriesPerLock, visit); cursor != 0;) {
    cursor = Scan(scope, database, cursor, kEntriesPerLock, visit);
  }
}

bool Keyspace::RandomKey(ChangeScope& scope, uint32_t database, std::string* key) {
  constexpr int kTries = 64;
  scope.ReadAll();
  std::vector<Entry*> entries;
  Random& random = ThreadRandom();
  for (int tries = 0; tries < kTries; tries++) {
    uint64_t keys = Size(database);
    if (keys == 0) keys = CountKeys(scope, database);
    if (keys == 0) return false;
    uint64_t left = random.Uniform(keys);
    uint32_t index = 0;
    for (uint64_t in_shard; index + 1 < kShardCount && left >= (in_shard = state_->shard(index).counters[database].keys.Get());
         index++) {
      left -= in_shard;
    }
    Shard& shard = state_->shard(index);
    ScopedShard hold(scope, shard);
    const Table* table = shard.table(database);
    entries.clear();
    if (table != nullptr) table->dictionary.Sample(random.Next(), kSlotsPerBucket, false, 1, &entries);
    if (entries.empty()) continue;
    const Entry* entry = entries[random.Uniform(entries.size())];
    if (State::IsExpired(scope, *entry)) continue;
    *key = entry->key();
    return true;
  }
  // Very few keys live: take the first.
  bool found = false;
  for (uint64_t cursor = 0; !found;) {
    cursor = Scan(scope, database, cursor, kEntriesPerLock, [&](const Entry& entry) {
      if (!found) *key = entry.key();
      found = true;
    });
    if (cursor == 0) break;
  }
  return found;
}

uint64_t Keyspace::memory_bytes() const {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < kShardCount; i++) bytes += state_->shard(i).memory_bytes.Get();
  return bytes;
}

uint64_t Keyspace::dictionary_bytes(uint32_t database) const {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < kShardCount; i++) bytes += state_->shard(i).counters[database].dictionary_bytes.Get();
  return bytes;
}

uint64_t Keyspace::entry_count_all() const {
  uint64_t keys = 0;
  for (uint32_t db = 0; db < databases(); db++) keys += Size(db);
  return keys;
}

Keyspace::WaitedKeys Keyspace::waited_keys() const {
  WaitedKeys waited;
  for (uint32_t i = 0; i < kShardCount; i++) {
    waited.keys += state_->shard(i).waited_keys.Get();
    waited.on_gone += state_->shard(i).awaited_gone.Get();
  }
  return waited;
}

KeyspaceStats Keyspace::stats() const {
  KeyspaceStats stats;
  // First: it is a number of changes of its time, and they only grow.
  stats.changes_at_flush = state_->changes_at_flush.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < kShardCount; i++) {
    const Shard& shard = state_->shard(i);
    stats.hits += shard.hits.Get();
    stats.misses += shard.misses.Get();
    stats.expired_keys += shard.expired_keys.Get();
    stats.expired_fields += shard.expired_fields.Get();
    stats.evicted_keys += shard.evicted_keys.Get();
    stats.changes += shard.changes.Get();
  }
  return stats;
}

void Keyspace::ResetStats() {
  for (uint32_t i = 0; i < kShardCount; i++) {
    Shard& shard = state_->shard(i);
    SpinLockHolder hold(shard.lock);
    shard.hits.Set(0);
    shard.misses.Set(0);
    shard.expired_keys.Set(0);
    shard.expired_fields.Set(0);
    shard.evicted_keys.Set(0);
  }
  state_->pending.ResetFreed();
}

}  // namespace cairn
