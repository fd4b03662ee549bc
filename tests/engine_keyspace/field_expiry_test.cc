// Expiry of single fields of hashes: by the background, by whoever looks, and hidden where nothing may be deleted.
#include <gtest/gtest.h>

#include "engine/keyspace/keyspace.h"
#include "engine/keyspace/value_edit.h"
#include "engine/values/hash_value.h"
#include "keyspace_fixture.h"

namespace cairn {
namespace {

constexpr auto kPeek = Keyspace::Access::kPeek;

KeyRef Key(std::string_view name = "hash") { return KeyRef::Of(name); }

// A hash of `dated` fields with deadlines 1, 2, 3... ms after `now_ms`, and `others` without.
void MakeHash(AllLocked& locked, Keyspace& keyspace, const KeyRef& key, int dated, int others) {
  auto table = std::make_unique<HashTable>();
  for (int i = 1; i <= dated; i++) table->Set("d" + std::to_string(i), "v", locked.scope.now_ms + i);
  for (int i = 0; i < others; i++) table->Set("o" + std::to_string(i), "v");
  uint64_t expired = 0;
  ValueEdit edit(keyspace, locked.scope, 0, key, &expired);
  edit.StoreLarge(ValueType::kHash, std::move(table));
}

std::string EventsOf(const ChangeScope& scope) {
  std::string text;
  for (const KeyspaceEvent& event : scope.events()) text += std::string(event.name) + " ";
  return text;
}

TEST(FieldExpiry, BackgroundRemovesWhatIsDueAndTheKeyWithTheLast) {
  Keyspace keyspace{KeyspaceOptions{}};
  const KeyRef key = Key();
  {
    AllLocked locked(keyspace, 1000);
    MakeHash(locked, keyspace, key, 10, 0);
    EXPECT_EQ(keyspace.NextExpiryMs(), 1001);
    EXPECT_EQ(keyspace.KeysWithExpiringFields(0), 1u);
    EXPECT_EQ(keyspace.memory_bytes(), RecountMemory(keyspace));
  }
  {
    AllLocked locked(keyspace, 1004);
    EXPECT_EQ(keyspace.ExpireDue(locked.scope, key.shard(), 3), 3u);
    EXPECT_EQ(keyspace.ExpireDue(locked.scope, key.shard(), 3), 1u);
    EXPECT_EQ(EventsOf(locked.scope), "hexpired hexpired ");
    EXPECT_EQ(locked.scope.records(), 2u);
    EXPECT_EQ(keyspace.stats().expired_fields, 4u);
    EXPECT_EQ(keyspace.NextExpiryMs(), 1005);
    EXPECT_EQ(keyspace.Find(locked.scope, 0, key, kPeek)->large().element_count(), 6u);
    EXPECT_EQ(keyspace.memory_bytes(), RecountMemory(keyspace));
  }
  AllLocked locked(keyspace, 2000);
  EXPECT_EQ(keyspace.ExpireDue(locked.scope, key.shard(), 100), 6u);
  EXPECT_EQ(EventsOf(locked.scope), "hexpired del ");
  EXPECT_EQ(keyspace.Size(0), 0u);
  EXPECT_EQ(keyspace.KeysWithExpiringFields(0), 0u);
  EXPECT_EQ(keyspace.stats().expired_fields, 10u);
  EXPECT_EQ(keyspace.stats().expired_keys, 0u);
  EXPECT_EQ(keyspace.NextExpiryMs(), INT64_MAX);
  EXPECT_EQ(keyspace.memory_bytes(), RecountMemory(keyspace));
}

TEST(FieldExpiry, WhoeverLooksFindsNothingThatIsDue) {
  Keyspace keyspace{KeyspaceOptions{}};
  const KeyRef key = Key();
  {
    AllLocked locked(keyspace, 1000);
    MakeHash(locked, keyspace, key, 300, 1);
    MakeHash(locked, keyspace, Key("all"), 300, 0);
  }
  AllLocked locked(keyspace, 5000);
  // A reader removes some, a writer all; where nothing is left, a reader too.
  EXPECT_EQ(keyspace.Find(locked.scope, 0, key, kPeek)->large_as<HashTable>().CountDue(5000), 200u);
  EXPECT_EQ(keyspace.Size(0), 2u);
  EXPECT_EQ(keyspace.Find(locked.scope, 0, Key("all"), kPeek), nullptr);
  EXPECT_EQ(keyspace.Size(0), 1u);
  uint64_t expired = 0;
  {
    ValueEdit edit(keyspace, locked.scope, 0, key, &expired);
    EXPECT_EQ(edit.entry()->large().element_count(), 1u);
  }
  {
    const KeyRef all = Key("all");
    ValueEdit edit(keyspace, locked.scope, 0, all, &expired);
    EXPECT_EQ(edit.entry(), nullptr);
  }
  EXPECT_EQ(expired, 1u);
  EXPECT_EQ(keyspace.Size(0), 1u);
  EXPECT_EQ(keyspace.memory_bytes(), RecountMemory(keyspace));
}

TEST(FieldExpiry, AManyFieldedHashWithNothingElseGoesInOneStep) {
  const KeyRef key = Key();
  for (const bool named : {false, true}) {
    Keyspace keyspace{KeyspaceOptions{}};
    AllLocked locked(keyspace, 1000);
    locked.scope.wanted_events = kEventHash | kEventGeneric | (named ? kEventFields : 0u);
    MakeHash(locked, keyspace, key, 5000, 0);
    locked.scope.now_ms = 10000;
    EXPECT_EQ(keyspace.ExpireDue(locked.scope, key.shard(), 10), named ? 10u : 1u);
    EXPECT_EQ(locked.scope.records(), 1u);
    EXPECT_EQ(EventsOf(locked.scope), named ? "hexpired " : "hexpired del ");
    EXPECT_EQ(keyspace.stats().expired_fields, named ? 10u : 5000u);
    EXPECT_EQ(keyspace.Size(0), named ? 1u : 0u);
    EXPECT_EQ(keyspace.memory_bytes(), RecountMemory(keyspace));
  }
}

TEST(FieldExpiry, HiddenWhereNothingMayBeDeletedAndThereInReplay) {
  Keyspace keyspace{KeyspaceOptions{}};
  const KeyRef key = Key();
  AllLocked locked(keyspace, 1000);
  MakeHash(locked, keyspace, key, 3, 0);
  locked.scope.now_ms = 2000;
  locked.scope.deletes_expired = false;
  EXPECT_EQ(keyspace.ExpireDue(locked.scope, key.shard(), 100), 0u);
  EXPECT_EQ(keyspace.Find(locked.scope, 0, key, kPeek), nullptr);
  EXPECT_EQ(keyspace.Size(0), 1u);
  locked.scope.deletes_expired = true;
  locked.scope.replaying = true;
  EXPECT_EQ(keyspace.Find(locked.scope, 0, key, kPeek)->large().element_count(), 3u);
}

}  // namespace
}  // namespace cairn
