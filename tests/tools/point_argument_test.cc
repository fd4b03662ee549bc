#include "tools/common/point_argument.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "tools/common/json_text.h"

namespace cairn {
namespace {

constexpr int64_t kQuarterPastTen = 1'795'428'900'000'000;  // 2026-11-23 10:15:00 UTC

int64_t TimeOf(const char* text) {
  const Result<int64_t> time = ParseTime(text);
  EXPECT_TRUE(time.ok()) << text << ": " << time.status().ToString();
  return time.ok() ? *time : -1;
}

TEST(PointArgument, EveryFormOfATime) {
  EXPECT_EQ(TimeOf("2026-11-23 10:15:00Z"), kQuarterPastTen);
  EXPECT_EQ(TimeOf("2026-11-23T10:15:00 UTC"), kQuarterPastTen);
  EXPECT_EQ(TimeOf("2026-11-23 12:15:00+02:00"), kQuarterPastTen);
  EXPECT_EQ(TimeOf("2026-11-23 04:45:00 -0530"), kQuarterPastTen);
  EXPECT_EQ(TimeOf("2026-11-23 10:15:00.25Z"), kQuarterPastTen + 250'000);
  EXPECT_EQ(TimeOf("1795428900"), kQuarterPastTen);
  EXPECT_EQ(TimeOf("1795428900.000001"), kQuarterPastTen + 1);
  EXPECT_EQ(TimeOf("1795428900250"), kQuarterPastTen + 250'000);
  EXPECT_EQ(TimeOf("1795428900250001"), kQuarterPastTen + 250'001);
  setenv("TZ", "EST5", 1);
  tzset();
  EXPECT_EQ(TimeOf("2026-11-23 05:15:00"), kQuarterPastTen);
  EXPECT_EQ(*ParseTime("2026-11-23 10:15:00", Zone::kUtc), kQuarterPastTen);
  EXPECT_EQ(*ParseTime("2026-11-23 12:15:00+02:00", Zone::kUtc), kQuarterPastTen);
  unsetenv("TZ");
  tzset();
}

TEST(PointArgument, WhereClocksArePutForwardAndBack) {
  setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  tzset();
  EXPECT_EQ(TimeOf("2026-03-29 01:59:59"), TimeOf("2026-03-29 00:59:59Z"));
  EXPECT_EQ(TimeOf("2026-03-29 03:00:00"), TimeOf("2026-03-29 01:00:00Z"));
  EXPECT_EQ(TimeOf("2026-10-25 01:59:59"), TimeOf("2026-10-24 23:59:59Z"));
  EXPECT_EQ(TimeOf("2026-10-25 03:00:00"), TimeOf("2026-10-25 02:00:00Z"));
  EXPECT_EQ(TimeOf("2026-10-25 02:30:00+02:00"), TimeOf("2026-10-25 00:30:00Z"));
  const Result<int64_t> never = ParseTime("2026-03-29 02:30:00"), twice = ParseTime("2026-10-25 02:30:00");
  unsetenv("TZ");
  tzset();
  ASSERT_FALSE(never.ok());
  EXPECT_NE(never.status().message().find("never a local time"), std::string_view::npos) << never.status().message();
  EXPECT_NE(never.status().message().find("2026-03-29 00:30:00.000000 UTC or 2026-03-29 01:30:00.000000 UTC"),
            std::string_view::npos)
      << never.status().message();
  ASSERT_FALSE(twice.ok());
  EXPECT_NE(twice.status().message().find("2026-10-25 00:30:00.000000 UTC or 2026-10-25 01:30:00.000000 UTC"),
            std::string_view::npos)
      << twice.status().message();
}

TEST(PointArgument, WhatIsNoTime) {
  for (const char* text : {"",
                           "yesterday",
                           "2026-11-23",
                           "2026-11-23 10:15",
                           "2026-11-23 10:15:00x",
                           "2026-13-23 10:15:00Z",
                           "-5",
                           "1e9",
                           "2026-11-23 10:15:00+2",
                           "99999999999999999999",
                           "1795428900.x",
                           "1791795428924542.9240",
                           "1795428900250.5",
                           "1960-01-01 00:00:00Z",
                           "2026-02-30 10:15:00Z",
                           "2026-11-31 10:15:00",
                           "2026-02-29 00:00:00",
                           "2026-11-23 10:15:60Z",
                           "2026-11-23 10:15:00+99:99",
                           "2026-11-23 10:15:00+15:00",
                           "2026-11-23 10:15:00-0060"}) {
    EXPECT_FALSE(ParseTime(text).ok()) << text;
  }
}

TEST(PointArgument, TimeLsnOrTheEnd) {
  EXPECT_EQ(ParsePoint({}, {})->kind, PointInTime::Kind::kEnd);
  EXPECT_EQ(ParsePoint({}, "42")->lsn, 42u);
  EXPECT_EQ(ParsePoint("lsn:42", {})->lsn, 42u);
  EXPECT_EQ(ParsePoint("1795428900", {})->unix_us, kQuarterPastTen);
  EXPECT_FALSE(ParsePoint("1795428900", "42").ok());
  EXPECT_FALSE(ParsePoint({}, "-1").ok());
  // A shell's empty variable is not the end.
  EXPECT_FALSE(ParsePoint("", {}).ok());
  EXPECT_FALSE(ParsePoint({}, "").ok());
  EXPECT_FALSE(ParsePoint("lsn:", {}).ok());
}

TEST(JsonText, AnyBytesComeBack) {
  std::string bytes;
  for (int i = 0; i < 256; i++) {
    for (const std::string& text : {bytes, std::string(3, static_cast<char>(i)), "\xC3\xA9" + bytes, std::string("\xC0\x80")}) {
      const Result<std::string> back = BytesFromJson(nlohmann::json::parse(BytesToJson(text).dump()));
      ASSERT_TRUE(back.ok());
      ASSERT_EQ(*back, text);
    }
    bytes += static_cast<char>(i);
  }
  std::string decoded;
  for (const char* text : {"A", "AA=A", "====", "A\n==", "AAA*"}) EXPECT_FALSE(DecodeBase64(text, &decoded)) << text;
}

}  // namespace
}  // namespace cairn
