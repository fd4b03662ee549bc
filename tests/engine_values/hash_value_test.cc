#include "engine/values/hash_value.h"

#include <gtest/gtest.h>

#include <map>

#include "engine/values/listpack.h"
#include "tests/support/test_seed.h"

namespace cairn {
namespace {

struct Expected {
  std::string value;
  int64_t deadline_ms = HashField::kNoDeadline;
  bool operator==(const Expected&) const = default;
};
using Model = std::map<std::string, Expected>;

Model ContentOf(const HashTable& table) {
  Model content;
  HashTrie::Walk walk(table.fields());
  std::string_view payload;
  while (walk.Next(&payload)) {
    const HashField field = ReadHashField(payload);
    content[std::string(field.name)] = {std::string(field.value), field.deadline_ms};
  }
  return content;
}

int64_t EarliestOf(const Model& model) {
  int64_t earliest_ms = INT64_MAX;
  for (const auto& [name, expected] : model) {
    if (expected.deadline_ms != HashField::kNoDeadline) earliest_ms = std::min(earliest_ms, expected.deadline_ms);
  }
  return earliest_ms;
}

void ChangeSome(HashTable& table, Model& model, Random& random, uint64_t names) {
  const std::string name = "f" + std::to_string(random.Uniform(names));
  const auto at = model.find(name);
  const int64_t deadline_ms = random.OneIn(3) ? static_cast<int64_t>(random.Uniform(1000)) : HashField::kNoDeadline;
  const std::string value = random.Bytes(random.Uniform(random.OneIn(20) ? 400 : 20));
  switch (random.Uniform(5)) {
    case 0:
      ASSERT_EQ(table.Set(name, value, deadline_ms), at == model.end());
      model[name] = {value, deadline_ms};
      break;
    case 1:
      ASSERT_EQ(table.SetKeepingDeadline(name, value), at == model.end());
      model[name].value = value;
      break;
    case 2:
      ASSERT_EQ(table.SetDeadline(name, deadline_ms), at != model.end());
      if (at != model.end()) at->second.deadline_ms = deadline_ms;
      break;
    case 3:
      ASSERT_EQ(table.Erase(name), at != model.end());
      if (at != model.end()) model.erase(at);
      break;
    default: {
      const int64_t now_ms = static_cast<int64_t>(random.Uniform(1000));
      HashField field;
      const bool there =
          at != model.end() && (at->second.deadline_ms == HashField::kNoDeadline || at->second.deadline_ms > now_ms);
      ASSERT_EQ(table.Find(name, now_ms, &field), there);
      if (there) {
        ASSERT_EQ(field.value, at->second.value);
        ASSERT_EQ(field.deadline_ms, at->second.deadline_ms);
      }
    }
  }
  ASSERT_EQ(table.element_count(), model.size());
  ASSERT_EQ(table.next_deadline_ms(), EarliestOf(model));
}

TEST(HashTable, FollowsAModel) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 5; round++) {
    HashTable table;
    Model model;
    const uint64_t names = 1 + random.Uniform(400);
    for (int step = 0; step < 6000; step++) {
      ChangeSome(table, model, random, names);
      if (HasFatalFailure()) return;
      if (!random.OneIn(1000)) continue;
      const std::unique_ptr<LargeValue> share = table.Share();
      const Model then = model;
      for (int i = 0; i < 100; i++) ChangeSome(table, model, random, names);
      const auto& shared = static_cast<const HashTable&>(*share);
      ASSERT_EQ(ContentOf(shared), then);
      ASSERT_EQ(shared.next_deadline_ms(), EarliestOf(then));
    }
    ASSERT_EQ(ContentOf(table), model);
    std::vector<std::string> due;
    const int64_t now_ms = static_cast<int64_t>(random.Uniform(1000));
    table.CollectDue(now_ms, SIZE_MAX, &due);
    ASSERT_EQ(due.size(), table.CountDue(now_ms));
    for (const std::string& name : due) ASSERT_LE(model.at(name).deadline_ms, now_ms);
    for (const std::string& name : due) ASSERT_TRUE(table.Erase(name));
    ASSERT_GT(table.next_deadline_ms(), now_ms);
    while (table.FreeStep(3)) {
    }
  }
}

TEST(HashTable, TakesAListpackOver) {
  ListpackBuilder builder;
  Model model;
  for (int i = 0; i < 300; i++) {
    const std::string name = i % 2 == 0 ? std::to_string(i) : "f" + std::to_string(i);
    builder.Add(name);
    builder.Add(int64_t{i} * 1000);
    model[name] = {std::to_string(i * 1000)};
  }
  EXPECT_EQ(ContentOf(*HashTable::FromPacked(builder.listpack())), model);
}

}  // namespace
}  // namespace cairn
