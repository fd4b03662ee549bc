#include "engine/values/hash_trie.h"

#include <gtest/gtest.h>

#include <cmath>
#include <list>
#include <map>
#include <set>
#include <unordered_map>

#include "base/allocator.h"
#include "engine/values/hash_inner.h"
#include "tests/support/test_seed.h"

namespace cairn {
namespace {

using Model = std::unordered_map<std::string, std::string>;

// A key's payload in the form under test; `tail` is 8 bytes for kKeyThenEight, empty for kKeyOnly.
class Source {
 public:
  Source(RecordForm form, const std::string& key, const std::string& tail) : key_(key), tail_(tail) {
    if (form == RecordForm::kField) {
      uint64_t coded = key.size() * 2;
      for (; coded >= 0x80; coded >>= 7) header_.push_back(static_cast<char>(coded | 0x80));
      header_.push_back(static_cast<char>(coded));
    }
  }
  PayloadParts parts() const { return {{header_, key_, tail_}}; }
  std::string whole() const { return header_ + key_ + tail_; }

 private:
  std::string header_, key_, tail_;
};

std::string RandomTail(Random& random, RecordForm form) {
  if (form == RecordForm::kKeyOnly) return "";
  if (form == RecordForm::kKeyThenEight) return random.Bytes(8);
  if (random.OneIn(50)) return random.Bytes(random.Uniform(3000));
  return random.Bytes(random.Uniform(random.OneIn(10) ? 300 : 20));
}

std::string RandomKey(Random& random, uint64_t keys) {
  const uint64_t n = random.Uniform(keys);
  std::string key = n == 0 ? "" : "k" + std::to_string(n);
  if (n % 97 == 5) key.append(300, 'x');
  return key;
}

Model ContentOf(const HashTrie& trie, RecordForm form) {
  Model content;
  HashTrie::Walk walk(trie);
  std::string_view payload;
  while (walk.Next(&payload)) {
    EXPECT_TRUE(content.emplace(std::string(KeyOf(form, payload)), std::string(payload)).second);
  }
  EXPECT_EQ(content.size(), trie.size());
  return content;
}

bool PutInto(HashTrie& trie, RecordForm form, Model& model, const std::string& key, const std::string& tail) {
  const Source source(form, key, tail);
  const bool added = trie.Put(key, HashTrie::Hash(key), source.parts());
  EXPECT_EQ(added, model.find(key) == model.end());
  model[key] = source.whole();
  return added;
}

void ChangeSome(HashTrie& trie, RecordForm form, Model& model, Random& random, uint64_t keys, uint64_t inserts_of_10) {
  const std::string key = RandomKey(random, keys);
  const uint64_t hash = HashTrie::Hash(key);
  const std::string_view found = trie.Find(key, hash);
  const auto in_model = model.find(key);
  ASSERT_EQ(found.data() != nullptr, in_model != model.end()) << key;
  if (in_model != model.end()) {
    ASSERT_EQ(found, in_model->second);
  }
  if (random.Uniform(10) >= inserts_of_10) {
    ASSERT_EQ(trie.Erase(key, hash), in_model != model.end());
    if (in_model != model.end()) model.erase(in_model);
  } else if (random.OneIn(4)) {
    const Source source(form, key, RandomTail(random, form));
    ASSERT_EQ(trie.Insert(key, hash, source.parts()), in_model == model.end());
    if (in_model == model.end()) model[key] = source.whole();
  } else if (form == RecordForm::kKeyThenEight && random.OneIn(2)) {
    const std::string tail = random.Bytes(8);
    char* payload = trie.MutablePayload(key, hash);
    ASSERT_EQ(payload != nullptr, in_model != model.end());
    if (payload == nullptr) return;
    std::memcpy(payload + key.size(), tail.data(), 8);
    in_model->second = key + tail;
  } else {
    PutInto(trie, form, model, key, RandomTail(random, form));
  }
  ASSERT_EQ(trie.size(), model.size());
}

TEST(HashTrie, FollowsAModelWithSharesAlive) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 9; round++) {
    const auto form = static_cast<RecordForm>(round % 3);
    HashTrie trie(form);
    Model model;
    std::list<std::pair<HashTrie, Model>> shares;
    const uint64_t keys = 1 + random.Uniform(round < 3 ? 300 : 20000);
    uint64_t inserts_of_10 = 9;
    for (int step = 0; step < 30000; step++) {
      if (step % 5000 == 4999) inserts_of_10 = random.Uniform(11);
      ChangeSome(trie, form, model, random, keys, inserts_of_10);
      if (HasFatalFailure()) return;
      if (random.OneIn(3000)) shares.emplace_back(trie.Share(), model);
      if (!shares.empty() && random.OneIn(4000)) {
        auto& [share, expected] = shares.front();
        ASSERT_EQ(ContentOf(share, form), expected);
        // A share may be changed too.
        for (int k = 0; k < 50; k++) ChangeSome(share, form, expected, random, keys, 5);
        ASSERT_EQ(ContentOf(share, form), expected);
        shares.pop_front();
      }
    }
    ASSERT_EQ(ContentOf(trie, form), model);
    for (const auto& [share, expected] : shares) ASSERT_EQ(ContentOf(share, form), expected);
    while (!model.empty()) {
      const std::string key = model.begin()->first;
      ASSERT_TRUE(trie.Erase(key, HashTrie::Hash(key)));
      model.erase(key);
    }
    EXPECT_EQ(trie.memory_bytes(), 0u);
    for (const auto& [share, expected] : shares) ASSERT_EQ(ContentOf(share, form), expected);
  }
}

// Every record in one table: what is counted is what the allocator gave, whichever way it came there.
TEST(HashTrie, MemoryIsWhatTheAllocatorGives) {
  CAIRN_SEEDED(random);
  for (const RecordForm form : {RecordForm::kKeyOnly, RecordForm::kKeyThenEight, RecordForm::kField}) {
    HashTrie trie(form);
    Model model;
    for (int step = 0; step < 60000; step++) ChangeSome(trie, form, model, random, 20000, 6);
    const uint64_t counted = trie.memory_bytes();
    const bool jemalloc = std::string_view(AllocatorName()) != "libc";
    FlushThreadAllocatorCache();  // frees that wait in the cache still count as allocated
    const uint64_t before = AllocatedBytes();
    while (trie.FreeStep(100)) {
    }
    FlushThreadAllocatorCache();
    if (jemalloc) {
      EXPECT_NEAR(static_cast<double>(before - AllocatedBytes()), static_cast<double>(counted), 2000.0);
    }
  }
}

TEST(HashTrie, GivesMemoryBackWhenItShrinks) {
  HashTrie trie(RecordForm::kKeyOnly);
  const auto key_of = [](int i) { return "user:" + std::to_string(i); };
  for (int i = 0; i < 100000; i++) trie.Insert(key_of(i), HashTrie::Hash(key_of(i)), {{key_of(i)}});
  const uint64_t full = trie.memory_bytes();
  for (int i = 0; i < 99000; i++) ASSERT_TRUE(trie.Erase(key_of(i), HashTrie::Hash(key_of(i))));
  EXPECT_LT(trie.memory_bytes(), full / 40);
  HashTrie fresh(RecordForm::kKeyOnly);
  for (int i = 99000; i < 100000; i++) fresh.Insert(key_of(i), HashTrie::Hash(key_of(i)), {{key_of(i)}});
  EXPECT_LT(trie.memory_bytes(), fresh.memory_bytes() * 2);
}

TEST(HashTrie, LeavesAreFullAtEverySize) {
  HashTrie trie(RecordForm::kKeyOnly);
  double worst = 0;
  for (int i = 0; i < 300000; i++) {
    const std::string key = "user:" + std::to_string(100000 + i);
    trie.Insert(key, HashTrie::Hash(key), {{key}});
    if (i > 2000 && i % 100 == 0) worst = std::max(worst, static_cast<double>(trie.memory_bytes()) / (i + 1));
  }
  RecordProperty("worst_bytes_per_member", std::to_string(worst));
  EXPECT_LT(worst, 18.0);  // of 11 bytes
}

TEST(HashTrie, LargePayloadsAreSharedNotCopied) {
  HashTrie trie(RecordForm::kField);
  const std::string value(5 << 20, 'v');
  const Source source(RecordForm::kField, "field", value);
  const uint64_t hash = HashTrie::Hash("field");
  ASSERT_TRUE(trie.Put("field", hash, source.parts()));
  EXPECT_GT(trie.memory_bytes(), value.size());
  HashTrie share = trie.Share();
  const Source other(RecordForm::kField, "other", "small");
  trie.Put("other", HashTrie::Hash("other"), other.parts());
  EXPECT_EQ(trie.Find("field", hash).data(), share.Find("field", hash).data());
  SharedBytes held = trie.FindOutside("field", hash);
  EXPECT_EQ(held.view().data(), trie.Find("field", hash).data());
  trie.MutablePayload("field", hash)[100] = 'w';
  EXPECT_EQ(share.Find("field", hash)[100], 'v');
  EXPECT_EQ(trie.Find("field", hash)[100], 'w');
  ASSERT_TRUE(share.Erase("field", hash));
  EXPECT_LT(share.memory_bytes(), 1000u);
  EXPECT_EQ(held.view()[100], 'v');
}

TEST(HashTrie, ScanKeepsItsPromiseWhileTheTableChanges) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 12; round++) {
    HashTrie trie(RecordForm::kKeyOnly);
    const auto add = [&](const std::string& key) { trie.Insert(key, HashTrie::Hash(key), {{key}}); };
    std::set<std::string> stay;
    for (uint64_t i = random.Uniform(4000); i > 0; i--) {
      stay.insert("s" + std::to_string(i));
      add("s" + std::to_string(i));
    }
    std::vector<std::string> others;
    std::map<std::string, int> seen;
    const size_t count = 1 + random.Uniform(50);
    uint64_t cursor = 0;
    int next = 0;
    do {
      std::vector<std::string_view> out;
      cursor = trie.Scan(cursor, count, &out);
      ASSERT_LE(out.size(), count + 2);
      if (cursor != 0) {
        ASSERT_GE(out.size(), count);
      }
      for (const std::string_view payload : out) seen[std::string(payload)]++;
      // Not faster than it is scanned, or the scan would hardly ever end.
      const bool grows = round % 3 != 1;
      for (uint64_t i = random.Uniform(grows ? count + 1 : 5); i > 0; i--) {
        others.push_back("o" + std::to_string(next++));
        add(others.back());
      }
      while (round % 3 != 0 && !others.empty() && !random.OneIn(20)) {
        ASSERT_TRUE(trie.Erase(others.back(), HashTrie::Hash(others.back())));
        others.pop_back();
      }
    } while (cursor != 0);
    for (const std::string& key : stay) ASSERT_EQ(seen[key], 1) << key;
  }
}

TEST(HashTrie, AnyCursorIsHarmless) {
  HashTrie trie(RecordForm::kKeyOnly);
  std::vector<std::string_view> out;
  EXPECT_EQ(trie.Scan(0, 10, &out), 0u);
  for (int i = 0; i < 1000; i++) trie.Insert(std::to_string(i), HashTrie::Hash(std::to_string(i)), {{std::to_string(i)}});
  EXPECT_EQ(trie.Scan(UINT64_MAX, 10, &out), 0u);
  EXPECT_EQ(trie.Scan((uint64_t{1} << 48) - 1, 10, &out), 0u);
  EXPECT_EQ(trie.Scan(0, 0, &out) == 0, false);
  EXPECT_EQ(out.size(), 1u);
  out.clear();
  EXPECT_EQ(trie.Scan(0, SIZE_MAX, &out), 0u);
  EXPECT_EQ(out.size(), 1000u);
}

// Chi-square of draws over records: for d degrees of freedom it lies within d +- 5 sqrt(2 d) but once in a million.
TEST(HashTrie, RandomRecordsAreEvenlyDrawn) {
  CAIRN_SEEDED(random);
  for (const uint64_t records : {3u, 100u, 513u, 2000u, 5000u}) {
    HashTrie trie(RecordForm::kKeyOnly);
    for (uint64_t i = 0; i < records; i++) {
      const std::string key = std::to_string(i) + std::string(random.Uniform(20), 'x');
      trie.Insert(key, HashTrie::Hash(key), {{key}});
    }
    std::map<std::string_view, double> drawn;
    const double draws_of_each = 60;
    const double draws = draws_of_each * static_cast<double>(records);
    for (double i = 0; i < draws; i++) drawn[trie.RandomPayload(random)]++;
    EXPECT_EQ(drawn.size(), records);
    double chi_square = 0;
    for (const auto& [key, n] : drawn) chi_square += (n - draws_of_each) * (n - draws_of_each) / draws_of_each;
    const double freedom = static_cast<double>(records - 1);
    EXPECT_LT(chi_square, freedom + 6 * std::sqrt(2 * freedom) + 10) << records;
  }
}

TEST(HashTrie, FreesInSteps) {
  HashTrie trie(RecordForm::kKeyOnly);
  for (int i = 0; i < 50000; i++) trie.Insert(std::to_string(i), HashTrie::Hash(std::to_string(i)), {{std::to_string(i)}});
  HashTrie share = trie.Share();
  EXPECT_FALSE(trie.FreeStep(1));  // another holder has the root
  int steps = 0;
  while (share.FreeStep(10)) steps++;
  EXPECT_GT(steps, 50);
}

// Hashes that a test chooses: records that differ only in their last bits, and not at all.
TEST(HashTrie, EqualHashesShareALeaf) {
  HashTrie trie(RecordForm::kKeyOnly);
  std::vector<std::string> keys;
  for (int i = 0; i < 40; i++) keys.push_back("equal" + std::to_string(i));
  const uint64_t hash = HashTrie::Hash("equal0");
  // Only lookups by the same hash find them; splits would compute other hashes, so the leaf must not be full.
  for (const std::string& key : keys) ASSERT_TRUE(trie.Insert(key, hash, {{key}}));
  for (const std::string& key : keys) ASSERT_TRUE(trie.Contains(key, hash));
  for (const std::string& key : keys) ASSERT_TRUE(trie.Erase(key, hash));
  EXPECT_EQ(trie.memory_bytes(), 0u);
}

}  // namespace
}  // namespace cairn
