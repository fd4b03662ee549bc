#include "engine/values/list_value.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/allocator.h"
#include "engine/values/list_cursor.h"
#include "tests/engine_keyspace/keyspace_fixture.h"

namespace cairn {
namespace {

using Model = std::vector<std::string>;

std::string TextOf(const ListElement& element) {
  std::string text;
  element.value.AppendTo(&text);
  return text;
}

Model Forward(const ListValue& list) {
  Model elements;
  for (ListCursor cursor(list); cursor.valid();) elements.push_back(TextOf(cursor.ReadForward()));
  return elements;
}

Model Backward(const ListValue& list) {
  Model elements;
  ListCursor cursor(list);
  cursor.Seek(list.element_count() - 1);
  while (cursor.valid()) elements.push_back(TextOf(cursor.ReadBackward()));
  std::reverse(elements.begin(), elements.end());
  return elements;
}

// What the leaves and the tree over them should take, and that leaves are what the decoder would accept.
void CheckLeaves(const ListValue& list) {
  uint64_t elements = 0;
  ListTree::Path path;
  for (bool more = list.tree().First(&path); more; more = ListTree::Next(&path)) {
    const ListLeaf& leaf = *path.leaf();
    if (leaf.large()) {
      EXPECT_GT(leaf.element().size(), 4000u);
      elements++;
      continue;
    }
    uint32_t count;
    ASSERT_TRUE(ValidateListpack(leaf.packed(), &count));
    EXPECT_EQ(count, leaf.count());
    EXPECT_LE(leaf.size, ListLeaf::kMaxBytes);
    EXPECT_LE(leaf.begin + leaf.size, leaf.capacity);
    elements += count;
  }
  EXPECT_EQ(elements, list.element_count());
}

std::string RandomElement(Random& random) {
  switch (random.Uniform(8)) {
    case 0: return std::to_string(random.Between(-200, 200));
    case 1: return std::to_string(static_cast<int64_t>(random.Next()) >> random.Uniform(64));
    case 2: return random.Bytes(random.OneIn(8) ? random.Uniform(9000) : random.Uniform(900));
    case 3: return std::string(random.Uniform(3), 'x');
    default: return "event:" + std::to_string(random.Uniform(1000));
  }
}

struct Pair {
  ListValue list;
  Model model;
};

void Step(Random& random, Pair* pair) {
  Model& model = pair->model;
  const uint64_t index = random.Uniform(model.size() + 1);
  const auto place = model.begin() + static_cast<std::ptrdiff_t>(index);
  const std::string element = RandomElement(random);
  const SharedBytes shared = SharedBytes::Copy(element);
  const ListItem item(shared.view(), element.empty() ? nullptr : &shared);
  switch (random.Uniform(index == model.size() ? 3 : 9)) {
    case 0: pair->list.Push(ListEnd::kFront, item), model.insert(model.begin(), element); break;
    case 1: pair->list.Push(ListEnd::kBack, item), model.push_back(element); break;
    case 2:
    case 3: pair->list.Insert(index, item), model.insert(place, element); break;
    case 4: pair->list.Set(index, item), *place = element; break;
    case 5: pair->list.Pop(ListEnd::kFront), model.erase(model.begin()); break;
    case 6: pair->list.Pop(ListEnd::kBack), model.pop_back(); break;
    case 7: {
      const uint64_t count = random.Uniform(std::min<uint64_t>(model.size() - index, random.OneIn(10) ? 2000 : 3) + 1);
      pair->list.Remove(index, count);
      model.erase(place, place + static_cast<std::ptrdiff_t>(count));
      break;
    }
    default: {
      if (!random.OneIn(8)) break;
      const std::string victim = *place;
      const uint64_t last = model.size() - 1;
      const uint64_t limit = random.OneIn(2) ? UINT64_MAX : 1 + random.Uniform(3);
      const bool front = random.OneIn(2);
      uint64_t removed = 0;
      for (uint64_t i = 0; i < model.size() && removed < limit;) {
        const auto at = model.begin() + static_cast<std::ptrdiff_t>(front ? i : model.size() - 1 - i);
        if (*at == victim) {
          model.erase(at), removed++;
        } else {
          i++;
        }
      }
      EXPECT_EQ(pair->list.RemoveEqual(ListpackItem(victim), limit, front ? ListEnd::kFront : ListEnd::kBack, front ? 0 : last),
                removed);
    }
  }
}

void CheckFinds(Random& random, const Pair& pair) {
  if (pair.model.empty()) return;
  const uint64_t from = random.Uniform(pair.model.size());
  const std::string wanted = random.OneIn(5) ? "nowhere" : pair.model[random.Uniform(pair.model.size())];
  const uint64_t forward_end = random.OneIn(2) ? UINT64_MAX : from + random.Uniform(500);
  ListCursor cursor(pair.list);
  ASSERT_TRUE(cursor.Seek(from));
  EXPECT_EQ(cursor.index(), from);
  EXPECT_EQ(TextOf(cursor.Get()), pair.model[from]);
  uint64_t expected = from;
  while (expected < pair.model.size() && pair.model[expected] != wanted) expected++;
  if (expected == pair.model.size() || expected >= forward_end) {
    EXPECT_FALSE(cursor.FindForward(ListpackItem(wanted), forward_end));
    EXPECT_FALSE(cursor.valid());
  } else {
    ASSERT_TRUE(cursor.FindForward(ListpackItem(wanted), forward_end));
    EXPECT_EQ(cursor.index(), expected);
  }
  cursor.Seek(from);
  const uint64_t backward_end = random.Uniform(from + 1);
  expected = from + 1;
  while (expected > backward_end && pair.model[expected - 1] != wanted) expected--;
  EXPECT_EQ(cursor.FindBackward(ListpackItem(wanted), backward_end), expected > backward_end);
  if (cursor.valid()) {
    EXPECT_EQ(cursor.index(), expected - 1);
  }
  EXPECT_FALSE(cursor.Seek(pair.model.size()));
}

TEST(ListValue, FollowsAVectorAndKeepsWhatIsShared) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 6; round++) {
    Pair pair;
    std::vector<std::pair<std::unique_ptr<ListValue>, Model>> retained;
    for (uint64_t n = random.OneIn(2) ? random.Uniform(5000) : 0; n > 0; n--) {
      const std::string element = RandomElement(random);
      pair.list.Push(ListEnd::kBack, ListItem(element));
      pair.model.push_back(element);
    }
    for (int step = 0; step < 1500; step++) {
      Step(random, &pair);
      ASSERT_EQ(pair.list.element_count(), pair.model.size());
      if (random.OneIn(40)) CheckFinds(random, pair);
      if (random.OneIn(100)) retained.emplace_back(pair.list.ShareList(), pair.model);
      if (random.OneIn(200) && !retained.empty()) retained.erase(retained.begin());
    }
    CheckLeaves(pair.list);
    EXPECT_EQ(Forward(pair.list), pair.model);
    EXPECT_EQ(Backward(pair.list), pair.model);
    for (const auto& [kept, elements] : retained) {
      CheckLeaves(*kept);
      EXPECT_EQ(Forward(*kept), elements);
    }
  }
}

TEST(ListValue, SlicesShareLeaves) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 40; round++) {
    Pair pair;
    for (uint64_t n = 1 + random.Uniform(4000); n > 0; n--) {
      pair.model.push_back(RandomElement(random));
      pair.list.Push(ListEnd::kBack, ListItem(pair.model.back()));
    }
    const uint64_t first = random.Uniform(pair.model.size());
    const uint64_t count = 1 + random.Uniform(random.OneIn(2) ? 1 : pair.model.size() - first);
    const auto begin = pair.model.begin() + static_cast<std::ptrdiff_t>(first);
    const Model expected(begin, begin + static_cast<std::ptrdiff_t>(count));
    const std::unique_ptr<ListValue> slice = pair.list.Slice(first, count);
    EXPECT_EQ(Forward(*slice), expected);
    CheckLeaves(*slice);
    for (int step = 0; step < 50; step++) Step(random, &pair);
    EXPECT_EQ(Forward(*slice), expected);
    EXPECT_EQ(Forward(pair.list), pair.model);
  }
}

TEST(ListValue, AppendsListpacksOfAnySize) {
  CAIRN_SEEDED(random);
  for (const uint64_t per_pack : {1, 2, 30, 3000}) {
    Pair pair;
    for (int i = 0; i < 40; i++) {
      ListpackBuilder builder;
      for (uint64_t n = random.Uniform(per_pack) + 1; n > 0; n--) builder.Add(pair.model.emplace_back(RandomElement(random)));
      pair.list.AppendPacked(builder.listpack());
    }
    pair.list.Append(SharedBytes::Copy("short"));
    pair.list.Append(SharedBytes::Copy(std::string(5000, 'l')));
    pair.model.emplace_back("short");
    pair.model.emplace_back(5000, 'l');
    EXPECT_EQ(Forward(pair.list), pair.model);
    CheckLeaves(pair.list);
  }
}

TEST(ListValue, BytesOfAnItem) {
  ListValue list;
  FlushThreadAllocatorCache();
  const uint64_t before = AllocatedBytes();
  constexpr uint64_t kItems = 1000000;
  for (uint64_t i = 0; i < kItems; i++) list.Push(ListEnd::kBack, ListItem("event:" + std::to_string(i)));
  const double per_item = static_cast<double>(list.memory_bytes()) / kItems;
  EXPECT_LT(per_item, 14.2);
  if (std::string_view(AllocatorName()).starts_with("jemalloc")) {
    FlushThreadAllocatorCache();
    const auto allocated = static_cast<double>(AllocatedBytes() - before);
    EXPECT_NEAR(allocated / kItems, per_item, 0.2);
  }
  ListValue reversed;
  for (uint64_t i = 0; i < kItems; i++) reversed.Push(ListEnd::kFront, ListItem("event:" + std::to_string(i)));
  EXPECT_LT(static_cast<double>(reversed.memory_bytes()) / kItems, 14.2);
}

TEST(ListValue, AQueueStaysSmall) {
  ListValue list;
  for (int i = 0; i < 100000; i++) {
    list.Push(ListEnd::kBack, ListItem("job:" + std::to_string(i)));
    if (list.element_count() > 20) list.Pop(ListEnd::kFront);
  }
  EXPECT_EQ(list.element_count(), 20u);
  EXPECT_LT(list.memory_bytes(), 1100u);
  for (int i = 0; i < 100000; i++) list.Push(ListEnd::kFront, ListItem("job:" + std::to_string(i)));
  while (list.element_count() > 5) list.Pop(ListEnd::kFront);
  EXPECT_LT(list.memory_bytes(), 700u);
}

// A copy on write must not copy what a client may have sent as 512 MB.
TEST(ListValue, LargeElementsAreShared) {
  ListValue list;
  for (int i = 0; i < 1000; i++) list.Push(ListEnd::kBack, ListItem("small"));
  const SharedBytes large = SharedBytes::Copy(std::string(1000000, 'x'));
  list.Insert(500, ListItem(large.view(), &large));
  const std::unique_ptr<ListValue> shared = list.ShareList();
  list.Insert(500, ListItem("before"));
  list.Insert(502, ListItem("after"));
  ListCursor cursor(list);
  ASSERT_TRUE(cursor.Seek(501));
  EXPECT_EQ(cursor.Get().owner->view().data(), large.view().data());
  EXPECT_GT(list.memory_bytes(), 1000000u);
  list.Remove(501, 1);
  EXPECT_LT(list.memory_bytes(), 100000u);
  EXPECT_GT(shared->memory_bytes(), 1000000u);
  ListCursor kept(*shared);
  ASSERT_TRUE(kept.Seek(500));
  EXPECT_EQ(kept.Get().owner->view().data(), large.view().data());
}

TEST(ListValue, FreesInSteps) {
  ListValue list;
  for (int i = 0; i < 100000; i++) list.Push(ListEnd::kBack, ListItem("event:" + std::to_string(i)));
  int steps = 0;
  while (list.FreeStep(10)) steps++;
  EXPECT_GT(steps, 20);
}

}  // namespace
}  // namespace cairn
