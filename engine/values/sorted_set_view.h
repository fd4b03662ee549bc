// Reading a sorted set without asking how it is stored: packed, as one listpack of members and scores in order (byte for byte Redis's), or
// large (sorted_set.h). Everything about ranges is said in ranks: a range of scores or members is the ranks between two places.
//
// A view and its cursors refer to the value and live until it changes. Threads: as the value.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/values/listpack.h"
#include "engine/values/sorted_set.h"

namespace cairn {

// A score as an element of a listpack holds it: an integer, or the text that WriteDouble makes.
double PackedScore(const ListpackValue& value);

// Adds a member and its score to a listpack that is being built.
void AddPackedPair(ListpackBuilder& builder, std::string_view member, double score);
void AddPackedScore(ListpackBuilder& builder, double score);

class SortedSetView {
 public:
  class Cursor;

  SortedSetView() = default;  // an empty one
  explicit SortedSetView(std::string_view packed) : packed_(packed) {}
  explicit SortedSetView(const SortedSet& large) : large_(&large) {}

  bool is_packed() const { return large_ == nullptr; }
  std::string_view packed() const { return packed_; }
  const SortedSet& large() const { return *large_; }
  uint64_t size() const { return large_ != nullptr ? large_->element_count() : ListpackView(packed_).count() / 2; }

  // The member's score, and its rank where `rank` is not null; false where it is not there.
  bool Find(std::string_view member, double* score, uint64_t* rank = nullptr) const;
  // How many elements are in front of a place.
  uint64_t CountBefore(const SortedSetBound& bound) const;
  // How many members are in front of this one, or not behind it with `after`: for sets whose scores are all the same, as the commands BYLEX
  // have it; of other sets something, as in Redis.
  uint64_t CountBeforeMember(std::string_view member, bool after) const;
  // The element of this rank; not valid for rank >= size().
  Cursor At(uint64_t rank) const;

  // Packed values: the position of a member (with its score and rank), or the end.
  ListpackView::Position FindPacked(std::string_view member, double* score, uint64_t* rank) const;
  // Packed values: the position of the first element that is not in front of the place.
  ListpackView::Position SeekPacked(const SortedSetBound& bound, uint64_t* rank) const;

 private:
  std::string_view packed_ = kEmptyListpack;
  const SortedSet* large_ = nullptr;
};

// An element; moves to its neighbours until it is not valid.
class SortedSetView::Cursor {
 public:
  bool valid() const { return large_ ? tree_.valid() : at_ != kNowhere; }
  double score() const { return large_ ? tree_.score() : score_; }
  // Lives until the cursor moves, and with it.
  std::string_view member() const { return large_ ? tree_.member() : member_.Text(buffer_); }
  void Next() {
    if (large_) return tree_.Next();
    at_ = next_;
    ReadPacked();
  }
  void Prev();

 private:
  friend class SortedSetView;
  static constexpr ListpackView::Position kNowhere = UINT32_MAX;
  Cursor() = default;
  void ReadPacked();  // what is at at_, which may be the end

  bool large_ = false;
  ListpackView::Position at_ = kNowhere;
  ListpackView::Position next_ = kNowhere;
  ListpackView list_{kEmptyListpack};
  ListpackValue member_;
  double score_ = 0;
  mutable char buffer_[kIntTextMaxBytes];
  SortedSet::Cursor tree_;
};

}  // namespace cairn
