#include "engine/keyspace/expiry_index.h"

#include <gtest/gtest.h>

#include <set>

#include "keyspace_fixture.h"

namespace cairn {
namespace {

Entry* Address(uint64_t n) { return reinterpret_cast<Entry*>(0x7F0000000000 + n * 16); }

TEST(ExpiryIndex, FollowsASet) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 6; round++) {
    ExpiryIndex index;
    std::set<std::pair<int64_t, Entry*>> model;
    const uint64_t deadlines = 1 + random.Uniform(round % 2 == 0 ? 5 : 1000000);
    uint64_t inserts_of_10 = 7;
    for (int step = 0; step < 60000; step++) {
      if (step % 5000 == 0) inserts_of_10 = 1 + random.Uniform(10);
      if (model.empty() || random.Uniform(10) < inserts_of_10) {
        const auto item = std::pair(static_cast<int64_t>(random.Uniform(deadlines)), Address(random.Uniform(100000)));
        if (model.insert(item).second) index.Insert(item.first, item.second);
      } else {
        auto at = random.OneIn(2) ? model.begin() : model.lower_bound({static_cast<int64_t>(random.Uniform(deadlines)), nullptr});
        if (at == model.end()) at = model.begin();
        index.Erase(at->first, at->second);
        model.erase(at);
      }
      ASSERT_EQ(index.size(), model.size());
      ASSERT_EQ(index.first_deadline_ms(), model.empty() ? INT64_MAX : model.begin()->first);
      ASSERT_EQ(index.First(), model.empty() ? nullptr : model.begin()->second);
    }
    while (!model.empty()) {
      ASSERT_EQ(index.First(), model.begin()->second);
      index.Erase(model.begin()->first, model.begin()->second);
      model.erase(model.begin());
    }
    EXPECT_EQ(index.memory_bytes(), 0u);
    EXPECT_EQ(index.AverageDeadlineMs(), 0);
  }
}

TEST(ExpiryIndex, BytesPerItem) {
  CAIRN_SEEDED(random);
  constexpr uint64_t kItems = 30000;
  ExpiryIndex ascending;
  ExpiryIndex scattered;
  for (uint64_t i = 0; i < kItems; i++) {
    ascending.Insert(static_cast<int64_t>(1000000 + i / 10), Address(i));
    scattered.Insert(static_cast<int64_t>(random.Uniform(1u << 30)), Address(i));
  }
  EXPECT_LT(ascending.memory_bytes(), kItems * 14);
  EXPECT_LT(scattered.memory_bytes(), kItems * 21);
}

TEST(ExpiryIndex, FarDeadlinesAndAny) {
  ExpiryIndex index;
  index.Insert(INT64_MAX, Address(1));
  index.Insert(INT64_MAX - 5, Address(2));
  index.Insert(5, Address(3));
  EXPECT_EQ(index.First(), Address(3));
  Random random(1);
  std::set<Entry*> seen;
  for (int i = 0; i < 200; i++) seen.insert(index.Any(random));
  EXPECT_EQ(seen.size(), 3u);
  index.Erase(5, Address(3));
  index.Erase(INT64_MAX, Address(1));
  EXPECT_EQ(index.First(), Address(2));
  while (index.FreeStep(1)) {
  }
}

}  // namespace
}  // namespace cairn
