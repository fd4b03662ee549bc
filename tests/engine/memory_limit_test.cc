// maxmemory: refusal without a policy, eviction with one, and what the sampler makes of resident memory.

#include "engine/memory_limit.h"

#include "tests/engine/store_test_support.h"

namespace cairn {
namespace {

class MemoryTest : public StoreTest {
 protected:
  void SetUp() override {
    runtime_.append_fsync = FsyncPolicy::kEverySecond;
    Open();
  }
  void Limit(uint64_t bytes, EvictionPolicy policy) {
    ASSERT_TRUE(store_
                    ->UpdateOptions([&](RuntimeOptions& options) {
                      options.maxmemory_bytes = bytes;
                      options.maxmemory_policy = policy;
                    })
                    .ok());
  }
};

TEST_F(MemoryTest, WithoutEvictionWritesThatGrowAreRefused) {
  for (int i = 0; i < 1000; i++) Run({"SET", "k" + std::to_string(i), std::string(1000, 'v')});
  Limit(store_->Info().used_memory_bytes / 2, EvictionPolicy::kNoEviction);
  EXPECT_EQ(Text({"SET", "more", "v"}), "(error) OOM command not allowed when used memory > 'maxmemory'.");
  EXPECT_EQ(Text({"GET", "more"}), "(nil)");
  EXPECT_EQ(Text({"DEL", "k1"}), "(integer) 1");
  Run({"MULTI"});
  EXPECT_TRUE(Run({"SET", "a", "1"}).is_error());
  EXPECT_TRUE(Run({"EXEC"}).is_error());
  Limit(0, EvictionPolicy::kNoEviction);
  EXPECT_EQ(Text({"SET", "more", "v"}), "OK");
}

TEST_F(MemoryTest, EvictionKeepsUsedMemoryWithinTheLimit) {
  constexpr uint64_t kLimit = 4 << 20;
  Limit(kLimit, EvictionPolicy::kAllKeysLru);
  for (int i = 0; i < 30'000; i++) {
    ASSERT_TRUE(Run({"SET", "key:" + std::to_string(i), std::string(500, 'v')}).is_ok());
    if (i % 1000 == 0) EXPECT_LE(store_->keyspace().memory_bytes(), kLimit + kLimit / 10);
  }
  EXPECT_GT(store_->Info().evicted_keys, 10'000u);
  Limit(0, EvictionPolicy::kAllKeysLru);  // the last write may still be over
  const Contents before = ContentsOf(*store_);
  EXPECT_GT(before.size(), 3000u);
  Close();
  runtime_.maxmemory_bytes = 0;
  Open();
  EXPECT_TRUE(ContentsOf(*store_) == before);  // evicted keys were logged
}

TEST_F(MemoryTest, VolatilePoliciesLeaveOtherKeysAlone) {
  for (int i = 0; i < 500; i++) Run({"SET", "kept" + std::to_string(i), std::string(500, 'v')});
  for (int i = 0; i < 500; i++) Run({"SET", "volatile" + std::to_string(i), std::string(500, 'v'), "EX", "1000"});
  Limit(store_->keyspace().memory_bytes() * 3 / 4, EvictionPolicy::kVolatileTtl);
  EXPECT_TRUE(Eventually([&] { return store_->Info().evicted_keys > 100; }));
  for (int i = 0; i < 500; i++) ASSERT_EQ(Text({"EXISTS", "kept" + std::to_string(i)}), "(integer) 1");
}

TEST(MemoryLimit, WhatTheProcessTakesBesidesLowersTheLimit) {
  constexpr uint64_t kMiB = 1 << 20;
  constexpr uint64_t kLimit = 320 * kMiB;  // a thirty-second of it, 10 MiB, is granted
  MemoryLimit limit;
  limit.Configure(kLimit);
  int purges = 0;
  const auto purge = [&] { purges++; };
  // 30 MiB beside the allocator, 8 in other allocations, 20 of fragmentation (counted by half), 40 in unused pages (not counted).
  const AllocatorStats stats{.allocated_bytes = 108 * kMiB, .active_bytes = 128 * kMiB, .resident_bytes = 168 * kMiB};
  limit.Sample(198 * kMiB, stats, 100 * kMiB, purge);
  EXPECT_EQ(limit.effective_bytes(), kLimit - (30 + 8 + 10 - 10) * kMiB);
  EXPECT_EQ(purges, 0);
  limit.Sample(400 * kMiB, stats, 100 * kMiB, purge);
  EXPECT_EQ(purges, 1);
  EXPECT_EQ(limit.effective_bytes(), kLimit / 2);  // never less
  // Back to normal, slowly.
  const AllocatorStats tight{.allocated_bytes = 100 * kMiB, .active_bytes = 100 * kMiB, .resident_bytes = 100 * kMiB};
  limit.Sample(104 * kMiB, tight, 100 * kMiB, purge);
  EXPECT_LT(limit.effective_bytes(), kLimit * 3 / 4);
  for (int i = 0; i < 2000; i++) limit.Sample(104 * kMiB, tight, 100 * kMiB, purge);
  EXPECT_EQ(limit.effective_bytes(), kLimit);
  // Of 40 MiB of fragmentation half counts, and all of it where resident memory is more than a twentieth above the limit.
  const AllocatorStats holes{.allocated_bytes = 280 * kMiB, .active_bytes = 320 * kMiB, .resident_bytes = 320 * kMiB};
  limit.Sample(330 * kMiB, holes, 280 * kMiB, purge);
  EXPECT_EQ(limit.effective_bytes(), kLimit - (10 + 20 - 10) * kMiB);
  limit.Sample(340 * kMiB, holes, 280 * kMiB, purge);
  EXPECT_EQ(limit.effective_bytes(), kLimit - (20 + 40 - 10) * kMiB);
  // Small limits are taken as they are.
  limit.Configure(4 * kMiB);
  limit.Sample(50 * kMiB, tight, 4 * kMiB, purge);
  EXPECT_EQ(limit.effective_bytes(), 4 * kMiB);
}

}  // namespace
}  // namespace cairn
