#include "engine/values/list_cursor.h"

#include <algorithm>

#include "engine/values/listpack_search.h"

namespace cairn {

ListCursor::ListCursor(std::string_view listpack) : leaf_(listpack) {
  const ListpackView view(listpack);
  count_ = view.count();
  at_ = begin_ = view.begin();
  end_ = view.end();
}

ListCursor::ListCursor(const ListValue& list) : list_(&list), count_(list.element_count()) {
  if (list.tree().First(&path_)) EnterLeaf();
}

void ListCursor::EnterLeaf() {
  const ListLeaf& leaf = *path_.leaf();
  large_ = leaf.large() ? &leaf.element() : nullptr;
  leaf_ = leaf.large() ? std::string_view() : leaf.packed();
  at_ = begin_ = leaf.large() ? 0 : kListpackHeaderBytes;
  end_ = leaf.large() ? 1 : leaf.size - 1;
}

bool ListCursor::Seek(uint64_t index) {
  if (index >= count_) {
    Invalidate();
    return false;
  }
  uint64_t within = index;
  if (list_ != nullptr) {
    list_->tree().SeekRank(index, &path_, &within);
    leaf_first_ = index - within;
    EnterLeaf();
  }
  if (large_ == nullptr) at_ = ListpackView(leaf_).Seek(static_cast<int64_t>(within));
  return true;
}

uint64_t ListCursor::index() const {
  uint64_t index = leaf_first_;
  if (large_ != nullptr) return index;
  const ListpackView view(leaf_);
  for (uint32_t at = begin_; at != at_; at = view.Next(at)) index++;
  return index;
}

void ListCursor::NextLeaf() {
  if (list_ == nullptr) return Invalidate();
  const uint64_t count = path_.leaf()->count();
  if (!ListTree::Next(&path_)) return Invalidate();
  leaf_first_ += count;
  EnterLeaf();
}

void ListCursor::PrevLeaf() {
  if (list_ == nullptr || !ListTree::Prev(&path_)) return Invalidate();
  EnterLeaf();
  leaf_first_ -= path_.leaf()->count();
  if (large_ == nullptr) at_ = ListpackView(leaf_).Prev(end_);
}

bool ListCursor::FindForward(const ListpackItem& item, uint64_t end) {
  const ListpackSearch search(item);
  while (valid() && leaf_first_ < end) {
    if (large_ != nullptr) {
      if (item.EqualsString(large_->view())) return true;
    } else {
      at_ = search.Find(ListpackView(leaf_), at_);
      if (valid()) {
        if (end >= count_ || index() < end) return true;
        break;
      }
    }
    NextLeaf();
  }
  Invalidate();
  return false;
}

bool ListCursor::FindBackward(const ListpackItem& item, uint64_t end) {
  const ListpackSearch search(item);
  uint64_t left = valid() ? index() + 1 : 0;  // elements from the front to here
  while (left > end) {
    if (large_ == nullptr && !search.MayFind(ListpackView(leaf_), begin_)) {
      left = leaf_first_;
      PrevLeaf();
      continue;
    }
    for (const uint64_t stop = std::max(end, leaf_first_); left > stop; left--) {
      if (item.Equals(Get().value)) return true;
      ReadBackward();
    }
  }
  Invalidate();
  return false;
}

}  // namespace cairn
