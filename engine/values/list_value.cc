#include "engine/values/list_value.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/allocator.h"
#include "engine/values/listpack_search.h"

namespace cairn {
namespace {

// Where a leaf that must be split is split: in the middle, or, for an element that would not fit into a half, where that comes.
uint32_t SplitPosition(const ListpackView& view, uint32_t at, const ListpackItem& item) {
  if (item.encoded_bytes() > ListLeaf::kMaxBytes / 4) return at;
  const auto middle = static_cast<uint32_t>(view.bytes().size() / 2);
  uint32_t split = view.begin();
  while (split < middle) split = view.Next(split);
  if (split == view.end()) split = view.Prev(split);
  return split == view.begin() ? view.Next(split) : split;
}

// Moves *at over as many elements as take at most `max_bytes`; returns how many.
uint64_t TakeRun(const ListpackView& view, uint32_t* at, size_t max_bytes) {
  const uint32_t from = *at;
  uint64_t count = 0;
  for (; *at != view.end(); count++) {
    const uint32_t next = view.Next(*at);
    if (next - from > max_bytes) break;
    *at = next;
  }
  return count;
}

// The indexes in [begin, end) of what equals `item`.
void FindInLeaf(const ListLeaf& leaf, const ListpackSearch& search, uint64_t begin, uint64_t end, std::vector<uint32_t>* found) {
  const ListpackItem& item = search.item();
  found->clear();
  if (leaf.large()) {
    if (item.EqualsString(leaf.element().view())) found->push_back(0);
    return;
  }
  const ListpackView view(leaf.packed());
  if (!search.MayFind(view, view.begin())) return;
  uint32_t at = view.Seek(static_cast<int64_t>(begin));
  for (uint64_t i = begin; i < end; i++) {
    if (item.Equals(view.Read(&at))) found->push_back(static_cast<uint32_t>(i));
  }
}

// The leaf without the elements at these indexes, in ascending order; not all of its elements.
ListLeaf* LeafWithout(const ListLeaf& leaf, const std::vector<uint32_t>& indexes) {
  const ListpackView view(leaf.packed());
  char kept[ListLeaf::kMaxBytes];
  char* end = kept;
  uint32_t at = view.begin();
  const auto keep = [&](uint64_t n) {
    const uint32_t from = std::exchange(at, view.Skip(at, static_cast<uint32_t>(n)));
    std::memcpy(end, leaf.packed().data() + from, at - from);
    end += at - from;
  };
  uint64_t next = 0;
  for (const uint32_t index : indexes) {
    keep(index - next);
    at = view.Next(at);
    next = index + 1;
  }
  keep(leaf.count() - next);
  const std::string_view elements(kept, static_cast<size_t>(end - kept));
  return NewListLeaf(elements, leaf.count() - indexes.size(), 0, ListEnd::kBack);
}

}  // namespace

std::unique_ptr<ListValue> ListValue::FromPacked(std::string_view listpack) {
  auto list = std::make_unique<ListValue>();
  list->AppendPacked(listpack);
  return list;
}

std::unique_ptr<ListValue> ListValue::ShareList() const {
  auto shared = std::make_unique<ListValue>();
  shared->tree_ = tree_.Share();
  return shared;
}

uint64_t ListValue::memory_bytes() const { return AllocationSizeOf<ListValue>() + tree_.memory_bytes(); }

void ListValue::Push(ListEnd end, const ListItem& item) {
  ListTree::Path path;
  const bool front = end == ListEnd::kFront;
  if (!(front ? tree_.First(&path) : tree_.Last(&path))) {
    tree_.InsertAfter(&path, NewListLeaf(item, EndLeafBytes(), end));
    return;
  }
  ListLeaf* leaf = tree_.Own(&path);
  if (ListLeafTakes(*leaf, item.item)) [[likely]] {
    const uint32_t at = front ? kListpackHeaderBytes : leaf->size - 1;
    tree_.Commit(&path, PutIntoListLeaf(leaf, at, at, 0, item.item));
    return;
  }
  ListLeaf* fresh = NewListLeaf(item, EndLeafBytes(), end);
  if (front) {
    tree_.InsertBefore(&path, fresh);
  } else {
    tree_.InsertAfter(&path, fresh);
  }
}

void ListValue::Insert(uint64_t index, const ListItem& item) {
  ListTree::Path path;
  uint64_t within;
  while (tree_.SeekRank(index, &path, &within)) {
    if (index == 0) return Push(ListEnd::kFront, item);
    if (within == 0 && !ListLeafTakes(*path.leaf(), item.item)) {
      // Between two leaves: the end of the one before, if it has room, or a leaf of its own.
      ListTree::Path before = path;
      ListTree::Prev(&before);
      if (!ListLeafTakes(*before.leaf(), item.item)) {
        tree_.Own(&path);
        tree_.InsertBefore(&path, NewListLeaf(item, 0, ListEnd::kBack));
        return;
      }
      path = before;
      within = path.leaf()->count();
    }
    ListLeaf* leaf = tree_.Own(&path);
    const uint32_t at = ListpackView(leaf->packed()).Seek(static_cast<int64_t>(within));
    if (ListLeafTakes(*leaf, item.item)) {
      tree_.Commit(&path, PutIntoListLeaf(leaf, at, at, 0, item.item));
      return;
    }
    SplitFor(&path, at, item.item);  // and again: it is between two leaves now, or in one with room
  }
  Push(ListEnd::kBack, item);
}

void ListValue::SplitFor(ListTree::Path* path, uint32_t at, const ListpackItem& item) {
  ListLeaf* leaf = tree_.Own(path);
  ListLeaf* second;
  leaf = SplitListLeaf(leaf, SplitPosition(ListpackView(leaf->packed()), at, item), &second);
  tree_.Commit(path, leaf);
  tree_.InsertAfter(path, second);
}

void ListValue::Set(uint64_t index, const ListItem& item) {
  ListTree::Path path;
  uint64_t within;
  CAIRN_CHECK(tree_.SeekRank(index, &path, &within));
  if (!path.leaf()->large()) {
    const ListpackView view(path.leaf()->packed());
    const uint32_t at = view.Seek(static_cast<int64_t>(within));
    const uint32_t next = view.Next(at);
    if (ListLeafTakes(*path.leaf(), item.item, next - at)) {
      ListLeaf* leaf = tree_.Own(&path);  // a copy has its positions where the original had them
      CommitSmaller(&path, PutIntoListLeaf(leaf, at, next, 1, item.item));
      return;
    }
  }
  Insert(index, item);
  Remove(index + 1, 1);
}

void ListValue::CommitSmaller(ListTree::Path* path, ListLeaf* leaf) {
  tree_.Commit(path, leaf);
  if (leaf->size < ListLeaf::kMaxBytes / 4) tree_.Join(path);
}

void ListValue::RemoveAt(ListTree::Path* path, uint64_t within, uint64_t count) {
  if (count == path->leaf()->count()) return tree_.Remove(path);
  CommitSmaller(path, ListTreeTraits::Erase(tree_.Own(path), within, count));
}

void ListValue::Remove(uint64_t first, uint64_t count) {
  while (count > 0) {
    ListTree::Path path;
    uint64_t within;
    CAIRN_CHECK(tree_.SeekRank(first, &path, &within));
    const uint64_t here = std::min(count, path.leaf()->count() - within);
    RemoveAt(&path, within, here);
    count -= here;
  }
}

std::unique_ptr<ListValue> ListValue::Slice(uint64_t first, uint64_t count) const {
  auto slice = std::make_unique<ListValue>();
  ListTree::Path path;
  uint64_t within;
  CAIRN_CHECK(tree_.SeekRank(first, &path, &within));
  const uint64_t end = within + count;
  do {
    // Shared: the count of its holders is all that changes.
    auto* leaf = const_cast<ListLeaf*>(path.leaf());
    leaf->AddReference();
    slice->tree_.Append(leaf);
  } while (slice->element_count() < end && ListTree::Next(&path));
  slice->Remove(end, slice->element_count() - end);
  slice->Remove(0, within);
  return slice;
}

uint64_t ListValue::RemoveEqual(const ListpackItem& item, uint64_t limit, ListEnd from, uint64_t start) {
  const bool forward = from == ListEnd::kFront;
  uint64_t removed = 0;
  uint64_t index = forward ? start : start + 1;  // what lies before it (behind it) is done
  const ListpackSearch search(item);
  std::vector<uint32_t> found;
  while (removed < limit && (forward ? index < element_count() : index > 0)) {
    ListTree::Path path;
    uint64_t within;
    CAIRN_CHECK(tree_.SeekRank(forward ? index : index - 1, &path, &within));
    const uint64_t leaf_count = path.leaf()->count();
    const uint64_t leaf_first = (forward ? index : index - 1) - within;
    FindInLeaf(*path.leaf(), search, forward ? within : 0, forward ? leaf_count : within + 1, &found);
    const uint64_t n = std::min<uint64_t>(found.size(), limit - removed);
    if (!forward) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(n));
    found.resize(n);
    removed += n;
    index = forward ? leaf_first + leaf_count - n : leaf_first;
    if (n == leaf_count) {
      tree_.Remove(&path);
    } else if (n > 0) {
      ListLeaf* leaf = tree_.Own(&path);
      ListLeaf* without = LeafWithout(*leaf, found);
      FreeListLeaf(leaf);
      CommitSmaller(&path, without);
    }
  }
  return removed;
}

void ListValue::AppendPacked(std::string_view listpack) {
  const ListpackView view(listpack);
  uint32_t at = view.begin();
  while (at != view.end()) {
    ListTree::Path path;
    const uint32_t from = at;
    const bool last = tree_.Last(&path) && !path.leaf()->large();
    if (const uint64_t more = last ? TakeRun(view, &at, ListLeaf::kMaxBytes - path.leaf()->size) : 0; more > 0) {
      ListLeaf* leaf = tree_.Own(&path);
      tree_.Commit(&path, ListTreeTraits::Append(leaf, listpack.substr(from, at - from), more));
    } else if (const uint64_t count = TakeRun(view, &at, ListLeaf::kMaxElementBytes); count > 0) {
      tree_.Append(NewListLeaf(listpack.substr(from, at - from), count, EndLeafBytes(), ListEnd::kBack));
    } else {
      tree_.Append(NewListLeaf(SharedBytes::Copy(view.Read(&at).bytes)));
    }
  }
}

void ListValue::Append(const SharedBytes& element) {
  if (element.size() + kListpackEmptyBytes + 10 <= ListLeaf::kMaxBytes) return Push(ListEnd::kBack, ListItem(element.view()));
  tree_.Append(NewListLeaf(element));
}

}  // namespace cairn
