#include "engine/values/sorted_set_view.h"

#include "base/numbers.h"

namespace cairn {

double PackedScore(const ListpackValue& value) {
  if (value.is_int()) return static_cast<double>(value.number);
  double score = 0;
  ParseDouble(value.bytes, &score);
  return score;
}

void AddPackedScore(ListpackBuilder& builder, double score) {
  int64_t integer;
  if (score == 0) score = 0;  // a packed set does not keep the sign, as in Redis
  if (ScoreAsInteger(score, &integer)) return builder.Add(integer);
  char text[kDoubleTextMaxBytes];
  builder.Add(std::string_view(text, static_cast<size_t>(WriteDouble(text, score) - text)));
}

void AddPackedPair(ListpackBuilder& builder, std::string_view member, double score) {
  builder.Add(member);
  AddPackedScore(builder, score);
}

ListpackView::Position SortedSetView::FindPacked(std::string_view member, double* score, uint64_t* rank) const {
  const ListpackView list(packed_);
  const ListpackItem item(member);
  if (rank == nullptr) {
    const ListpackView::Position at = list.Find(list.begin(), item, 1);
    if (at != list.end()) *score = PackedScore(list.Get(list.Next(at)));
    return at;
  }
  *rank = 0;
  for (ListpackView::Position at = list.begin(); at != list.end(); ++*rank) {
    ListpackView::Position next = at;
    if (item.Equals(list.Read(&next))) {
      *score = PackedScore(list.Get(next));
      return at;
    }
    at = list.Next(next);
  }
  return list.end();
}

ListpackView::Position SortedSetView::SeekPacked(const SortedSetBound& bound, uint64_t* rank) const {
  const ListpackView list(packed_);
  *rank = 0;
  for (ListpackView::Position at = list.begin(); at != list.end(); ++*rank) {
    ListpackView::Position next = at;
    const ListpackValue member = list.Read(&next);
    const double score = PackedScore(list.Read(&next));
    char buffer[kIntTextMaxBytes];
    if (score > bound.score) return at;
    if (score == bound.score && !bound.IsBehind(score, bound.has_member ? member.Text(buffer) : std::string_view())) return at;
    at = next;
  }
  return list.end();
}

bool SortedSetView::Find(std::string_view member, double* score, uint64_t* rank) const {
  if (large_ == nullptr) return FindPacked(member, score, rank) != ListpackView(packed_).end();
  SortedSet::Place place;
  if (!large_->Find(member, &place)) return false;
  *score = place.score();
  if (rank != nullptr) *rank = large_->Rank(place);
  return true;
}

uint64_t SortedSetView::CountBefore(const SortedSetBound& bound) const {
  if (large_ != nullptr) return large_->CountBefore(bound);
  uint64_t rank = 0;
  SeekPacked(bound, &rank);
  return rank;
}

uint64_t SortedSetView::CountBeforeMember(std::string_view member, bool after) const {
  if (large_ != nullptr) return large_->CountBefore({large_->At(0).score(), after, true, member});
  uint64_t rank = 0;
  for (Cursor at = At(0); at.valid(); at.Next(), rank++) {
    const int order = at.member().compare(member);
    if (order > 0 || (order == 0 && !after)) break;
  }
  return rank;
}

SortedSetView::Cursor SortedSetView::At(uint64_t rank) const {
  Cursor cursor;
  cursor.large_ = large_ != nullptr;
  if (large_ != nullptr) {
    cursor.tree_ = large_->At(rank);
    return cursor;
  }
  if (rank >= size()) return cursor;
  cursor.list_ = ListpackView(packed_);
  cursor.at_ = cursor.list_.Seek(static_cast<int64_t>(2 * rank));
  cursor.ReadPacked();
  return cursor;
}

void SortedSetView::Cursor::ReadPacked() {
  if (at_ == list_.end()) {
    at_ = kNowhere;
    return;
  }
  next_ = at_;
  member_ = list_.Read(&next_);
  score_ = PackedScore(list_.Read(&next_));
}

void SortedSetView::Cursor::Prev() {
  if (large_) return tree_.Prev();
  if (at_ == list_.begin()) {
    at_ = kNowhere;
    return;
  }
  at_ = list_.Prev(list_.Prev(at_));
  ReadPacked();
}

}  // namespace cairn
