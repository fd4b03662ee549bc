// Fields of hashes that have an expiry of their own.
#include <string>
#include <vector>

#include "engine/keyspace/keyspace_state.h"
#include "engine/values/hash_value.h"

namespace cairn {

namespace {

// A hash with more fields than this, all of them due, goes as a whole: naming each would hold the shard for seconds.
constexpr size_t kFieldsRemovedByName = 1000;

bool AllDue(const ChangeScope& scope, const Entry& entry) {
  const HashTable& table = entry.large_as<HashTable>();
  return table.CountDue(scope.now_ms) == table.element_count();
}

}  // namespace

void Keyspace::State::DeleteExpiredHash(ChangeScope& scope, Shard& shard, Table& table, uint32_t database, const KeyRef& key,
                                        uint64_t* slot) {
  shard.expired_fields.Add(SlotEntry(*slot)->large_as<HashTable>().element_count());
  const std::string_view args[] = {"DEL", key.name};
  scope.Record(database, args);
  scope.Event(kEventHash, "hexpired", database, key.name);
  scope.Event(kEventGeneric, "del", database, key.name);
  Touched(scope, shard, database, key, true);
  RemoveEntry(table, key, slot);
}

size_t Keyspace::State::ExpireFields(ChangeScope& scope, Shard& shard, Table& table, uint32_t database, const KeyRef& key,
                                     uint64_t** slot, size_t limit) {
  Entry* entry = SlotEntry(**slot);
  auto& hash = static_cast<HashTable&>(*EntryCodec::MutableLarge(entry));
  const uint64_t count = hash.element_count();
  if (count > kFieldsRemovedByName && !scope.wants_fields() && AllDue(scope, *entry)) {
    DeleteExpiredHash(scope, shard, table, database, key, *slot);
    *slot = nullptr;
    return 1;
  }
  std::vector<std::string> names;
  hash.CollectDue(scope.now_ms, limit, &names);
  if (names.empty()) return 0;
  shard.expired_fields.Add(names.size());
  std::vector<std::string_view> args = {"HDEL", key.name};
  args.insert(args.end(), names.begin(), names.end());
  scope.Record(database, args);
  scope.Event(kEventHash, "hexpired", database, key.name);
  for (const std::string& name : names) scope.EventField(name);
  if (names.size() == count) {
    scope.Event(kEventGeneric, "del", database, key.name);
    Touched(scope, shard, database, key, true);
    RemoveEntry(table, key, *slot);
    *slot = nullptr;
    return names.size();
  }
  Touched(scope, shard, database, key, false);
  table.dictionary.BeforeChange(key, *slot);
  DropInnerDeadline(table, entry);
  table.entry_bytes -= hash.memory_bytes();
  for (const std::string& name : names) hash.Erase(name);
  table.entry_bytes += hash.memory_bytes();
  AddInnerDeadline(table, entry);
  return names.size();
}

uint64_t* Keyspace::State::SlotWithoutDueFields(ChangeScope& scope, Shard& shard, Table& table, uint32_t database,
                                                const KeyRef& key, uint64_t* slot, size_t limit) {
  // What is no key to the caller is none in the dictionary either: the caller may put another in its place.
  const bool all_due = AllDue(scope, *SlotEntry(*slot));
  if (scope.deletes_expired) ExpireFields(scope, shard, table, database, key, &slot, all_due ? SIZE_MAX : limit);
  return all_due ? nullptr : slot;
}

}  // namespace cairn
