// A counted B+tree over leaves that the user packs: what large lists, sorted sets and streams are made of (DESIGN.md, section 3).
// It finds a leaf by rank or by key, gives it out for change, takes in what a split made of it, and keeps counts, keys and bytes
// right.
//
// Structure: inner nodes of at most kInnerBytes hold for each child its pointer, its number of elements and a Key: what they know
// of the child's first element. Leaves are the user's own: a CowNode with elements packed behind it, never empty, sized to fit
// the allocator's classes (base/allocator.h). There are no parent or sibling pointers, because nodes are shared: a Path remembers
// the way.
// Sharing: Share() is O(1). Changes go through Own(), which copies the nodes on the path that others hold, and only
// them.
// Fill: nodes split in halves, but at either end of a node the new child starts a node of its own, so that appending leaves
// full nodes behind; nodes under half full join a neighbour when both fit into one. The same is the user's duty for leaves: see
// Join below.
//
// Traits, all static:
//   using Leaf            derives from CowNode
//   using Key             trivial; an empty struct where nobody seeks by key
//   Key KeyOf(const Leaf&)               of its first element
//   uint64_t Count(const Leaf&)          of its elements, > 0
//   size_t MemoryBytes(const Leaf&)      what the allocator gave for it
//   Leaf* Clone(const Leaf&)             a copy with one reference; may have another size
//   void Free(Leaf*)                     called by the last holder
// as an option:
//   size_t kPrefetchBytes                how much of a leaf to ask memory for when Seek comes to it
// only where Join or RemoveRange are used:
//   bool CanJoin(const Leaf& left, const Leaf& right)    whether both fit into one leaf (leave some room, or it splits at once
//   again)
//   Leaf* Join(Leaf* left, const Leaf& right)            appends; `left` is owned and may move; `right` stays as it is
//   Leaf* Erase(Leaf*, uint64_t from, uint64_t count)    removes some elements, not all; the leaf is owned and may move
//
// A change goes like this:
//   Path path;
//   tree.Seek(probe, &path);               // or SeekRank, First, Last; false where the tree is empty
//   Leaf* leaf = tree.Own(&path);          // the leaf, and the way to it, are now nobody else's
//   ...                                    // change it; if it is full, move its upper part to a `second` new leaf
//   tree.Commit(&path, leaf);              // `leaf` may have moved (been reallocated): the pointer that holds now
//   tree.InsertAfter(&path, second);       // `path` is void afterwards
// Threads: as LargeValue. Failure: none; out of memory aborts.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "base/allocator.h"
#include "base/status.h"
#include "engine/values/large_value.h"

namespace cairn {

template <typename Traits, size_t kInnerBytes = 1024>
class CountedTree {
 public:
  using Leaf = typename Traits::Leaf;
  using Key = typename Traits::Key;
  class Path;

  CountedTree() = default;
  CountedTree(CountedTree&& other) noexcept { Swap(other); }
  CountedTree& operator=(CountedTree&& other) noexcept {
    Swap(other);
    return *this;
  }
  ~CountedTree() { FreeStep(SIZE_MAX); }

  CountedTree Share() const;  // O(1): a second tree over the same nodes
  // Whether neither was changed since one was shared from the other.
  bool SameAs(const CountedTree& other) const { return root_ == other.root_; }
  uint64_t count() const { return count_; }
  bool empty() const { return root_ == nullptr; }
  uint32_t height() const { return height_; }              // levels of inner nodes
  uint64_t memory_bytes() const { return memory_bytes_; }  // all nodes, shared or not; without the tree object
  // Lets go of about `max_nodes` nodes; false when none is left. After a true nothing but this and the destructor may be called.
  bool FreeStep(size_t max_nodes);

  // --- finding: each returns false, and a path without a leaf, where there is none ---------------------------------------------
  bool First(Path* path) const;
  bool Last(Path* path) const;
  // The leaf that holds the element of this rank (from 0); *within is its place there. False for rank >= count().
  bool SeekRank(uint64_t rank, Path* path, uint64_t* within) const;
  // The last leaf whose first element is not after what is sought, or the first leaf where all are. So an element that is there
  // is in this leaf (of several equal ones: the last), and a new one belongs into it. A Probe has
  //   int Order(const Key&) const: < 0 where an element with that key is before what is sought, > 0 after, 0: equal or cannot say
  //   bool NotAfter(const Leaf&) const: asked where Order says 0: whether that leaf's first element is not after what is sought.
  //   Without this function 0 means that it is not after.
  // "The first element >= x" is sought with a probe that answers > 0 for x itself: it is in this leaf or the next leaf's first.
  template <typename Probe>
  bool Seek(const Probe& probe, Path* path) const;
  // To the neighbouring leaf, in O(1) amortised. False at the end; the path is void then.
  static bool Next(Path* path);
  static bool Prev(Path* path);
  // How many elements come before the path's leaf. O(height * nodes' capacity), without touching leaves.
  static uint64_t ElementsBefore(const Path& path);
  // Nothing follows (precedes) the path's leaf: where the user splits unevenly.
  static bool IsLast(const Path& path);
  static bool IsFirst(const Path& path);

  // --- changing ----------------------------------------------------------------------------------------------------------------
  // Any change voids all paths except where said; a path that was made before may be passed to Own as long as only Own and Commit
  // were called since.
  Leaf* Own(Path* path);
  // After every change of an owned leaf: takes its count, first key and bytes over. It must not be empty (Remove it instead). The
  // path stays valid and owned.
  void Commit(Path* path, Leaf* leaf);
  // Takes a new leaf over, next to the path's, which is owned. In an empty tree: with a path without a leaf.
  void InsertAfter(Path* path, Leaf* leaf) { Insert(path, leaf, 1); }
  void InsertBefore(Path* path, Leaf* leaf) { Insert(path, leaf, 0); }
  void Append(Leaf* leaf);  // at the end
  // Takes the path's leaf out; Own is not needed.
  void Remove(Path* path);
  // To be called when the path's leaf, committed, is less than half full: joins it with its right or left neighbour if they can
  // be. True if it did; the path is void then, otherwise unchanged.
  bool Join(Path* path);
  // Removes `count` elements from this rank on, leaf by leaf. visit(const Leaf&, from, count) is called before with what goes of
  // each.
  template <typename Visit>
  void RemoveRange(uint64_t first_rank, uint64_t count, Visit&& visit);

 private:
  static constexpr uint32_t kMaxHeight = 20;  // far beyond what fits into memory, even of nodes half full
  static constexpr bool kHasKey = !std::is_empty_v<Key>;

  struct Inner : CowNode {
    static constexpr uint32_t kCapacity = static_cast<uint32_t>((kInnerBytes - 8) / (16 + (kHasKey ? sizeof(Key) : 0)));
    uint32_t size = 0;
    [[no_unique_address]] std::conditional_t<kHasKey, Key[kCapacity], Key> keys;  // first: next to what is read with them
    CowNode* children[kCapacity];                                                 // Inner, at the lowest level Leaf
    uint64_t counts[kCapacity];
  };
  static_assert(Inner::kCapacity >= 4 && sizeof(Inner) <= kInnerBytes && std::is_trivially_copyable_v<Key>);

  struct Child {
    CowNode* node;
    uint64_t count;
    Key key;
  };

  void Swap(CountedTree& other) noexcept;
  Inner* NewInner();
  void FreeInner(Inner* node);  // the node alone; its children have been taken over
  // Gives one reference back. `level` 0: a leaf.
  static void Release(CowNode* node, uint32_t level);
  // The node at *link made nobody else's; `level` >= 1.
  Inner* OwnInner(CowNode** link, uint32_t level);
  void OwnWay(Path* path);  // inner nodes only
  static void Put(Inner* node, uint32_t at, const Child& child);
  static void Erase(Inner* node, uint32_t at);
  static void MoveChildren(Inner* from, uint32_t from_at, Inner* to);  // all from from_at on, to the end of `to`
  // Count and key of the inner node at `at`, from its content.
  static void Refresh(Inner* node, uint32_t at);
  static Child Describe(Inner* node);
  void Insert(Path* path, Leaf* leaf, uint32_t offset);
  // Puts a child in; a full node splits: the new node is returned and *offset says whether it comes after (1) or before (0) it.
  Inner* InsertInto(Inner* node, uint32_t at, const Child& child, uint32_t* offset);
  void GrowRoot(const Child& fresh, uint32_t offset);
  void JoinInner(Inner* parent, uint32_t at, uint32_t level);  // `level` is the child's
  template <typename Probe>
  static bool NotAfter(const Probe& probe, const Inner* node, uint32_t at, uint32_t level);
  // Asks for the first bytes of a node, all cache lines at once: a search in them would wait for one after the other.
  static void Prefetch(const CowNode* node, size_t bytes) {
    for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(reinterpret_cast<const char*>(node) + at);
  }
  // Completes a path below step `from`, always taking the first (last) child.
  static void DescendFirst(Path* path, uint32_t from, CowNode* node);
  static void DescendLast(Path* path, uint32_t from, CowNode* node);

  CowNode* root_ = nullptr;  // a Leaf where height_ is 0
  uint32_t height_ = 0;
  uint64_t count_ = 0;
  uint64_t memory_bytes_ = 0;
};

// The way from a root to a leaf. Plain: may be copied. Lives until the tree changes or is gone.
template <typename Traits, size_t kInnerBytes>
class CountedTree<Traits, kInnerBytes>::Path {
 public:
  const Leaf* leaf() const { return leaf_; }  // null: nowhere

 private:
  friend class CountedTree;
  struct Step {
    Inner* node;
    uint32_t slot;
  };
  Leaf* leaf_ = nullptr;
  size_t leaf_bytes_ = 0;  // of an owned leaf, as last accounted
  uint32_t depth_ = 0;     // of steps_: the tree's height
  Step steps_[kMaxHeight];
};

}  // namespace cairn

#include "engine/values/counted_tree_change.h"  // IWYU pragma: export
#include "engine/values/counted_tree_find.h"    // IWYU pragma: export
