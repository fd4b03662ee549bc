#include "engine/keyspace/keyspace.h"

#include <gtest/gtest.h>

#include <thread>

#include "keyspace_fixture.h"

namespace cairn {
namespace {

class KeyspaceTest : public ::testing::Test {
 protected:
  Entry* Set(AllLocked& locked, std::string_view name, std::string_view value, int64_t expiry_ms = -1) {
    return keyspace_.SetString(locked.scope, 0, KeyRef::Of(name), {value}, {.expiry_ms = expiry_ms});
  }
  Entry* Get(AllLocked& locked, std::string_view name, uint32_t database = 0) {
    return keyspace_.Find(locked.scope, database, KeyRef::Of(name), Keyspace::Access::kRead);
  }
  void ExpectAccounted() { EXPECT_EQ(keyspace_.memory_bytes(), RecountMemory(keyspace_)); }

  Keyspace keyspace_{KeyspaceOptions{}};
};

TEST_F(KeyspaceTest, EncodingsOfStrings) {
  AllLocked locked(keyspace_);
  EXPECT_EQ(Set(locked, "a", "123")->encoding(), Encoding::kInt);
  EXPECT_EQ(Set(locked, "a", "0123")->encoding(), Encoding::kEmbedded);
  EXPECT_EQ(Set(locked, "a", std::string(44, 'x'))->encoding(), Encoding::kEmbedded);
  EXPECT_EQ(Set(locked, "a", std::string(45, 'x'))->encoding(), Encoding::kRaw);
  EXPECT_EQ(Set(locked, "a", std::string(16384, 'x'))->encoding(), Encoding::kRaw);
  EXPECT_EQ(Set(locked, "a", std::string(16385, 'x'))->encoding(), Encoding::kRope);
  EXPECT_EQ(Set(locked, "a", "")->inline_value(), "");
  EXPECT_EQ(keyspace_.Size(0), 1u);
  ExpectAccounted();
}

TEST_F(KeyspaceTest, LongAndOddKeys) {
  AllLocked locked(keyspace_);
  for (const size_t size : {size_t{0}, size_t{65534}, size_t{65535}, size_t{65536}, size_t{1000000}}) {
    const std::string name(size, 'k');
    Set(locked, name, "v", 5000);
    ASSERT_NE(Get(locked, name), nullptr);
    EXPECT_EQ(Get(locked, name)->key(), name);
    EXPECT_EQ(ValueOf(Get(locked, name)), "v");
    EXPECT_EQ(Get(locked, name)->expiry_ms(), 5000);
  }
  ExpectAccounted();
}

TEST_F(KeyspaceTest, ExpiryIsSetKeptAndRemoved) {
  AllLocked locked(keyspace_, 1000);
  const KeyRef key = KeyRef::Of("k");
  Set(locked, "k", "v", 2000);
  EXPECT_EQ(keyspace_.NextExpiryMs(), 2000);
  keyspace_.SetString(locked.scope, 0, key, {"w"}, {.keep_expiry = true});
  EXPECT_EQ(Get(locked, "k")->expiry_ms(), 2000);
  keyspace_.SetExpiry(locked.scope, 0, key, 3000);
  EXPECT_EQ(Get(locked, "k")->expiry_ms(), 3000);
  // The index learns of a later expiry when it looks at the key next.
  EXPECT_LE(keyspace_.NextExpiryMs(), 3000);
  locked.scope.now_ms = 2500;
  EXPECT_EQ(keyspace_.ExpireDue(locked.scope, key.shard(), 1), 1u);
  EXPECT_EQ(keyspace_.NextExpiryMs(), 3000);
  Set(locked, "k", "x");
  EXPECT_FALSE(Get(locked, "k")->has_expiry());
  EXPECT_EQ(keyspace_.NextExpiryMs(), INT64_MAX);
  keyspace_.SetExpiry(locked.scope, 0, key, 4000);
  EXPECT_EQ(ValueOf(Get(locked, "k")), "x");
  keyspace_.SetExpiry(locked.scope, 0, key, -1);
  EXPECT_FALSE(Get(locked, "k")->has_expiry());
  EXPECT_EQ(keyspace_.ExpiringKeys(0), 0u);
  ExpectAccounted();
}

TEST_F(KeyspaceTest, ExpiredKeyIsDeletedRecordedAndTold) {
  AllLocked locked(keyspace_, 1000);
  Set(locked, "k", "v", 2000);
  locked.scope.Clear();
  locked.scope.locked_shards.set();
  locked.scope.wanted_events = UINT32_MAX;
  locked.scope.now_ms = 2000;
  locked.scope.deletes_expired = false;
  EXPECT_EQ(Get(locked, "k"), nullptr);
  EXPECT_EQ(keyspace_.Size(0), 1u);
  locked.scope.deletes_expired = true;
  EXPECT_EQ(Get(locked, "k"), nullptr);
  EXPECT_EQ(keyspace_.Size(0), 0u);
  EXPECT_EQ(locked.scope.buffer(), "*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n");
  bool told = false;
  for (const KeyspaceEvent& event : locked.scope.events()) told = told || (event.name == "expired" && event.key == "k");
  EXPECT_TRUE(told);
  EXPECT_EQ(keyspace_.stats().expired_keys, 1u);
  EXPECT_EQ(keyspace_.stats().misses, 2u);
}

TEST_F(KeyspaceTest, ReplayNeverExpires) {
  AllLocked locked(keyspace_, 9000);
  locked.scope.replaying = true;
  Set(locked, "k", "v", 2000);
  EXPECT_NE(Get(locked, "k"), nullptr);
}

TEST_F(KeyspaceTest, ExpireDueAndTheCallback) {
  std::vector<int64_t> told;
  keyspace_.SetEarlierExpiryCallback([&](int64_t expiry_ms) { told.push_back(expiry_ms); });
  AllLocked locked(keyspace_, 1000);
  for (int i = 0; i < 1000; i++) Set(locked, "k" + std::to_string(i), "v", 3000 - i);
  EXPECT_EQ(told.front(), 3000);
  EXPECT_EQ(told.back(), 2001);
  EXPECT_EQ(keyspace_.NextExpiryMs(), 2001);
  told.clear();
  Set(locked, "late", "v", 9999);
  EXPECT_TRUE(told.empty());
  locked.scope.now_ms = 2500;
  size_t deleted = 0;
  for (uint32_t i = 0; i < kShardCount; i++) {
    while (const size_t n = keyspace_.ExpireDue(locked.scope, i, 3)) deleted += n;
  }
  EXPECT_EQ(deleted, 500u);
  EXPECT_EQ(keyspace_.Size(0), 501u);
  EXPECT_EQ(keyspace_.NextExpiryMs(), 2501);
  Set(locked, "soon", "v", 2501);
  EXPECT_TRUE(told.empty());
  Set(locked, "soon", "v", 2500 - 1);
  EXPECT_EQ(told, std::vector<int64_t>{2499});
  ExpectAccounted();
}

TEST_F(KeyspaceTest, ExpiriesAreMovedOnAndBack) {
  CAIRN_SEEDED(random);
  AllLocked locked(keyspace_, 1000);
  std::map<std::string, int64_t> model;
  constexpr int64_t kReach[] = {50, 5000, 5'000'000, int64_t{1} << 45};
  for (int round = 0; round < 20000; round++) {
    locked.scope.now_ms += static_cast<int64_t>(random.Uniform(4));
    const std::string name = "k" + std::to_string(random.Uniform(300));
    const int64_t expiry_ms =
        locked.scope.now_ms + 1 + static_cast<int64_t>(random.Uniform(static_cast<uint64_t>(kReach[random.Uniform(4)])));
    if (random.OneIn(2)) {
      Set(locked, name, "v", expiry_ms);
      model[name] = expiry_ms;
    } else if (keyspace_.SetExpiry(locked.scope, 0, KeyRef::Of(name), expiry_ms) != nullptr) {
      model[name] = expiry_ms;
    }
    if (!random.OneIn(16)) continue;
    for (uint32_t i = 0; i < kShardCount; i++) {
      while (keyspace_.ExpireDue(locked.scope, i, 3) == 3) {
      }
    }
    std::erase_if(model, [&](const auto& item) { return item.second <= locked.scope.now_ms; });
    ASSERT_EQ(keyspace_.Size(0), model.size());
    for (const auto& [key, expiry] : model) {
      const Entry* entry = keyspace_.Find(locked.scope, 0, KeyRef::Of(key), Keyspace::Access::kPeek);
      ASSERT_NE(entry, nullptr) << key;
      ASSERT_EQ(entry->expiry_ms(), expiry) << key;
      ASSERT_LE(entry->indexed_expiry_ms(), expiry) << key;
    }
    ExpectAccounted();
  }
}

TEST_F(KeyspaceTest, AppendAndOverwriteGrowThroughEveryEncoding) {
  CAIRN_SEEDED(random);
  AllLocked locked(keyspace_);
  const KeyRef key = KeyRef::Of("k");
  for (int round = 0; round < 10; round++) {
    std::string model;
    if (random.OneIn(2)) {
      model = std::to_string(random.Next() >> 20);
      Set(locked, "k", model, random.OneIn(2) ? 99999 : -1);
    } else {
      keyspace_.Delete(locked.scope, 0, key);
    }
    for (int step = 0; step < 60; step++) {
      const std::string bytes = random.Bytes(random.Uniform(step < 40 ? 30 : 3000));
      Entry* entry;
      if (random.OneIn(2)) {
        entry = keyspace_.AppendString(locked.scope, 0, key, bytes);
        model += bytes;
      } else {
        const uint64_t offset = random.Uniform(model.size() + 20);
        entry = keyspace_.OverwriteString(locked.scope, 0, key, offset, bytes);
        if (model.size() < offset + bytes.size()) model.resize(offset + bytes.size());
        model.replace(offset, bytes.size(), bytes);
      }
      ASSERT_EQ(ValueOf(entry), model);
      ASSERT_EQ(StringView(entry).size(), model.size());
    }
    ExpectAccounted();
  }
}

TEST_F(KeyspaceTest, CopyFlushSwapAndFrees) {
  const std::string large(100000, 'z');
  {
    AllLocked locked(keyspace_);
    for (int i = 0; i < 3000; i++) Set(locked, "k" + std::to_string(i), "v", i % 3 == 0 ? 5000 + i : -1);
    Entry* from = Set(locked, "large", large, 7000);
    Entry* copy = keyspace_.CopyEntry(locked.scope, *from, 1, KeyRef::Of("other"));
    EXPECT_EQ(copy->rope().slices()[0].view().data(), from->rope().slices()[0].view().data());
    keyspace_.SwapDatabases(locked.scope, 0, 1);
    EXPECT_EQ(keyspace_.Size(0), 1u);
    EXPECT_EQ(keyspace_.Size(1), 3001u);
    EXPECT_EQ(ValueOf(Get(locked, "other")), large);
    EXPECT_EQ(locked.scope.touched_stripes().size(), kStripeCount);
    ExpectAccounted();
    EXPECT_EQ(keyspace_.Flush(locked.scope, 1, false), 3001u);
    EXPECT_EQ(keyspace_.NextExpiryMs(), 7000);
    ExpectAccounted();
    EXPECT_TRUE(keyspace_.Delete(locked.scope, 0, KeyRef::Of("other")));
    ExpectAccounted();
  }
  EXPECT_EQ(keyspace_.pending_free_objects(), 3002u);
  while (keyspace_.FreePending(100)) {
  }
  EXPECT_EQ(keyspace_.pending_free_objects(), 0u);
  EXPECT_EQ(keyspace_.lazy_freed_objects(), 3002u);
}

TEST_F(KeyspaceTest, WatchSeesChangesAndExpiry) {
  const auto watch = std::make_shared<WatchState>();
  const auto fresh = [&] {
    for (const WatchState::Key& key : watch->keys) keyspace_.Unwatch(watch, key.database, KeyRef::Of(key.name));
    watch->keys.clear();
    watch->dirty = false;
  };
  AllLocked locked(keyspace_, 1000);
  const KeyRef key = KeyRef::Of("k");
  keyspace_.Watch(watch, 0, key, 1000);
  EXPECT_FALSE(keyspace_.WatchBroken(locked.scope, *watch));
  Set(locked, "other", "v");
  EXPECT_FALSE(keyspace_.WatchBroken(locked.scope, *watch));
  Set(locked, "k", "v", 2000);
  EXPECT_TRUE(keyspace_.WatchBroken(locked.scope, *watch));
  fresh();
  keyspace_.Watch(watch, 0, key, 1000);  // expires while watched
  locked.scope.now_ms = 2000;
  EXPECT_TRUE(keyspace_.WatchBroken(locked.scope, *watch));
  fresh();
  keyspace_.Watch(watch, 0, key, 2000);  // had expired before
  EXPECT_FALSE(keyspace_.WatchBroken(locked.scope, *watch));
  EXPECT_EQ(Get(locked, "k"), nullptr);
  EXPECT_FALSE(keyspace_.WatchBroken(locked.scope, *watch));
  Set(locked, "k", "v");
  EXPECT_TRUE(keyspace_.WatchBroken(locked.scope, *watch));
  fresh();
  keyspace_.Watch(watch, 0, key, 2000);
  keyspace_.Watch(watch, 0, KeyRef::Of("absent"), 2000);
  keyspace_.Flush(locked.scope, 5, false);
  EXPECT_FALSE(watch->dirty);
  keyspace_.Flush(locked.scope, -1, false);
  EXPECT_TRUE(watch->dirty);
  fresh();
  ExpectAccounted();
}

TEST_F(KeyspaceTest, ScanForEachAndRandomKey) {
  {
    AllLocked locked(keyspace_);
    for (int i = 0; i < 20000; i++) Set(locked, "k" + std::to_string(i), "v", i < 100 ? 500 : -1);
  }
  std::map<std::string, int> seen;
  uint64_t cursor = 0;
  do {
    ChangeScope scope;
    scope.now_ms = 1000;
    cursor = keyspace_.Scan(scope, 0, cursor, 10, [&](const Entry& entry) { seen[std::string(entry.key())]++; });
    ASSERT_LT(cursor, uint64_t{1} << 53);
    EXPECT_TRUE(scope.reads_all());
  } while (cursor != 0);
  EXPECT_EQ(seen.size(), 19900u);
  size_t each = 0;
  AllLocked locked(keyspace_);
  keyspace_.ForEach(locked.scope, 0, [&](const Entry&) { each++; });
  EXPECT_EQ(each, 19900u);
  std::string key;
  for (int i = 0; i < 100; i++) {
    ASSERT_TRUE(keyspace_.RandomKey(locked.scope, 0, &key));
    EXPECT_EQ(seen[key], 1);
  }
  EXPECT_FALSE(keyspace_.RandomKey(locked.scope, 1, &key));
  // Cursors that nobody was given do no harm.
  for (const uint64_t odd : {UINT64_MAX, uint64_t{12345678901}, (uint64_t{1} << 53) - 1}) {
    keyspace_.Scan(locked.scope, 0, odd, 10, [](const Entry&) {});
  }
}

TEST_F(KeyspaceTest, LoadAndReserve) {
  AllLocked locked(keyspace_);
  for (uint32_t i = 0; i < kShardCount; i++) keyspace_.Reserve(i, 2, 300);
  for (int i = 0; i < 20000; i++) {
    const std::string name = "k" + std::to_string(i);
    keyspace_.LoadEntry(2, KeyRef::Of(name), {.value = {name}, .expiry_ms = i % 2 ? i : -1, .has_access = true, .access = 77},
                        1000, true);
  }
  keyspace_.LoadEntry(2, KeyRef::Of("k5"), {.is_int = true, .number = 42}, 1000, false);
  locked.scope.replaying = true;
  EXPECT_EQ(ValueOf(Get(locked, "k5", 2)), "42");
  EXPECT_EQ(ValueOf(keyspace_.Find(locked.scope, 2, KeyRef::Of("k7"), Keyspace::Access::kPeek)), "k7");
  EXPECT_EQ(keyspace_.Find(locked.scope, 2, KeyRef::Of("k7"), Keyspace::Access::kPeek)->access(), 77u);
  EXPECT_EQ(keyspace_.Size(2), 20000u);
  ExpectAccounted();
}

TEST_F(KeyspaceTest, RecordsAreOneStreamOfCommands) {
  ChangeScope scope;
  const SharedBytes large = SharedBytes::Copy(std::string(20000, 'x'));
  const std::string_view set[] = {"SET", "k", large.view()};
  const SharedBytes owners[] = {SharedBytes(), SharedBytes(), large};
  const std::string_view del[] = {"DEL", "k"};
  scope.Record(3, set, owners);
  scope.Record(3, del);
  scope.Record(4, del);
  EXPECT_EQ(scope.first_database(), 3u);
  EXPECT_EQ(scope.last_database(), 4u);
  EXPECT_EQ(scope.records(), 3u);
  std::string all;
  for (const UnitPiece& piece : scope.pieces()) {
    all += piece.shared.size() > 0 ? piece.shared.view() : scope.buffer().substr(piece.begin, piece.end - piece.begin);
  }
  EXPECT_EQ(scope.pieces().size(), 3u);
  EXPECT_EQ(all, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$20000\r\n" + std::string(20000, 'x') +
                     "\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n4\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n");
}

TEST_F(KeyspaceTest, ManyThreadsOneKeyspace) {
  constexpr int kThreads = 4;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([&, t] {
      Random random(static_cast<uint64_t>(t));
      for (int i = 0; i < 20000; i++) {
        const std::string name = "k" + std::to_string(random.Uniform(3000));
        const KeyRef key = KeyRef::Of(name);
        const uint32_t database = 0;
        keyspace_.Prefetch({&key, 1}, database);
        ChangeScope scope;
        scope.now_ms = i;
        scope.locked_shards.set(key.shard());
        keyspace_.LockShard(key.shard());
        switch (random.Uniform(4)) {
          case 0: keyspace_.Delete(scope, 0, key); break;
          case 1:
            keyspace_.SetString(scope, 0, key, {name}, {.expiry_ms = i + static_cast<int64_t>(random.Uniform(1000))});
            break;
          case 2: keyspace_.AppendString(scope, 0, key, name); break;
          default: keyspace_.Find(scope, 0, key, Keyspace::Access::kRead);
        }
        keyspace_.UnlockShard(key.shard());
        if (i % 500 == 0) {
          ChangeScope reader;
          reader.now_ms = i;
          keyspace_.ForEach(reader, 0, [](const Entry&) {});
          keyspace_.FreePending(10);
          (void)keyspace_.NextExpiryMs();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ExpectAccounted();
}

}  // namespace
}  // namespace cairn
