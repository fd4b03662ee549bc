#include "engine/values/list_leaf.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/allocator.h"

namespace cairn {
namespace {

constexpr size_t kSharedBytesHeader = 16;  // what SharedBytes puts in front of the bytes
constexpr uint32_t kMinAllocation = 128;
constexpr uint32_t kJoinedMaxBytes = ListLeaf::kMaxBytes / 4 * 3;  // with more, the next insert would split again

// An empty one for a listpack of `size` bytes, which the caller writes.
ListLeaf* Allocate(size_t size, size_t allocation_bytes, ListEnd grows) {
  allocation_bytes = std::clamp<size_t>(allocation_bytes, kMinAllocation, ListLeaf::kMaxAllocation);
  const size_t bytes = AllocationSize(std::max(allocation_bytes, sizeof(ListLeaf) + size));
  ListLeaf* leaf = new (AllocateBytes(bytes)) ListLeaf;
  leaf->capacity = static_cast<uint32_t>(bytes - sizeof(ListLeaf));
  leaf->size = static_cast<uint32_t>(size);
  leaf->begin = grows == ListEnd::kFront ? leaf->capacity - leaf->size : 0;
  return leaf;
}

// A hole of `insert` bytes in the place of `remove` at `offset`, in a leaf that has the room; the shorter part moves where it may.
void OpenInPlace(ListLeaf* leaf, uint32_t offset, uint32_t remove, uint32_t insert) {
  char* const old = leaf->data();
  const uint32_t front = offset;
  const uint32_t back = leaf->size - offset - remove;
  const int64_t more = int64_t{insert} - remove;
  const bool may_front = more <= leaf->room_front();
  const bool may_back = more <= leaf->room_back();
  leaf->size += static_cast<uint32_t>(more);
  if (may_back && (back <= front || !may_front)) {
    std::memmove(old + offset + insert, old + offset + remove, back);
    return;
  }
  if (may_front) {
    leaf->begin -= static_cast<uint32_t>(more);
    std::memmove(leaf->data(), old, front);
    return;
  }
  // Room on both sides together: what is left is shared out, so that this is rare whichever end grows.
  leaf->begin = (leaf->capacity - leaf->size) / 2;
  char* const fresh = leaf->data();
  if (fresh < old) {
    std::memmove(fresh, old, front);
    std::memmove(fresh + offset + insert, old + offset + remove, back);
  } else {
    std::memmove(fresh + offset + insert, old + offset + remove, back);
    std::memmove(fresh, old, front);
  }
}

// The same whatever room there is, the header brought up to date.
ListLeaf* Open(ListLeaf* leaf, uint32_t offset, uint32_t remove, uint32_t insert, uint64_t count) {
  const size_t size = leaf->size - remove + insert;
  if (size > leaf->capacity) {
    const bool grows_back = offset > leaf->size / 2;
    ListLeaf* grown = Allocate(size, 2 * (leaf->capacity + sizeof(ListLeaf)), grows_back ? ListEnd::kBack : ListEnd::kFront);
    std::memcpy(grown->data(), leaf->data(), offset);
    std::memcpy(grown->data() + offset + insert, leaf->data() + offset + remove, leaf->size - offset - remove);
    FreeListLeaf(leaf);
    leaf = grown;
  } else {
    OpenInPlace(leaf, offset, remove, insert);
  }
  WriteListpackHeader(leaf->data(), size, count);
  return leaf;
}

// Gives room back that is more than three quarters of the leaf; half of what remains is room again.
ListLeaf* Shrink(ListLeaf* leaf) {
  if (leaf->size > leaf->capacity / 4 || leaf->capacity <= 4 * kMinAllocation) return leaf;
  const ListEnd grows = leaf->room_front() > leaf->room_back() ? ListEnd::kFront : ListEnd::kBack;
  ListLeaf* small = Allocate(leaf->size, 2 * size_t{leaf->size}, grows);
  std::memcpy(small->data(), leaf->data(), leaf->size);
  FreeListLeaf(leaf);
  return small;
}

std::string_view ElementsOf(const ListLeaf& leaf) {
  return leaf.packed().substr(kListpackHeaderBytes, leaf.size - kListpackEmptyBytes);
}

}  // namespace

ListLeaf* NewListLeaf(std::string_view elements, uint64_t count, size_t allocation_bytes, ListEnd grows) {
  const size_t size = elements.size() + kListpackEmptyBytes;
  CAIRN_CHECK(size <= ListLeaf::kMaxBytes);
  ListLeaf* leaf = Allocate(size, allocation_bytes, grows);
  WriteListpackHeader(leaf->data(), size, count);
  std::memcpy(leaf->data() + kListpackHeaderBytes, elements.data(), elements.size());
  leaf->data()[size - 1] = kEmptyListpack.back();
  return leaf;
}

ListLeaf* NewListLeaf(const ListItem& item, size_t allocation_bytes, ListEnd grows) {
  const size_t element_bytes = item.item.encoded_bytes();
  if (element_bytes > ListLeaf::kMaxElementBytes) {
    return NewListLeaf(item.owner != nullptr ? *item.owner : SharedBytes::Copy(item.item.text()));
  }
  const size_t size = element_bytes + kListpackEmptyBytes;
  ListLeaf* leaf = Allocate(size, allocation_bytes, grows);
  WriteListpackHeader(leaf->data(), size, 1);
  *item.item.Write(leaf->data() + kListpackHeaderBytes) = kEmptyListpack.back();
  return leaf;
}

ListLeaf* NewListLeaf(SharedBytes element) {
  static_assert(alignof(SharedBytes) <= sizeof(ListLeaf));
  ListLeaf* leaf = new (AllocateBytes(sizeof(ListLeaf) + sizeof(SharedBytes))) ListLeaf;
  leaf->size = static_cast<uint32_t>(element.size());
  new (leaf + 1) SharedBytes(std::move(element));
  return leaf;
}

void FreeListLeaf(ListLeaf* leaf) {
  if (!leaf->large()) return FreeBytes(leaf, sizeof(ListLeaf) + leaf->capacity);
  reinterpret_cast<SharedBytes*>(leaf + 1)->~SharedBytes();
  FreeBytes(leaf, sizeof(ListLeaf) + sizeof(SharedBytes));
}

size_t ListLeafBytes(const ListLeaf& leaf) {
  if (!leaf.large()) [[likely]]
    return sizeof(ListLeaf) + leaf.capacity;  // capacity is what the allocator gave
  return AllocationSize(sizeof(ListLeaf) + sizeof(SharedBytes)) + AllocationSize(kSharedBytesHeader + leaf.element().size());
}

ListLeaf* PutIntoListLeaf(ListLeaf* leaf, uint32_t from, uint32_t to, uint32_t removed, const ListpackItem& item) {
  leaf = Open(leaf, from, to - from, static_cast<uint32_t>(item.encoded_bytes()), leaf->count() - removed + 1);
  item.Write(leaf->data() + from);
  return leaf;
}

ListLeaf* CutListLeaf(ListLeaf* leaf, uint32_t from, uint32_t to, uint32_t removed) {
  return Shrink(Open(leaf, from, to - from, 0, leaf->count() - removed));
}

ListLeaf* SplitListLeaf(ListLeaf* leaf, uint32_t at, ListLeaf** second) {
  const ListpackView view(leaf->packed());
  uint32_t upper = 0;
  for (uint32_t p = at; p != view.end(); p = view.Next(p)) upper++;
  const std::string_view elements = leaf->packed().substr(at, view.end() - at);
  *second = NewListLeaf(elements, upper, 2 * elements.size(), ListEnd::kBack);
  return CutListLeaf(leaf, at, view.end(), upper);
}

ListLeaf* ListTreeTraits::Clone(const ListLeaf& leaf) {
  if (leaf.large()) return NewListLeaf(leaf.element());
  const ListEnd grows = leaf.room_front() > leaf.room_back() ? ListEnd::kFront : ListEnd::kBack;
  return NewListLeaf(ElementsOf(leaf), leaf.count(), sizeof(ListLeaf) + leaf.capacity, grows);
}

bool ListTreeTraits::CanJoin(const ListLeaf& left, const ListLeaf& right) {
  return !left.large() && !right.large() && left.size + right.size <= kJoinedMaxBytes;
}

ListLeaf* ListTreeTraits::Append(ListLeaf* leaf, std::string_view elements, uint64_t count) {
  const uint32_t at = leaf->size - 1;
  leaf = Open(leaf, at, 0, static_cast<uint32_t>(elements.size()), leaf->count() + count);
  std::memcpy(leaf->data() + at, elements.data(), elements.size());
  return leaf;
}

ListLeaf* ListTreeTraits::Join(ListLeaf* left, const ListLeaf& right) { return Append(left, ElementsOf(right), right.count()); }

ListLeaf* ListTreeTraits::Erase(ListLeaf* leaf, uint64_t from, uint64_t count) {
  const ListpackView view(leaf->packed());
  const uint32_t begin = view.Seek(static_cast<int64_t>(from));
  return CutListLeaf(leaf, begin, view.Skip(begin, static_cast<uint32_t>(count)), static_cast<uint32_t>(count));
}

}  // namespace cairn
