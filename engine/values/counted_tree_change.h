// The definitions of counted_tree.h that change: ownership of the way, inserting, removing, joining, freeing. Included by it
// alone.
#pragma once

#include <algorithm>
#include <cstring>
#include <new>

#include "base/cpu.h"
#include "engine/values/counted_tree.h"

namespace cairn {

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::Swap(CountedTree& other) noexcept {
  std::swap(root_, other.root_);
  std::swap(height_, other.height_);
  std::swap(count_, other.count_);
  std::swap(memory_bytes_, other.memory_bytes_);
}

template <typename Traits, size_t kInnerBytes>
CountedTree<Traits, kInnerBytes> CountedTree<Traits, kInnerBytes>::Share() const {
  CountedTree shared;
  if (root_ != nullptr) root_->AddReference();
  shared.root_ = root_;
  shared.height_ = height_;
  shared.count_ = count_;
  shared.memory_bytes_ = memory_bytes_;
  return shared;
}

// --- nodes ---------------------------------------------------------------------------------------------------------------------

template <typename Traits, size_t kInnerBytes>
auto CountedTree<Traits, kInnerBytes>::NewInner() -> Inner* {
  memory_bytes_ += AllocationSizeOf<Inner>();
  return new (AllocateBytes(sizeof(Inner))) Inner;
}

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::FreeInner(Inner* node) {
  memory_bytes_ -= AllocationSizeOf<Inner>();
  FreeBytes(node, sizeof(Inner));
}

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::Release(CowNode* node, uint32_t level) {
  if (!node->DropReference()) return;
  if (level == 0) {
    Traits::Free(static_cast<Leaf*>(node));
    return;
  }
  Inner* inner = static_cast<Inner*>(node);
  for (uint32_t i = 0; i < inner->size; i++) Release(inner->children[i], level - 1);
  FreeBytes(inner, sizeof(Inner));
}

template <typename Traits, size_t kInnerBytes>
bool CountedTree<Traits, kInnerBytes>::FreeStep(size_t max_nodes) {
  // Each turn lets go of one node at the right edge. A node is looked at again on every way down: for its only holder
  // DropReference says the same every time.
  for (size_t n = 0; n < max_nodes && root_ != nullptr; n++) {
    CowNode** link = &root_;
    Inner* parent = nullptr;
    uint32_t level = height_;
    while (level > 0 && (*link)->DropReference()) {
      Inner* inner = static_cast<Inner*>(*link);
      if (inner->size == 0) {
        FreeBytes(inner, sizeof(Inner));
        break;
      }
      parent = inner;
      link = &inner->children[inner->size - 1];
      level--;
    }
    if (level == 0 && (*link)->DropReference()) Traits::Free(static_cast<Leaf*>(*link));
    if (parent != nullptr) {
      parent->size--;
    } else {
      root_ = nullptr;
    }
  }
  if (root_ != nullptr) return true;
  height_ = 0;
  count_ = 0;
  memory_bytes_ = 0;
  return false;
}

template <typename Traits, size_t kInnerBytes>
auto CountedTree<Traits, kInnerBytes>::OwnInner(CowNode** link, uint32_t level) -> Inner* {
  Inner* node = static_cast<Inner*>(*link);
  if (!node->shared()) [[likely]]
    return node;
  Inner* copy = new (AllocateBytes(sizeof(Inner))) Inner;  // counted already
  copy->size = node->size;
  std::memcpy(copy->counts, node->counts, node->size * sizeof(uint64_t));
  std::memcpy(copy->children, node->children, node->size * sizeof(CowNode*));
  if constexpr (kHasKey) std::copy_n(node->keys, node->size, copy->keys);
  for (uint32_t i = 0; i < copy->size; i++) PrefetchForWrite(copy->children[i]);  // together: each may be far away
  for (uint32_t i = 0; i < copy->size; i++) copy->children[i]->AddReference();
  *link = copy;
  Release(node, level);
  return copy;
}

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::OwnWay(Path* path) {
  CowNode** link = &root_;
  for (uint32_t i = 0; i < path->depth_; i++) {
    Inner* node = OwnInner(link, height_ - i);
    path->steps_[i].node = node;
    link = &node->children[path->steps_[i].slot];
  }
  path->leaf_ = static_cast<Leaf*>(*link);
}

template <typename Traits, size_t kInnerBytes>
auto CountedTree<Traits, kInnerBytes>::Own(Path* path) -> Leaf* {
  OwnWay(path);
  CowNode** link =
      path->depth_ == 0 ? &root_ : &path->steps_[path->depth_ - 1].node->children[path->steps_[path->depth_ - 1].slot];
  Leaf* leaf = static_cast<Leaf*>(*link);
  if (leaf->shared()) [[unlikely]] {
    Leaf* copy = Traits::Clone(*leaf);
    memory_bytes_ += Traits::MemoryBytes(*copy) - Traits::MemoryBytes(*leaf);
    *link = copy;
    Release(leaf, 0);
    leaf = copy;
  }
  path->leaf_ = leaf;
  path->leaf_bytes_ = Traits::MemoryBytes(*leaf);
  return leaf;
}

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::Commit(Path* path, Leaf* leaf) {
  const size_t bytes = Traits::MemoryBytes(*leaf);
  memory_bytes_ += bytes - path->leaf_bytes_;
  path->leaf_bytes_ = bytes;
  path->leaf_ = leaf;
  const uint64_t count = Traits::Count(*leaf);
  CAIRN_CHECK(count > 0);
  if (path->depth_ == 0) {
    root_ = leaf;
    count_ = count;
    return;
  }
  auto& last = path->steps_[path->depth_ - 1];
  last.node->children[last.slot] = leaf;
  const uint64_t more = count - last.node->counts[last.slot];  // modulo 2^64 where it is less
  count_ += more;
  for (uint32_t i = 0; i < path->depth_; i++) path->steps_[i].node->counts[path->steps_[i].slot] += more;
  if constexpr (kHasKey) {
    const Key key = Traits::KeyOf(*leaf);
    for (uint32_t i = path->depth_; i-- > 0;) {
      path->steps_[i].node->keys[path->steps_[i].slot] = key;
      if (path->steps_[i].slot != 0) break;
    }
  }
}

}  // namespace cairn

#include "engine/values/counted_tree_structure.h"  // IWYU pragma: export
