#include "engine/keyspace/keyspace_state.h"

#include <cstdlib>
#include <new>

#include "base/status.h"
#include "engine/values/large_value.h"
#include "engine/values/rope.h"

namespace cairn {

namespace {

constexpr uint64_t kLazyFreeBytes = 64 * 1024;  // larger values are freed in the background

void FreeShards(char* memory) {
  for (uint32_t i = 0; i < kShardCount; i++) reinterpret_cast<Shard*>(memory + i * Keyspace::kShardStrideBytes)->~Shard();
  std::free(memory);
}

char* MakeShards(uint32_t databases) {
  char* memory = static_cast<char*>(std::aligned_alloc(64, kShardCount * Keyspace::kShardStrideBytes));
  CAIRN_CHECK(memory != nullptr);
  for (uint32_t i = 0; i < kShardCount; i++) {
    Shard* shard = new (memory + i * Keyspace::kShardStrideBytes) Shard;
    shard->index = i;
    shard->tables.resize(databases);
    shard->counters = std::vector<TableCounters>(databases);
    shard->random = Random(ThreadRandom().Next());
  }
  return memory;
}

}  // namespace

Keyspace::State::State(KeyspaceOptions keyspace_options)
    : options(keyspace_options), memory(MakeShards(keyspace_options.databases), FreeShards) {}

Table& Keyspace::State::NewTable(Shard& shard, uint32_t database) {
  shard.ExchangeTable(database, std::make_shared<Table>(4 + shard.index % 4));
  Table& table = *shard.table(database);
  shard.memory_bytes.Add(table.memory_bytes());
  return table;
}

uint64_t* Keyspace::State::SlotForChange(ChangeScope& scope, Shard& shard, Table& table, uint32_t database, const KeyRef& key) {
  uint64_t* slot = table.dictionary.FindSlot(key);
  if (slot == nullptr) return nullptr;
  if (!IsExpired(scope, *SlotEntry(*slot))) {
    if (!HasDueFields(scope, *SlotEntry(*slot))) [[likely]]
      return slot;
    return SlotWithoutDueFields(scope, shard, table, database, key, slot, SIZE_MAX);
  }
  DeleteExpired(scope, shard, table, database, key, slot);
  return nullptr;
}

void Keyspace::State::DeleteExpired(ChangeScope& scope, Shard& shard, Table& table, uint32_t database, const KeyRef& key,
                                    uint64_t* slot) {
  const std::string_view args[] = {"DEL", key.name};
  scope.Record(database, args);
  scope.Event(kEventExpired, "expired", database, key.name);
  shard.expired_keys.Add(1);
  Touched(scope, shard, database, key, true);
  RemoveEntry(table, key, slot);
}

void Keyspace::State::RemoveEntry(Table& table, const KeyRef& key, uint64_t* slot) {
  Entry* entry = table.dictionary.Remove(key, slot);
  table.layout++;
  table.entry_bytes -= entry->memory_bytes();
  if (entry->has_expiry()) DropFromExpiry(table, entry);
  DropInnerDeadline(table, entry);
  if (entry->encoding() == Encoding::kRope) FreeRope(EntryCodec::MutableRope(entry));
  if (entry->encoding() == Encoding::kLarge) FreeLarge(EntryCodec::MutableLarge(entry));
  EntryCodec::FreeShell(entry);
}

void Keyspace::State::InsertEntry(Table& table, const KeyRef& key, Entry* entry) {
  table.dictionary.Insert(key, entry);
  table.layout++;
  table.entry_bytes += entry->memory_bytes();
  if (entry->has_expiry()) table.expiry.Insert(entry->expiry_ms(), entry);
  AddInnerDeadline(table, entry);
}

void Keyspace::State::ReplaceEntry(Table& table, const KeyRef& key, uint64_t* slot, Entry* entry) {
  Entry* old = table.dictionary.Replace(key, slot, entry);
  table.entry_bytes += entry->memory_bytes() - old->memory_bytes();
  if (old->has_expiry()) DropFromExpiry(table, old);
  if (entry->has_expiry()) table.expiry.Insert(entry->expiry_ms(), entry);
  DropInnerDeadline(table, old);
  AddInnerDeadline(table, entry);
  EntryCodec::FreeShell(old);
}

void Keyspace::State::DropFromExpiry(Table& table, const Entry* entry) {
  const int64_t indexed_ms = entry->indexed_expiry_ms();
  table.expiry.Postponed(entry->expiry_ms(), indexed_ms);
  table.expiry.Erase(indexed_ms, entry);
}

void Keyspace::State::MoveExpiry(Table& table, Entry* entry, int64_t expiry_ms) {
  const int64_t old_ms = entry->expiry_ms();
  if (EntryCodec::PostponeExpiry(entry, expiry_ms)) {
    table.expiry.Postponed(old_ms, expiry_ms);
    return;
  }
  DropFromExpiry(table, entry);
  EntryCodec::SetExpiry(entry, expiry_ms);
  table.expiry.Insert(expiry_ms, entry);
}

bool Keyspace::State::SettleFirstExpiry(Table& table) {
  Entry* first = table.expiry.First();
  const int64_t expiry_ms = first->expiry_ms();
  if (first->indexed_expiry_ms() == expiry_ms) return false;
  DropFromExpiry(table, first);
  EntryCodec::SetExpiry(first, expiry_ms);
  table.expiry.Insert(expiry_ms, first);
  return true;
}

void Keyspace::State::AddInnerDeadline(Table& table, const Entry* entry) {
  if (entry->encoding() != Encoding::kLarge) return;
  const int64_t deadline_ms = entry->large().next_deadline_ms();
  if (deadline_ms != INT64_MAX) table.inner_expiry.Insert(deadline_ms, entry);
}

void Keyspace::State::DropInnerDeadline(Table& table, const Entry* entry) {
  if (entry->encoding() != Encoding::kLarge) return;
  const int64_t deadline_ms = entry->large().next_deadline_ms();
  if (deadline_ms != INT64_MAX) table.inner_expiry.Erase(deadline_ms, entry);
}

void Keyspace::State::FreeRope(Rope* rope) {
  if (rope->size() > kLazyFreeBytes) {
    pending.Add(rope);
  } else {
    delete rope;
  }
}

void Keyspace::State::FreeLarge(LargeValue* large) {
  if (large->memory_bytes() > kLazyFreeBytes) {
    pending.Add(large);
  } else {
    delete large;
  }
}

void Keyspace::State::Touched(ChangeScope& scope, Shard& shard, uint32_t database, const KeyRef& key, bool gone) {
  scope.Touch(key);
  shard.changes.Add(1);
  if (!shard.watches.empty()) [[unlikely]]
    shard.watches.KeyChanged(database, key.name, gone);
  if (!shard.waiters.empty() && shard.waiters.Find(key.name) != nullptr) [[unlikely]]
    scope.Ready(database, key.name);
}

void Keyspace::State::TouchedUnwatched(ChangeScope& scope, Shard& shard, uint32_t database, const KeyRef& key) {
  scope.Touch(key);
  shard.changes.Add(1);
  if (!shard.waiters.empty() && shard.waiters.Find(key.name) != nullptr) scope.Ready(database, key.name);
}

void Keyspace::State::Unaccount(Shard& shard, uint32_t database, const Table& table) {
  shard.memory_bytes.Add(uint64_t{0} - table.memory_bytes());
  shard.counters[database].ShowNone();
}

void Keyspace::State::UpdateNextExpiry(Shard& shard) {
  int64_t next_ms = INT64_MAX;
  for (const std::shared_ptr<Table>& table : shard.tables) {
    if (table != nullptr) next_ms = std::min(next_ms, table->first_deadline_ms());
  }
  const int64_t before_ms = shard.next_expiry_ms.load(std::memory_order_relaxed);
  if (next_ms == before_ms) return;
  // Sequentially consistent, as in NextExpiryMs: either that function sees this time, or we see what it announced.
  shard.next_expiry_ms.store(next_ms, std::memory_order_seq_cst);
  if (next_ms < before_ms) AnnounceExpiry(next_ms);
}

void Keyspace::State::AnnounceExpiry(int64_t expiry_ms) {
  int64_t announced = announced_expiry_ms.load(std::memory_order_seq_cst);
  while (expiry_ms < announced) {
    if (!announced_expiry_ms.compare_exchange_weak(announced, expiry_ms, std::memory_order_seq_cst)) continue;
    if (earlier_expiry) earlier_expiry(expiry_ms);
    return;
  }
}

}  // namespace cairn
