// An ordered tree of small items, each under a stream id of its own: the pending entries of groups and consumers.
//
// A CountedTree (counted_tree.h) whose leaves are sorted arrays. Item is plain, with a member `StreamId id`. Filled in order of ids the
// leaves are full; a leaf that becomes less than half full joins a neighbour. A copy is one more holder of the nodes, in O(1).
#pragma once

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/values/counted_tree.h"
#include "engine/values/stream_id.h"

namespace cairn {

// Finds the leaf that holds an id, for CountedTree::Seek.
struct StreamIdProbe {
  StreamId id;
  int Order(const StreamId& key) const { return key < id ? -1 : key > id ? 1 : 0; }
};

template <typename Item>
class StreamIdTree {
  struct Traits;
  using Tree = CountedTree<Traits>;

 public:
  StreamIdTree() = default;
  StreamIdTree(const StreamIdTree& other) : tree_(other.tree_.Share()) {}
  StreamIdTree& operator=(const StreamIdTree&) = delete;

  uint64_t size() const { return tree_.count(); }
  bool empty() const { return tree_.empty(); }
  uint64_t memory_bytes() const { return tree_.memory_bytes(); }
  bool FreeStep(size_t max_nodes) { return tree_.FreeStep(max_nodes); }  // as CountedTree's

  // A position in a tree that does not change meanwhile.
  class Cursor {
   public:
    bool valid() const { return path_.leaf() != nullptr && index_ < path_.leaf()->size; }
    const Item& operator*() const { return path_.leaf()->items()[index_]; }
    const Item* operator->() const { return &**this; }
    void Next() {
      if (++index_ < path_.leaf()->size) return;
      index_ = 0;
      if (!Tree::Next(&path_)) path_ = {};
    }

   private:
    friend class StreamIdTree;
    typename Tree::Path path_;
    uint32_t index_ = 0;
  };

  Cursor First() const {
    Cursor cursor;
    tree_.First(&cursor.path_);
    return cursor;
  }
  // The last item; the tree is not empty.
  Item Last() const {
    typename Tree::Path path;
    tree_.Last(&path);
    return path.leaf()->items()[path.leaf()->size - 1];
  }
  // The first item with an id of at least `id`.
  Cursor LowerBound(const StreamId& id) const {
    Cursor cursor;
    if (!tree_.Seek(StreamIdProbe{id}, &cursor.path_)) return cursor;
    cursor.index_ = IndexOf(*cursor.path_.leaf(), id);
    if (cursor.index_ == cursor.path_.leaf()->size) {
      cursor.index_--;
      cursor.Next();
    }
    return cursor;
  }
  // Null where there is none; lives until the next change.
  const Item* Find(const StreamId& id) const {
    typename Tree::Path path;
    return tree_.Seek(StreamIdProbe{id}, &path) ? ItemIn(*path.leaf(), id) : nullptr;
  }

  // Replaces the item with this id; false where there is none. *before is what it was.
  bool Replace(const Item& item, Item* before) {
    typename Tree::Path path;
    if (!tree_.Seek(StreamIdProbe{item.id}, &path)) return false;
    const Item* found = ItemIn(*path.leaf(), item.id);
    if (found == nullptr) return false;
    *before = *found;
    const auto index = static_cast<uint32_t>(found - path.leaf()->items());
    Leaf* leaf = tree_.Own(&path);
    leaf->items()[index] = item;
    tree_.Commit(&path, leaf);
    return true;
  }
  // Adds an item whose id is new.
  void Insert(const Item& item) {
    typename Tree::Path path;
    if (!tree_.Seek(StreamIdProbe{item.id}, &path)) {
      Leaf* leaf = Leaf::New(2);
      leaf->Put(0, item);
      return tree_.InsertAfter(&path, leaf);
    }
    Leaf* leaf = tree_.Own(&path);
    const uint32_t index = IndexOf(*leaf, item.id);
    Leaf* second = nullptr;
    if (leaf->size < kLeafItems) {
      leaf = Leaf::Reserve(leaf, leaf->size + 1u);
      leaf->Put(index, item);
    } else if (index == leaf->size && Tree::IsLast(path)) {
      second = Leaf::New(2);
      second->Put(0, item);
    } else {
      second = leaf->SplitHalf();
      if (index <= leaf->size) {
        leaf->Put(index, item);
      } else {
        second->Put(index - leaf->size, item);
      }
    }
    tree_.Commit(&path, leaf);
    if (second != nullptr) tree_.InsertAfter(&path, second);
  }
  // False where there is none.
  bool Erase(const StreamId& id) {
    typename Tree::Path path;
    if (!tree_.Seek(StreamIdProbe{id}, &path)) return false;
    const Item* found = ItemIn(*path.leaf(), id);
    if (found == nullptr) return false;
    if (path.leaf()->size == 1) {
      tree_.Remove(&path);
      return true;
    }
    const auto index = static_cast<uint32_t>(found - path.leaf()->items());
    Leaf* leaf = tree_.Own(&path);
    leaf->Take(index);
    tree_.Commit(&path, leaf);
    if (leaf->size < kLeafItems / 2) tree_.Join(&path);
    return true;
  }

 private:
  static constexpr size_t kLeafBytes = 1024;

  struct Leaf : CowNode {
    uint16_t size = 0;
    uint16_t capacity = 0;

    Item* items() { return reinterpret_cast<Item*>(this + 1); }
    const Item* items() const { return reinterpret_cast<const Item*>(this + 1); }
    size_t bytes() const { return AllocationSize(sizeof(Leaf) + capacity * sizeof(Item)); }
    static Leaf* New(uint32_t room) {
      const size_t bytes = AllocationSize(sizeof(Leaf) + room * sizeof(Item));
      auto* leaf = new (AllocateBytes(bytes)) Leaf;
      leaf->capacity = static_cast<uint16_t>((bytes - sizeof(Leaf)) / sizeof(Item));
      return leaf;
    }
    static Leaf* Reserve(Leaf* leaf, uint32_t room) {
      if (room <= leaf->capacity) return leaf;
      Leaf* larger = New(std::min<uint32_t>(std::max<uint32_t>(room, leaf->capacity * 2u), kLeafItems));
      larger->Append(leaf->items(), leaf->size);
      Traits::Free(leaf);
      return larger;
    }
    void Append(const Item* from, uint32_t count) {
      std::memcpy(static_cast<void*>(items() + size), from, count * sizeof(Item));
      size = static_cast<uint16_t>(size + count);
    }
    void Put(uint32_t index, const Item& item) {
      std::memmove(static_cast<void*>(items() + index + 1), items() + index, (size - index) * sizeof(Item));
      items()[index] = item;
      size++;
    }
    void Take(uint32_t index) {
      size--;
      std::memmove(static_cast<void*>(items() + index), items() + index + 1, (size - index) * sizeof(Item));
    }
    Leaf* SplitHalf() {
      const auto half = static_cast<uint16_t>(size / 2);
      Leaf* upper = New(kLeafItems);
      upper->Append(items() + half, size - half);
      size = half;
      return upper;
    }
  };
  static_assert(sizeof(Leaf) == 8 && std::is_trivially_copyable_v<Item>);
  static constexpr uint32_t kLeafItems = (kLeafBytes - sizeof(Leaf)) / sizeof(Item);

  struct Traits {
    using Leaf = StreamIdTree::Leaf;
    using Key = StreamId;
    static Key KeyOf(const Leaf& leaf) { return leaf.items()[0].id; }
    static uint64_t Count(const Leaf& leaf) { return leaf.size; }
    static size_t MemoryBytes(const Leaf& leaf) { return leaf.bytes(); }
    static Leaf* Clone(const Leaf& leaf) {
      Leaf* copy = Leaf::New(leaf.capacity);
      copy->Append(leaf.items(), leaf.size);
      return copy;
    }
    static void Free(Leaf* leaf) { FreeBytes(leaf, leaf->bytes()); }
    static bool CanJoin(const Leaf& left, const Leaf& right) { return left.size + right.size <= kLeafItems * 3 / 4; }
    static Leaf* Join(Leaf* left, const Leaf& right) {
      left = Leaf::Reserve(left, left->size + right.size);
      left->Append(right.items(), right.size);
      return left;
    }
  };

  static uint32_t IndexOf(const Leaf& leaf, const StreamId& id) {
    const Item* items = leaf.items();
    if (items[leaf.size - 1].id < id) return leaf.size;  // usual: what is new is the last
    return static_cast<uint32_t>(
        std::lower_bound(items, items + leaf.size, id, [](const Item& item, const StreamId& key) { return item.id < key; }) -
        items);
  }
  static const Item* ItemIn(const Leaf& leaf, const StreamId& id) {
    const uint32_t index = IndexOf(leaf, id);
    return index < leaf.size && leaf.items()[index].id == id ? &leaf.items()[index] : nullptr;
  }

  Tree tree_;
};

}  // namespace cairn
