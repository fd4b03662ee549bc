#include "engine/codec/sorted_set_rdb.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>

#include "engine/codec/value_codec.h"
#include "engine/values/sorted_set_view.h"

namespace cairn {
namespace {

std::string Encoded(const SortedSet& set) {
  std::string bytes;
  StringRdbSink sink(&bytes);
  EncodeSortedSet(set, sink);
  return bytes;
}

// As "member=score" in order, or the error.
std::string Decoded(uint8_t rdb_type, const std::string& bytes, const ValueLimits& limits = ValueLimits()) {
  LoadedValue value;
  const Status status = DecodeSortedSet(rdb_type, bytes, limits, &value);
  if (!status.ok()) return "!" + std::string(status.message());
  EXPECT_EQ(value.type, ValueType::kSortedSet);
  const bool large = value.encoding == Encoding::kLarge;
  const SortedSetView view =
      large ? SortedSetView(static_cast<const SortedSet&>(*value.large)) : SortedSetView(std::string_view(value.packed));
  std::string text = large ? "large" : "packed";
  for (SortedSetView::Cursor at = view.At(0); at.valid(); at.Next()) {
    text += ' ';
    text += at.member();
    text += '=';
    text += FormatDouble(at.score());
  }
  return text;
}

std::string PackedBytes(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  ListpackBuilder builder;
  for (const auto& [member, score] : pairs) {
    builder.Add(member);
    builder.Add(score);
  }
  std::string bytes;
  AppendRdbString(builder.listpack(), &bytes);
  return bytes;
}

TEST(SortedSetRdb, PairsGoThere) {
  SortedSet set;
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [member, score] : {std::pair<std::string, double>{"a", 1.5}, {"", -infinity}, {"12", infinity}, {"z", -0.0}}) {
    EXPECT_TRUE(set.Add(member, score));
  }
  const std::string bytes = Encoded(set);
  // Redis writes the highest first: 12 as an 8-bit integer, then the bytes of +inf.
  EXPECT_EQ(bytes.substr(0, 11), std::string("\x04\xC0\x0C\0\0\0\0\0\0\xF0\x7F", 11));
  EXPECT_EQ(Decoded(kRdbTypeSortedSet2, bytes), "packed =-inf z=0 a=1.5 12=inf");
  ValueLimits limits;
  limits.zset_max_listpack_entries.Set(3);
  EXPECT_EQ(Decoded(kRdbTypeSortedSet2, bytes, limits), "large =-inf z=-0 a=1.5 12=inf");
  for (size_t n = 0; n < bytes.size(); n++) EXPECT_EQ(Decoded(kRdbTypeSortedSet2, bytes.substr(0, n))[0], '!') << n;
  EXPECT_EQ(Decoded(kRdbTypeSortedSet2, bytes + "x"), "!a sorted set has bytes behind its last element");
}

TEST(SortedSetRdb, LargeSetsComeBack) {
  SortedSet set;
  for (int i = 0; i < 5000; i++) set.Add("member:" + std::to_string(i), i * 7919 % 5003 / 2.0);
  LoadedValue value;
  ASSERT_TRUE(DecodeSortedSet(kRdbTypeSortedSet2, Encoded(set), ValueLimits(), &value).ok());
  const auto& back = static_cast<const SortedSet&>(*value.large);
  ASSERT_EQ(back.element_count(), set.element_count());
  for (SortedSet::Cursor a = set.At(0), b = back.At(0); a.valid(); a.Next(), b.Next()) {
    ASSERT_EQ(a.member(), b.member());
    ASSERT_EQ(a.score(), b.score());
  }
  EXPECT_LE(back.memory_bytes(), set.memory_bytes());
}

TEST(SortedSetRdb, Listpacks) {
  EXPECT_EQ(Decoded(kRdbTypeSortedSetListpack, PackedBytes({{"a", "1"}, {"b", "2.5"}, {"7", "inf"}})), "packed a=1 b=2.5 7=inf");
  EXPECT_EQ(Decoded(kRdbTypeSortedSetListpack, PackedBytes({{"b", "2"}, {"a", "2"}})), "packed a=2 b=2");
  EXPECT_EQ(Decoded(kRdbTypeSortedSetListpack, PackedBytes({{std::string(65, 'm'), "2"}})),
            "large " + std::string(65, 'm') + "=2");
  EXPECT_EQ(Decoded(kRdbTypeSortedSetListpack, PackedBytes({{"a", "1"}, {"a", "2"}})), "!a sorted set has a member twice");
  EXPECT_EQ(Decoded(kRdbTypeSortedSetListpack, PackedBytes({{"a", "nan"}})), "!a sorted set's score is malformed");
  EXPECT_EQ(Decoded(kRdbTypeSortedSetListpack, PackedBytes({{"a", ""}})), "!a sorted set's score is malformed");
  EXPECT_EQ(Decoded(kRdbTypeSortedSetListpack, PackedBytes({})), "!a sorted set is empty");
  ListpackBuilder odd;
  odd.Add("a");
  std::string bytes;
  AppendRdbString(odd.listpack(), &bytes);
  EXPECT_EQ(Decoded(kRdbTypeSortedSetListpack, bytes), "!a sorted set's listpack is malformed");
}

TEST(SortedSetRdb, OldTextScores) {
  EXPECT_EQ(Decoded(kRdbTypeSortedSet, std::string("\x03\x01"
                                                   "a"
                                                   "\x03"
                                                   "1.5"
                                                   "\x01"
                                                   "b"
                                                   "\xFE"
                                                   "\x01"
                                                   "c"
                                                   "\xFF")),
            "packed c=-inf a=1.5 b=inf");
  EXPECT_EQ(Decoded(kRdbTypeSortedSet, std::string("\x01\x01"
                                                   "a"
                                                   "\xFD")),
            "!a sorted set's score is malformed");
  EXPECT_EQ(Decoded(kRdbTypeSortedSet, std::string("\x01\x01"
                                                   "a"
                                                   "\x05"
                                                   "1.5")),
            "!a sorted set's score is malformed");
  std::string nan(
      "\x01\x01"
      "a",
      3);
  nan.append("\0\0\0\0\0\0\xF8\x7F", 8);
  EXPECT_EQ(Decoded(kRdbTypeSortedSet2, nan), "!a sorted set's score is malformed");
}

}  // namespace
}  // namespace cairn
