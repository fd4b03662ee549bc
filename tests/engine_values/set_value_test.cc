#include "engine/values/set_value.h"

#include <gtest/gtest.h>

#include <set>

#include "base/allocator.h"
#include "tests/engine_keyspace/keyspace_fixture.h"

namespace cairn {
namespace {

std::set<std::string> Members(const SetView& set) {
  std::set<std::string> members;
  set.ForEach([&](const SetMember& member) {
    std::string text;
    member.AppendTo(&text);
    EXPECT_TRUE(members.insert(text).second) << text;
    return true;
  });
  EXPECT_EQ(members.size(), set.count());
  return members;
}

std::string RandomMember(Random& random) {
  switch (random.Uniform(6)) {
    case 0: return std::to_string(random.Between(-40000, 40000));
    case 1: return "0" + std::to_string(random.Uniform(100));  // looks like a number but is none
    case 2: return std::string(random.Uniform(80), static_cast<char>('a' + random.Uniform(26)));
    case 3: return random.Bytes(1 + random.Uniform(2));
    default: return "m" + std::to_string(random.Uniform(600));
  }
}

TEST(SetValue, ChoosesItsEncoding) {
  ValueLimits limits;
  MemorySet set(limits);
  for (int i = 0; i < 512; i++) EXPECT_TRUE(set.Add(MemberOf(std::to_string(i))));
  EXPECT_EQ(set.encoding(), Encoding::kIntSet);
  EXPECT_TRUE(set.Add(MemberOf("512")));
  EXPECT_EQ(set.encoding(), Encoding::kLarge);
  EXPECT_FALSE(set.Add(SetMember{{}, 7}));

  MemorySet mixed(limits);
  for (int i = 0; i < 127; i++) mixed.Add(SetMember{{}, i});
  EXPECT_TRUE(mixed.Add(MemberOf("x")));
  EXPECT_EQ(mixed.encoding(), Encoding::kPacked);
  EXPECT_FALSE(mixed.Add(MemberOf("17")));
  EXPECT_TRUE(mixed.Add(MemberOf("017")));
  EXPECT_EQ(mixed.encoding(), Encoding::kLarge);
  EXPECT_EQ(mixed.count(), 129u);

  MemorySet longer(limits);
  longer.Add(MemberOf(std::string(64, 'x')));
  EXPECT_EQ(longer.encoding(), Encoding::kPacked);
  longer.Add(MemberOf(std::string(65, 'x')));
  EXPECT_EQ(longer.encoding(), Encoding::kLarge);

  limits.set_max_intset_entries.Set(0);
  MemorySet no_intset(limits);
  no_intset.Add(MemberOf("1"));
  EXPECT_EQ(no_intset.encoding(), Encoding::kPacked);
  limits.set_max_listpack_entries.Set(1000000);
  limits.set_max_listpack_value.Set(1000000);
  MemorySet wide(limits);  // whatever the limits say, no more than an entry may hold
  for (int i = 0; i < 100; i++) wide.Add(MemberOf(std::string(1000, static_cast<char>(i + 1))));
  EXPECT_EQ(wide.encoding(), Encoding::kLarge);
  EXPECT_EQ(wide.count(), 100u);
  limits.set_max_intset_entries.Set(1000000);
  MemorySet integers(limits);
  for (int64_t i = 0; i < 10000; i++) integers.Add(SetMember{{}, INT64_MAX - i});
  EXPECT_EQ(integers.encoding(), Encoding::kLarge);
  EXPECT_EQ(integers.count(), 10000u);
}

TEST(SetValue, TheEmptyStringAndWidths) {
  const ValueLimits limits;
  MemorySet set(limits);
  EXPECT_TRUE(set.Add(MemberOf("5")));
  EXPECT_TRUE(set.Add(MemberOf("-9223372036854775808")));
  EXPECT_TRUE(set.Add(MemberOf("70000")));
  EXPECT_EQ(set.encoding(), Encoding::kIntSet);
  EXPECT_TRUE(set.Add(MemberOf(std::string_view())));
  EXPECT_TRUE(set.view().Contains(MemberOf("")));
  EXPECT_FALSE(set.view().Contains(MemberOf("0")));
  EXPECT_EQ(Members(set.view()), (std::set<std::string>{"", "-9223372036854775808", "5", "70000"}));
  EXPECT_TRUE(set.Remove(MemberOf("")));
  EXPECT_FALSE(set.Remove(MemberOf("")));
}

TEST(SetValue, FollowsASet) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 60; round++) {
    ValueLimits limits;
    limits.set_max_intset_entries.Set(static_cast<int64_t>(random.Uniform(100)));
    limits.set_max_listpack_entries.Set(static_cast<int64_t>(random.Uniform(100)));
    MemorySet set(limits);
    std::set<std::string> model;
    for (int step = 0; step < 500; step++) {
      const std::string member = RandomMember(random);
      if (random.OneIn(3)) {
        ASSERT_EQ(set.Remove(MemberOf(member)), model.erase(member) == 1);
      } else {
        ASSERT_EQ(set.Add(MemberOf(member)), model.insert(member).second);
      }
      const std::string asked = RandomMember(random);
      ASSERT_EQ(set.view().Contains(MemberOf(asked)), model.count(asked) == 1);
      ASSERT_EQ(set.count(), model.size());
    }
    ASSERT_EQ(Members(set.view()), model);
    if (model.empty()) continue;
    std::string drawn;
    set.view().Draw(random).AppendTo(&drawn);
    ASSERT_EQ(model.count(drawn), 1u);
  }
}

TEST(SetValue, SharesKeepWhatTheyHeld) {
  CAIRN_SEEDED(random);
  SetTable table;
  std::set<std::string> model;
  std::vector<std::pair<std::unique_ptr<LargeValue>, std::set<std::string>>> shares;
  for (int step = 0; step < 20000; step++) {
    const std::string member = "m" + std::to_string(random.Uniform(4000));
    if (random.OneIn(3)) {
      table.Remove(member, SetTable::Hash(member));
      model.erase(member);
    } else {
      table.Add(member);
      model.insert(member);
    }
    if (random.OneIn(4000)) shares.emplace_back(table.Share(), model);
  }
  EXPECT_EQ(Members(SetView(table)), model);
  for (const auto& [share, members] : shares) EXPECT_EQ(Members(SetView(static_cast<const SetTable&>(*share))), members);
}

TEST(SetValue, ALargeSetIsDense) {
  constexpr uint64_t kMembers = 200000;
  SetTable table;
  for (uint64_t i = 0; i < kMembers; i++) table.Add("user:" + std::to_string(i));
  EXPECT_LT(table.memory_bytes(), kMembers * 22);
  size_t walked = 0;
  uint64_t cursor = 0;
  std::vector<std::string_view> members;
  do {
    cursor = table.Scan(cursor, 10, &members);
    walked++;
  } while (cursor != 0);
  EXPECT_EQ(members.size(), kMembers);
  EXPECT_LE(walked, kMembers / 10 + 1);
  while (table.FreeStep(100)) {
  }
}

}  // namespace
}  // namespace cairn
