// The definitions of counted_tree.h that read: seeking, moving along the leaves. Included by it alone.
#pragma once

#include "engine/values/counted_tree.h"

namespace cairn {

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::DescendFirst(Path* path, uint32_t from, CowNode* node) {
  for (uint32_t i = from; i < path->depth_; i++) {
    Inner* inner = static_cast<Inner*>(node);
    path->steps_[i] = {inner, 0};
    node = inner->children[0];
  }
  path->leaf_ = static_cast<Leaf*>(node);
}

template <typename Traits, size_t kInnerBytes>
void CountedTree<Traits, kInnerBytes>::DescendLast(Path* path, uint32_t from, CowNode* node) {
  for (uint32_t i = from; i < path->depth_; i++) {
    Inner* inner = static_cast<Inner*>(node);
    path->steps_[i] = {inner, inner->size - 1};
    node = inner->children[inner->size - 1];
  }
  path->leaf_ = static_cast<Leaf*>(node);
}

template <typename Traits, size_t kInnerBytes>
bool CountedTree<Traits, kInnerBytes>::First(Path* path) const {
  path->depth_ = height_;
  path->leaf_ = nullptr;
  if (root_ != nullptr) DescendFirst(path, 0, root_);
  return root_ != nullptr;
}

template <typename Traits, size_t kInnerBytes>
bool CountedTree<Traits, kInnerBytes>::Last(Path* path) const {
  path->depth_ = height_;
  path->leaf_ = nullptr;
  if (root_ != nullptr) DescendLast(path, 0, root_);
  return root_ != nullptr;
}

template <typename Traits, size_t kInnerBytes>
bool CountedTree<Traits, kInnerBytes>::SeekRank(uint64_t rank, Path* path, uint64_t* within) const {
  path->depth_ = height_;
  path->leaf_ = nullptr;
  if (rank >= count_) return false;
  CowNode* node = root_;
  for (uint32_t i = 0; i < height_; i++) {
    Inner* inner = static_cast<Inner*>(node);
    uint32_t slot = 0;
    while (rank >= inner->counts[slot]) rank -= inner->counts[slot++];
    path->steps_[i] = {inner, slot};
    node = inner->children[slot];
  }
  path->leaf_ = static_cast<Leaf*>(node);
  *within = rank;
  return true;
}

template <typename Traits, size_t kInnerBytes>
template <typename Probe>
bool CountedTree<Traits, kInnerBytes>::NotAfter(const Probe& probe, const Inner* node, uint32_t at, uint32_t level) {
  static_assert(kHasKey, "nothing to seek by");
  const int order = probe.Order(node->keys[at]);
  if constexpr (requires(const Leaf& leaf) { probe.NotAfter(leaf); }) {
    if (order != 0) [[likely]]
      return order < 0;
    const CowNode* child = node->children[at];
    for (; level > 1; level--) child = static_cast<const Inner*>(child)->children[0];
    return probe.NotAfter(*static_cast<const Leaf*>(child));
  } else {
    return order <= 0;
  }
}

template <typename Traits, size_t kInnerBytes>
template <typename Probe>
bool CountedTree<Traits, kInnerBytes>::Seek(const Probe& probe, Path* path) const {
  path->depth_ = height_;
  path->leaf_ = static_cast<Leaf*>(nullptr);
  if (root_ == nullptr) return false;
  CowNode* node = root_;
  for (uint32_t i = 0; i < height_; i++) {
    Inner* inner = static_cast<Inner*>(node);
    // The first child from 1 on that begins after what is sought; the one before it is the way.
    uint32_t low = 1;
    uint32_t high = inner->size;
    while (low < high) {
      const uint32_t middle = (low + high) / 2;
      if (NotAfter(probe, inner, middle, height_ - i)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    path->steps_[i] = {inner, low - 1};
    node = inner->children[low - 1];
    if constexpr (requires { Traits::kPrefetchBytes; }) {
      Prefetch(node, i + 1 < height_ ? sizeof(inner->keys) : Traits::kPrefetchBytes);
    }
  }
  path->leaf_ = static_cast<Leaf*>(node);
  return true;
}

template <typename Traits, size_t kInnerBytes>
bool CountedTree<Traits, kInnerBytes>::Next(Path* path) {
  for (uint32_t i = path->depth_; i-- > 0;) {
    auto& step = path->steps_[i];
    if (step.slot + 1 == step.node->size) continue;
    step.slot++;
    DescendFirst(path, i + 1, step.node->children[step.slot]);
    return true;
  }
  path->leaf_ = nullptr;
  return false;
}

template <typename Traits, size_t kInnerBytes>
bool CountedTree<Traits, kInnerBytes>::Prev(Path* path) {
  for (uint32_t i = path->depth_; i-- > 0;) {
    auto& step = path->steps_[i];
    if (step.slot == 0) continue;
    step.slot--;
    DescendLast(path, i + 1, step.node->children[step.slot]);
    return true;
  }
  path->leaf_ = nullptr;
  return false;
}

template <typename Traits, size_t kInnerBytes>
uint64_t CountedTree<Traits, kInnerBytes>::ElementsBefore(const Path& path) {
  uint64_t before = 0;
  for (uint32_t i = 0; i < path.depth_; i++) {
    const auto& step = path.steps_[i];
    for (uint32_t slot = 0; slot < step.slot; slot++) before += step.node->counts[slot];
  }
  return before;
}

template <typename Traits, size_t kInnerBytes>
bool CountedTree<Traits, kInnerBytes>::IsLast(const Path& path) {
  for (uint32_t i = 0; i < path.depth_; i++) {
    if (path.steps_[i].slot + 1 != path.steps_[i].node->size) return false;
  }
  return true;
}

template <typename Traits, size_t kInnerBytes>
bool CountedTree<Traits, kInnerBytes>::IsFirst(const Path& path) {
  for (uint32_t i = 0; i < path.depth_; i++) {
    if (path.steps_[i].slot != 0) return false;
  }
  return true;
}

}  // namespace cairn
