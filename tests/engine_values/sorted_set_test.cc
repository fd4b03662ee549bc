#include "engine/values/sorted_set.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/allocator.h"
#include "base/random.h"

namespace cairn {
namespace {

uint64_t Seed() {
  const char* given = std::getenv("CAIRN_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : ThreadRandom().Next();
}

// The same in the standard library's words.
struct Model {
  std::map<std::string, double> scores;
  std::set<std::pair<double, std::string>> order;

  void Set(const std::string& member, double score) {
    Erase(member);
    scores[member] = score;
    order.emplace(score, member);
  }
  void Erase(const std::string& member) {
    const auto found = scores.find(member);
    if (found == scores.end()) return;
    order.erase({found->second, member});
    scores.erase(found);
  }
};

void ExpectEqual(const SortedSet& set, const Model& model) {
  ASSERT_EQ(set.element_count(), model.scores.size());
  uint64_t n = 0;
  auto expected = model.order.begin();
  for (SortedSet::Cursor at = set.At(0); at.valid(); at.Next(), ++expected, n++) {
    ASSERT_NE(expected, model.order.end());
    ASSERT_EQ(at.score(), expected->first);
    ASSERT_EQ(std::signbit(at.score()), std::signbit(expected->first));
    ASSERT_EQ(at.member(), expected->second);
  }
  ASSERT_EQ(n, model.scores.size());
  if (n == 0) return;
  for (SortedSet::Cursor at = set.At(n - 1); at.valid(); at.Prev()) {
    --expected;
    ASSERT_EQ(at.member(), expected->second);
  }
}

void Put(SortedSet* set, const std::string& member, double score) {
  SortedSet::Place place;
  if (set->Find(member, &place)) {
    if (place.score() != score) set->SetScore(&place, member, score);
  } else {
    set->Insert(&place, member, score);
  }
}

struct Mix {
  const char* name;
  double (*score)(Random& random);
  std::string (*member)(Random& random);
};

std::string ShortMember(Random& random) { return "m:" + std::to_string(random.Uniform(3000)); }
std::string TinyMember(Random& random) {
  return random.OneIn(50) ? std::string() : std::string(1 + random.Uniform(2), static_cast<char>(random.Uniform(256)));
}
std::string LongMember(Random& random) {
  const uint64_t n = random.Uniform(400);
  const size_t size = n % 7 == 0 ? 700 + n * 200 : n % 5 == 0 ? 300 : 20;
  return std::string(size, 'x') + std::to_string(n);
}
double IntegerScore(Random& random) { return static_cast<double>(random.Between(-1000, 1000000)); }
double TiedScore(Random& random) { return static_cast<double>(random.Uniform(3)); }
double MixedScore(Random& random) {
  switch (random.Uniform(8)) {
    case 0: return std::numeric_limits<double>::infinity();
    case 1: return -std::numeric_limits<double>::infinity();
    case 2: return -0.0;
    case 3: return 9007199254740992.0 * (random.OneIn(2) ? 1 : -1);
    case 4: return random.UnitDouble();
    case 5: return 1e300;
    default: return static_cast<double>(random.Between(-5, 5));
  }
}
// Mostly small, so that leaves change their formats when a large one comes.
double SpreadScore(Random& random) {
  return std::floor(std::ldexp(1.0, static_cast<int>(random.Uniform(54)))) + random.Uniform(9);
}

class SortedSetTest : public testing::TestWithParam<Mix> {};

void CheckReads(const SortedSet& set, const Model& model, Random& random, const Mix& mix) {
  const double score = mix.score(random);
  const std::string member = mix.member(random);
  const bool after = random.OneIn(2);
  const double next = std::nextafter(score, std::numeric_limits<double>::infinity());
  const auto by_score = model.order.lower_bound({after && std::isfinite(score) ? next : score, ""});
  if (std::isfinite(score)) {
    ASSERT_EQ(set.CountBefore({score, after, false, {}}), static_cast<uint64_t>(std::distance(model.order.begin(), by_score)));
  }
  const auto by_member = after ? model.order.upper_bound({score, member}) : model.order.lower_bound({score, member});
  const auto rank = static_cast<uint64_t>(std::distance(model.order.begin(), by_member));
  ASSERT_EQ(set.CountBefore({score, after, true, member}), rank);
  const SortedSet::Cursor at = set.At(rank);
  ASSERT_EQ(at.valid(), by_member != model.order.end());
  if (at.valid()) {
    ASSERT_EQ(at.member(), by_member->second);
  }
}

TEST_P(SortedSetTest, RandomChangesUnderShares) {
  const uint64_t seed = Seed();
  SCOPED_TRACE("CAIRN_TEST_SEED=" + std::to_string(seed));
  Random random(seed);
  const Mix& mix = GetParam();
  SortedSet set;
  Model model;
  std::vector<std::pair<std::unique_ptr<LargeValue>, Model>> shares;
  for (int step = 0; step < 6000; step++) {
    const bool growing = step / 1000 % 2 == 0;
    const std::string member = mix.member(random);
    const uint64_t action = random.Uniform(1000);
    if (action < (growing ? 800 : 200)) {
      const double score = mix.score(random);
      const auto found = model.scores.find(member);
      // An equal score stays as it is, sign included.
      if (found == model.scores.end() || found->second != score) model.Set(member, score);
      Put(&set, member, score);
    } else if (action < 990) {
      SortedSet::Place place;
      const bool found = set.Find(member, &place);
      ASSERT_EQ(found, model.scores.contains(member));
      if (found) {
        ASSERT_EQ(place.score(), model.scores[member]);
        ASSERT_EQ(set.Rank(place),
                  static_cast<uint64_t>(std::distance(model.order.begin(), model.order.find({place.score(), member}))));
        set.Erase(&place);
        model.Erase(member);
      }
    } else if (action < 993 && !model.scores.empty()) {
      const uint64_t first = random.Uniform(model.order.size());
      const uint64_t n = 1 + random.Uniform(std::min<uint64_t>(model.order.size() - first, 100));
      auto begin = std::next(model.order.begin(), static_cast<std::ptrdiff_t>(first));
      for (uint64_t i = 0; i < n; i++) {
        model.scores.erase(begin->second);
        begin = model.order.erase(begin);
      }
      set.RemoveRange(first, n);
    } else if (action < 996 && shares.size() < 3) {
      shares.emplace_back(set.Share(), model);
    } else if (action < 999 && !shares.empty()) {
      const size_t at = random.Uniform(shares.size());
      ExpectEqual(static_cast<const SortedSet&>(*shares[at].first), shares[at].second);
      shares.erase(shares.begin() + static_cast<std::ptrdiff_t>(at));
    }
    ASSERT_EQ(set.element_count(), model.scores.size());
    if (step % 20 == 0) CheckReads(set, model, random, mix);
    if (step % 1000 == 0) ExpectEqual(set, model);
    if (testing::Test::HasFatalFailure()) return;
  }
  ExpectEqual(set, model);
}

TEST_P(SortedSetTest, ScanReturnsWhatStays) {
  const uint64_t seed = Seed();
  SCOPED_TRACE("CAIRN_TEST_SEED=" + std::to_string(seed));
  Random random(seed);
  const Mix& mix = GetParam();
  SortedSet set;
  Model model;
  for (int i = 0; i < 2000; i++) {
    const std::string member = mix.member(random);
    const double score = mix.score(random);
    model.Set(member, score);
    Put(&set, member, score);
  }
  const Model before = model;
  std::set<std::string> removed;
  std::set<std::string> seen;
  uint64_t cursor = 0;
  int steps = 0;
  do {
    cursor = set.Scan(cursor, 10, [&](std::string_view member, double score) {
      seen.insert(std::string(member));
      EXPECT_EQ(model.scores[std::string(member)], score);
    });
    steps++;
    // Meanwhile members go, come and move.
    for (int i = 0; i < 5; i++) {
      const std::string member = mix.member(random);
      if (random.OneIn(2)) {
        SortedSet::Place place;
        if (!set.Find(member, &place)) continue;
        set.Erase(&place);
        model.Erase(member);
        removed.insert(member);
      } else {
        const double score = mix.score(random);
        if (!model.scores.contains(member) || model.scores[member] != score) model.Set(member, score);
        Put(&set, member, score);
      }
    }
  } while (cursor != 0);
  for (const auto& [member, score] : before.scores) {
    ASSERT_TRUE(seen.contains(member) || removed.contains(member)) << member;
  }
  EXPECT_GT(steps, 1);
}

INSTANTIATE_TEST_SUITE_P(Mixes, SortedSetTest,
                         testing::Values(Mix{"integers", IntegerScore, ShortMember}, Mix{"ties", TiedScore, ShortMember},
                                         Mix{"mixed", MixedScore, ShortMember}, Mix{"spread", SpreadScore, ShortMember},
                                         Mix{"tiny", TiedScore, TinyMember}, Mix{"long", IntegerScore, LongMember},
                                         Mix{"longmixed", MixedScore, LongMember}),
                         [](const auto& info) { return info.param.name; });

TEST(SortedSetMemory, BytesAnItem) {
  FlushThreadAllocatorCache();
  const uint64_t before = AllocatedBytes();
  {
    SortedSet set;
    const uint64_t n = 50000;
    for (uint64_t i = 0; i < n; i++) {
      Put(&set, "member:" + std::to_string(i), static_cast<double>(i * 7919 % 50021));
    }
    EXPECT_LE(set.memory_bytes(), n * 36);
    FlushThreadAllocatorCache();
    if (std::string_view(AllocatorName()) != "libc") {
      EXPECT_NEAR(static_cast<double>(AllocatedBytes() - before), static_cast<double>(set.memory_bytes()), n * 2.0);
    }
    std::unique_ptr<LargeValue> share = set.Share();
    EXPECT_EQ(share->memory_bytes(), set.memory_bytes());
    while (share->FreeStep(100)) {
    }
    EXPECT_EQ(set.element_count(), n);
    EXPECT_EQ(set.At(5).score(), 5);
  }
}

TEST(SortedSetMemory, InOrderOrBackwardsLeavesAreFull) {
  SortedSet up;
  SortedSet down;
  for (int i = 0; i < 20000; i++) {
    EXPECT_TRUE(up.Add("member:" + std::to_string(1000000 + i), i));
    EXPECT_TRUE(down.Add("member:" + std::to_string(1000000 + i), 20000 - i));
  }
  EXPECT_FALSE(up.Add("member:1000000", 7));
  EXPECT_LE(up.memory_bytes(), 20000 * 31U);
  EXPECT_LE(down.memory_bytes(), 20000 * 31U);
}

}  // namespace
}  // namespace cairn
