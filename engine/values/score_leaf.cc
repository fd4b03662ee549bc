#include "engine/values/score_leaf.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/allocator.h"
#include "base/status.h"

namespace cairn {

ScoreLeaf* ScoreLeaf::Allocate(uint32_t count, ScoreFormat format, size_t member_bytes) {
  const size_t size_bytes = AllocationSize(HeadBytes(count, format.width) + member_bytes);
  CAIRN_CHECK(size_bytes <= UINT32_MAX);
  ScoreLeaf* leaf = new (AllocateBytes(size_bytes)) ScoreLeaf;
  leaf->count_ = static_cast<uint16_t>(count);
  leaf->width_ = format.width;
  leaf->doubles_ = format.doubles;
  leaf->base_ = format.base;
  leaf->member_bytes_ = static_cast<uint32_t>(member_bytes);
  leaf->allocated_bytes_ = static_cast<uint32_t>(size_bytes);
  return leaf;
}

void ScoreLeaf::Free(ScoreLeaf* leaf) { FreeBytes(leaf, leaf->allocated_bytes_); }

// The starts are written one behind the last, too, while that one is still to come: Fill and FillOne go from the front to the
// end.
void ScoreLeaf::Fill(uint32_t at, const ScoreLeaf& from, uint32_t from_at, uint32_t count) {
  if (count == 0) return;
  const ScoreFormat mine = format();
  const ScoreFormat other = from.format();
  char* column = bytes();
  if (mine == other) {
    std::memcpy(column + size_t{at} * width_, from.scores() + size_t{from_at} * width_, size_t{count} * width_);
  } else {
    for (uint32_t i = 0; i < count; i++) mine.Set(column, at + i, other.Get(from.scores(), from_at + i));
  }
  Start* my_starts = const_cast<Start*>(starts());
  const uint32_t from_begin = from.StartOf(from_at);
  const uint32_t from_end = from.StartOf(from_at + count);
  const uint32_t begin = at == 0 ? 0 : my_starts[at].at;
  for (uint32_t i = 0; i < count; i++)
    my_starts[at + i].at = static_cast<uint16_t>(from.starts()[from_at + i].at - from_begin + begin);
  std::memcpy(const_cast<char*>(members()) + begin, from.members() + from_begin, from_end - from_begin);
  if (at + count < count_) my_starts[at + count].at = static_cast<uint16_t>(begin + from_end - from_begin);
}

void ScoreLeaf::FillOne(uint32_t at, const Element& element) {
  format().Set(bytes(), at, element.score);
  Start* my_starts = const_cast<Start*>(starts());
  if (at == 0) my_starts[0].at = 0;
  const uint32_t begin = my_starts[at].at;
  std::memcpy(const_cast<char*>(members()) + begin, element.member.data(), element.member.size());
  if (at + 1 < count_) my_starts[at + 1].at = static_cast<uint16_t>(begin + element.member.size());
}

ScoreLeaf* ScoreLeaf::Make(const Element& element) {
  ScoreRange range;
  range.Add(element.score);
  ScoreLeaf* leaf = Allocate(1, range.format(), element.member.size());
  leaf->FillOne(0, element);
  return leaf;
}

// The scores are in order, so that the ends tell the range; but whether all are integers only all of them can say.
ScoreFormat ScoreLeaf::FormatOf(const ScoreLeaf& leaf, uint32_t from, uint32_t count, const double* more) {
  ScoreRange range;
  bool below = false;
  if (more != nullptr) {
    range.Add(*more);
    below = count > 0 && *more < leaf.score(from);
  }
  if (count == 0) return range.format();
  if (leaf.doubles_) {
    for (uint32_t i = 0; i < count; i++) range.Add(leaf.score(from + i));
  } else {
    range.Add(leaf.score(from));
    range.Add(leaf.score(from + count - 1));
  }
  return range.format(below);
}

ScoreLeaf* ScoreLeaf::Copy(const ScoreLeaf& leaf, uint32_t from, uint32_t count) {
  const size_t member_bytes = leaf.StartOf(from + count) - leaf.StartOf(from);
  ScoreLeaf* copy = Allocate(count, FormatOf(leaf, from, count, nullptr), member_bytes);
  copy->Fill(0, leaf, from, count);
  return copy;
}

uint32_t ScoreLeaf::LowerBound(const SortedSetBound& bound) const {
  uint32_t low = 0;
  uint32_t high = count_;
  const ScoreFormat scores_format = format();
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    const double score = scores_format.Get(scores(), middle);
    const bool behind = score != bound.score ? score < bound.score
                                             : bound.IsBehind(score, bound.has_member ? member(middle) : std::string_view());
    if (behind) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

uint32_t ScoreLeaf::Middle() const {
  const size_t each = width_ + 2;
  const size_t half = (count_ * each + member_bytes_) / 2;
  uint32_t low = 1;
  uint32_t high = count_ - 1;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (middle * each + StartOf(middle) < half) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

bool ScoreLeaf::HasRoomFor(const Element& element) const {
  const size_t width = format().Fits(element.score) ? width_ : FormatOf(*this, 0, count_, &element.score).width;
  return HeadBytes(count_ + 1U, static_cast<uint32_t>(width)) + member_bytes_ + element.member.size() <= kScoreLeafMaxBytes;
}

// --- changes -------------------------------------------------------------------------------------------------------------------

void ScoreLeaf::InsertInPlace(uint32_t at, const Element& element) {
  const size_t width = width_;
  const size_t size = element.member.size();
  const uint32_t start = StartOf(at);
  char* old_starts = const_cast<char*>(scores() + count_ * width);
  char* old_members = const_cast<char*>(members());
  char* new_starts = old_starts + width;
  char* new_members = old_members + width + 2;
  // From the back to the front: everything moves away from where it was.
  std::memmove(new_members + start + size, old_members + start, member_bytes_ - start);
  std::memmove(new_members, old_members, start);
  std::memcpy(new_members + start, element.member.data(), size);
  std::memmove(new_starts + 2 * size_t{at} + 2, old_starts + 2 * size_t{at}, 2 * size_t{count_ - at});
  std::memmove(new_starts, old_starts, 2 * size_t{at});
  std::memmove(bytes() + (at + 1) * width, bytes() + at * width, (count_ - at) * width);
  format().Set(bytes(), at, element.score);
  Start* moved = reinterpret_cast<Start*>(new_starts);
  moved[at].at = static_cast<uint16_t>(start);
  for (uint32_t i = at + 1; i <= count_; i++) moved[i].at = static_cast<uint16_t>(moved[i].at + size);
  count_++;
  member_bytes_ += static_cast<uint32_t>(size);
}

ScoreLeaf* ScoreLeaf::Insert(ScoreLeaf* leaf, uint32_t at, const Element& element) {
  const bool fits = leaf->format().Fits(element.score);
  const size_t member_bytes = leaf->member_bytes_ + element.member.size();
  if (fits && HeadBytes(leaf->count_ + 1U, leaf->width_) + member_bytes <= leaf->allocated_bytes_) {
    leaf->InsertInPlace(at, element);
    return leaf;
  }
  const ScoreFormat format = fits ? leaf->format() : FormatOf(*leaf, 0, leaf->count_, &element.score);
  ScoreLeaf* larger = Allocate(leaf->count_ + 1U, format, member_bytes);
  larger->Fill(0, *leaf, 0, at);
  larger->FillOne(at, element);
  larger->Fill(at + 1, *leaf, at, leaf->count_ - at);
  Free(leaf);
  return larger;
}

void ScoreLeaf::EraseInPlace(uint32_t from, uint32_t count) {
  const size_t width = width_;
  const uint32_t end = from + count;
  const uint32_t begin_bytes = StartOf(from);
  const uint32_t end_bytes = StartOf(end);
  const uint32_t gone = end_bytes - begin_bytes;
  const uint32_t rest = count_ - count;
  char* old_starts = const_cast<char*>(scores() + count_ * width);
  char* old_members = const_cast<char*>(members());
  std::memmove(bytes() + from * width, bytes() + end * width, (count_ - end) * width);
  char* new_starts = bytes() + rest * width;
  std::memmove(new_starts, old_starts, 2 * size_t{from});
  std::memmove(new_starts + 2 * size_t{from}, old_starts + 2 * size_t{end}, 2 * size_t{count_ - end});
  Start* moved = reinterpret_cast<Start*>(new_starts);
  for (uint32_t i = from; i < rest; i++) moved[i].at = static_cast<uint16_t>(moved[i].at - gone);
  char* new_members = new_starts + 2 * size_t{rest};
  std::memmove(new_members, old_members, begin_bytes);
  std::memmove(new_members + begin_bytes, old_members + end_bytes, member_bytes_ - end_bytes);
  count_ = static_cast<uint16_t>(rest);
  member_bytes_ -= gone;
}

ScoreLeaf* ScoreLeaf::Erase(ScoreLeaf* leaf, uint32_t from, uint32_t count) {
  leaf->EraseInPlace(from, count);
  // Memory is given back when a quarter could be: not at every step around a class's limit.
  if (AllocationSize(leaf->used_bytes()) * 4 > size_t{leaf->allocated_bytes_} * 3) return leaf;
  ScoreLeaf* smaller = Copy(*leaf, 0, leaf->count_);
  Free(leaf);
  return smaller;
}

bool ScoreLeaf::CanJoin(const ScoreLeaf& left, const ScoreLeaf& right) {
  // The joined format is not known before; 8 bytes a score are the most. A quarter of room is left.
  const uint32_t width = left.format() == right.format() ? left.width_ : 8;
  return HeadBytes(left.count_ + uint32_t{right.count_}, width) + left.member_bytes_ + right.member_bytes_ <=
         kScoreLeafMaxBytes * 3 / 4;
}

ScoreLeaf* ScoreLeaf::Join(ScoreLeaf* left, const ScoreLeaf& right) {
  ScoreRange range;
  if (left->doubles_ || right.doubles_) {
    for (uint32_t i = 0; i < left->count_; i++) range.Add(left->score(i));
    for (uint32_t i = 0; i < right.count_; i++) range.Add(right.score(i));
  } else {
    range.Add(left->score(0));
    range.Add(right.score(right.count_ - 1U));
  }
  ScoreLeaf* joined =
      Allocate(left->count_ + uint32_t{right.count_}, range.format(), size_t{left->member_bytes_} + right.member_bytes_);
  joined->Fill(0, *left, 0, left->count_);
  joined->Fill(left->count_, right, 0, right.count_);
  Free(left);
  return joined;
}

bool ScoreLeaf::SetScore(uint32_t at, double score) {
  if (!format().Fits(score)) return false;
  format().Set(bytes(), at, score);
  return true;
}

}  // namespace cairn
