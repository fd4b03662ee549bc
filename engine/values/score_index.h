// A leaf of a large sorted set's member index (sorted_set.h): the scores of members, in the order of the members' 32-bit hashes.
// The members themselves are in the ordered tree, where a score found here leads to them; so an item takes 4 bytes and its score.
//
//   header 24 | scores, `width` bytes each (score_column.h) | hashes, 4 bytes each
//
// Hashes may repeat: members whose hashes are equal are told apart in the ordered tree. Nodes are allocated as large as they must
// be. Leaves are changed by their only holder; functions that change one return where it lies then.
#pragma once

#include <cstdint>
#include <cstring>

#include "engine/values/large_value.h"
#include "engine/values/score_column.h"

namespace cairn {

class ScoreIndexLeaf : public CowNode {
 public:
  static constexpr size_t kMaxBytes = 768;

  static ScoreIndexLeaf* Make(uint32_t hash, double score);
  static ScoreIndexLeaf* Clone(const ScoreIndexLeaf& leaf) { return Copy(leaf, 0, leaf.count_); }
  static ScoreIndexLeaf* Copy(const ScoreIndexLeaf& leaf, uint32_t from, uint32_t count);
  static void Free(ScoreIndexLeaf* leaf);

  uint32_t count() const { return count_; }
  uint32_t hash(uint32_t at) const {
    uint32_t hash;
    std::memcpy(&hash, hashes() + 4 * size_t{at}, 4);
    return hash;
  }
  double score(uint32_t at) const { return format().Get(scores(), at); }
  size_t memory_bytes() const { return allocated_bytes_; }

  // The first item whose hash is not below this one; count() where there is none.
  uint32_t LowerBound(uint32_t hash) const;
  // Whether one more item with this score could come in.
  bool HasRoomFor(double score) const;
  static ScoreIndexLeaf* Insert(ScoreIndexLeaf* leaf, uint32_t at, uint32_t hash, double score);
  static ScoreIndexLeaf* SetScore(ScoreIndexLeaf* leaf, uint32_t at, double score);
  // Takes some items out, not all.
  static ScoreIndexLeaf* Erase(ScoreIndexLeaf* leaf, uint32_t from, uint32_t count);
  static bool CanJoin(const ScoreIndexLeaf& left, const ScoreIndexLeaf& right);
  static ScoreIndexLeaf* Join(ScoreIndexLeaf* left, const ScoreIndexLeaf& right);

 private:
  static constexpr size_t Bytes(uint32_t count, uint32_t width) { return sizeof(ScoreIndexLeaf) + size_t{count} * (width + 4); }

  ScoreIndexLeaf() = default;
  static ScoreIndexLeaf* Allocate(uint32_t count, ScoreFormat format);
  void Fill(uint32_t at, const ScoreIndexLeaf& from, uint32_t from_at, uint32_t count);
  // What the leaf's items and one more score need.
  ScoreFormat FormatWith(double score) const;

  ScoreFormat format() const { return {base_, width_, doubles_}; }
  const char* scores() const { return reinterpret_cast<const char*>(this + 1); }
  char* scores() { return reinterpret_cast<char*>(this + 1); }
  const char* hashes() const { return scores() + size_t{count_} * width_; }
  char* hashes() { return scores() + size_t{count_} * width_; }

  uint16_t count_ = 0;
  uint8_t width_ = 0;
  bool doubles_ = false;
  uint32_t allocated_bytes_ = 0;
  int64_t base_ = 0;
};
static_assert(sizeof(ScoreIndexLeaf) == 24);

}  // namespace cairn
