// An inner node of a HashTrie: 2^bits children, told apart by the bits of the hash that follow the first `base_depth`.
//
// A leaf of depth d is named by 2^(base_depth + bits - d) neighbouring slots and counts one reference for them. An inner child is named by
// one slot of a node that has HashTrie::kInnerMaxBits.
#pragma once

#include "engine/values/hash_trie.h"

namespace cairn {

class HashInner : public CowNode {
 public:
  explicit HashInner(uint32_t base_depth) : base_depth_(base_depth) {}

  static size_t SizeBytes(uint32_t bits) { return sizeof(HashInner) + (sizeof(HashNodeRef) << bits); }
  uint32_t base_depth() const { return base_depth_; }
  HashNodeRef* children() { return reinterpret_cast<HashNodeRef*>(this + 1); }
  const HashNodeRef* children() const { return reinterpret_cast<const HashNodeRef*>(this + 1); }
  // The slot of a hash; base_depth + bits <= 64.
  static uint32_t SlotOf(uint64_t hash, uint32_t base_depth, uint32_t bits) {
    return static_cast<uint32_t>((hash << base_depth) >> (64 - bits));
  }

 private:
  uint32_t base_depth_;
};
static_assert(sizeof(HashInner) == 8);

}  // namespace cairn
