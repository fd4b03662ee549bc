#include "engine/codec/stream_rdb.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/codec/rdb_sink.h"
#include "engine/codec/value_codec.h"
#include "engine/values/listpack.h"
#include "engine/values/stream_value.h"
#include "snapshot/rdb_string_encoder.h"

namespace cairn {
namespace {

using Views = std::vector<std::string_view>;

std::string Encoded(const Stream& stream) {
  std::string bytes;
  StringRdbSink sink(&bytes);
  EncodeStream(stream, sink);
  return bytes;
}

Status Decode(uint8_t type, std::string_view bytes, std::unique_ptr<Stream>* stream) {
  LoadedValue value;
  CAIRN_RETURN_IF_ERROR(DecodeStream(type, bytes, &value));
  EXPECT_EQ(value.type, ValueType::kStream);
  EXPECT_EQ(value.encoding, Encoding::kLarge);
  stream->reset(static_cast<Stream*>(value.large.release()));
  return Status();
}

// A stream with all that a value can have but producers.
void Fill(Stream* stream, bool unowned) {
  ValueLimits limits;
  limits.stream_node_max_entries.Set(7);
  for (uint64_t i = 1; i <= 100; i++) {
    const std::string number = std::to_string(i * 1000), text(i * 3, 'x');
    const Views usual = {"name", "order", "number", number, "text", text}, other = {"7", "-5", "", ""};
    stream->Append({i / 3 + 5, i}, i % 5 == 0 ? other : usual, limits);
  }
  for (uint64_t i = 10; i < 20; i++) stream->Delete({i / 3 + 5, i});
  stream->max_deleted_id = {19 / 3 + 5, 19};
  StreamGroup* group = stream->CreateGroup("group", {20, 45}, 45);
  stream->CreateGroup("", {0, 0}, kEntriesReadUnknown);
  for (uint64_t i = 0; i < 45; i++) {
    const std::string name = "consumer" + std::to_string(i % 3);
    const StreamConsumer* consumer = group->FindConsumer(name);
    const ConsumerSlot slot = consumer != nullptr ? consumer->slot() : group->CreateConsumer(name, 1'700'000'000'000);
    group->Deliver(
        {{i / 3 + 5, i}, static_cast<int64_t>(i), static_cast<int64_t>(i * i), unowned && i % 7 == 0 ? kNoConsumer : slot});
  }
  group->CreateConsumer("idle", 5);
}

TEST(StreamRdb, WhatIsReadIsWrittenAgain) {
  for (const bool unowned : {false, true}) {
    Stream stream;
    Fill(&stream, unowned);
    const uint8_t type = StreamRdbType(stream);
    EXPECT_EQ(type, unowned ? kRdbTypeStreamExtended : kRdbTypeStreamListpacks2);
    const std::string bytes = Encoded(stream);
    std::unique_ptr<Stream> copy;
    ASSERT_TRUE(Decode(type, bytes, &copy).ok());
    EXPECT_EQ(Encoded(*copy), bytes);
    EXPECT_EQ(copy->length(), stream.length());
    EXPECT_EQ(copy->block_count(), stream.block_count());
    EXPECT_EQ(copy->first_id(), stream.first_id());
    EXPECT_TRUE(stream.MayEncodeBeyond(bytes.size() - 1));
  }
}

TEST(StreamRdb, AnEmptyStreamIsAStream) {
  Stream stream;
  stream.last_id = {3, 4};
  stream.entries_added = 9;
  std::unique_ptr<Stream> copy;
  ASSERT_TRUE(Decode(StreamRdbType(stream), Encoded(stream), &copy).ok());
  EXPECT_EQ(copy->last_id, (StreamId{3, 4}));
  EXPECT_EQ(copy->entries_added, 9u);
}

TEST(StreamRdb, ProducersAreKept) {
  Stream stream;
  const Views fields = {"a", "1"};
  stream.Append({1, 0}, fields, ValueLimits());
  StreamProducers& producers = stream.MutableProducers();
  EXPECT_EQ(StreamRdbType(stream), kRdbTypeStreamListpacks2);
  producers.Add("p", "a", {1, 0});
  producers.added = producers.duplicates = 1;
  ASSERT_EQ(StreamRdbType(stream), kRdbTypeStreamExtended);
  const std::string bytes = Encoded(stream);
  // The worked example of FORMAT.md.
  const std::string_view tail("\x40\x64\x40\x64\x01\x01\x01\x01\x70\x01\x01\x61\x01\x00", 14);
  EXPECT_EQ(bytes.substr(bytes.size() - tail.size()), tail);
  std::unique_ptr<Stream> copy;
  ASSERT_TRUE(Decode(kRdbTypeStreamExtended, bytes, &copy).ok());
  EXPECT_EQ(Encoded(*copy), bytes);
  EXPECT_NE(copy->producers()->FindAny("p", "a"), nullptr);
}

TEST(StreamRdb, TheOrderOfWhatWasGivenBackIsKept) {
  Stream stream;
  const Views fields = {"a", "1"};
  for (uint64_t i = 1; i <= 3; i++) stream.Append({i, 0}, fields, ValueLimits());
  StreamGroup* const group = stream.CreateGroup("g", {3, 0}, 3);
  for (const uint64_t id : {2, 1, 2}) group->GiveBack({id, 0}, 1);
  std::unique_ptr<Stream> copy;
  ASSERT_TRUE(Decode(StreamRdbType(stream), Encoded(stream), &copy).ok());
  StreamGroup* const loaded = copy->MutableGroup("g");
  loaded->GiveBack({3, 0}, 1);
  EXPECT_EQ(loaded->nacked_count(), 3u);
  const auto place = [&](uint64_t id) { return loaded->pending().Find({id, 0})->delivery_ms; };
  EXPECT_LT(place(1), place(2));
  EXPECT_LT(place(2), place(3));
  loaded->Deliver({{1, 0}, 1'700'000'000'000, 2, loaded->CreateConsumer("c", 1)});
  EXPECT_EQ(loaded->nacked_count(), 2u);
  loaded->GiveBack({1, 0}, 2);
  EXPECT_LT(place(3), place(1));
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// DUMP of redis-server 7.0.15, without type and footer, after XADD s 1-1 a 1 b hello; XADD s 1-2 a 2 b world; XADD s 5-0 c 300;
// XDEL s 1-2; XGROUP CREATE s g 0; XREADGROUP GROUP g c COUNT 1 STREAMS s >; XCLAIM s g c 0 1-1 TIME 1000 RETRYCOUNT 1 JUSTID.
TEST(StreamRdb, RedisWritesTheSame) {
  ValueLimits limits;
  Stream stream;
  stream.Append({1, 1}, Views{"a", "1", "b", "hello"}, limits);
  stream.Append({1, 2}, Views{"a", "2", "b", "world"}, limits);
  stream.Append({5, 0}, Views{"c", "300"}, limits);
  stream.Delete({1, 2});
  stream.max_deleted_id = {1, 2};
  StreamGroup* group = stream.CreateGroup("g", {1, 1}, kEntriesReadUnknown);
  group->Deliver({{1, 1}, 1000, 1, group->CreateConsumer("c", 0x000001a219fd7119)});
  const std::string expected = FromHex(
      "0110000000000000000100000000000000014048480000001900020101010201816102816202000102010001000101018568"
      "656c6c6f060501030100010101020185776f726c6406050100010401dfff020101816302c12c020601ff0205000101010203"
      "010167010181ffffffffffffffff0100000000000000010000000000000001e803000000000000010101631971fd19a20100"
      "000100000000000000010000000000000001");
  EXPECT_EQ(Encoded(stream), expected);
  std::unique_ptr<Stream> copy;
  ASSERT_TRUE(Decode(kRdbTypeStreamListpacks2, expected, &copy).ok());
  EXPECT_EQ(Encoded(*copy), expected);
}

// Redis could set the last id back behind a deleted entry, and add another with that id.
TEST(StreamRdb, AnEntryMayHaveADeletedOnesId) {
  ValueLimits limits;
  Stream stream;
  const Views fields = {"a", "1"};
  for (uint64_t i = 1; i <= 3; i++) stream.Append({i, 0}, fields, limits);
  stream.Delete({3, 0});
  stream.last_id = {2, 0};
  stream.Append({3, 0}, fields, limits);
  EXPECT_TRUE(stream.Contains({3, 0}));
  std::unique_ptr<Stream> copy;
  ASSERT_TRUE(Decode(kRdbTypeStreamListpacks2, Encoded(stream), &copy).ok());
  EXPECT_TRUE(copy->Contains({3, 0}));
  EXPECT_EQ(copy->length(), 3u);
  EXPECT_EQ(copy->CountBetween({2, 0}, {3, 0}), 2u);
}

// No Redis writes that; its place would be before the entries that are there.
TEST(StreamRdb, AMarkedEntryBelowTheOthersIsLeftOut) {
  ListpackBuilder block;
  for (const int64_t number : {2, 1, 1}) block.Add(number);  // live, deleted, names
  block.Add("a");
  block.Add(int64_t{0});
  for (const int64_t ms : {0, -2, 2}) {
    block.Add(int64_t{ms < 0 ? 3 : 2});  // with these names; deleted
    for (const int64_t number : {ms, int64_t{0}, int64_t{1}, int64_t{4}}) block.Add(number);
  }
  std::string bytes = FromHex("0110") + FromHex("00000000000000050000000000000000");
  AppendRdbString(block.listpack(), &bytes);
  bytes += FromHex(
      "02070005000000"
      "0300");  // length, last id, first id, largest deleted, ever added, groups
  std::unique_ptr<Stream> stream;
  const Status status = Decode(kRdbTypeStreamListpacks2, bytes, &stream);
  ASSERT_TRUE(status.ok()) << status.message();
  std::vector<StreamId> ids;
  for (StreamCursor entry(*stream, {4, 0}, kStreamIdMax, false); entry.Next();) ids.push_back(entry.id());
  EXPECT_EQ(ids, (std::vector<StreamId>{{5, 0}, {7, 0}}));
  ids.clear();
  for (StreamCursor entry(*stream, {4, 0}, {6, 0}, true); entry.Next();) ids.push_back(entry.id());
  EXPECT_EQ(ids, (std::vector<StreamId>{{5, 0}}));
}

TEST(StreamRdb, WhatIsCutOffIsRefused) {
  Stream stream;
  Fill(&stream, true);
  stream.MutableProducers().Add("p", "a", {1, 0});
  const std::string bytes = Encoded(stream);
  std::unique_ptr<Stream> copy;
  for (size_t size = 0; size < bytes.size(); size++) {
    EXPECT_EQ(Decode(kRdbTypeStreamExtended, std::string_view(bytes).substr(0, size), &copy).code(), StatusCode::kDamaged)
        << size;
  }
  EXPECT_EQ(Decode(kRdbTypeStreamExtended, bytes + "x", &copy).code(), StatusCode::kDamaged);
}

}  // namespace
}  // namespace cairn
