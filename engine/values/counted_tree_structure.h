// The definitions of counted_tree.h that change the tree's structure: children in and out, splits, joins. Included by it alone.
#pragma once

#include <algorithm>
#include <cstring>

#include "engine/values/counted_tree.h"

namespace cairn {

// --- children of one node ------------------------------------------------------------------------------------------------------

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::Put(Inner* node, uint32_t at, const Child& child) {
  const uint32_t behind = node->size - at;
  std::memmove(node->counts + at + 1, node->counts + at, behind * sizeof(uint64_t));
  std::memmove(node->children + at + 1, node->children + at, behind * sizeof(CowNode*));
  node->counts[at] = child.count;
  node->children[at] = child.node;
  if constexpr (kHasKey) {
    std::memmove(node->keys + at + 1, node->keys + at, behind * sizeof(Key));
    node->keys[at] = child.key;
  }
  node->size++;
}

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::Erase(Inner* node, uint32_t at) {
  const uint32_t behind = node->size - at - 1;
  std::memmove(node->counts + at, node->counts + at + 1, behind * sizeof(uint64_t));
  std::memmove(node->children + at, node->children + at + 1, behind * sizeof(CowNode*));
  if constexpr (kHasKey) std::memmove(node->keys + at, node->keys + at + 1, behind * sizeof(Key));
  node->size--;
}

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::MoveChildren(Inner* from, uint32_t from_at, Inner* to) {
  const uint32_t n = from->size - from_at;
  std::memcpy(to->counts + to->size, from->counts + from_at, n * sizeof(uint64_t));
  std::memcpy(to->children + to->size, from->children + from_at, n * sizeof(CowNode*));
  if constexpr (kHasKey) std::memcpy(to->keys + to->size, from->keys + from_at, n * sizeof(Key));
  to->size += n;
  from->size = from_at;
}

template <typename Traits, size_t kInnerBytes>
auto CountedTree<Traits, kInnerBytes>::Describe(Inner* node) -> Child {
  Child child{};
  child.node = node;
  for (uint32_t i = 0; i < node->size; i++) child.count += node->counts[i];
  if constexpr (kHasKey) child.key = node->keys[0];
  return child;
}

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::Refresh(Inner* node, uint32_t at) {
  const Child child = Describe(static_cast<Inner*>(node->children[at]));
  node->counts[at] = child.count;
  if constexpr (kHasKey) node->keys[at] = child.key;
}

// --- inserting -----------------------------------------------------------------------------------------------------------------

template <typename Traits, size_t kInnerBytes>
auto CountedTree<Traits, kInnerBytes>::InsertInto(Inner* node, uint32_t at, const Child& child, uint32_t* offset) -> Inner* {
  if (node->size < Inner::kCapacity) {
    Put(node, at, child);
    return nullptr;
  }
  Inner* fresh = NewInner();
  *offset = at == 0 ? 0 : 1;
  if (at == 0 || at == node->size) {
    Put(fresh, 0, child);
    return fresh;
  }
  const uint32_t half = node->size / 2;
  MoveChildren(node, half, fresh);
  if (at <= half) {
    Put(node, at, child);
  } else {
    Put(fresh, at - half, child);
  }
  return fresh;
}

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::GrowRoot(const Child& fresh, uint32_t offset) {
  CAIRN_CHECK(height_ < kMaxHeight);
  Child old;
  if (height_ > 0) {
    old = Describe(static_cast<Inner*>(root_));
  } else {
    const Leaf& leaf = *static_cast<Leaf*>(root_);
    old = {root_, Traits::Count(leaf), Traits::KeyOf(leaf)};
  }
  Inner* root = NewInner();
  Put(root, 0, old);
  Put(root, offset, fresh);
  root_ = root;
  height_++;
}

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::Insert(Path* path, Leaf* leaf, uint32_t offset) {
  Child fresh{leaf, Traits::Count(*leaf), Traits::KeyOf(*leaf)};
  CAIRN_CHECK(fresh.count > 0);
  count_ += fresh.count;
  memory_bytes_ += Traits::MemoryBytes(*leaf);
  if (root_ == nullptr) {
    root_ = leaf;
    return;
  }
  bool pending = true;
  for (uint32_t i = path->depth_; i-- > 0;) {
    auto& step = path->steps_[i];
    if (i + 1 < path->depth_) Refresh(step.node, step.slot);
    if (!pending) continue;
    Inner* split = InsertInto(step.node, step.slot + offset, fresh, &offset);
    pending = split != nullptr;
    if (pending) fresh = Describe(split);
  }
  if (pending) GrowRoot(fresh, offset);
}

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::Append(Leaf* leaf) {
  Path path;
  if (Last(&path)) OwnWay(&path);
  InsertAfter(&path, leaf);
}

// --- removing ------------------------------------------------------------------------------------------------------------------

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::JoinInner(Inner* parent, uint32_t at, uint32_t level) {
  const auto size_at = [&](uint32_t slot) { return static_cast<Inner*>(parent->children[slot])->size; };
  uint32_t left = at;
  if (at + 1 == parent->size || size_at(at) + size_at(at + 1) > Inner::kCapacity) {
    if (at == 0 || size_at(at - 1) + size_at(at) > Inner::kCapacity) return;
    left = at - 1;
  }
  Inner* to = OwnInner(&parent->children[left], level);
  Inner* from = OwnInner(&parent->children[left + 1], level);
  MoveChildren(from, 0, to);
  FreeInner(from);
  Erase(parent, left + 1);
  Refresh(parent, left);
}

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::Remove(Path* path) {
  OwnWay(path);
  count_ -= Traits::Count(*path->leaf_);
  memory_bytes_ -= Traits::MemoryBytes(*path->leaf_);
  Release(path->leaf_, 0);
  path->leaf_ = nullptr;
  bool gone = true;  // the child below
  for (uint32_t i = path->depth_; i-- > 0;) {
    auto& step = path->steps_[i];
    if (gone) {
      Erase(step.node, step.slot);
    } else {
      Refresh(step.node, step.slot);
      if (static_cast<Inner*>(step.node->children[step.slot])->size < Inner::kCapacity / 2) {
        JoinInner(step.node, step.slot, height_ - i - 1);
      }
    }
    gone = step.node->size == 0;
    if (gone) FreeInner(step.node);
  }
  if (gone) {
    root_ = nullptr;
    height_ = 0;
    return;
  }
  while (height_ > 0 && static_cast<Inner*>(root_)->size == 1) {
    Inner* root = OwnInner(&root_, height_);
    root_ = root->children[0];
    FreeInner(root);
    height_--;
  }
}

template <typename Traits, size_t kInnerBytes>
bool CountedTree<Traits, kInnerBytes>::Join(Path* path) {
  Path left = *path;
  Path right = *path;
  if (!Next(&right)) {
    right = *path;
    if (!Prev(&left)) return false;
  }
  if (!Traits::CanJoin(*left.leaf_, *right.leaf_)) return false;
  Leaf* joined = Own(&left);
  right = left;
  Next(&right);
  joined = Traits::Join(joined, *right.leaf_);
  Commit(&left, joined);
  Remove(&right);
  path->leaf_ = nullptr;
  return true;
}

template <typename Traits, size_t kInnerBytes>
template <typename Visit>
void CountedTree<Traits, kInnerBytes>::RemoveRange(uint64_t first_rank, uint64_t count, Visit&& visit) {
  while (count > 0) {
    Path path;
    uint64_t from = 0;
    CAIRN_CHECK(SeekRank(first_rank, &path, &from));
    const uint64_t here = Traits::Count(*path.leaf());
    const uint64_t n = std::min(count, here - from);
    visit(*path.leaf(), from, n);
    count -= n;
    if (n == here) {
      Remove(&path);
      continue;
    }
    Commit(&path, Traits::Erase(Own(&path), from, n));
    Join(&path);
  }
}

}  // namespace cairn
