// Values as servers newer than Redis 7.4 write them: streams of Redis 8.6 and 8.8, hashes of Valkey 9, and the payloads that carry them.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/crc64.h"
#include "engine/codec/dump_payload.h"
#include "engine/codec/hash_rdb.h"
#include "engine/codec/stream_rdb.h"
#include "engine/codec/value_codec.h"
#include "snapshot/rdb_format.h"
#include "snapshot/rdb_string_encoder.h"

namespace cairn {
namespace {

using Views = std::vector<std::string_view>;

// RDB bytes, written piece by piece.
class Bytes {
 public:
  Bytes& Length(uint64_t length) {
    char bytes[kRdbLengthMaxBytes];
    text_.append(bytes, EncodeRdbLength(bytes, length));
    return *this;
  }
  Bytes& String(std::string_view string) {
    Length(string.size());
    text_ += string;
    return *this;
  }
  Bytes& Time(int64_t time_ms) {
    char bytes[8];
    StoreLittleEndian(bytes, time_ms);
    text_.append(bytes, sizeof(bytes));
    return *this;
  }
  // Entry N has the id N-0.
  Bytes& RawId(uint64_t number) { return Time(static_cast<int64_t>(__builtin_bswap64(number))).Time(0); }
  Bytes& RawIds(const std::vector<uint64_t>& numbers) {
    Length(numbers.size());
    for (const uint64_t number : numbers) RawId(number);
    return *this;
  }
  Bytes& Raw(std::string_view bytes) {
    text_ += bytes;
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// A stream of the entries 1-0, 2-0 and 3-0 up to the number of its groups.
std::string ThreeEntries() {
  Stream stream;
  const Views fields = {"a", "1"};
  for (uint64_t i = 1; i <= 3; i++) stream.Append({i, 0}, fields, ValueLimits());
  std::string bytes;
  StringRdbSink sink(&bytes);
  EncodeStream(stream, sink);
  bytes.pop_back();  // that there are no groups
  return bytes;
}

// One group to which all three were delivered: `owned` of them are the consumer's.
Bytes WithGroup(const std::vector<uint64_t>& owned) {
  Bytes bytes;
  bytes.Raw(ThreeEntries()).Length(1).String("g").Length(3).Length(0).Length(3).Length(3);
  for (const uint64_t number : {1, 2, 3}) bytes.RawId(number).Time(number == 1 ? 1'700'000'000'000 : 0).Length(number);
  return bytes.Length(1).String("c").Time(1'700'000'000'001).Time(1'700'000'000'002).RawIds(owned);
}

// Windows of 60 seconds and 10 messages; a producer whose messages x and y are entries 1-0 and 2-0.
void AddProducers(Bytes* bytes) {
  bytes->Length(60).Length(10).Length(1).String("p").Length(2);
  bytes->String("x").Length(1).Length(0).String("y").Length(2).Length(0);
  bytes->Length(5).Length(7);
}

void AddNoProducers(Bytes* bytes) { bytes->Length(100).Length(100).Length(0).Length(0).Length(0); }

Status Decode(uint8_t type, std::string_view bytes, std::unique_ptr<Stream>* stream) {
  LoadedValue value;
  CAIRN_RETURN_IF_ERROR(DecodeCollection(type, bytes, {}, &value));
  stream->reset(static_cast<Stream*>(value.large.release()));
  return Status();
}

void ExpectProducers(const Stream& stream) {
  ASSERT_NE(stream.producers(), nullptr);
  const StreamProducers& producers = *stream.producers();
  EXPECT_EQ(producers.duration_s(), 60u);
  EXPECT_EQ(producers.max_size(), 10u);
  EXPECT_EQ(producers.added, 5u);
  EXPECT_EQ(producers.duplicates, 7u);
  EXPECT_EQ(producers.message_count(), 2u);
  ASSERT_NE(producers.FindAny("p", "y"), nullptr);
  EXPECT_EQ(*producers.FindAny("p", "y"), (StreamId{2, 0}));
}

TEST(NewerEncodings, AStreamOfRedis86HasProducers) {
  Bytes bytes = WithGroup({1, 2, 3});
  AddProducers(&bytes);
  std::unique_ptr<Stream> stream;
  const Status status = Decode(kRdbTypeStreamListpacks4, bytes.text(), &stream);
  ASSERT_TRUE(status.ok()) << status.message();
  ExpectProducers(*stream);
  const StreamGroup* const group = stream->MutableGroup("g");
  EXPECT_EQ(group->pending().Find({2, 0})->delivery_count, 2);
  EXPECT_EQ(group->FindConsumer("c")->active_ms(), 1'700'000'000'002);
  EXPECT_EQ(group->nacked_count(), 0u);
}

TEST(NewerEncodings, AStreamWithoutProducersIsAsBefore) {
  Bytes bytes = WithGroup({1, 2, 3});
  AddNoProducers(&bytes);
  std::unique_ptr<Stream> stream;
  ASSERT_TRUE(Decode(kRdbTypeStreamListpacks4, bytes.text(), &stream).ok());
  EXPECT_EQ(stream->producers(), nullptr);
  EXPECT_EQ(StreamRdbType(*stream), kRdbTypeStreamListpacks2);  // Redis 7.0 can have it
}

TEST(NewerEncodings, AStreamOfRedis88HasWhatWasGivenBackInItsOrder) {
  Bytes bytes = WithGroup({1}).RawIds({3, 2});
  AddProducers(&bytes);
  std::unique_ptr<Stream> stream;
  const Status status = Decode(kRdbTypeStreamListpacks5, bytes.text(), &stream);
  ASSERT_TRUE(status.ok()) << status.message();
  ExpectProducers(*stream);
  StreamGroup* const group = stream->MutableGroup("g");
  EXPECT_EQ(group->nacked_count(), 2u);
  EXPECT_EQ(group->pending().Find({3, 0})->delivery_count, 3);
  EXPECT_LT(group->pending().Find({3, 0})->delivery_ms, group->pending().Find({2, 0})->delivery_ms);
  group->GiveBack({1, 0}, 1);
  EXPECT_LT(group->pending().Find({2, 0})->delivery_ms, group->pending().Find({1, 0})->delivery_ms);
}

TEST(NewerEncodings, WhatWasGivenBackMustBeThoseWithoutConsumer) {
  std::unique_ptr<Stream> stream;
  const auto refused = [&](const std::vector<uint64_t>& owned, const std::vector<uint64_t>& given_back) {
    Bytes bytes = WithGroup(owned).RawIds(given_back);
    AddNoProducers(&bytes);
    return std::string(Decode(kRdbTypeStreamListpacks5, bytes.text(), &stream).message());
  };
  EXPECT_EQ(refused({1, 2, 3}, {}), "");
  EXPECT_EQ(refused({1}, {2}), "a pending entry has no consumer");
  EXPECT_EQ(refused({1}, {2, 2}), "an entry was given back twice");
  EXPECT_EQ(refused({1, 2}, {2}), "an entry that was given back is not pending, or has a consumer");
  EXPECT_EQ(refused({1, 2}, {4}), "an entry that was given back is not pending, or has a consumer");
  Bytes older = WithGroup({1});
  AddNoProducers(&older);
  EXPECT_EQ(Decode(kRdbTypeStreamListpacks4, older.text(), &stream).message(), "a pending entry has no consumer");
}

TEST(NewerEncodings, ACutStreamIsRefused) {
  Bytes bytes = WithGroup({1}).RawIds({3, 2});
  AddProducers(&bytes);
  std::unique_ptr<Stream> stream;
  for (size_t size = 0; size < bytes.text().size(); size++) {
    const std::string_view cut = std::string_view(bytes.text()).substr(0, size);
    EXPECT_EQ(Decode(kRdbTypeStreamListpacks5, cut, &stream).code(), StatusCode::kDamaged) << size;
  }
  EXPECT_EQ(Decode(kRdbTypeStreamListpacks5, bytes.text() + "x", &stream).code(), StatusCode::kDamaged);
}

std::string ValkeyHash(int64_t first_ms, int64_t second_ms) {
  return Bytes().Length(2).String("f").String("1").Time(first_ms).String("g").String("2").Time(second_ms).text();
}

TEST(NewerEncodings, AHashOfValkeyHasDeadlines) {
  LoadedValue value;
  ASSERT_TRUE(DecodeCollection(kRdbTypeHash2, ValkeyHash(1'700'000'000'000, -1), {}, &value).ok());
  ASSERT_EQ(value.encoding, Encoding::kLarge);
  const auto& table = static_cast<const HashTable&>(*value.large);
  EXPECT_EQ(table.element_count(), 2u);
  EXPECT_EQ(table.next_deadline_ms(), 1'700'000'000'000);
  LoadedValue without;
  ASSERT_TRUE(DecodeCollection(kRdbTypeHash2, ValkeyHash(-1, -1), {}, &without).ok());
  EXPECT_EQ(without.encoding, Encoding::kPacked);
  LoadedValue late;
  ASSERT_TRUE(DecodeCollection(kRdbTypeHash2, ValkeyHash(INT64_MAX, -1), {}, &late).ok());
  EXPECT_EQ(static_cast<const HashTable&>(*late.large).next_deadline_ms(), HashTable::kMaxDeadlineMs);
}

TEST(NewerEncodings, TheFarthestDeadlinesAreWrittenAndReadAgain) {
  LoadedValue value, again;
  ASSERT_TRUE(DecodeCollection(kRdbTypeHash2, ValkeyHash(0, INT64_MAX), {}, &value).ok());
  const auto& table = static_cast<const HashTable&>(*value.large);
  ASSERT_EQ(HashRdbType(table), kRdbTypeHashMetadata);
  std::string encoded;
  StringRdbSink sink(&encoded);
  EncodeHash(table, sink);
  ASSERT_TRUE(DecodeCollection(kRdbTypeHashMetadata, encoded, {}, &again).ok());
  HashField field;
  ASSERT_TRUE(static_cast<const HashTable&>(*again.large).Find("g", 0, &field));
  EXPECT_EQ(field.deadline_ms, HashTable::kMaxDeadlineMs);
}

TEST(NewerEncodings, AMalformedHashOfValkeyIsRefused) {
  LoadedValue value;
  const std::string whole = ValkeyHash(1'700'000'000'000, -1);
  for (size_t size = 0; size < whole.size(); size++) {
    EXPECT_FALSE(DecodeCollection(kRdbTypeHash2, whole.substr(0, size), {}, &value).ok()) << size;
  }
  EXPECT_FALSE(DecodeCollection(kRdbTypeHash2, whole + "x", {}, &value).ok());
  const std::string twice = Bytes().Length(2).String("f").String("1").Time(-1).String("f").String("2").Time(-1).text();
  EXPECT_FALSE(DecodeCollection(kRdbTypeHash2, twice, {}, &value).ok());
}

// The type that a payload is taken for; -1 where it is not taken.
int TypeOf(uint8_t type, uint16_t version) {
  std::string payload(1, static_cast<char>(type));
  payload += "\x01v";
  char footer[8];
  StoreLittleEndian(footer, version);
  payload.append(footer, 2);
  StoreLittleEndian(footer, Crc64(payload));
  payload.append(footer, 8);
  uint8_t taken = 0;
  std::string_view value;
  return OpenDumpPayload(payload, &taken, &value) ? taken : -1;
}

TEST(NewerEncodings, PayloadsOfKnownVersionsAreTaken) {
  EXPECT_EQ(TypeOf(kRdbTypeString, 15), kRdbTypeString);
  EXPECT_EQ(TypeOf(kRdbTypeString, 16), -1);
  EXPECT_EQ(TypeOf(kRdbTypeString, 79), -1);
  EXPECT_EQ(TypeOf(kRdbTypeString, 80), kRdbTypeString);
  EXPECT_EQ(TypeOf(kRdbTypeString, 81), -1);
  EXPECT_EQ(TypeOf(kRdbTypeHash2, 80), kRdbTypeHash2);
  LoadedValue value;  // Redis's type of that number is another
  EXPECT_EQ(DecodeCollection(static_cast<uint8_t>(TypeOf(kRdbTypeHash2, 12)), ValkeyHash(1, -1), {}, &value).code(),
            StatusCode::kNewerFormat);
}

}  // namespace
}  // namespace cairn
