#include <gtest/gtest.h>

#include "keyspace_fixture.h"
#include "snapshot/rdb_string_decoder.h"
#include "snapshot/rdb_string_encoder.h"

namespace cairn {
namespace {

TEST(RdbValue, IntegersHaveRedissBytes) {
  const auto encoded = [](int64_t value) {
    char bytes[kRdbIntMaxBytes];
    return std::string(bytes, EncodeRdbInt(bytes, value));
  };
  EXPECT_EQ(encoded(-1), std::string("\xC0\xFF", 2));
  EXPECT_EQ(encoded(300), std::string("\xC1\x2C\x01", 3));
  EXPECT_EQ(encoded(-70000), std::string("\xC2\x90\xEE\xFE\xFF", 5));
  EXPECT_EQ(encoded(5000000000),
            "\x0A"
            "5000000000");
  for (const int64_t value :
       {INT64_MIN, int64_t{INT32_MIN}, int64_t{-32768}, int64_t{-128}, int64_t{0}, int64_t{127}, INT64_MAX}) {
    const std::string bytes = encoded(value);
    std::string_view rest = bytes;
    RdbString decoded;
    std::string scratch;
    ASSERT_TRUE(DecodeRdbString(&rest, &decoded, &scratch).ok());
    EXPECT_TRUE(rest.empty());
    if (decoded.is_int) {
      EXPECT_EQ(decoded.number, value);
    } else {
      EXPECT_EQ(decoded.bytes, std::to_string(value));
    }
  }
}

TEST(RdbValue, LengthsRoundTrip) {
  for (const uint64_t size :
       {uint64_t{0}, uint64_t{1}, uint64_t{63}, uint64_t{64}, uint64_t{16383}, uint64_t{16384}, uint64_t{70000}}) {
    std::string bytes;
    AppendRdbString(std::string(size, 'v'), &bytes);
    EXPECT_EQ(bytes.size(), size + RdbLengthBytes(size));
    RdbString decoded;
    ASSERT_TRUE(DecodePlainRdbString(bytes, &decoded));
    EXPECT_EQ(decoded.bytes.size(), size);
    std::string scratch;
    for (size_t cut = 0; cut < std::min<size_t>(bytes.size(), 12); cut++) {
      std::string_view rest = std::string_view(bytes).substr(0, cut);
      EXPECT_FALSE(DecodeRdbString(&rest, &decoded, &scratch).ok());
    }
  }
  EXPECT_EQ(RdbLengthPrefix(uint64_t{1} << 33), std::string("\x81\0\0\0\2\0\0\0\0", 9));
}

TEST(RdbValue, ExpandsLzf) {
  // "a", then 19 more of it.
  const std::string bytes(
      "\xC3\x05\x14\x00"
      "a"
      "\xE0\x0A\x00",
      8);
  std::string_view rest = bytes;
  RdbString decoded;
  std::string scratch;
  ASSERT_TRUE(DecodeRdbString(&rest, &decoded, &scratch).ok());
  EXPECT_EQ(decoded.bytes, std::string(20, 'a'));
}

TEST(RdbValue, AnyBytesAreSafe) {
  CAIRN_SEEDED(random);
  for (int i = 0; i < 200000; i++) {
    std::string bytes = random.Bytes(random.Uniform(24));
    if (!bytes.empty() && random.OneIn(2)) bytes[0] = static_cast<char>(0xC0 + random.Uniform(5));
    std::string_view rest = bytes;
    RdbString decoded;
    std::string scratch;
    while (!rest.empty() && DecodeRdbString(&rest, &decoded, &scratch).ok()) {
    }
  }
}

}  // namespace
}  // namespace cairn
