// A sorted set that is too large to be packed: a counted tree in the order of (score, member bytes) whose leaves hold the
// elements (score_leaf.h), and an index by the members' hashes that holds scores (score_index.h). A member is found by its hash:
// the index says which scores members with that hash have, the tree whether one of them is this member. So nothing holds an
// address of an element, and both trees are shared node by node (large_value.h).
//
// Scores are never NaN. Members are in the order of their bytes, unsigned, shorter first. Equal scores compare equal whatever
// their sign. Threads: as LargeValue.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/values/counted_tree.h"
#include "engine/values/large_value.h"
#include "engine/values/score_index.h"
#include "engine/values/score_leaf.h"

namespace cairn {

class SortedSet final : public LargeValue {
 public:
  struct OrderTraits {
    using Leaf = ScoreLeaf;
    static constexpr size_t kPrefetchBytes = kScoreLeafMaxBytes;
    struct Key {
      double score;
    };
    static Key KeyOf(const Leaf& leaf) { return {leaf.score(0)}; }
    static uint64_t Count(const Leaf& leaf) { return leaf.count(); }
    static size_t MemoryBytes(const Leaf& leaf) { return leaf.memory_bytes(); }
    static Leaf* Clone(const Leaf& leaf) { return ScoreLeaf::Clone(leaf); }
    static void Free(Leaf* leaf) { ScoreLeaf::Free(leaf); }
    static bool CanJoin(const Leaf& left, const Leaf& right) { return ScoreLeaf::CanJoin(left, right); }
    static Leaf* Join(Leaf* left, const Leaf& right) { return ScoreLeaf::Join(left, right); }
    static Leaf* Erase(Leaf* leaf, uint64_t from, uint64_t count) {
      return ScoreLeaf::Erase(leaf, static_cast<uint32_t>(from), static_cast<uint32_t>(count));
    }
  };
  struct IndexTraits {
    using Leaf = ScoreIndexLeaf;
    static constexpr size_t kPrefetchBytes = ScoreIndexLeaf::kMaxBytes;
    struct Key {
      uint32_t hash;
    };
    static Key KeyOf(const Leaf& leaf) { return {leaf.hash(0)}; }
    static uint64_t Count(const Leaf& leaf) { return leaf.count(); }
    static size_t MemoryBytes(const Leaf& leaf) { return leaf.memory_bytes(); }
    static Leaf* Clone(const Leaf& leaf) { return ScoreIndexLeaf::Clone(leaf); }
    static void Free(Leaf* leaf) { ScoreIndexLeaf::Free(leaf); }
    static bool CanJoin(const Leaf& left, const Leaf& right) { return ScoreIndexLeaf::CanJoin(left, right); }
    static Leaf* Join(Leaf* left, const Leaf& right) { return ScoreIndexLeaf::Join(left, right); }
  };
  using Order = CountedTree<OrderTraits>;
  using Index = CountedTree<IndexTraits>;

  // Where a member is, or where its index record would be. Lives until the set changes; the functions that take one change the
  // set.
  class Place {
   public:
    bool found() const { return found_; }
    double score() const { return score_; }  // only where found

   private:
    friend class SortedSet;
    bool found_ = false;
    uint32_t hash_ = 0;
    uint32_t order_at_ = 0;
    uint32_t index_at_ = 0;
    double score_ = 0;
    Order::Path order_;
    Index::Path index_;
  };

  // An element and the way to its neighbours. Lives until the set changes; the member's bytes, too.
  class Cursor {
   public:
    bool valid() const { return path_.leaf() != nullptr; }
    double score() const { return path_.leaf()->score(at_); }
    std::string_view member() const { return path_.leaf()->member(at_); }
    void Next() {
      if (++at_ < path_.leaf()->count()) [[likely]]
        return;
      at_ = 0;
      Order::Next(&path_);
    }
    void Prev() {
      if (at_-- > 0) [[likely]]
        return;
      if (Order::Prev(&path_)) at_ = path_.leaf()->count() - 1;
    }

   private:
    friend class SortedSet;
    Order::Path path_;
    uint32_t at_ = 0;
  };

  SortedSet() = default;

  std::unique_ptr<LargeValue> Share() const override;
  // A change of any element is one of the order.
  bool SameAs(const LargeValue& other) const override { return order_.SameAs(static_cast<const SortedSet&>(other).order_); }
  uint64_t element_count() const override { return order_.count(); }
  uint64_t memory_bytes() const override;
  bool FreeStep(size_t max_nodes) override;

  // --- reading ----------------------------------------------------------------------------------------------------------------
  // Looks a member up; what the place says (found or not) is the result, too.
  bool Find(std::string_view member, Place* place) const;
  uint64_t Rank(const Place& place) const { return Order::ElementsBefore(place.order_) + place.order_at_; }  // found; from 0
  // How many elements are in front of a place: the rank of the first that is not.
  uint64_t CountBefore(const SortedSetBound& bound) const;
  // The element of this rank; not valid for rank >= element_count().
  Cursor At(uint64_t rank) const;
  // One step of a walk that returns every member which is there from its first to its last step, in the order of their hashes. A
  // walk begins with 0 and is over when 0 is returned; `emit(member, score)` is called for about `count` members.
  template <typename Emit>
  uint64_t Scan(uint64_t cursor, uint64_t count, Emit&& emit) const;

  // --- changing ---------------------------------------------------------------------------------------------------------------
  // `place` was looked up for this member and not found.
  void Insert(Place* place, std::string_view member, double score);
  // `place` was found for this member, which does not lie in this set.
  void SetScore(Place* place, std::string_view member, double score);
  void Erase(Place* place);  // found
  // Removes `count` elements from this rank on, which must be there.
  void RemoveRange(uint64_t first_rank, uint64_t count);
  // Adds an element that is not there behind all others: for loading in order, forwards or backwards, too. False where the member
  // is there.
  bool Add(std::string_view member, double score);

 private:
  struct ScanStep {  // the index records of one step of a walk
    uint32_t first_hash;
    uint64_t end_hash;  // exclusive
    bool done;
  };
  static uint32_t Hash(std::string_view member);
  // The records of a step that begins with this hash. Sets `scores` to their different scores.
  ScanStep PlanScan(uint64_t cursor, uint64_t count, std::unique_ptr<double[]>* scores, size_t* score_count) const;
  void InsertOrdered(std::string_view member, double score);
  // The element does not fit into its leaf, where it belongs to `at`.
  void SplitAndInsert(Order::Path* path, uint32_t at, const ScoreLeaf::Element& element);
  void EraseOrdered(Order::Path* path, uint32_t at);
  void InsertIndexed(Index::Path* path, uint32_t at, uint32_t hash, double score);
  void EraseIndexed(Index::Path* path, uint32_t at);
  void EraseIndexed(uint32_t hash, double score);
  // The first record with a hash not below this one; false where there is none (the path and `at` say where it would be).
  bool SeekIndex(uint32_t hash, Index::Path* path, uint32_t* at) const;

  Order order_;
  Index index_;
};

template <typename Emit>
uint64_t SortedSet::Scan(uint64_t cursor, uint64_t count, Emit&& emit) const {
  std::unique_ptr<double[]> scores;
  size_t score_count = 0;
  const ScanStep step = PlanScan(cursor, count, &scores, &score_count);
  for (size_t i = 0; i < score_count; i++) {
    for (Cursor at = At(CountBefore({scores[i], false, false, {}})); at.valid() && at.score() == scores[i]; at.Next()) {
      const std::string_view member = at.member();
      const uint32_t hash = Hash(member);
      if (hash >= step.first_hash && hash < step.end_hash) emit(member, at.score());
    }
  }
  return step.done ? 0 : step.end_hash;
}

}  // namespace cairn
