#include "engine/keyspace/eviction.h"

#include <gtest/gtest.h>

#include <cmath>
#include <list>
#include <unordered_map>

#include "engine/keyspace/access_field.h"
#include "engine/keyspace/value_edit.h"
#include "engine/store_options.h"
#include "engine/values/hash_value.h"
#include "keyspace_fixture.h"

namespace cairn {
namespace {

class EvictionTest : public ::testing::Test {
 protected:
  void Set(std::string_view name, int64_t now_ms, int64_t expiry_ms = -1, uint32_t database = 0) {
    const KeyRef key = KeyRef::Of(name);
    ChangeScope scope;
    scope.now_ms = now_ms;
    scope.locked_shards.set(key.shard());
    keyspace_.LockShard(key.shard());
    keyspace_.SetString(scope, database, key, {"value"}, {.expiry_ms = expiry_ms});
    keyspace_.UnlockShard(key.shard());
  }
  bool Touch(std::string_view name, int64_t now_ms) {
    const KeyRef key = KeyRef::Of(name);
    ChangeScope scope;
    scope.now_ms = now_ms;
    scope.locked_shards.set(key.shard());
    keyspace_.LockShard(key.shard());
    const bool found = keyspace_.Find(scope, 0, key, Keyspace::Access::kRead) != nullptr;
    keyspace_.UnlockShard(key.shard());
    return found;
  }
  // The name of the evicted key, or "" where nothing was evicted.
  std::string Evict(int64_t now_ms) {
    ChangeScope scope;
    scope.now_ms = now_ms;
    scope.wanted_events = kEventEvicted;
    std::string name;
    const bool evicted = evictor_.EvictOne(scope, [&](ChangeScope& committed) {
      EXPECT_EQ(committed.locked_shards.count(), 1u);
      EXPECT_EQ(committed.records(), 1u);
      EXPECT_EQ(committed.events().size(), 1u);
      EXPECT_EQ(committed.touched_stripes().size(), 1u);
      name = committed.events()[0].key;
    });
    EXPECT_EQ(evicted, !name.empty());
    return name;
  }

  // Hit rate of a cache of `room` keys under a zipf-like load, every miss inserting its key.
  double HitRate(EvictionPolicy policy, size_t room, uint64_t names, int requests, int64_t ms_per_request) {
    keyspace_.ConfigureEviction({.policy = policy});
    Random random(7);
    int hits = 0;
    for (int i = 0; i < requests; i++) {
      const std::string name = ZipfName(random, names);
      const int64_t now_ms = i * ms_per_request;
      if (Touch(name, now_ms)) {
        hits += i > requests / 2;
        continue;
      }
      while (keyspace_.Size(0) >= room) EXPECT_NE(Evict(now_ms), "");
      Set(name, now_ms);
    }
    return hits / (requests / 2.0);
  }
  double TrueLruHitRate(size_t room, uint64_t names, int requests) {
    Random random(7);
    std::list<std::string> order;
    std::unordered_map<std::string, std::list<std::string>::iterator> where;
    int hits = 0;
    for (int i = 0; i < requests; i++) {
      const std::string name = ZipfName(random, names);
      if (const auto at = where.find(name); at != where.end()) {
        hits += i > requests / 2;
        order.splice(order.begin(), order, at->second);
        continue;
      }
      if (where.size() >= room) {
        where.erase(order.back());
        order.pop_back();
      }
      order.push_front(name);
      where[name] = order.begin();
    }
    return hits / (requests / 2.0);
  }
  static std::string ZipfName(Random& random, uint64_t names) {
    const double u = random.UnitDouble();
    return "k" + std::to_string(static_cast<uint64_t>(std::pow(static_cast<double>(names), u)));
  }

  Keyspace keyspace_{KeyspaceOptions{}};
  Evictor evictor_{keyspace_, 1};
};

TEST_F(EvictionTest, NoEvictionEvictsNothing) {
  Set("k", 1000);
  EXPECT_EQ(Evict(1000), "");
}

TEST_F(EvictionTest, EmptyKeyspaceAndNoVolatileKeys) {
  for (int policy = 1; policy <= static_cast<int>(EvictionPolicy::kVolatileTtl); policy++) {
    keyspace_.ConfigureEviction({.policy = static_cast<EvictionPolicy>(policy)});
    EXPECT_EQ(Evict(1000), "");
  }
  Set("k", 1000);
  for (const EvictionPolicy policy : {EvictionPolicy::kVolatileLru, EvictionPolicy::kVolatileLfu, EvictionPolicy::kVolatileRandom,
                                      EvictionPolicy::kVolatileTtl}) {
    keyspace_.ConfigureEviction({.policy = policy});
    EXPECT_EQ(Evict(1000), "");
  }
  EXPECT_EQ(keyspace_.Size(0), 1u);
}

TEST_F(EvictionTest, EveryPolicyEvictsAllItMay) {
  for (int policy = 1; policy <= static_cast<int>(EvictionPolicy::kVolatileTtl); policy++) {
    keyspace_.ConfigureEviction({.policy = static_cast<EvictionPolicy>(policy)});
    const bool all = policy <= static_cast<int>(EvictionPolicy::kAllKeysRandom);
    for (int i = 0; i < 600; i++) Set("k" + std::to_string(i), 1000, i % 10 == 0 ? 90000 + i : -1, i % 2 ? 3 : 0);
    size_t evicted = 0;
    while (!Evict(2000).empty()) evicted++;
    EXPECT_EQ(evicted, all ? 600u : 60u) << policy;
    AllLocked locked(keyspace_);
    keyspace_.Flush(locked.scope, -1, true);
  }
}

TEST_F(EvictionTest, TtlTakesTheEarliest) {
  keyspace_.ConfigureEviction({.policy = EvictionPolicy::kVolatileTtl});
  for (int i = 0; i < 500; i++) Set("k" + std::to_string(i), 1000, 100000 - i);
  for (int i = 499; i > 400; i--) EXPECT_EQ(Evict(1000), "k" + std::to_string(i));
}

TEST_F(EvictionTest, TtlTakesTheEarliestAlsoOfExpiriesThatWereMovedOn) {
  keyspace_.ConfigureEviction({.policy = EvictionPolicy::kVolatileTtl});
  for (int i = 0; i < 300; i++) Set("k" + std::to_string(i), 1000, 2000 + i);
  for (int i = 0; i < 300; i++) Set("k" + std::to_string(i), 1000, 200000 - i);
  for (int i = 299; i > 200; i--) EXPECT_EQ(Evict(1000), "k" + std::to_string(i));
}

// A field that expires before every key is none to evict, and hides nobody.
TEST_F(EvictionTest, TtlLooksPastTheDeadlinesOfFields) {
  keyspace_.ConfigureEviction({.policy = EvictionPolicy::kVolatileTtl});
  for (int i = 0; i < 200; i++) Set("k" + std::to_string(i), 1000, 100000 - i);
  {
    AllLocked locked(keyspace_, 1000);
    auto table = std::make_unique<HashTable>();
    table->Set("field", "v", 1500);
    uint64_t expired = 0;
    ValueEdit(keyspace_, locked.scope, 0, KeyRef::Of("hash"), &expired).StoreLarge(ValueType::kHash, std::move(table));
  }
  ASSERT_EQ(keyspace_.NextExpiryMs(), 1500);
  for (int i = 199; i >= 0; i--) EXPECT_EQ(Evict(1000), "k" + std::to_string(i));
  EXPECT_EQ(Evict(1000), "");
}

TEST_F(EvictionTest, LruIsAlmostAsGoodAsTheTruth) {
  constexpr size_t kRoom = 2000;
  const double truth = TrueLruHitRate(kRoom, 20000, 60000);
  const double ours = HitRate(EvictionPolicy::kAllKeysLru, kRoom, 20000, 60000, 100);
  const double share = ours / truth;
  RecordProperty("lru_of_true_lru_percent", static_cast<int>(share * 100));
  EXPECT_GT(share, 0.97);
}

TEST_F(EvictionTest, LfuKeepsTheHotKeysBetterThanLru) {
  const double truth = TrueLruHitRate(2000, 20000, 60000);
  EXPECT_GT(HitRate(EvictionPolicy::kAllKeysLfu, 2000, 20000, 60000, 2), truth);
}

TEST(AccessField, LfuGrowsAndDecays) {
  Random random(3);
  const AccessPolicy policy{.lfu = true};
  uint32_t access = InitialAccess(0, policy);
  EXPECT_EQ(LfuCounter(access, 0, policy), kLfuInitialCounter);
  for (int i = 0; i < 1000000; i++) access = AccessedNow(access, 0, policy, random);
  EXPECT_GT(LfuCounter(access, 0, policy), 200u);
  const uint32_t counter = LfuCounter(access, 0, policy);
  EXPECT_EQ(LfuCounter(access, 10 * 60000, policy), counter - 10);
  EXPECT_EQ(LfuCounter(access, 1000 * 60000, policy), 0u);
  EXPECT_EQ(LruIdleMs(LruClock(5000), 65000), 60000);
}

}  // namespace
}  // namespace cairn
