#include "engine/keyspace/keyspace.h"

#include <bit>

#include "base/epoch.h"
#include "base/status.h"
#include "engine/codec/loaded_value.h"
#include "engine/keyspace/keyspace_state.h"
#include "engine/store_options.h"
#include "engine/values/large_value.h"
#include "engine/values/rope.h"

namespace cairn {

Keyspace::Keyspace(KeyspaceOptions options) : state_(std::make_unique<State>(options)), shards_(state_->memory.get()) {}

Keyspace::~Keyspace() = default;

uint32_t Keyspace::databases() const { return state_->options.databases; }

Shard& Keyspace::shard(uint32_t index) { return state_->shard(index); }

// In index order from a set: more than the analysis can follow.
void Keyspace::LockShards(const ShardSet& shards) CAIRN_NO_THREAD_SAFETY_ANALYSIS {
  for (uint64_t left = shards.to_ullong(); left != 0; left &= left - 1)
    LockOf(static_cast<uint32_t>(std::countr_zero(left))).Lock();
}

void Keyspace::UnlockShards(const ShardSet& shards) CAIRN_NO_THREAD_SAFETY_ANALYSIS {
  for (uint64_t left = shards.to_ullong(); left != 0; left &= left - 1)
    LockOf(static_cast<uint32_t>(std::countr_zero(left))).Unlock();
}

// Without the shards' locks: what takes them three times for a command makes their lines travel between the cores three times.
void Keyspace::Prefetch(std::span<const KeyRef> keys, uint32_t database) {
  for (const KeyRef& key : keys) PrefetchShard(key.shard());
  const ReadSection section;
  if (!section.entered()) return;
  // Keys that come again behind themselves are asked for once.
  const auto for_each_table = [&](auto&& prefetch) {
    const KeyRef* before = nullptr;
    for (const KeyRef& key : keys) {
      if (before != nullptr && before->hash == key.hash) continue;
      before = &key;
      if (const Table* table = state_->shard(key.shard()).PeekTable(database)) prefetch(table->dictionary, key.hash);
    }
  };
  for_each_table([](const Dictionary& dictionary, uint64_t hash) { dictionary.PrefetchBucket(hash); });
  for_each_table([](const Dictionary& dictionary, uint64_t hash) { dictionary.PrefetchEntry(hash); });
}

Entry* Keyspace::Find(ChangeScope& scope, uint32_t database, const KeyRef& key, Access access) {
  Shard& shard = state_->LockedShard(scope, key);
  scope.Read(key);
  Table* table = shard.table(database);
  uint64_t* slot = table == nullptr ? nullptr : table->dictionary.FindSlot(key);
  if (slot != nullptr && State::IsExpired(scope, *SlotEntry(*slot))) [[unlikely]] {
    if (scope.deletes_expired) {
      TableChange change(*state_, shard, *table, database);
      state_->DeleteExpired(scope, shard, *table, database, key, slot);
    }
    slot = nullptr;
  }
  if (slot != nullptr && State::HasDueFields(scope, *SlotEntry(*slot))) [[unlikely]] {
    // A reader does not pay for all that came due at once; what it leaves it does not see.
    constexpr size_t kFieldsPerRead = 100;
    TableChange change(*state_, shard, *table, database);
    slot = state_->SlotWithoutDueFields(scope, shard, *table, database, key, slot, kFieldsPerRead);
  }
  if (slot == nullptr) {
    if (access == Access::kRead || access == Access::kLook) {
      shard.misses.Add(1);
      scope.Event(kEventKeyMiss, "keymiss", database, key.name);
    }
    return nullptr;
  }
  Entry* entry = SlotEntry(*slot);
  if (access == Access::kRead || access == Access::kWrite) state_->MarkAccess(shard, entry, scope.now_ms);
  if (access == Access::kRead || access == Access::kLook) shard.hits.Add(1);
  return entry;
}

bool Keyspace::Delete(ChangeScope& scope, uint32_t database, const KeyRef& key) {
  Shard& shard = state_->LockedShard(scope, key);
  scope.Read(key);
  Table* table = shard.table(database);
  if (table == nullptr) return false;
  TableChange change(*state_, shard, *table, database);
  uint64_t* slot = state_->SlotForChange(scope, shard, *table, database, key);
  if (slot == nullptr) return false;
  state_->Touched(scope, shard, database, key, true);
  state_->RemoveEntry(*table, key, slot);
  return true;
}

Entry* Keyspace::SetExpiry(ChangeScope& scope, uint32_t database, const KeyRef& key, int64_t expiry_ms) {
  Shard& shard = state_->LockedShard(scope, key);
  Table* table = shard.table(database);
  if (table == nullptr) return nullptr;
  TableChange change(*state_, shard, *table, database);
  uint64_t* slot = state_->SlotForChange(scope, shard, *table, database, key);
  if (slot == nullptr) return nullptr;
  state_->Touched(scope, shard, database, key, false);
  Entry* entry = SlotEntry(*slot);
  if (entry->has_expiry() == (expiry_ms >= 0)) {
    if (expiry_ms < 0 || entry->expiry_ms() == expiry_ms) return entry;
    table->dictionary.BeforeChange(key, slot);
    State::MoveExpiry(*table, entry, expiry_ms);
    return entry;
  }
  // The expiry's eight bytes come or go: the same entry in another allocation.
  const EntryCodec::ValueShape shape = EntryCodec::ShapeIn(*entry);
  Entry* moved = EntryCodec::New(entry->key(), entry->type(), shape, expiry_ms, entry->access());
  std::memcpy(EntryCodec::MutablePayload(moved), EntryCodec::MutablePayload(entry), EntryCodec::PayloadBytes(shape));
  state_->ReplaceEntry(*table, key, slot, moved);
  return moved;
}

Entry* Keyspace::CopyEntry(ChangeScope& scope, const Entry& from, uint32_t to_database, const KeyRef& to) {
  Shard& shard = state_->LockedShard(scope, to);
  const EntryCodec::ValueShape shape = EntryCodec::ShapeIn(from);
  Entry* copy = EntryCodec::New(to.name, from.type(), shape, from.has_expiry() ? from.expiry_ms() : -1, from.access());
  if (from.encoding() == Encoding::kRope) {
    EntryCodec::SetRope(copy, std::make_unique<Rope>(from.rope()));
  } else if (from.encoding() == Encoding::kLarge) {
    EntryCodec::SetLarge(copy, from.large().Share());
  } else {
    std::memcpy(EntryCodec::MutablePayload(copy), EntryCodec::MutablePayload(const_cast<Entry*>(&from)),
                EntryCodec::PayloadBytes(shape));
  }
  Table& table = state_->MakeTable(shard, to_database);
  TableChange change(*state_, shard, table, to_database);
  CAIRN_CHECK(table.dictionary.FindSlot(to) == nullptr);
  state_->InsertEntry(table, to, copy);
  state_->Touched(scope, shard, to_database, to, false);
  return copy;
}

void Keyspace::Reserve(uint32_t shard_index, uint32_t database, uint64_t keys) {
  Shard& shard = state_->shard(shard_index);
  Table& table = state_->MakeTable(shard, database);
  TableChange change(*state_, shard, table, database);
  table.dictionary.Reserve(keys);
}

void Keyspace::LoadEntry(uint32_t database, const KeyRef& key, const LoadedString& loaded, int64_t now_ms, bool unique) {
  Shard& shard = state_->shard(key.shard());
  Table& table = state_->MakeTable(shard, database);
  TableChange change(*state_, shard, table, database);
  const EntryCodec::ValueShape shape =
      loaded.is_int ? EntryCodec::IntShape(loaded.number) : EntryCodec::ShapeOf(loaded.value.bytes, false);
  const uint32_t access = loaded.has_access ? loaded.access : InitialAccess(now_ms, state_->access_policy());
  Entry* entry = EntryCodec::New(key.name, ValueType::kString, shape, loaded.expiry_ms, access);
  EntryCodec::WriteValue(entry, loaded.value);
  if (!unique) {
    if (uint64_t* slot = table.dictionary.FindSlot(key)) state_->RemoveEntry(table, key, slot);
  }
  state_->InsertEntry(table, key, entry);
}

void Keyspace::LoadCollection(uint32_t database, const KeyRef& key, LoadedValue value, const LoadedAttributes& attributes,
                              int64_t now_ms, bool unique) {
  Shard& shard = state_->shard(key.shard());
  Table& table = state_->MakeTable(shard, database);
  TableChange change(*state_, shard, table, database);
  const EntryCodec::ValueShape shape{value.encoding, static_cast<uint32_t>(value.packed.size()), 0};
  const uint32_t access = attributes.has_access ? attributes.access : InitialAccess(now_ms, state_->access_policy());
  Entry* entry = EntryCodec::New(key.name, value.type, shape, attributes.expiry_ms, access);
  if (value.encoding == Encoding::kLarge) {
    EntryCodec::SetLarge(entry, std::move(value.large));
  } else {
    std::memcpy(EntryCodec::MutablePayload(entry), value.packed.data(), value.packed.size());
  }
  if (!unique) {
    if (uint64_t* slot = table.dictionary.FindSlot(key)) state_->RemoveEntry(table, key, slot);
  }
  state_->InsertEntry(table, key, entry);
}

ValueLimits& Keyspace::limits() { return state_->limits; }

void Keyspace::Watch(const std::shared_ptr<WatchState>& watch, uint32_t database, const KeyRef& key, int64_t now_ms) {
  Shard& shard = state_->shard(key.shard());
  const Table* table = shard.table(database);
  const Entry* entry = table == nullptr ? nullptr : table->dictionary.Find(key);
  const bool expired = entry != nullptr && entry->has_expiry() && entry->expiry_ms() <= now_ms;
  const uint64_t before = shard.watches.memory_bytes();
  if (shard.watches.Add(watch, database, key.name, expired)) watch->keys.push_back({database, std::string(key.name)});
  shard.memory_bytes.Add(shard.watches.memory_bytes() - before);
}

void Keyspace::Unwatch(const std::shared_ptr<WatchState>& watch, uint32_t database, const KeyRef& key) {
  Shard& shard = state_->shard(key.shard());
  const uint64_t before = shard.watches.memory_bytes();
  shard.watches.Remove(watch.get(), database, key.name);
  shard.memory_bytes.Add(shard.watches.memory_bytes() - before);
}

bool Keyspace::WatchBroken(ChangeScope& scope, const WatchState& watch) {
  bool broken = watch.dirty.load(std::memory_order_relaxed);
  for (const WatchState::Key& watched : watch.keys) {
    const KeyRef key = KeyRef::Of(watched.name);
    scope.Read(key);
    const Shard& shard = state_->LockedShard(scope, key);
    const Table* table = shard.table(watched.database);
    const Entry* entry = table == nullptr ? nullptr : table->dictionary.Find(key);
    if (entry == nullptr || !State::IsExpired(scope, *entry)) continue;
    broken = broken || !shard.watches.ExpiredWhenWatched(&watch, watched.database, watched.name);
  }
  return broken;
}

void Keyspace::ConfigureEviction(const EvictionSettings& settings) {
  state_->policy.store(settings.policy, std::memory_order_relaxed);
  state_->samples.store(settings.samples, std::memory_order_relaxed);
  state_->lfu_log_factor.store(settings.lfu_log_factor, std::memory_order_relaxed);
  state_->lfu_decay_minutes.store(settings.lfu_decay_minutes, std::memory_order_relaxed);
  state_->memory_limited.store(settings.limited, std::memory_order_relaxed);
  state_->lfu.store(settings.policy == EvictionPolicy::kAllKeysLfu || settings.policy == EvictionPolicy::kVolatileLfu,
                    std::memory_order_relaxed);
}

EvictionSettings Keyspace::eviction_settings() const {
  return {state_->policy.load(std::memory_order_relaxed), state_->samples.load(std::memory_order_relaxed),
          state_->lfu_log_factor.load(std::memory_order_relaxed), state_->lfu_decay_minutes.load(std::memory_order_relaxed),
          state_->memory_limited.load(std::memory_order_relaxed)};
}

}  // namespace cairn
