#include "engine/values/counted_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"

namespace cairn {
namespace {

// A leaf of up to 8 numbers in order; small nodes make high trees of few elements.
constexpr uint32_t kLeafCapacity = 8;
int64_t live_leaves = 0;

struct TestLeaf : CowNode {
  uint32_t size = 0;
  uint32_t values[kLeafCapacity];
};

struct TestTraits {
  using Leaf = TestLeaf;
  struct Key {
    uint32_t high;  // of the first element, in hundreds: leaves ties to NotAfter
  };
  static Key KeyOf(const Leaf& leaf) { return {leaf.values[0] / 100}; }
  static uint64_t Count(const Leaf& leaf) { return leaf.size; }
  static size_t MemoryBytes(const Leaf&) { return sizeof(TestLeaf); }
  static Leaf* New() {
    live_leaves++;
    return new TestLeaf;
  }
  static Leaf* Clone(const Leaf& leaf) {
    Leaf* copy = New();
    copy->size = leaf.size;
    std::copy_n(leaf.values, leaf.size, copy->values);
    return copy;
  }
  static void Free(Leaf* leaf) {
    live_leaves--;
    delete leaf;
  }
  static bool CanJoin(const Leaf& left, const Leaf& right) { return left.size + right.size <= kLeafCapacity; }
  static Leaf* Join(Leaf* left, const Leaf& right) {
    std::copy_n(right.values, right.size, left->values + left->size);
    left->size += right.size;
    return left;
  }
  static Leaf* Erase(Leaf* leaf, uint64_t from, uint64_t count) {
    std::copy(leaf->values + from + count, leaf->values + leaf->size, leaf->values + from);
    leaf->size -= static_cast<uint32_t>(count);
    return leaf;
  }
};

using Tree = CountedTree<TestTraits, 128>;  // 6 children a node

struct Probe {
  uint32_t value;
  int Order(const TestTraits::Key& key) const {
    const uint32_t high = value / 100;
    return key.high < high ? -1 : key.high > high ? 1 : 0;
  }
  bool NotAfter(const TestLeaf& leaf) const { return leaf.values[0] <= value; }
};

void InsertValue(Tree* tree, uint32_t value) {
  Tree::Path path;
  if (!tree->Seek(Probe{value}, &path)) {
    TestLeaf* leaf = TestTraits::New();
    leaf->values[leaf->size++] = value;
    tree->InsertAfter(&path, leaf);
    return;
  }
  TestLeaf* leaf = tree->Own(&path);
  const bool at_end = Tree::IsLast(path) && leaf->values[leaf->size - 1] <= value;
  TestLeaf* second = nullptr;
  if (leaf->size == kLeafCapacity) {
    second = TestTraits::New();
    const uint32_t keep = at_end ? kLeafCapacity : kLeafCapacity / 2;
    second->size = leaf->size - keep;
    std::copy_n(leaf->values + keep, second->size, second->values);
    leaf->size = keep;
  }
  TestLeaf* into = second != nullptr && (second->size == 0 || value >= second->values[0]) ? second : leaf;
  uint32_t* at = std::upper_bound(into->values, into->values + into->size, value);
  std::copy_backward(at, into->values + into->size, into->values + into->size + 1);
  *at = value;
  into->size++;
  tree->Commit(&path, leaf);
  if (second != nullptr) tree->InsertAfter(&path, second);
}

bool EraseValue(Tree* tree, uint32_t value) {
  Tree::Path path;
  if (!tree->Seek(Probe{value}, &path)) return false;
  const uint32_t* end = path.leaf()->values + path.leaf()->size;
  const uint32_t* found = std::lower_bound(path.leaf()->values, end, value);
  if (found == end || *found != value) return false;
  const auto at = static_cast<uint64_t>(found - path.leaf()->values);
  if (path.leaf()->size == 1) {
    tree->Remove(&path);
    return true;
  }
  tree->Commit(&path, TestTraits::Erase(tree->Own(&path), at, 1));
  if (path.leaf()->size < kLeafCapacity / 2) tree->Join(&path);
  return true;
}

std::vector<uint32_t> Content(const Tree& tree) {
  std::vector<uint32_t> all;
  Tree::Path path;
  for (bool more = tree.First(&path); more; more = Tree::Next(&path)) {
    EXPECT_EQ(Tree::ElementsBefore(path), all.size());
    all.insert(all.end(), path.leaf()->values, path.leaf()->values + path.leaf()->size);
  }
  return all;
}

uint64_t LeafCount(const Tree& tree) {
  uint64_t n = 0;
  Tree::Path path;
  for (bool more = tree.First(&path); more; more = Tree::Next(&path)) n++;
  return n;
}

void ExpectEqual(const Tree& tree, const std::vector<uint32_t>& model) {
  ASSERT_EQ(tree.count(), model.size());
  ASSERT_EQ(Content(tree), model);
  std::vector<uint32_t> backwards;
  Tree::Path path;
  for (bool more = tree.Last(&path); more; more = Tree::Prev(&path)) {
    for (uint32_t i = path.leaf()->size; i-- > 0;) backwards.push_back(path.leaf()->values[i]);
  }
  ASSERT_TRUE(std::equal(backwards.rbegin(), backwards.rend(), model.begin(), model.end()));
}

// Of a tree whose nodes nobody else holds: what it says it takes is what its nodes take.
void ExpectMemory(const Tree& tree) {
  const uint64_t leaves = LeafCount(tree);
  const uint64_t inner = tree.memory_bytes() - leaves * sizeof(TestLeaf);
  ASSERT_EQ(inner % 128, 0U);
  if (leaves <= 1) {
    ASSERT_EQ(inner, 0U);
  } else {
    ASSERT_GE(inner / 128 * 6, leaves);
    ASSERT_LE(inner / 128, leaves);
  }
}

TEST(CountedTree, RandomChangesUnderShares) {
  const char* given = std::getenv("CAIRN_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : ThreadRandom().Next();
  SCOPED_TRACE("CAIRN_TEST_SEED=" + std::to_string(seed));
  Random random(seed);
  {
    Tree tree;
    std::vector<uint32_t> model;
    std::vector<std::pair<Tree, std::vector<uint32_t>>> shares;
    for (int step = 0; step < 20000; step++) {
      // Phases that grow and phases that shrink, down to nothing.
      const bool growing = step / 2500 % 2 == 0;
      const uint64_t action = random.Uniform(100);
      if (action < (growing ? 75 : 20)) {
        const uint32_t value = static_cast<uint32_t>(random.Uniform(random.OneIn(3) ? 300 : 100000));
        InsertValue(&tree, value);
        model.insert(std::upper_bound(model.begin(), model.end(), value), value);
      } else if (action < 97 && !model.empty()) {
        const size_t at = random.Uniform(model.size());
        ASSERT_TRUE(EraseValue(&tree, model[at]));
        model.erase(model.begin() + static_cast<std::ptrdiff_t>(at));
      } else if (action == 97 && !model.empty()) {
        const uint64_t first = random.Uniform(model.size());
        const uint64_t n = random.Uniform(std::min<uint64_t>(model.size() - first, growing ? 40 : 300)) + 1;
        std::vector<uint32_t> seen;
        tree.RemoveRange(first, n, [&](const TestLeaf& leaf, uint64_t from, uint64_t count) {
          seen.insert(seen.end(), leaf.values + from, leaf.values + from + count);
        });
        const auto begin = model.begin() + static_cast<std::ptrdiff_t>(first);
        ASSERT_TRUE(std::equal(seen.begin(), seen.end(), begin, begin + static_cast<std::ptrdiff_t>(n)));
        model.erase(begin, begin + static_cast<std::ptrdiff_t>(n));
      } else if (action == 98 && shares.size() < 4) {
        shares.emplace_back(tree.Share(), model);
      } else if (action == 99 && !shares.empty()) {
        const size_t at = random.Uniform(shares.size());
        ExpectEqual(shares[at].first, shares[at].second);
        shares.erase(shares.begin() + static_cast<std::ptrdiff_t>(at));
      }
      ASSERT_EQ(tree.count(), model.size());
      if (!model.empty()) {
        Tree::Path path;
        uint64_t within = 0;
        const uint64_t rank = random.Uniform(model.size());
        ASSERT_TRUE(tree.SeekRank(rank, &path, &within));
        ASSERT_EQ(path.leaf()->values[within], model[rank]);
        ASSERT_EQ(Tree::ElementsBefore(path) + within, rank);
        ASSERT_FALSE(tree.SeekRank(model.size(), &path, &within));
      }
      if (step % 500 == 0) {
        ExpectEqual(tree, model);
        ExpectMemory(tree);
      }
    }
    ExpectEqual(tree, model);
    for (auto& [share, content] : shares) ExpectEqual(share, content);
    // Every leaf but few is half full.
    ASSERT_LE(LeafCount(tree), model.size() / (kLeafCapacity / 2) + 2);
  }
  EXPECT_EQ(live_leaves, 0);
}

TEST(CountedTree, AppendingLeavesFullNodes) {
  Tree tree;
  for (uint32_t i = 0; i < 8 * 6 * 6 * 6; i++) InsertValue(&tree, i);
  EXPECT_EQ(LeafCount(tree), 6U * 6 * 6);
  EXPECT_EQ(tree.height(), 3U);
  EXPECT_EQ(tree.memory_bytes(), 6 * 6 * 6 * sizeof(TestLeaf) + (36 + 6 + 1) * 128);
}

TEST(CountedTree, PrependingAndBuilding) {
  Tree front;
  Tree built;
  std::vector<uint32_t> model;
  for (uint32_t i = 0; i < 1000; i++) {
    TestLeaf* leaf = TestTraits::New();
    leaf->values[leaf->size++] = 1000 - i;
    Tree::Path path;
    if (front.First(&path)) front.Own(&path);
    front.InsertBefore(&path, leaf);
    leaf = TestTraits::New();
    leaf->values[leaf->size++] = i + 1;
    built.Append(leaf);
    model.push_back(i + 1);
  }
  ExpectEqual(front, model);
  ExpectEqual(built, model);
  EXPECT_LE(front.height(), 5U);
  Tree::Path path;
  ASSERT_TRUE(built.First(&path));
  EXPECT_TRUE(Tree::IsFirst(path));
  EXPECT_FALSE(Tree::IsLast(path));
  EXPECT_FALSE(Tree::Prev(&path));
  // A range over everything.
  uint64_t seen = 0;
  built.RemoveRange(0, 1000, [&](const TestLeaf&, uint64_t, uint64_t count) { seen += count; });
  EXPECT_EQ(seen, 1000U);
  EXPECT_TRUE(built.empty());
  EXPECT_EQ(built.memory_bytes(), 0U);
  EXPECT_EQ(built.height(), 0U);
}

TEST(CountedTree, FreedInSteps) {
  {
    Tree tree;
    for (uint32_t i = 0; i < 5000; i++) InsertValue(&tree, i * 7919 % 5000);
    const std::vector<uint32_t> model = Content(tree);
    Tree share = tree.Share();
    Tree moved = std::move(tree);
    EXPECT_TRUE(tree.empty());  // NOLINT(bugprone-use-after-move): a moved-from tree is empty
    InsertValue(&moved, 77);
    EXPECT_EQ(moved.count(), 5001U);
    // The copies go in steps; the share stays whole.
    while (moved.FreeStep(3)) {
    }
    ExpectEqual(share, model);
    int steps = 0;
    const int64_t leaves = static_cast<int64_t>(LeafCount(share));
    EXPECT_EQ(live_leaves, leaves);
    while (share.FreeStep(10)) steps++;
    EXPECT_GT(steps, leaves / 10);
    EXPECT_FALSE(share.FreeStep(1));
  }
  EXPECT_EQ(live_leaves, 0);
}

}  // namespace
}  // namespace cairn
