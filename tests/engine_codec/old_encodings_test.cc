// Hashes and sorted sets as Redis wrote them before version 7: ziplists and zipmaps, also those that no Redis wrote.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/codec/hash_rdb.h"
#include "engine/codec/sorted_set_rdb.h"
#include "engine/codec/value_codec.h"
#include "engine/values/listpack.h"
#include "engine/values/sorted_set_view.h"
#include "snapshot/rdb_string_encoder.h"

namespace cairn {
namespace {

using namespace std::literals;

// A ziplist of short texts, as an RDB string.
std::string Ziplist(const std::vector<std::string>& texts, int stated_count = -1) {
  std::string entries;
  size_t previous = 0, last = 10;
  for (const std::string& text : texts) {
    last = 10 + entries.size();
    const size_t before = entries.size();
    entries += static_cast<char>(previous);
    entries += static_cast<char>(text.size());
    entries += text;
    previous = entries.size() - before;
  }
  char head[10];
  StoreLittleEndian<uint32_t>(head, static_cast<uint32_t>(11 + entries.size()));
  StoreLittleEndian<uint32_t>(head + 4, static_cast<uint32_t>(last));
  StoreLittleEndian<uint16_t>(head + 8, static_cast<uint16_t>(stated_count < 0 ? static_cast<int>(texts.size()) : stated_count));
  std::string bytes;
  AppendRdbString(std::string(head, 10) + entries + "\xFF", &bytes);
  return bytes;
}

std::string Zipmap(std::string_view zipmap) {
  std::string bytes;
  AppendRdbString(zipmap, &bytes);
  return bytes;
}

std::string Hash(uint8_t type, std::string_view bytes, ValueLimits limits = {}) {
  LoadedValue value;
  const Status status = DecodeHash(type, bytes, limits, &value);
  if (status.code() == StatusCode::kNotFound) return "empty";
  if (!status.ok()) return "refused";
  if (value.encoding == Encoding::kLarge) return "large " + std::to_string(value.large->element_count());
  std::string text;
  const ListpackView view(value.packed);
  for (auto at = view.begin(); at != view.end();) {
    view.Read(&at).AppendTo(&text);
    text += ' ';
  }
  return text;
}

TEST(OldEncodings, ZipmapsBecomeHashes) {
  const auto decode = [](std::string_view zipmap) { return Hash(kRdbTypeHashZipmap, Zipmap(zipmap)); };
  EXPECT_EQ(decode("\x02\x01"s
                   "a\x01\x00"
                   "1\x01"
                   "b\x02\x03"
                   "22###\xFF"s),
            "a 1 b 22 ");  // three unused bytes behind 22
  EXPECT_EQ(decode("\xFE\xFE\x01\x00\x00\x00"s
                   "a\x01\x00"
                   "1\xFF"s),
            "a 1 ");  // a count and a length in the long form
  EXPECT_EQ(decode("\x00\xFF"s), "empty");
  for (const std::string_view bad : {"\x02\x01"
                                     "a\x01\x00"
                                     "1\xFF"sv,  // another count
                                     "\x01\x01"
                                     "a\xFF"sv,  // no value
                                     "\x01\x05"
                                     "a\x01\x00"
                                     "1\xFF"sv,  // beyond the end
                                     "\x01\xFE\xFF\xFF\xFF\xFF"
                                     "a\x01\x00"
                                     "1\xFF"sv,
                                     "\x02\x01"
                                     "a\x01\x00"
                                     "1\x01"
                                     "a\x01\x00"
                                     "2\xFF"sv,  // a field twice
                                     "\x01\x01"
                                     "a\x01\x00"
                                     "1"sv,  // no end
                                     ""sv, "\xFF"sv}) {
    EXPECT_EQ(decode(bad), "refused") << bad;
  }
}

TEST(OldEncodings, ZiplistsBecomeHashes) {
  EXPECT_EQ(Hash(kRdbTypeHashZiplist, Ziplist({"f", "v", "n", "12345"})), "f v n 12345 ");
  EXPECT_EQ(Hash(kRdbTypeHashZiplist, Ziplist({})), "empty");
  EXPECT_EQ(Hash(kRdbTypeHashZiplist, Ziplist({"f"})), "refused");
  EXPECT_EQ(Hash(kRdbTypeHashZiplist, Ziplist({"f", "1", "f", "2"})), "refused");
  EXPECT_EQ(Hash(kRdbTypeHashZiplist, Ziplist({"f", "1"}, 3)), "refused");
  ValueLimits small;
  small.hash_max_listpack_entries.Set(1);
  EXPECT_EQ(Hash(kRdbTypeHashZiplist, Ziplist({"a", "1", "b", "2"}), small), "large 2");
}

TEST(OldEncodings, ZiplistsBecomeSortedSets) {
  const auto decode = [](const std::string& bytes) -> std::string {
    LoadedValue value;
    const Status status = DecodeSortedSet(kRdbTypeSortedSetZiplist, bytes, {}, &value);
    if (!status.ok()) return status.code() == StatusCode::kNotFound ? "empty" : "refused";
    std::string text;
    const SortedSetView view{std::string_view(value.packed)};
    for (auto at = view.At(0); at.valid(); at.Next()) text += std::string(at.member()) + "=" + FormatDouble(at.score()) + " ";
    return text;
  };
  EXPECT_EQ(decode(Ziplist({"a", "1", "b", "2.5", "c", "inf"})), "a=1 b=2.5 c=inf ");
  EXPECT_EQ(decode(Ziplist({"b", "2", "a", "1"})), "a=1 b=2 ");  // out of order
  EXPECT_EQ(decode(Ziplist({})), "empty");
  EXPECT_EQ(decode(Ziplist({"a"})), "refused");
  EXPECT_EQ(decode(Ziplist({"a", "nan"})), "refused");
  EXPECT_EQ(decode(Ziplist({"a", "x"})), "refused");
  EXPECT_EQ(decode(Ziplist({"a", "1", "a", "2"})), "refused");
}

}  // namespace
}  // namespace cairn
