#include "engine/codec/list_rdb.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/codec/ziplist.h"
#include "engine/values/list_cursor.h"
#include "snapshot/rdb_string_encoder.h"
#include "tests/engine_keyspace/keyspace_fixture.h"

namespace cairn {
namespace {

using namespace std::literals;
using Elements = std::vector<std::string>;

Elements Read(const LoadedValue& value) {
  Elements elements;
  ListCursor cursor =
      value.encoding == Encoding::kPacked ? ListCursor(value.packed) : ListCursor(static_cast<const ListValue&>(*value.large));
  while (cursor.valid()) cursor.ReadForward().value.AppendTo(&elements.emplace_back());
  return elements;
}

Elements Decoded(uint8_t type, std::string_view bytes) {
  LoadedValue value;
  const Status status = DecodeList(type, bytes, &value);
  if (!status.ok()) return {"!" + std::string(status.message())};
  EXPECT_EQ(value.type, ValueType::kList);
  return Read(value);
}

std::string Encoded(const ListValue& list) {
  std::string bytes;
  StringRdbSink sink(&bytes);
  EncodeList(list, sink);
  return bytes;
}

TEST(ListRdb, LargeListsComeBack) {
  CAIRN_SEEDED(random);
  for (const uint64_t count : {1, 30, 100, 5000}) {
    ListValue list;
    Elements model;
    for (uint64_t i = 0; i < count; i++) {
      model.push_back(random.OneIn(200) ? random.Bytes(random.Uniform(20000))
                                        : "event:" + std::to_string(random.Uniform(1000000)));
      list.Push(ListEnd::kBack, ListItem(model.back()));
    }
    const std::string bytes = Encoded(list);
    EXPECT_EQ(Decoded(kRdbTypeListQuicklist2, bytes), model);
    for (int i = 0; i < 30; i++) {
      EXPECT_EQ(Decoded(kRdbTypeListQuicklist2, std::string_view(bytes).substr(0, random.Uniform(bytes.size())))[0][0], '!');
    }
    EXPECT_EQ(Decoded(kRdbTypeListQuicklist2, bytes + "x")[0], "!bytes follow a list");
  }
}

TEST(ListRdb, SmallListsArePacked) {
  LoadedValue value;
  ASSERT_TRUE(DecodeList(kRdbTypeListQuicklist2, "\x01\x02\x0a\x0a\0\0\0\x01\0\x81\x61\x02\xff"sv, &value).ok());
  EXPECT_EQ(value.encoding, Encoding::kPacked);
  EXPECT_EQ(value.packed, "\x0a\0\0\0\x01\0\x81\x61\x02\xff"sv);
  // Several small nodes, as another writer's settings make them, are one here.
  ASSERT_TRUE(DecodeList(kRdbTypeListQuicklist2, "\x02\x02\x0a\x0a\0\0\0\x01\0\x81\x61\x02\xff\x01\x02hi"sv, &value).ok());
  EXPECT_EQ(value.encoding, Encoding::kPacked);
  EXPECT_EQ(Read(value), (Elements{"a", "hi"}));
}

TEST(ListRdb, OlderForms) {
  EXPECT_EQ(Decoded(kRdbTypeList, "\x03\x01\x61\xc0\x05\x00"sv), (Elements{"a", "5", ""}));
  // What version 6 writes for RPUSH l a 5 -1 300 70000 -8388608 5000000000 and 70 times x.
  std::string ziplist = "\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00"s + "\x00\x01\x61"s + "\x03\xf6" + "\x02\xfe\xff" +
                        "\x03\xc0\x2c\x01" + "\x04\xd0\x70\x11\x01\x00"s + "\x06\xf0\x00\x00\x80"s +
                        "\x05\xe0\x00\xf2\x05\x2a\x01\x00\x00\x00"s + "\x0a\x40\x46"s + std::string(70, 'x') + "\xff";
  ziplist[0] = static_cast<char>(ziplist.size());
  ziplist[4] = static_cast<char>(ziplist.size() - 1 - 73);
  const Elements expected = {"a", "5", "-1", "300", "70000", "-8388608", "5000000000", std::string(70, 'x')};
  const std::string as_string = RdbLengthPrefix(ziplist.size()) + ziplist;
  EXPECT_EQ(Decoded(kRdbTypeListZiplist, as_string), expected);
  EXPECT_EQ(Decoded(kRdbTypeListQuicklist, "\x01" + as_string), expected);
  for (size_t size = 0; size < ziplist.size(); size++) {
    ListpackBuilder elements;
    EXPECT_FALSE(AppendZiplist(std::string_view(ziplist).substr(0, size), &elements).ok());
  }
}

TEST(ListRdb, RefusesWhatIsNoList) {
  EXPECT_EQ(Decoded(kRdbTypeListQuicklist2, "")[0], "!a list's length is malformed");
  EXPECT_EQ(Decoded(kRdbTypeListQuicklist2, "\0"sv)[0], "!a list has no element");
  EXPECT_EQ(Decoded(kRdbTypeListQuicklist2, "\x01\x02\x07\x07\0\0\0\0\0\xff"sv)[0], "!a list has no element");
  EXPECT_EQ(Decoded(kRdbTypeListQuicklist2, "\x01\x03\x01x"sv)[0], "!a list's node is of an unknown kind");
  EXPECT_EQ(Decoded(kRdbTypeListQuicklist2, "\x01\x02\x01x"sv)[0], "!a list's listpack is malformed");
  EXPECT_EQ(Decoded(kRdbTypeListQuicklist, "\x01\x01x"sv)[0], "!a ziplist is malformed");
}

}  // namespace
}  // namespace cairn
