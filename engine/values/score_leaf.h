// A leaf of a large sorted set's ordered tree (sorted_set.h): elements in the order of (score, member bytes), packed into one
// node.
//
//   header 24 | scores, `width` bytes each (score_column.h) | starts, 2 bytes each: where a member begins | members
//
// A leaf takes at most kScoreLeafMaxBytes, except that a single element may be of any size. Nodes are allocated as large as they
// must be, rounded to the allocator's classes, and grow by a copy: a leaf that was just split wastes nothing.
// Leaves are changed by their only holder; functions that change one return where it lies then.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/values/large_value.h"
#include "engine/values/score_column.h"

namespace cairn {

inline constexpr uint32_t kScoreLeafMaxBytes = 1024;

// A place in a sorted set: in front of all elements that are >= (score, member), or, with `after`, behind all that are <= it.
// Without a member it is in front of, or behind, all elements with that score. Refers to the member.
struct SortedSetBound {
  double score = 0;
  bool after = false;
  bool has_member = false;
  std::string_view member;

  // Whether an element is in front of the place.
  bool IsBehind(double element_score, std::string_view element) const {
    if (element_score != score) return element_score < score;
    if (!has_member) return after;
    const int order = element.compare(member);
    return order < 0 || (order == 0 && after);
  }
};

class ScoreLeaf : public CowNode {
 public:
  // An element that is to come in.
  struct Element {
    double score;
    std::string_view member;
  };

  // A leaf of one element.
  static ScoreLeaf* Make(const Element& element);
  static ScoreLeaf* Clone(const ScoreLeaf& leaf) { return Copy(leaf, 0, leaf.count_); }
  // A new leaf of a part of another, count > 0.
  static ScoreLeaf* Copy(const ScoreLeaf& leaf, uint32_t from, uint32_t count);
  static void Free(ScoreLeaf* leaf);

  uint32_t count() const { return count_; }
  double score(uint32_t at) const { return format().Get(scores(), at); }
  std::string_view member(uint32_t at) const {
    const uint32_t start = starts()[at].at;
    return {members() + start, (at + 1 < count_ ? starts()[at + 1].at : member_bytes_) - start};
  }
  size_t used_bytes() const { return HeadBytes(count_, width_) + member_bytes_; }
  size_t memory_bytes() const { return allocated_bytes_; }

  // The first element that is not in front of the place; count() where all are.
  uint32_t LowerBound(const SortedSetBound& bound) const;
  // Where the leaf is to be divided so that both halves take about the same: 0 < at < count(). At least 2 elements.
  uint32_t Middle() const;
  // Whether the element could come in without the leaf becoming too large.
  bool HasRoomFor(const Element& element) const;

  // Puts an element in at `at`; there is room for it.
  static ScoreLeaf* Insert(ScoreLeaf* leaf, uint32_t at, const Element& element);
  // Takes some elements out, not all.
  static ScoreLeaf* Erase(ScoreLeaf* leaf, uint32_t from, uint32_t count);
  static bool CanJoin(const ScoreLeaf& left, const ScoreLeaf& right);
  static ScoreLeaf* Join(ScoreLeaf* left, const ScoreLeaf& right);
  // The score of an element changed in place, where its order stays and the format has it; otherwise false.
  bool SetScore(uint32_t at, double score);

 private:
  // Lies where the scores end, at any address.
  struct [[gnu::packed]] Start {
    uint16_t at;
  };

  ScoreLeaf() = default;
  static constexpr size_t HeadBytes(uint32_t count, uint32_t width) { return sizeof(ScoreLeaf) + size_t{count} * (width + 2); }
  static ScoreLeaf* Allocate(uint32_t count, ScoreFormat format, size_t member_bytes);
  // Writes elements of another leaf to `at`; the starts and members in front of it are there already.
  void Fill(uint32_t at, const ScoreLeaf& from, uint32_t from_at, uint32_t count);
  void FillOne(uint32_t at, const Element& element);
  // The format for all elements of the leaf and one more (null: none).
  static ScoreFormat FormatOf(const ScoreLeaf& leaf, uint32_t from, uint32_t count, const double* more);
  void InsertInPlace(uint32_t at, const Element& element);
  void EraseInPlace(uint32_t from, uint32_t count);

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  const char* scores() const { return reinterpret_cast<const char*>(this + 1); }
  const Start* starts() const { return reinterpret_cast<const Start*>(scores() + size_t{count_} * width_); }
  const char* members() const { return scores() + size_t{count_} * (width_ + 2); }
  uint32_t StartOf(uint32_t at) const { return at < count_ ? starts()[at].at : member_bytes_; }

  ScoreFormat format() const { return {base_, width_, doubles_}; }

  uint16_t count_ = 0;
  uint8_t width_ = 0;
  bool doubles_ = false;
  uint32_t member_bytes_ = 0;
  uint32_t allocated_bytes_ = 0;
  int64_t base_ = 0;
};
static_assert(sizeof(ScoreLeaf) == 24);

}  // namespace cairn
