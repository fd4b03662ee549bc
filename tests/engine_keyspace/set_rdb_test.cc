#include "engine/codec/set_rdb.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/codec/value_codec.h"
#include "keyspace_fixture.h"

namespace cairn {
namespace {

SetView ViewOf(const LoadedValue& value) {
  if (value.encoding == Encoding::kLarge) return SetView(static_cast<const SetTable&>(*value.large));
  return {value.encoding, value.packed};
}

std::set<std::string> Members(const SetView& set) {
  std::set<std::string> members;
  set.ForEach([&](const SetMember& member) {
    std::string text;
    member.AppendTo(&text);
    return members.insert(text).second;
  });
  return members;
}

std::string Encoded(const SetView& set) {
  std::string bytes;
  StringRdbSink sink(&bytes);
  EncodeSet(set, sink);
  return bytes;
}

TEST(SetRdb, IsRedisEncoding) {
  const ValueLimits limits;
  MemorySet integers(limits);
  for (const char* text : {"-2", "1", "300"}) integers.Add(MemberOf(text));
  EXPECT_EQ(SetRdbType(integers.view()), 11);
  EXPECT_EQ(Encoded(integers.view()), std::string("\x0e\x02\0\0\0\x03\0\0\0\xFE\xFF\x01\0\x2C\x01", 15));
  MemorySet mixed(limits);
  for (const char* text : {"a", "5", "300", "0123"}) mixed.Add(MemberOf(text));
  EXPECT_EQ(SetRdbType(mixed.view()), 2);
  EXPECT_EQ(Encoded(mixed.view()), std::string("\x04\x01"
                                               "a\xc0\x05\xc1\x2c\x01\x04"
                                               "0123",
                                               13));
  LoadedValue value;
  const std::string listpack(
      "\x0c\x0c\0\0\0\x02\0\x81"
      "a\x02\x05\x01\xff",
      13);
  ASSERT_TRUE(DecodeSet(20, listpack, limits, &value).ok());
  EXPECT_EQ(Members(ViewOf(value)), (std::set<std::string>{"5", "a"}));
}

TEST(SetRdb, SurvivesARoundTrip) {
  CAIRN_SEEDED(random);
  const ValueLimits limits;
  for (int round = 0; round < 60; round++) {
    MemorySet set(limits);
    const uint64_t members = 1 + random.Uniform(random.OneIn(4) ? 5000 : 200);
    const bool integers = random.OneIn(2);
    for (uint64_t i = 0; i < members; i++) {
      const std::string text = integers ? std::to_string(random.Between(-70000, 70000)) : random.Bytes(random.Uniform(12));
      set.Add(MemberOf(text));
    }
    const std::string bytes = Encoded(set.view());
    LoadedValue value;
    ASSERT_TRUE(DecodeCollection(SetRdbType(set.view()), bytes, limits, &value).ok());
    EXPECT_EQ(value.type, ValueType::kSet);
    EXPECT_EQ(value.encoding, set.encoding());
    EXPECT_EQ(Members(ViewOf(value)), Members(set.view()));
    EXPECT_FALSE(DecodeCollection(SetRdbType(set.view()), bytes.substr(0, bytes.size() - 1), limits, &value).ok());
    EXPECT_FALSE(DecodeCollection(SetRdbType(set.view()), bytes + "x", limits, &value).ok());
  }
}

TEST(SetRdb, RefusesDamage) {
  const ValueLimits limits;
  LoadedValue value;
  EXPECT_FALSE(DecodeSet(2,
                         std::string("\x02\x01"
                                     "a\x01"
                                     "a",
                                     5),
                         limits, &value)
                   .ok());
  EXPECT_FALSE(DecodeSet(2, std::string_view("\0", 1), limits, &value).ok());
  EXPECT_FALSE(DecodeSet(2, "", limits, &value).ok());
  EXPECT_FALSE(DecodeSet(2, "\xc0\x05", limits, &value).ok());
  EXPECT_FALSE(DecodeSet(11, "\xc0\x05", limits, &value).ok());
  // "5" twice: as a number and as text.
  EXPECT_FALSE(DecodeSet(20, std::string("\x0c\x0c\0\0\0\x02\0\x05\x01\x81\x35\x02\xff", 13), limits, &value).ok());
}

}  // namespace
}  // namespace cairn
