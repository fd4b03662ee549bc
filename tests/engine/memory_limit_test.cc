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
    ASSERT_TRUE(store_->UpdateOptions([&](RuntimeOptions& options) {
      options.maxmemory_bytes = bytes;
      options.maxmemory_policy = policy;
    }).ok());
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

TEST(MemoryLimit, ResidentMemoryAboveUsedLowersTheLimit) {
  MemoryLimit limit;
  constexpr uint64_t kLimit = 100 << 20;
  limit.Configure(kLimit);
  const auto no_purge = [] { return uint64_t{125} << 20; };
  limit.Sample(125 << 20, 100 << 20, no_purge);
  EXPECT_EQ(limit.effective_bytes(), kLimit - (20u << 20));
  // Back to normal, slowly.
  for (int i = 0; i < 200; i++) limit.Sample(101 << 20, 100 << 20, [] { return uint64_t{101} << 20; });
  EXPECT_GT(limit.effective_bytes(), kLimit - (1u << 20));
  // Little in use: what is resident is free memory of the allocator, not fragmentation.
  limit.Sample(125 << 20, 10 << 20, no_purge);
  EXPECT_EQ(limit.effective_bytes(), kLimit);
  // Small limits are taken as they are.
  limit.Configure(4 << 20);
  limit.Sample(50 << 20, 4 << 20, no_purge);
  EXPECT_EQ(limit.effective_bytes(), uint64_t{4} << 20);
}

}  // namespace
}  // namespace cairn
