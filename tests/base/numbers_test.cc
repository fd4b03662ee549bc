#include "base/numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/random.h"

namespace cairn {
namespace {

TEST(ParseInt64, AcceptsOnlyWhatPrintsBackTheSame) {
  int64_t value = 7;
  for (const char* text : {"", "-", "+1", " 1", "1 ", "01", "-0", "-01", "00", "1.0", "1e3", "0x1", "9223372036854775808",
                           "-9223372036854775809", "18446744073709551616", "99999999999999999999", "123456789012345678901"}) {
    EXPECT_FALSE(ParseInt64(text, &value)) << text;
    EXPECT_EQ(value, 7);
  }
  for (const char* text : {"0", "1", "-1", "10", "9223372036854775807", "-9223372036854775808", "-9223372036854775807"}) {
    ASSERT_TRUE(ParseInt64(text, &value)) << text;
    EXPECT_EQ(std::to_string(value), text);
  }
  EXPECT_FALSE(ParseInt64(std::string_view("1\0", 2), &value));
}

TEST(ParseUint64, Limits) {
  uint64_t value = 0;
  ASSERT_TRUE(ParseUint64("18446744073709551615", &value));
  EXPECT_EQ(value, UINT64_MAX);
  EXPECT_FALSE(ParseUint64("18446744073709551616", &value));
  EXPECT_FALSE(ParseUint64("-1", &value));
  EXPECT_FALSE(ParseUint64("007", &value));
}

TEST(WriteInt, RoundTripsAndKnowsItsSize) {
  Random random(21);
  for (int i = 0; i < 2000; i++) {
    const auto number = static_cast<int64_t>(random.Next() >> random.Uniform(64)) * (random.OneIn(2) ? 1 : -1);
    std::string text;
    AppendInt(text, number);
    ASSERT_EQ(text, std::to_string(number));
    ASSERT_EQ(IntTextSize(number), text.size());
  }
  EXPECT_EQ(IntTextSize(INT64_MIN), 20u);
  EXPECT_EQ(IntTextSize(0), 1u);
  std::string text;
  AppendUint(text, UINT64_MAX);
  EXPECT_EQ(text, "18446744073709551615");
}

TEST(ParseDouble, WholeTextOnly) {
  double value = 0;
  EXPECT_TRUE(ParseDouble("3.0e2", &value));
  EXPECT_EQ(value, 300);
  EXPECT_TRUE(ParseDouble("+inf", &value));
  EXPECT_TRUE(std::isinf(value));
  EXPECT_TRUE(ParseDouble("-Infinity", &value));
  EXPECT_LT(value, 0);
  EXPECT_TRUE(ParseDouble("0x10", &value));
  EXPECT_EQ(value, 16);
  for (const char* text : {"", " 1", "1 ", "1.0x", "nan", "1e400", "1e-400", "--1"})
    EXPECT_FALSE(ParseDouble(text, &value)) << text;
  EXPECT_FALSE(ParseDouble(std::string_view("1\0", 2), &value));
  EXPECT_TRUE(ParseDouble("nan", &value, true));
  EXPECT_TRUE(ParseDouble(std::string(500, '0') + "1.5", &value));
  EXPECT_EQ(value, 1.5);
}

TEST(ParseLongDouble, Limits) {
  long double value = 0;
  EXPECT_TRUE(ParseLongDouble("10.5", &value));
  EXPECT_EQ(value, 10.5L);
  EXPECT_TRUE(ParseLongDouble("1e400", &value));
  EXPECT_FALSE(ParseLongDouble(std::string(5 * 1024, '1'), &value));
  EXPECT_FALSE(ParseLongDouble("nan", &value));
}

TEST(FormatDouble, SeventeenDigits) {
  EXPECT_EQ(FormatDouble(3), "3");
  EXPECT_EQ(FormatDouble(3.1), "3.1000000000000001");
  EXPECT_EQ(FormatDouble(-0.5), "-0.5");
  EXPECT_EQ(FormatDouble(1e21), "1e+21");
  EXPECT_EQ(FormatDouble(HUGE_VAL), "inf");
  EXPECT_EQ(FormatDouble(-HUGE_VAL), "-inf");
}

TEST(FormatLongDouble, AsIncrByFloat) {
  EXPECT_EQ(FormatLongDouble(10.6L), "10.6");
  EXPECT_EQ(FormatLongDouble(5000), "5000");
  EXPECT_EQ(FormatLongDouble(0), "0");
  EXPECT_EQ(FormatLongDouble(-0.0L), "0");
  EXPECT_EQ(FormatLongDouble(1.5e10L), "15000000000");
  EXPECT_EQ(FormatLongDouble(1.23L), "1.23");
  EXPECT_EQ(FormatLongDouble(-100), "-100");
}

TEST(ParseMemory, Units) {
  uint64_t bytes = 0;
  struct Case {
    const char* text;
    uint64_t bytes;
  };
  for (const Case& c : {Case{"0", 0},
                        {"100", 100},
                        {"5b", 5},
                        {"1k", 1000},
                        {"1KB", 1024},
                        {"2m", 2'000'000},
                        {"256mb", 256u << 20},
                        {"1Gb", 1u << 30},
                        {"3g", 3'000'000'000}}) {
    ASSERT_TRUE(ParseMemory(c.text, &bytes)) << c.text;
    EXPECT_EQ(bytes, c.bytes) << c.text;
  }
  for (const char* text : {"", "-1", "mb", "1tb", "1 mb", "1.5g", "99999999999999999999", "99999999999999gb"}) {
    EXPECT_FALSE(ParseMemory(text, &bytes)) << text;
  }
}

TEST(FormatBytesHuman, Units) {
  EXPECT_EQ(FormatBytesHuman(0), "0B");
  EXPECT_EQ(FormatBytesHuman(1023), "1023B");
  EXPECT_EQ(FormatBytesHuman(1536), "1.50K");
  EXPECT_EQ(FormatBytesHuman(1024 * 1024), "1.00M");
  EXPECT_EQ(FormatBytesHuman(uint64_t{5} << 30), "5.00G");
}

TEST(EqualsIgnoreCase, AsciiOnly) {
  EXPECT_TRUE(EqualsIgnoreCase("GeT", "gEt"));
  EXPECT_FALSE(EqualsIgnoreCase("get", "gets"));
  EXPECT_FALSE(EqualsIgnoreCase("[", "{"));
}

}  // namespace
}  // namespace cairn
