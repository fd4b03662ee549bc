#include "engine/values/hyperloglog.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/crc64.h"
#include "tests/engine_keyspace/keyspace_fixture.h"

namespace cairn {
namespace {

constexpr size_t kSparseMaxBytes = 3000;

std::string Element(int number) { return "element:" + std::to_string(number); }

HllRegisters RegistersOf(std::string_view hll) {
  HllRegisters registers{};
  EXPECT_TRUE(HllMergeInto(hll, &registers));
  return registers;
}

uint64_t Count(std::string_view hll) {
  uint64_t count = 0;
  EXPECT_TRUE(HllCount(hll, &count));
  return count;
}

// Lengths, checksums and counts of what redis-server 7.0.15 made of the same elements.
TEST(HyperLogLog, MakesTheBytesAndCountsOfRedis) {
  struct Row {
    int elements;
    size_t size_bytes;
    uint64_t checksum, count;
  };
  constexpr Row kRows[] = {
      {0, 18, 0x9bd91be86807a6dd, 0},
      {1, 21, 0xab46b37270ab6281, 1},
      {10, 48, 0x4d9fe910faa8e1f6, 10},
      {100, 285, 0x9db1c20ecd45d7a2, 99},
      {500, 1050, 0x30b98ce36c558ce5, 502},
      {1000, 1897, 0x67786718346436ab, 997},
      {1500, 2722, 0xa07a6191a768aea6, 1500},
      {1700, 12304, 0x5d5d3d5aa569de49, 1706},
      {2000, 12304, 0x15e90b38d66d918b, 2004},
      {10000, 12304, 0xb80bc20d9260380d, 10017},
      {100000, 12304, 0x918c0c20b3d08de6, 100039},
      {1000000, 12304, 0x4397f56d79c70b82, 1010357},
  };
  std::string hll = NewHyperLogLog();
  int added = 0;
  for (const Row& row : kRows) {
    for (; added < row.elements; added++)
      ASSERT_NE(HllRaise(&hll, HllMarkOf(Element(added)), kSparseMaxBytes), HllChange::kCorrupt);
    ASSERT_TRUE(IsHyperLogLog(hll));
    EXPECT_EQ(hll.size(), row.size_bytes) << row.elements;
    EXPECT_EQ(Crc64(hll), row.checksum) << row.elements;
    EXPECT_EQ(Count(hll), row.count) << row.elements;
    EXPECT_EQ(HllCount(RegistersOf(hll)), row.count) << row.elements;
    uint64_t cached = 0;
    EXPECT_FALSE(HllCachedCount(hll, &cached));
    StoreLittleEndian(hll.data() + kHllCountOffset, row.count);  // as PFCOUNT had done before the next row's elements
    EXPECT_TRUE(HllCachedCount(hll, &cached));
    EXPECT_EQ(cached, row.count);
  }
}

TEST(HyperLogLog, DescribesItsRuns) {
  std::string hll = NewHyperLogLog();
  EXPECT_EQ(HllDescribeRuns(hll), "Z:16384");
  for (const char* element : {"a", "b", "c"}) EXPECT_EQ(HllRaise(&hll, HllMarkOf(element), kSparseMaxBytes), HllChange::kChanged);
  EXPECT_EQ(HllDescribeRuns(hll), "Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603");
  EXPECT_EQ(HllRaise(&hll, HllMarkOf("a"), kSparseMaxBytes), HllChange::kNone);
}

TEST(HyperLogLog, FollowsAnArrayOfRegisters) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 60; round++) {
    const size_t sparse_max_bytes = random.OneIn(4) ? 20000 : random.Uniform(4000);
    // Few registers side by side make the runs split and join; all of them reach both ends.
    const uint32_t range = random.OneIn(2) ? 40 : kHllRegisters;
    const uint32_t begin = static_cast<uint32_t>(random.Uniform(kHllRegisters - range + 1));
    const auto value_max = static_cast<uint32_t>(random.OneIn(8) ? 51 : random.OneIn(2) ? 2 : 32);
    std::string hll = NewHyperLogLog();
    HllRegisters model{};
    const int steps = random.OneIn(10) ? 5000 : 400;
    for (int step = 0; step < steps; step++) {
      const HllMark mark{begin + static_cast<uint32_t>(random.Uniform(range)),
                         static_cast<uint8_t>(1 + random.Uniform(value_max))};
      const HllChange expected = model[mark.index] < mark.value ? HllChange::kChanged : HllChange::kNone;
      ASSERT_EQ(HllProbe(hll, mark), expected);
      const bool was_sparse = HllIsSparse(hll);
      const size_t size_before = hll.size();
      ASSERT_EQ(HllRaise(&hll, mark, sparse_max_bytes), expected);
      if (expected == HllChange::kChanged) model[mark.index] = mark.value;
      if (HllIsSparse(hll)) {
        ASSERT_TRUE(was_sparse);
        ASSERT_TRUE(hll.size() <= std::max(sparse_max_bytes, size_before));
      }
    }
    ASSERT_EQ(RegistersOf(hll), model);
    const uint64_t count = HllCount(model);
    EXPECT_EQ(Count(hll), count);
    ASSERT_TRUE(HllToDense(&hll));
    EXPECT_EQ(hll.size(), kHllDenseBytes);
    ASSERT_EQ(RegistersOf(hll), model);
    EXPECT_EQ(Count(hll), count);
    for (uint32_t i = 0; i < kHllRegisters; i++) ASSERT_EQ(HllDenseRegister(hll.data() + kHllHeaderBytes, i), model[i]);
  }
}

TEST(HyperLogLog, PacksAsRaisingInOrderDoes) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 200; round++) {
    HllRegisters registers{};
    const uint64_t sparsity = 1 + random.Uniform(random.OneIn(2) ? 4 : 200);
    const uint64_t value_max = random.OneIn(10) ? 51 : 1 + random.Uniform(4);
    const size_t sparse_max_bytes = random.OneIn(2) ? 3000 : random.Uniform(400);
    for (uint8_t& value : registers) value = random.OneIn(sparsity) ? static_cast<uint8_t>(1 + random.Uniform(value_max)) : 0;
    std::string raised = NewHyperLogLog();
    for (uint32_t i = 0; i < kHllRegisters && HllIsSparse(raised); i++) {
      if (registers[i] > 0) HllRaise(&raised, {i, registers[i]}, sparse_max_bytes);
    }
    const std::string packed = HllPack(registers, sparse_max_bytes);
    ASSERT_EQ(HllIsSparse(packed), HllIsSparse(raised));
    if (HllIsSparse(raised)) {
      ASSERT_EQ(packed, raised);
    }
    ASSERT_EQ(RegistersOf(packed), registers);
    ASSERT_TRUE(HllToDense(&raised));
    ASSERT_EQ(HllPackDense(RegistersOf(raised)), raised);
  }
}

TEST(HyperLogLog, DenseRegistersLeaveTheirNeighboursAlone) {
  CAIRN_SEEDED(random);
  std::string registers(kHllRegisters * 6 / 8, '\xff');
  HllRegisters model;
  model.fill(63);
  for (int step = 0; step < 100000; step++) {
    const auto index = static_cast<uint32_t>(random.Uniform(kHllRegisters));
    model[index] = static_cast<uint8_t>(random.Uniform(64));
    HllSetDenseRegister(registers.data(), index, model[index]);
  }
  for (uint32_t i = 0; i < kHllRegisters; i++) ASSERT_EQ(HllDenseRegister(registers.data(), i), model[i]);
}

TEST(HyperLogLog, EstimatesWithinItsError) {
  CAIRN_SEEDED(random);
  for (const int elements : {10, 100, 3000, 50000}) {
    std::string hll = NewHyperLogLog();
    for (int i = 0; i < elements; i++) HllRaise(&hll, HllMarkOf(random.Bytes(12)), kSparseMaxBytes);
    EXPECT_NEAR(static_cast<double>(Count(hll)), elements, std::max(2.0, elements * 6 * 1.04 / 128));
  }
}

TEST(HyperLogLog, RefusesWhatIsNone) {
  const std::string empty = NewHyperLogLog();
  EXPECT_FALSE(IsHyperLogLog(""));
  EXPECT_FALSE(IsHyperLogLog(empty.substr(0, 15)));
  EXPECT_FALSE(IsHyperLogLog("HYLA" + empty.substr(4)));
  EXPECT_FALSE(IsHyperLogLog("HYLL\x02" + empty.substr(5)));
  std::string dense = empty;
  ASSERT_TRUE(HllToDense(&dense));
  EXPECT_TRUE(IsHyperLogLog(dense));
  EXPECT_FALSE(IsHyperLogLog(dense + "x"));
  EXPECT_FALSE(IsHyperLogLog(dense.substr(0, dense.size() - 1)));
}

// Runs that make up too few or too many registers, and one that is cut off.
TEST(HyperLogLog, CorruptRunsAreFoundAndLeftAlone) {
  const std::string header = NewHyperLogLog().substr(0, kHllHeaderBytes);
  for (const std::string_view runs : {"", "\x7f", "\x7f\xfe", "\x7f\xff\x80", "\x7f\xfe\x81", "hello"}) {
    const std::string corrupt = header + std::string(runs);
    ASSERT_TRUE(IsHyperLogLog(corrupt));
    uint64_t count = 0;
    HllRegisters registers{};
    EXPECT_FALSE(HllCount(corrupt, &count));
    EXPECT_FALSE(HllMergeInto(corrupt, &registers));
    std::string value = corrupt;
    EXPECT_FALSE(HllToDense(&value));
    EXPECT_EQ(HllRaise(&value, {0, 40}, kSparseMaxBytes), HllChange::kCorrupt);
    EXPECT_EQ(value, corrupt);
  }
  EXPECT_EQ(HllProbe(header, {0, 1}), HllChange::kCorrupt);
  EXPECT_EQ(HllProbe(header + "\x40", {0, 1}), HllChange::kCorrupt);
}

}  // namespace
}  // namespace cairn
