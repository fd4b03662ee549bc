#include <algorithm>
#include <memory>

#include "engine/commands/sorted_set_support.h"

namespace cairn {
namespace {

// An edit's packed bytes as the listpack functions want them.
class PackedTarget {
 public:
  explicit PackedTarget(ValueEdit& edit) : edit_(edit) {}
  std::string_view packed() const { return edit_.entry()->packed(); }
  void Splice(size_t offset, size_t remove_bytes, std::string_view insert) { edit_.Splice(offset, remove_bytes, insert); }
  char* MutablePacked() { return edit_.MutablePacked(); }

 private:
  ValueEdit& edit_;
};

bool MayBePacked(const ValueLimits& limits, uint64_t count, size_t member_bytes, size_t bytes) {
  return count <= static_cast<uint64_t>(std::max<int64_t>(limits.zset_max_listpack_entries, 0)) &&
         member_bytes <= static_cast<uint64_t>(std::max<int64_t>(limits.zset_max_listpack_value, 0)) && bytes <= kPackedMaxBytes;
}

}  // namespace

bool SortedSetEdit::Find(std::string_view member, double* score) {
  const Entry* entry = edit_.entry();
  if (entry == nullptr) return false;
  if (entry->encoding() == Encoding::kLarge) {
    if (!entry->large_as<SortedSet>().Find(member, &place_)) return false;
    *score = place_.score();
    return true;
  }
  const SortedSetView packed(entry->packed());
  packed_at_ = packed.FindPacked(member, score, nullptr);
  return packed_at_ != ListpackView(entry->packed()).end();
}

void SortedSetEdit::MakeLarge() {
  auto large = std::make_unique<SortedSet>();
  if (edit_.entry() != nullptr) {
    const SortedSetView packed(edit_.entry()->packed());
    for (SortedSetView::Cursor at = packed.At(0); at.valid(); at.Next()) large->Add(at.member(), at.score());
  }
  edit_.StoreLarge(ValueType::kSortedSet, std::move(large));
}

void SortedSetEdit::InsertPacked(std::string_view member, double score) {
  PackedTarget target(edit_);
  ListpackBuilder pair;
  AddPackedPair(pair, member, score);
  uint64_t rank = 0;
  InsertIntoListpack(target, SortedSetView(target.packed()).SeekPacked({score, true, true, member}, &rank), pair);
}

void SortedSetEdit::Insert(std::string_view member, double score) {
  const Entry* entry = edit_.entry();
  const bool large = entry != nullptr && entry->encoding() == Encoding::kLarge;
  if (large) return edit_.Mutable<SortedSet>().Insert(&place_, member, score);
  const std::string_view packed = entry == nullptr ? kEmptyListpack : entry->packed();
  constexpr size_t kPairOverhead = 40;  // a score's longest text, and what both are framed with
  if (!MayBePacked(limits_, ListpackView(packed).count() / 2 + 1, member.size(), packed.size() + member.size() + kPairOverhead)) {
    // A new large set is filled before it is stored, so that a key never holds an empty one.
    auto converted = std::make_unique<SortedSet>();
    for (SortedSetView::Cursor at = SortedSetView(packed).At(0); at.valid(); at.Next()) converted->Add(at.member(), at.score());
    converted->Add(member, score);
    return edit_.StoreLarge(ValueType::kSortedSet, std::move(converted));
  }
  if (entry != nullptr) return InsertPacked(member, score);
  ListpackBuilder pair;
  AddPackedPair(pair, member, score);
  edit_.StorePacked(ValueType::kSortedSet, Encoding::kPacked, pair.listpack());
}

void SortedSetEdit::SetScore(std::string_view member, double score) {
  if (edit_.entry()->encoding() == Encoding::kLarge) {
    return edit_.Mutable<SortedSet>().SetScore(&place_, member, score);
  }
  PackedTarget target(edit_);
  const ListpackView list(target.packed());
  constexpr size_t kScoreBytes = 34;
  if (list.bytes().size() + kScoreBytes > kPackedMaxBytes) {
    MakeLarge();
    double old_score = 0;
    Find(member, &old_score);
    return edit_.Mutable<SortedSet>().SetScore(&place_, member, score);
  }
  // Where its neighbours stay the same, only the score is replaced.
  const ListpackView::Position next = list.Skip(packed_at_, 2);
  uint64_t rank = 0;
  const ListpackView::Position to = SortedSetView(list.bytes()).SeekPacked({score, false, true, member}, &rank);
  if (to == packed_at_ || to == next) {
    ListpackBuilder text;
    AddPackedScore(text, score);
    return ReplaceInListpack(target, list.Next(packed_at_), text);
  }
  RemoveFromListpack(target, packed_at_, 2);
  InsertPacked(member, score);
}

void SortedSetEdit::Erase() {
  if (view().size() == 1) return edit_.Remove();
  if (edit_.entry()->encoding() == Encoding::kLarge) return edit_.Mutable<SortedSet>().Erase(&place_);
  PackedTarget target(edit_);
  RemoveFromListpack(target, packed_at_, 2);
}

void SortedSetEdit::RemoveRange(uint64_t first_rank, uint64_t count) {
  if (count == 0) return;
  if (count == view().size()) return edit_.Remove();
  if (edit_.entry()->encoding() == Encoding::kLarge) return edit_.Mutable<SortedSet>().RemoveRange(first_rank, count);
  PackedTarget target(edit_);
  RemoveFromListpack(target, ListpackView(target.packed()).Seek(static_cast<int64_t>(2 * first_rank)),
                     static_cast<uint32_t>(2 * count));
}

SortedSetResult::SortedSetResult(const ValueLimits& limits, std::vector<SortedSetElement>& elements) : count_(elements.size()) {
  std::sort(elements.begin(), elements.end());
  size_t bytes = kListpackEmptyBytes;
  size_t longest = 0;
  for (const SortedSetElement& element : elements) {
    longest = std::max(longest, element.member.size());
    bytes += element.member.size() + 40;
  }
  if (MayBePacked(limits, count_, longest, bytes)) {
    ListpackBuilder pairs;
    for (const SortedSetElement& element : elements) AddPackedPair(pairs, element.member, element.score);
    packed_ = pairs.listpack();
  } else {
    large_ = std::make_unique<SortedSet>();
    for (const SortedSetElement& element : elements) large_->Add(element.member, element.score);
  }
}

void SortedSetResult::Store(ValueEdit& edit) {
  if (large_ != nullptr) return edit.StoreLarge(ValueType::kSortedSet, std::move(large_));
  edit.StorePacked(ValueType::kSortedSet, Encoding::kPacked, packed_);
}

void StoreSortedSet(CommandContext& context, const KeyRef& key, SortedSetResult& result, std::string_view event) {
  const Entry* old = context.Find(key, Keyspace::Access::kWrite);
  if (result.count() == 0) {
    if (old != nullptr) {
      context.keyspace.Delete(context.scope, context.database(), key);
      context.Event(kEventGeneric, "del", key);
    }
    return context.reply.Integer(0);
  }
  if (old != nullptr && old->has_expiry()) context.keyspace.SetExpiry(context.scope, context.database(), key, -1);
  ValueEdit edit = context.Edit(key);
  result.Store(edit);
  context.Event(kEventSortedSet, event, key);
  context.reply.Integer(static_cast<int64_t>(result.count()));
}

}  // namespace cairn
