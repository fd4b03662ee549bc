#include "engine/values/score_index.h"

#include <new>

#include "base/allocator.h"

namespace cairn {

ScoreIndexLeaf* ScoreIndexLeaf::Allocate(uint32_t count, ScoreFormat format) {
  const size_t size_bytes = AllocationSize(Bytes(count, format.width));
  ScoreIndexLeaf* leaf = new (AllocateBytes(size_bytes)) ScoreIndexLeaf;
  leaf->count_ = static_cast<uint16_t>(count);
  leaf->width_ = format.width;
  leaf->doubles_ = format.doubles;
  leaf->base_ = format.base;
  leaf->allocated_bytes_ = static_cast<uint32_t>(size_bytes);
  return leaf;
}

void ScoreIndexLeaf::Free(ScoreIndexLeaf* leaf) { FreeBytes(leaf, leaf->allocated_bytes_); }

void ScoreIndexLeaf::Fill(uint32_t at, const ScoreIndexLeaf& from, uint32_t from_at, uint32_t count) {
  const ScoreFormat mine = format();
  const ScoreFormat other = from.format();
  if (mine == other) {
    std::memcpy(scores() + size_t{at} * width_, from.scores() + size_t{from_at} * width_, size_t{count} * width_);
  } else {
    for (uint32_t i = 0; i < count; i++) mine.Set(scores(), at + i, other.Get(from.scores(), from_at + i));
  }
  std::memcpy(hashes() + 4 * size_t{at}, from.hashes() + 4 * size_t{from_at}, 4 * size_t{count});
}

ScoreIndexLeaf* ScoreIndexLeaf::Make(uint32_t hash, double score) {
  ScoreRange range;
  range.Add(score);
  ScoreIndexLeaf* leaf = Allocate(1, range.format());
  leaf->format().Set(leaf->scores(), 0, score);
  std::memcpy(leaf->hashes(), &hash, 4);
  return leaf;
}

ScoreIndexLeaf* ScoreIndexLeaf::Copy(const ScoreIndexLeaf& leaf, uint32_t from, uint32_t count) {
  ScoreRange range;
  for (uint32_t i = 0; i < count; i++) range.Add(leaf.score(from + i));
  ScoreIndexLeaf* copy = Allocate(count, range.format());
  copy->Fill(0, leaf, from, count);
  return copy;
}

uint32_t ScoreIndexLeaf::LowerBound(uint32_t sought) const {
  uint32_t low = 0;
  uint32_t size = count_;
  while (size > 0) {
    const uint32_t half = size / 2;
    const bool below = hash(low + half) < sought;
    low = below ? low + half + 1 : low;
    size = below ? size - half - 1 : half;
  }
  return low;
}

ScoreFormat ScoreIndexLeaf::FormatWith(double score) const {
  ScoreRange range;
  range.Add(score);
  for (uint32_t i = 0; i < count_; i++) range.Add(this->score(i));
  int64_t integer;
  return range.format(!doubles_ && ScoreAsInteger(score, &integer) && integer < base_);
}

bool ScoreIndexLeaf::HasRoomFor(double score) const {
  const uint32_t width = format().Fits(score) ? width_ : FormatWith(score).width;
  return Bytes(count_ + 1U, width) <= kMaxBytes;
}

ScoreIndexLeaf* ScoreIndexLeaf::Insert(ScoreIndexLeaf* leaf, uint32_t at, uint32_t hash, double score) {
  const bool fits = leaf->format().Fits(score);
  if (fits && Bytes(leaf->count_ + 1U, leaf->width_) <= leaf->allocated_bytes_) {
    const size_t width = leaf->width_;
    char* hashes = leaf->hashes();
    std::memmove(hashes + width + 4 * size_t{at} + 4, hashes + 4 * size_t{at}, 4 * size_t{leaf->count_ - at});
    std::memmove(hashes + width, hashes, 4 * size_t{at});
    std::memcpy(hashes + width + 4 * size_t{at}, &hash, 4);
    std::memmove(leaf->scores() + (at + 1) * width, leaf->scores() + at * width, (leaf->count_ - at) * width);
    leaf->format().Set(leaf->scores(), at, score);
    leaf->count_++;
    return leaf;
  }
  ScoreIndexLeaf* larger = Allocate(leaf->count_ + 1U, fits ? leaf->format() : leaf->FormatWith(score));
  larger->Fill(0, *leaf, 0, at);
  larger->format().Set(larger->scores(), at, score);
  std::memcpy(larger->hashes() + 4 * size_t{at}, &hash, 4);
  larger->Fill(at + 1, *leaf, at, leaf->count_ - at);
  Free(leaf);
  return larger;
}

ScoreIndexLeaf* ScoreIndexLeaf::SetScore(ScoreIndexLeaf* leaf, uint32_t at, double score) {
  if (!leaf->format().Fits(score)) {
    ScoreIndexLeaf* wider = Allocate(leaf->count_, leaf->FormatWith(score));
    wider->Fill(0, *leaf, 0, leaf->count_);
    Free(leaf);
    leaf = wider;
  }
  leaf->format().Set(leaf->scores(), at, score);
  return leaf;
}

ScoreIndexLeaf* ScoreIndexLeaf::Erase(ScoreIndexLeaf* leaf, uint32_t from, uint32_t count) {
  const size_t width = leaf->width_;
  const uint32_t end = from + count;
  const uint32_t rest = leaf->count_ - count;
  char* old_hashes = leaf->hashes();
  std::memmove(leaf->scores() + from * width, leaf->scores() + end * width, (leaf->count_ - end) * width);
  char* hashes = leaf->scores() + rest * width;
  std::memmove(hashes, old_hashes, 4 * size_t{from});
  std::memmove(hashes + 4 * size_t{from}, old_hashes + 4 * size_t{end}, 4 * size_t{leaf->count_ - end});
  leaf->count_ = static_cast<uint16_t>(rest);
  // As of the ordered tree's leaves: given back when a quarter could be.
  if (AllocationSize(Bytes(rest, leaf->width_)) * 4 > size_t{leaf->allocated_bytes_} * 3) return leaf;
  ScoreIndexLeaf* smaller = Copy(*leaf, 0, rest);
  Free(leaf);
  return smaller;
}

bool ScoreIndexLeaf::CanJoin(const ScoreIndexLeaf& left, const ScoreIndexLeaf& right) {
  const uint32_t width = left.format() == right.format() ? left.width_ : 8;
  return Bytes(left.count_ + uint32_t{right.count_}, width) <= kMaxBytes * 3 / 4;
}

ScoreIndexLeaf* ScoreIndexLeaf::Join(ScoreIndexLeaf* left, const ScoreIndexLeaf& right) {
  ScoreRange range;
  for (uint32_t i = 0; i < left->count_; i++) range.Add(left->score(i));
  for (uint32_t i = 0; i < right.count_; i++) range.Add(right.score(i));
  ScoreIndexLeaf* joined = Allocate(left->count_ + uint32_t{right.count_}, range.format());
  joined->Fill(0, *left, 0, left->count_);
  joined->Fill(left->count_, right, 0, right.count_);
  Free(left);
  return joined;
}

}  // namespace cairn
