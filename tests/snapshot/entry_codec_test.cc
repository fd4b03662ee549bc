#include "snapshot/entry_codec.h"

#include <chrono>

#include "tests/snapshot/snapshot_fixture.h"

namespace cairn {
namespace {

TEST(EntryCodecTest, VarintsRoundTripAtEveryLength) {
  for (int bits = 0; bits < 64; bits++) {
    for (const uint64_t number : {uint64_t{1} << bits, (uint64_t{1} << bits) - 1, ~uint64_t{0} >> bits}) {
      char bytes[16] = {};
      const char* end = EncodeVarint(bytes, number);
      uint64_t decoded = 1;
      EXPECT_EQ(DecodeVarint(bytes, &decoded), end);
      EXPECT_EQ(decoded, number);
    }
  }
  uint64_t ignored;
  EXPECT_EQ(DecodeVarint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", &ignored), nullptr);
  EXPECT_EQ(DecodeVarint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", &ignored), nullptr);
}

TEST(EntryCodecTest, EveryShapeRoundTrips) {
  const SnapshotContent content = MakeContent(500, 1, false);
  std::string bytes;
  for (const auto& [key, entry] : content.entries) {
    AppendEntry(bytes, {HeadOf(key.first, entry), key.second, entry.value});
  }
  EntryReader reader(bytes, content.entries.size());
  auto expected = content.entries.begin();
  EntryView entry;
  for (; reader.Next(&entry); ++expected) {
    ASSERT_NE(expected, content.entries.end());
    EXPECT_EQ(entry.head.database, expected->first.first);
    EXPECT_EQ(entry.key, expected->first.second);
    EXPECT_EQ(entry.value, expected->second.value);
    EXPECT_EQ(entry.head.has_expiry, expected->second.has_expiry);
    EXPECT_EQ(entry.head.expiry_unix_ms, expected->second.expiry_unix_ms);
    EXPECT_EQ(entry.head.access_kind, expected->second.access_kind);
    EXPECT_EQ(entry.head.access, expected->second.access);
    EXPECT_EQ(entry.head.value_type, expected->second.value_type);
  }
  EXPECT_STATUS_OK(reader.status());
  EXPECT_EQ(expected, content.entries.end());
  EXPECT_FALSE(reader.Next(&entry));
}

TEST(EntryCodecTest, ExtremesRoundTrip) {
  std::string bytes;
  AppendEntry(bytes, {{.database = UINT32_MAX,
                       .value_type = 255,
                       .access_kind = AccessKind::kLfu,
                       .has_expiry = true,
                       .access = 0xffffff,
                       .expiry_unix_ms = INT64_MIN},
                      "k",
                      ""});
  EntryReader reader(bytes, 1);
  EntryView entry;
  ASSERT_TRUE(reader.Next(&entry));
  EXPECT_EQ(entry.head.database, UINT32_MAX);
  EXPECT_EQ(entry.head.expiry_unix_ms, INT64_MIN);
  EXPECT_EQ(entry.head.access, 0xffffffu);
  EXPECT_FALSE(reader.Next(&entry));
  EXPECT_STATUS_OK(reader.status());
}

TEST(EntryCodecTest, EveryTruncationIsDamage) {
  std::string bytes;
  AppendEntry(bytes, {{.database = 3, .has_expiry = true, .expiry_unix_ms = 7}, "key", "value"});
  const size_t first_bytes = bytes.size();
  AppendEntry(bytes, {{.database = 1, .access_kind = AccessKind::kLru, .access = 5}, "other", std::string(60, 'v')});
  for (size_t length = 0; length < bytes.size(); length++) {
    // A copy of the exact length, so that the address sanitizer sees a read beyond it.
    const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length));
    EntryReader reader({cut.data(), cut.size()}, 2);
    EntryView entry;
    size_t read = 0;
    while (reader.Next(&entry)) read++;
    EXPECT_EQ(read, length >= first_bytes ? 1u : 0u);
    EXPECT_EQ(reader.status().code(), StatusCode::kDamaged);
  }
}

TEST(EntryCodecTest, ContradictionsAreDamage) {
  std::string bytes;
  AppendEntry(bytes, {{}, "a", "b"});
  AppendEntry(bytes, {{}, "c", "d"});
  EntryView entry;
  for (const uint64_t promised : {0u, 1u, 3u}) {
    EntryReader reader(bytes, promised);
    while (reader.Next(&entry)) {
    }
    EXPECT_EQ(reader.status().code(), StatusCode::kDamaged) << promised;
  }
  const std::vector<std::string> malformed = {
      std::string("\0\x08\0\0\0", 5),                     // unknown flag
      std::string("\0\x06\0\0\0\0\0\0", 8),               // LRU and LFU at once
      std::string("\xff\xff\xff\xff\x1f\0\0\0\0", 9),     // database over 32 bits
      std::string("\x80\x80\x80\x80\x80\0\0\0\0\0", 10),  // database in more bytes than it can need
      std::string("\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01",
                  14),  // key length of 2^64-1
  };
  for (const std::string& one : malformed) {
    for (const std::string& padded : {one, one + std::string(64, '\0')}) {
      EntryReader reader(padded, 1);
      EXPECT_FALSE(reader.Next(&entry));
      EXPECT_EQ(reader.status().code(), StatusCode::kDamaged);
    }
  }
}

// Frozen: these bytes are on disks.
TEST(EntryCodecTest, BytesAreFrozen) {
  std::string bytes;
  AppendEntry(bytes, {{.database = 300,
                       .value_type = 4,
                       .access_kind = AccessKind::kLfu,
                       .has_expiry = true,
                       .access = 0x030201,
                       .expiry_unix_ms = 0x0102030405060708},
                      "key",
                      "value"});
  EXPECT_EQ(bytes, std::string("\xac\x02\x05\x04\x08\x07\x06\x05\x04\x03\x02\x01\x01\x02\x03\x03\x05keyvalue", 25));
  bytes.clear();
  AppendEntry(bytes, {{.access_kind = AccessKind::kLru, .access = 9}, "", "x"});
  EXPECT_EQ(bytes, std::string("\0\x02\0\x09\0\0\0\x01x", 9));
}

// Not a benchmark, but an order of magnitude: far above what any machine needs, far below an
// accidental copy or scan.
TEST(EntryCodecTest, MillionsOfEntriesAreNoWork) {
  const std::string key(16, 'k');
  const std::string value(64, 'v');
  const auto begin = std::chrono::steady_clock::now();
  EntryBlock block;
  uint64_t read = 0;
  int64_t encode_us = 0;
  for (int i = 0; i < 5'000'000;) {
    const auto encode_begin = std::chrono::steady_clock::now();
    block.Reset(0);
    for (; i < 5'000'000 && !block.full(); i++) block.Append({{.database = 0}, key, value});
    encode_us += std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - encode_begin).count();
    EntryReader reader(block.raw(), block.entry_count());
    for (EntryView entry; reader.Next(&entry);) read += entry.value.size();
    ASSERT_STATUS_OK(reader.status());
  }
  const auto total_us = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_EQ(read, 5'000'000u * 64);
  RecordProperty("encode_us", static_cast<int>(encode_us));
  RecordProperty("decode_us", static_cast<int>(total_us - encode_us));
  std::printf("5M entries: encode %d ms, decode %d ms\n", static_cast<int>(encode_us / 1000),
              static_cast<int>((total_us - encode_us) / 1000));
  EXPECT_LT(total_us, 20'000'000);
}

}  // namespace
}  // namespace cairn
