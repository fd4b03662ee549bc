// The leaves of a large list: a listpack with room at either side, so that both ends of a list grow and shrink without moving what is
// there, or one element that is too large for that, in a buffer that a copy of the leaf shares.
//
//   CowNode 4 | capacity 4 | begin 4 | size 4 | room [0, begin) | listpack of `size` bytes | room up to capacity
//   CowNode 4 | 0            | 0       | size 4 | SharedBytes
//
// A leaf belongs to its tree, which is asked for an owned one (counted_tree.h) before any function here changes it. These functions take
// such a leaf and return where it lies afterwards. Not synchronised. Failure: none.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "engine/values/counted_tree.h"
#include "engine/values/listpack.h"

namespace cairn {

// An element to be stored: bytes, and the shared buffer of exactly these bytes where they lie in one already (StringSource).
struct ListItem {
  explicit ListItem(std::string_view text, const SharedBytes* owner = nullptr) : item(text), owner(owner) {}
  explicit ListItem(const ListpackItem& item, const SharedBytes* owner = nullptr) : item(item), owner(owner) {}

  ListpackItem item;
  const SharedBytes* owner;
};

struct ListLeaf : CowNode {
  static constexpr uint32_t kMaxAllocation = 4096;
  static constexpr uint32_t kMaxBytes = kMaxAllocation - 16;                     // of a listpack
  static constexpr uint32_t kMaxElementBytes = kMaxBytes - kListpackEmptyBytes;  // encoded; larger ones get a leaf of their own

  uint32_t capacity = 0;  // bytes behind the leaf; 0: one large element
  uint32_t begin = 0;
  uint32_t size = 0;

  bool large() const { return capacity == 0; }
  char* data() { return reinterpret_cast<char*>(this + 1) + begin; }
  const char* data() const { return reinterpret_cast<const char*>(this + 1) + begin; }
  std::string_view packed() const { return {data(), size}; }                                      // unless large()
  const SharedBytes& element() const { return *reinterpret_cast<const SharedBytes*>(this + 1); }  // only if large()
  uint64_t count() const { return large() ? 1 : ListpackHeaderCount(packed()); }
  uint32_t room_front() const { return begin; }
  uint32_t room_back() const { return capacity - begin - size; }
};
static_assert(sizeof(ListLeaf) == 16);

enum class ListEnd : uint8_t { kFront, kBack };

// A leaf of these encoded elements (at most kMaxBytes with a listpack's header and end), with room for about `allocation_bytes` in all;
// the room is at the side that is to grow.
ListLeaf* NewListLeaf(std::string_view elements, uint64_t count, size_t allocation_bytes, ListEnd grows);
// A leaf of one element of any size.
ListLeaf* NewListLeaf(const ListItem& item, size_t allocation_bytes, ListEnd grows);
ListLeaf* NewListLeaf(SharedBytes element);
void FreeListLeaf(ListLeaf* leaf);
size_t ListLeafBytes(const ListLeaf& leaf);  // what the allocator gave, a large element's buffer included

// Whether an element may come into the leaf, in the place of `remove_bytes` others.
inline bool ListLeafTakes(const ListLeaf& leaf, const ListpackItem& item, size_t remove_bytes = 0) {
  return !leaf.large() && leaf.size - remove_bytes + item.encoded_bytes() <= ListLeaf::kMaxBytes;
}
// Replaces the elements in [from, to), `removed` of them, by one (ListLeafTakes). Positions are those of the listpack.
ListLeaf* PutIntoListLeaf(ListLeaf* leaf, uint32_t from, uint32_t to, uint32_t removed, const ListpackItem& item);
// Removes the elements in [from, to), not all there are.
ListLeaf* CutListLeaf(ListLeaf* leaf, uint32_t from, uint32_t to, uint32_t removed);
// Splits before the element at `at`, which is neither the first nor end(): the upper part becomes *second.
ListLeaf* SplitListLeaf(ListLeaf* leaf, uint32_t at, ListLeaf** second);

struct ListTreeTraits {
  using Leaf = ListLeaf;
  struct Key {};
  static Key KeyOf(const ListLeaf&) { return {}; }
  static uint64_t Count(const ListLeaf& leaf) { return leaf.count(); }
  static size_t MemoryBytes(const ListLeaf& leaf) { return ListLeafBytes(leaf); }
  static ListLeaf* Clone(const ListLeaf& leaf);
  static void Free(ListLeaf* leaf) { FreeListLeaf(leaf); }
  static bool CanJoin(const ListLeaf& left, const ListLeaf& right);
  static ListLeaf* Join(ListLeaf* left, const ListLeaf& right);
  static ListLeaf* Append(ListLeaf* leaf, std::string_view elements, uint64_t count);  // encoded; they fit
  static ListLeaf* Erase(ListLeaf* leaf, uint64_t from, uint64_t count);
};
using ListTree = CountedTree<ListTreeTraits>;

}  // namespace cairn
