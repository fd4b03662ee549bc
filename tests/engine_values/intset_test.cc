#include "engine/values/intset.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/engine_keyspace/keyspace_fixture.h"

namespace cairn {
namespace {

void Add(std::string* bytes, int64_t value) {
  uint32_t index;
  const IntSet set(*bytes);
  if (set.Find(value, &index)) return;
  if (IntSetWidthOf(value) > set.width()) {
    std::string wide;
    WidenIntSet(*bytes, value, &wide);
    *bytes = wide;
    return;
  }
  char text[8];
  const uint32_t width = set.width(), count = set.count();
  StoreLittleEndian(text, value);
  bytes->insert(set.offset(index), text, width);
  SetIntSetCount(bytes->data(), count + 1);
}

void Remove(std::string* bytes, int64_t value) {
  uint32_t index;
  const IntSet set(*bytes);
  if (!set.Find(value, &index)) return;
  const uint32_t count = set.count();
  bytes->erase(set.offset(index), set.width());
  SetIntSetCount(bytes->data(), count - 1);
}

std::string Of(std::vector<int64_t> ascending) {
  std::string bytes;
  BuildIntSet(ascending, &bytes);
  return bytes;
}

int64_t RandomValue(Random& random) {
  static constexpr int64_t kEdges[] = {0,         -1,        INT16_MAX, INT16_MIN, INT16_MAX + 1,         INT16_MIN - 1,
                                       INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, INT32_MAX + int64_t{1}};
  switch (random.Uniform(8)) {
    case 0: return kEdges[random.Uniform(std::size(kEdges))];
    case 1: return static_cast<int64_t>(random.Next());
    case 2: return random.Between(-100000, 100000);
    default: return random.Between(-300, 300);
  }
}

TEST(IntSet, LayoutIsRedis) {
  EXPECT_EQ(Of({-2, 1, 300}), std::string("\x02\0\0\0\x03\0\0\0\xFE\xFF\x01\0\x2C\x01", 14));
  EXPECT_EQ(Of({40000}), std::string("\x04\0\0\0\x01\0\0\0\x40\x9C\0\0", 12));
  EXPECT_EQ(Of({-3000000000, 7}).size(), 24u);
}

TEST(IntSet, FollowsASet) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 200; round++) {
    std::string bytes = Of({});
    std::set<int64_t> model;
    for (int step = 0; step < 300; step++) {
      const int64_t value = RandomValue(random);
      if (random.OneIn(3)) {
        Remove(&bytes, value);
        model.erase(value);
      } else {
        Add(&bytes, value);
        model.insert(value);
      }
      const IntSet set(bytes);
      ASSERT_EQ(set.count(), model.size());
      const int64_t asked = RandomValue(random);
      uint32_t index;
      ASSERT_EQ(set.Find(asked, &index), model.count(asked) == 1);
      ASSERT_EQ(index, std::distance(model.begin(), model.lower_bound(asked)));
    }
    uint32_t index = 0;
    for (const int64_t value : model) ASSERT_EQ(IntSet(bytes).at(index++), value);
    ASSERT_EQ(ValidateIntSet(bytes).ok(), !model.empty());
  }
}

TEST(IntSet, RefusesDamage) {
  const std::string good = Of({-2, 1, 300});
  EXPECT_TRUE(ValidateIntSet(good).ok());
  for (size_t size = 0; size < good.size(); size++) EXPECT_FALSE(ValidateIntSet(good.substr(0, size)).ok()) << size;
  EXPECT_FALSE(ValidateIntSet(good + "x").ok());
  EXPECT_FALSE(ValidateIntSet(Of({})).ok());
  EXPECT_FALSE(ValidateIntSet(Of({1, 1})).ok());
  EXPECT_FALSE(ValidateIntSet(Of({2, 1})).ok());
  std::string width = good;
  width[0] = 3;
  EXPECT_FALSE(ValidateIntSet(width).ok());
  // A count whose byte size overflows 32 bits to the right one.
  std::string count = Of({1, 2});
  count[0] = 8;
  count.resize(8 + 8);
  SetIntSetCount(count.data(), 0x20000001);
  EXPECT_FALSE(ValidateIntSet(count).ok());
}

}  // namespace
}  // namespace cairn
