#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "base/clock.h"
#include "base/crc16.h"
#include "base/crc32c.h"
#include "base/crc64.h"
#include "base/random.h"

namespace cairn {
namespace {

TEST(Crc32c, KnownVectors) {
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  // RFC 3720, B.4.
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  std::string ascending;
  for (int i = 0; i < 32; i++) ascending += static_cast<char>(i);
  EXPECT_EQ(Crc32c(ascending), 0x46DD794Eu);
}

TEST(Crc32c, InstructionAndTableAgreeAtEverySizeAndAlignment) {
  Random random(11);
  const std::string bytes = random.Bytes(40'000);
  for (size_t size = 0; size < 3000; size += 1 + size / 40) {
    const size_t offset = random.Uniform(17);
    const std::string_view part(bytes.data() + offset, size);
    ASSERT_EQ(Crc32c(part), Crc32cPortable(part)) << size;
  }
  for (const size_t size : {6143u, 6144u, 6145u, 12288u, 20000u, 39999u}) {
    const std::string_view part(bytes.data() + 1, size);
    ASSERT_EQ(Crc32c(part), Crc32cPortable(part)) << size;
  }
}

TEST(Crc32c, ExtendsAcrossParts) {
  Random random(12);
  const std::string bytes = random.Bytes(20'000);
  const std::string_view all(bytes);
  for (int i = 0; i < 50; i++) {
    const size_t cut = random.Uniform(bytes.size() + 1);
    ASSERT_EQ(Crc32c(all.substr(cut), Crc32c(all.substr(0, cut))), Crc32c(all));
    ASSERT_EQ(Crc32cExtend(Crc32c(all.substr(0, cut)), bytes.data() + cut, bytes.size() - cut), Crc32c(all));
  }
}

uint16_t Crc16BitByBit(std::string_view bytes) {
  uint32_t crc = 0;
  for (const char c : bytes) {
    crc ^= static_cast<uint32_t>(static_cast<uint8_t>(c)) << 8;
    for (int i = 0; i < 8; i++) crc = (crc << 1) ^ ((crc & 0x8000) != 0 ? 0x1021 : 0);
    crc &= 0xFFFF;
  }
  return static_cast<uint16_t>(crc);
}

TEST(Crc16, KnownVectorAndEverySize) {
  EXPECT_EQ(Crc16("123456789"), 0x31C3);
  Random random(13);
  for (size_t size = 0; size < 100; size++) {
    const std::string bytes = random.Bytes(size);
    ASSERT_EQ(Crc16(bytes), Crc16BitByBit(bytes)) << size;
  }
}

TEST(KeySlot, HashTags) {
  EXPECT_EQ(KeySlot("foo"), 12182);
  EXPECT_EQ(KeySlot("123456789"), 12739);
  EXPECT_EQ(KeySlot("{user1000}.following"), KeySlot("{user1000}.followers"));
  EXPECT_EQ(KeySlot("{user1000}.following"), KeySlot("user1000"));
  EXPECT_EQ(KeySlot("foo{}{bar}"), Crc16("foo{}{bar}") % kSlotCount);
  EXPECT_EQ(KeySlot("foo{{bar}}zap"), KeySlot("{bar"));
  EXPECT_EQ(KeySlot("foo{bar}{zap}"), KeySlot("bar"));
  EXPECT_EQ(KeySlot("a{b"), Crc16("a{b") % kSlotCount);
  EXPECT_EQ(KeySlot("}a{b"), Crc16("}a{b") % kSlotCount);
  EXPECT_EQ(KeySlot(""), 0);
}

TEST(Crc64, KnownVectorsAndParts) {
  EXPECT_EQ(Crc64("123456789"), 0xE9C6D914C4B8D9CAu);
  EXPECT_EQ(Crc64(""), 0u);
  Random random(14);
  const std::string bytes = random.Bytes(1000);
  const std::string_view all(bytes);
  uint64_t one_by_one = 0;
  for (size_t i = 0; i < all.size(); i++) one_by_one = Crc64(all.substr(i, 1), one_by_one);
  EXPECT_EQ(Crc64(all), one_by_one);
}

TEST(Checksums, SpeedIsReported) {
  Random random(15);
  const std::string large = random.Bytes(1 << 20);
  const std::string key = random.Bytes(16);
  uint64_t sum = 0;
  int64_t start = RealClock().MonotonicUs();
  for (int i = 0; i < 64; i++) sum += Crc32c(large);
  const double gigabytes = 64.0 / 1024;
  const double seconds = static_cast<double>(RealClock().MonotonicUs() - start) / 1e6;
  start = RealClock().MonotonicUs();
  std::string changing = key;
  constexpr int kRounds = 1'000'000;
  for (int i = 0; i < kRounds; i++) {
    changing[3] = static_cast<char>(i);
    sum += Crc16(changing);
  }
  const double nanoseconds = static_cast<double>(RealClock().MonotonicUs() - start) * 1000 / kRounds;
  std::printf("crc32c %.1f GiB/s, crc16 of 16 bytes %.1f ns (%d)\n", gigabytes / seconds, nanoseconds, static_cast<int>(sum & 1));
}

}  // namespace
}  // namespace cairn
