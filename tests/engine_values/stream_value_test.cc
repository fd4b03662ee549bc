#include "engine/values/stream_value.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/allocator.h"
#include "engine/values/listpack.h"

namespace cairn {
namespace {

using Fields = std::vector<std::string>;

std::vector<std::string_view> Views(const Fields& fields) { return {fields.begin(), fields.end()}; }

uint64_t Seed() {
  const char* given = std::getenv("CAIRN_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("CAIRN_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

Fields ReadFields(StreamCursor& cursor) {
  Fields fields;
  for (uint32_t i = 0; i < cursor.field_count(); i++) {
    std::string_view name, value;
    cursor.ReadField(&name, &value);
    fields.emplace_back(name);
    fields.emplace_back(value);
  }
  return fields;
}

// What a stream must answer: its live entries, and Redis's nodes as runs of ids.
struct Model {
  std::map<StreamId, Fields> live;

  void ExpectEqual(const Stream& stream) const {
    ASSERT_EQ(stream.length(), live.size());
    EXPECT_EQ(stream.first_id(), live.empty() ? StreamId{} : live.begin()->first);
    EXPECT_EQ(stream.LastLiveId(), live.empty() ? StreamId{} : live.rbegin()->first);
    StreamCursor forwards(stream, kStreamIdMin, kStreamIdMax);
    for (const auto& [id, fields] : live) {
      ASSERT_TRUE(forwards.Next());
      ASSERT_EQ(forwards.id(), id);
      ASSERT_EQ(ReadFields(forwards), fields);
    }
    EXPECT_FALSE(forwards.Next());
    StreamCursor backwards(stream, kStreamIdMin, kStreamIdMax, true);
    for (auto at = live.rbegin(); at != live.rend(); ++at) {
      ASSERT_TRUE(backwards.Next());
      ASSERT_EQ(backwards.id(), at->first);
      ASSERT_EQ(ReadFields(backwards), at->second);
    }
    EXPECT_FALSE(backwards.Next());
  }
};

// Redis's listpack of a block.
uint64_t ListpackBytesOf(const StreamBlock& block) {
  ListpackBuilder listpack;
  listpack.Add(int64_t{block.live_count()});
  listpack.Add(int64_t{block.deleted_count()});
  listpack.Add(int64_t{block.name_count()});
  bool first = true;
  for (BlockCursor entry(block); entry.Next(); first = false) {
    std::vector<std::pair<std::string, std::string>> fields;
    for (uint32_t i = 0; i < entry.field_count(); i++) {
      std::string_view name, value;
      entry.ReadField(&name, &value);
      fields.emplace_back(name, value);
    }
    if (first) {
      for (const auto& field : fields) listpack.Add(field.first);
      listpack.Add(int64_t{0});
    }
    listpack.Add(int64_t{entry.same_fields() ? 2 : 0} + (entry.deleted() ? 1 : 0));
    listpack.Add(static_cast<int64_t>(entry.id().ms - block.first().ms));
    listpack.Add(static_cast<int64_t>(entry.id().seq - block.first().seq));
    if (!entry.same_fields()) listpack.Add(static_cast<int64_t>(fields.size()));
    for (const auto& field : fields) {
      if (!entry.same_fields()) listpack.Add(field.first);
      listpack.Add(field.second);
    }
    listpack.Add(static_cast<int64_t>(entry.same_fields() ? fields.size() + 3 : 2 * fields.size() + 4));
  }
  return listpack.listpack_bytes();
}

class RandomStream {
 public:
  explicit RandomStream(uint64_t seed) : random_(seed) {
    limits_.stream_node_max_entries.Set(static_cast<int64_t>(Below(3) == 0 ? 0 : 1 + Below(40)));
    limits_.stream_node_max_bytes.Set(static_cast<int64_t>(Below(3) == 0 ? 0 : 50 + Below(2000)));
  }

  uint64_t Below(uint64_t limit) { return random_() % limit; }

  std::string Text() {
    switch (Below(8)) {
      case 0: return std::to_string(static_cast<int64_t>(random_()) >> Below(64));
      case 1: return std::to_string(Below(130));
      case 2: return std::string(Below(200), 'x');
      case 3: return "";
      case 4: return Below(50) == 0 ? std::string(20000, 'y') : "-0";
      default: return "order.created";
    }
  }

  void Append() {
    StreamId id = stream.last_id;
    switch (Below(4)) {
      case 0: id.ms += 1 + (random_() >> (24 + Below(40))), id.seq = Below(3) == 0 ? Below(1000) : 0; break;
      case 1: id.seq += Below(300); [[fallthrough]];
      default: id.Increment();
    }
    Fields fields;
    if (Below(5) != 0) {
      fields = {"event", Text(), "7", Text()};
    } else {
      for (uint64_t i = 0; i <= Below(4); i++) fields.insert(fields.end(), {Text(), Text()});
    }
    stream.Append(id, Views(fields), limits_);
    model.live[id] = fields;
  }

  StreamId Known() {
    auto at = model.live.lower_bound({random_() % (stream.last_id.ms + 1), 0});
    return at == model.live.end() ? StreamId{Below(10), 1} : at->first;
  }

  void Change() {
    const uint64_t kind = Below(1000);
    if (kind < 850) return Append();
    if (kind < 994) {
      const StreamId id = Known();
      ASSERT_EQ(stream.Contains(id), model.live.contains(id));
      ASSERT_EQ(stream.Delete(id), model.live.erase(id) == 1);
      return;
    }
    StreamTrim trim{
        .by_id = kind < 997, .max_length = Below(model.live.size() + 3), .min_id = Known(), .whole_blocks = Below(2) == 0};
    const uint64_t before = stream.length(), removed = stream.Trim(trim);
    ASSERT_EQ(before - removed, stream.length());
    for (uint64_t i = 0; i < removed; i++) model.live.erase(model.live.begin());
    if (!trim.by_id) ASSERT_GE(stream.length(), std::min(before, trim.max_length));
    if (trim.whole_blocks) return;
    if (trim.by_id) {
      ASSERT_TRUE(model.live.empty() || model.live.begin()->first >= trim.min_id);
    } else {
      ASSERT_EQ(stream.length(), std::min(before, trim.max_length));
    }
  }

  void Check() {
    model.ExpectEqual(stream);
    uint64_t blocks = 0, live = 0;
    Stream::BlockTree::Path path;
    for (bool more = stream.blocks().First(&path); more; more = Stream::BlockTree::Next(&path), blocks++) {
      EXPECT_EQ(path.leaf()->listpack_bytes(), ListpackBytesOf(*path.leaf()));
      live += path.leaf()->live_count();
    }
    EXPECT_EQ(blocks, stream.block_count());
    EXPECT_EQ(live, stream.length());
  }

  Stream stream;
  Model model;

 private:
  std::mt19937_64 random_;
  ValueLimits limits_;
};

TEST(StreamValue, AnswersAsAModelDoes) {
  const uint64_t seed = Seed();
  for (uint64_t round = 0; round < 60; round++) {
    RandomStream random(seed + round);
    for (int i = 0; i < 600; i++) random.Change();
    random.Check();
    if (testing::Test::HasFailure()) FAIL() << "round " << round;
  }
}

TEST(StreamValue, RangesAreThoseOfAModel) {
  RandomStream random(Seed());
  for (int i = 0; i < 500; i++) random.Change();
  for (int i = 0; i < 300; i++) {
    const StreamId start = random.Known(), end = random.Known();
    std::vector<StreamId> expected;
    for (auto at = random.model.live.lower_bound(start); at != random.model.live.end() && at->first <= end; ++at) {
      expected.push_back(at->first);
    }
    std::vector<StreamId> forwards, backwards;
    for (StreamCursor cursor(random.stream, start, end); cursor.Next();) forwards.push_back(cursor.id());
    for (StreamCursor cursor(random.stream, start, end, true); cursor.Next();) backwards.insert(backwards.begin(), cursor.id());
    EXPECT_EQ(forwards, expected);
    EXPECT_EQ(backwards, expected);
  }
}

TEST(StreamValue, ASharedStreamStaysAsItWas) {
  RandomStream random(Seed());
  for (int i = 0; i < 400; i++) random.Change();
  for (int round = 0; round < 20; round++) {
    const std::unique_ptr<LargeValue> shared = random.stream.Share();
    const Model before = random.model;
    for (int i = 0; i < 60; i++) random.Change();
    before.ExpectEqual(static_cast<const Stream&>(*shared));
    random.model.ExpectEqual(random.stream);
    while (shared->FreeStep(3)) {
    }
  }
  random.Check();
}

TEST(StreamValue, BlocksEndWhereRedisNodesDo) {
  ValueLimits limits;
  limits.stream_node_max_entries.Set(10);
  Stream stream;
  const std::vector<std::string_view> fields = {"a", "1"};
  for (uint64_t i = 1; i <= 25; i++) stream.Append({i, 0}, fields, limits);
  EXPECT_EQ(stream.block_count(), 3u);
  EXPECT_EQ(stream.Trim({.max_length = 12, .whole_blocks = true}), 10u);
  EXPECT_EQ(stream.Trim({.max_length = 5, .whole_blocks = true, .limit = 9}), 0u);
  EXPECT_EQ(stream.Trim({.max_length = 5, .whole_blocks = true}), 10u);
  EXPECT_EQ(stream.first_id(), (StreamId{21, 0}));
  // A node is full for its marked entries too.
  EXPECT_TRUE(stream.Delete({22, 0}));
  for (uint64_t i = 26; i <= 30; i++) stream.Append({i, 0}, fields, limits);
  EXPECT_EQ(stream.block_count(), 1u);
  stream.Append({31, 0}, fields, limits);
  EXPECT_EQ(stream.block_count(), 2u);
}

TEST(StreamValue, AnEntryTakesFewBytes) {
  ValueLimits limits;
  Stream stream;
  for (uint64_t i = 0; i < 100'000; i++) {
    const std::string number = std::to_string(i);
    const std::vector<std::string_view> fields = {"event", "order.created", "id", number};
    stream.Append({1'700'000'000'000 + i / 100, i % 100}, fields, limits);
  }
  // Redis takes 31.7 bytes for such an entry.
  EXPECT_LT(static_cast<double>(stream.memory_bytes()) / 100'000, 12.0);
}

// A group against a plain map of what is pending to whom.
TEST(StreamGroups, AnswerAsAModelDoes) {
  const uint64_t seed = Seed();
  std::mt19937_64 random(seed);
  Stream stream;
  stream.CreateGroup("g", {}, 0);
  struct Pending {
    std::string consumer;
    int64_t delivery_ms, delivery_count;
    bool operator==(const Pending&) const = default;
  };
  std::map<StreamId, Pending> model;
  std::set<std::string> names;
  const auto read = [](const Stream& from) {
    std::map<StreamId, Pending> found;
    const StreamGroup* group = from.FindGroup("g");
    size_t of_consumers = 0;
    for (auto at = group->pending().First(); at.valid(); at.Next()) {
      const bool owned = at->consumer != kNoConsumer;
      found[at->id] = {owned ? group->consumer(at->consumer).name() : "", at->delivery_ms, at->delivery_count};
      of_consumers += owned ? 1 : 0;
      if (owned) EXPECT_NE(group->consumer(at->consumer).pending().Find(at->id), nullptr);
    }
    size_t listed = 0;
    for (const StreamConsumer* consumer : group->consumers()) listed += consumer->pending().size();
    EXPECT_EQ(listed, of_consumers);
    EXPECT_EQ(found.size(), group->pending().size());
    return found;
  };
  for (int round = 0; round < 30; round++) {
    const std::unique_ptr<LargeValue> shared = stream.Share();
    const std::map<StreamId, Pending> before = model;
    for (int i = 0; i < 400; i++) {
      StreamGroup* group = stream.MutableGroup("g");
      const StreamId id{random() % 500, random() % 3};
      const std::string name = "c" + std::to_string(random() % 9);
      const uint64_t kind = random() % 100;
      if (kind < 60) {
        const StreamConsumer* consumer = group->FindConsumer(name);
        ASSERT_EQ(consumer != nullptr, names.contains(name));
        const ConsumerSlot slot = consumer != nullptr ? consumer->slot() : group->CreateConsumer(name, 5);
        names.insert(name);
        group->Deliver({id, i, round, slot});
        model[id] = {name, i, round};
      } else if (kind < 65) {
        group->Deliver({id, 0, 1, kNoConsumer});
        model[id] = {"", 0, 1};
      } else if (kind < 98) {
        ASSERT_EQ(group->Acknowledge(id), model.erase(id) == 1);
      } else if (const StreamConsumer* consumer = group->FindConsumer(name)) {
        const uint64_t removed = std::erase_if(model, [&](const auto& item) { return item.second.consumer == name; });
        EXPECT_EQ(group->DeleteConsumer(consumer->slot()), removed);
        names.erase(name);
      }
    }
    EXPECT_EQ(read(stream), model);
    EXPECT_EQ(read(static_cast<const Stream&>(*shared)), before);
    const auto at = stream.FindGroup("g")->pending().LowerBound({250, 1});
    const auto expected = model.lower_bound({250, 1});
    ASSERT_EQ(at.valid(), expected != model.end());
    if (at.valid()) EXPECT_EQ(at->id, expected->first);
    while (shared->FreeStep(2)) {
    }
  }
}

TEST(StreamGroups, NothingPendingIsOlderThanTheOldest) {
  Stream stream;
  StreamGroup* group = stream.CreateGroup("g", {9, 0}, 9);
  EXPECT_EQ(group->oldest_delivery_ms(), INT64_MAX);
  const ConsumerSlot slot = group->CreateConsumer("c", 1);
  group->Deliver({{1, 0}, 500, 1, slot});
  group->Deliver({{2, 0}, 400, 1, slot});
  group->Deliver({{3, 0}, 600, 1, slot});
  EXPECT_EQ(group->oldest_delivery_ms(), 400);
  group->Acknowledge({2, 0});
  EXPECT_LE(group->oldest_delivery_ms(), 500);
  group->NoteOldestDelivery(500);
  const std::unique_ptr<LargeValue> shared = stream.Share();
  EXPECT_EQ(stream.MutableGroup("g")->oldest_delivery_ms(), 500);  // of its copy
  stream.MutableGroup("g")->GiveBack({3, 0}, 1);
  EXPECT_LT(stream.FindGroup("g")->oldest_delivery_ms(), 500);
  stream.MutableGroup("g")->Acknowledge({1, 0});
  stream.MutableGroup("g")->Acknowledge({3, 0});
  EXPECT_EQ(stream.FindGroup("g")->oldest_delivery_ms(), INT64_MAX);
  while (shared->FreeStep(2)) {
  }
}

TEST(StreamGroups, ReferencesDecideWhatGoes) {
  ValueLimits limits;
  limits.stream_node_max_entries.Set(2);
  Stream stream;
  const std::vector<std::string_view> fields = {"a", "1"};
  for (uint64_t i = 1; i <= 6; i++) stream.Append({i, 0}, fields, limits);
  StreamGroup* group = stream.CreateGroup("g", {4, 0}, 4);
  const ConsumerSlot slot = group->CreateConsumer("c", 1);
  group->Deliver({{2, 0}, 1, 1, slot});
  EXPECT_TRUE(stream.IsReferenced({2, 0}));   // pending
  EXPECT_TRUE(stream.IsReferenced({5, 0}));   // not read
  EXPECT_FALSE(stream.IsReferenced({3, 0}));  // read and acknowledged
  EXPECT_EQ(stream.Trim({.max_length = 0, .references = StreamReferences::kAcked}), 3u);
  EXPECT_TRUE(stream.Contains({2, 0}));
  EXPECT_EQ(stream.Trim({.max_length = 1, .references = StreamReferences::kDelete}), 2u);
  EXPECT_TRUE(stream.FindGroup("g")->pending().empty());
  EXPECT_TRUE(stream.FindGroup("g")->consumers()[0]->pending().empty());
}

TEST(StreamProducers, ForgetByAgeAndByNumber) {
  StreamProducers producers;
  producers.Configure(10, 2);
  producers.Add("p", "a", {1000, 0});
  producers.Add("p", "b", {2000, 0});
  producers.Add("q", "a", {2000, 1});
  ASSERT_NE(producers.Find("p", "a", 11'000), nullptr);
  EXPECT_EQ(*producers.Find("q", "a", 11'000), (StreamId{2000, 1}));
  const StreamProducers shared(producers);
  producers.Add("p", "c", {3000, 0});
  EXPECT_EQ(producers.Find("p", "a", 11'000), nullptr);
  EXPECT_NE(shared.FindAny("p", "a"), nullptr);
  EXPECT_EQ(producers.Find("p", "b", 12'001), nullptr);
  EXPECT_NE(producers.Find("p", "c", 12'001), nullptr);
  EXPECT_EQ(producers.Find("p", "c", 14'000), nullptr);
  EXPECT_EQ(producers.producers().size(), 1u);
  EXPECT_EQ(producers.message_count(), 1u);
  producers.Configure(11, 2);
  EXPECT_EQ(producers.message_count(), 0u);
  EXPECT_EQ(producers.memory_bytes(), 0u);
}

}  // namespace
}  // namespace cairn
