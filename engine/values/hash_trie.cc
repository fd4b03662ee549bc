#include "engine/values/hash_trie.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/allocator.h"
#include "base/cpu.h"
#include "base/random.h"
#include "base/status.h"
#include "engine/values/hash_inner.h"

namespace cairn {

namespace {

constexpr size_t kMergedMaxBytes = 640;  // below what would be split soon again
constexpr uint32_t kHashBits = 64;

uint64_t Seed() {
  static const uint64_t seed = SecureRandom64();
  return seed;
}

// x + c x (1 - x) for the hash as a fraction x: about log2(1 + x), monotone, so that hashes lie up to twice as densely at the upper end
// as at the lower. Evenly spread, all leaves would have the same size at the same time, grow through the allocator's sizes together, and
// leave it with slabs of the size before in which a few laggards sit: half as much again as the leaves. So, sizes are spread as evenly as
// can be (the logarithm makes it so) at any number of records, and what one leaf gives back another takes.
uint64_t Spread(uint64_t hash) {
  constexpr uint64_t kCoefficient = 0x57F0000000000000;  // 0.3435
  const auto high = [](uint64_t a, uint64_t b) { return static_cast<uint64_t>((static_cast<unsigned __int128>(a) * b) >> 64); };
  return hash + high(high(hash, ~hash), kCoefficient);
}

uint8_t TagOf(uint64_t hash) { return static_cast<uint8_t>(hash); }

}  // namespace

// The way from the root to a leaf.
struct HashTrie::Path {
  static constexpr int kMaxHeight = kHashBits / kInnerMaxBits + 1;
  struct Step {
    HashInner* node;
    uint32_t bits;
    uint32_t slot;
  };
  Step steps[kMaxHeight];
  int height = 0;
  uint64_t hash = 0;
  HashLeaf* leaf = nullptr;

  Step& last() { return steps[height - 1]; }
  void Push(HashInner* node, uint32_t bits) {
    CAIRN_CHECK(height < kMaxHeight);
    steps[height++] = {node, bits, HashInner::SlotOf(hash, node->base_depth(), bits)};
  }
};

uint64_t HashTrie::Hash(std::string_view key) {
  static const uint64_t seed = Seed();
  return Spread(XXH3_64bits_withSeed(key.data(), key.size(), seed));
}

HashTrie::HashTrie(HashTrie&& other) noexcept
    : root_(std::exchange(other.root_, {})),
      form_(other.form_),
      size_(std::exchange(other.size_, 0)),
      memory_bytes_(std::exchange(other.memory_bytes_, 0)),
      to_free_(std::move(other.to_free_)) {}

HashTrie::~HashTrie() {
  while (FreeStep(SIZE_MAX)) {
  }
}

HashTrie HashTrie::Share() const {
  HashTrie shared(form_);
  if (!root_.null()) root_.node()->AddReference();
  shared.root_ = root_;
  shared.size_ = size_;
  shared.memory_bytes_ = memory_bytes_;
  return shared;
}

const HashLeaf* HashTrie::LeafAt(uint64_t hash) const {
  HashNodeRef at = root_;
  for (uint32_t depth = 0; !at.is_leaf();) {
    const uint32_t bits = at.bits();
    at = at.inner()->children()[HashInner::SlotOf(hash, depth, bits)];
    depth += bits;
  }
  return at.leaf();
}

void HashTrie::Descend(uint64_t hash, Path* path) const {
  path->hash = hash;
  HashNodeRef at = root_;
  while (!at.is_leaf()) {
    path->Push(at.inner(), at.bits());
    at = at.inner()->children()[path->last().slot];
  }
  path->leaf = at.leaf();
}

std::string_view HashTrie::Find(std::string_view key, uint64_t hash) const {
  if (root_.null()) return {};
  const HashLeaf* leaf = LeafAt(hash);
  const int slot = leaf->Find(form_, key, TagOf(hash));
  return slot < 0 ? std::string_view() : leaf->payload(static_cast<uint32_t>(slot));
}

SharedBytes HashTrie::FindOutside(std::string_view key, uint64_t hash) const {
  if (root_.null()) return {};
  const HashLeaf* leaf = LeafAt(hash);
  const int slot = leaf->Find(form_, key, TagOf(hash));
  return slot < 0 ? SharedBytes() : leaf->ShareOutside(static_cast<uint32_t>(slot));
}

void HashTrie::Prefetch(uint64_t hash) const {
  if (root_.null()) return;
  const auto* leaf = reinterpret_cast<const char*>(LeafAt(hash));
  __builtin_prefetch(leaf);
  __builtin_prefetch(leaf + 64);
}

HashInner* HashTrie::NewInner(uint32_t base_depth, uint32_t bits) {
  const size_t size_bytes = HashInner::SizeBytes(bits);
  memory_bytes_ += AllocationSize(size_bytes);
  return new (AllocateBytes(size_bytes)) HashInner(base_depth);
}

void HashTrie::FreeInner(HashInner* inner, uint32_t bits) {
  const size_t size_bytes = HashInner::SizeBytes(bits);
  memory_bytes_ -= AllocationSize(size_bytes);
  FreeBytes(inner, size_bytes);
}

void HashTrie::SetInner(Path* path, int level, HashInner* inner, uint32_t bits) {
  const HashNodeRef ref(inner, bits);
  if (level == 0) {
    root_ = ref;
  } else {
    path->steps[level - 1].node->children()[path->steps[level - 1].slot] = ref;
  }
  path->steps[level] = {inner, bits, HashInner::SlotOf(path->hash, inner->base_depth(), bits)};
}

void HashTrie::SetLeaf(Path* path, uint64_t hash, HashLeaf* leaf) {
  if (path->height == 0) {
    root_ = HashNodeRef(leaf);
    return;
  }
  const Path::Step& parent = path->last();
  const uint32_t base = parent.node->base_depth();
  const uint32_t span = 1u << (base + parent.bits - leaf->depth());
  const uint32_t first = HashInner::SlotOf(hash, base, parent.bits) & ~(span - 1);
  std::fill_n(parent.node->children() + first, span, HashNodeRef(leaf));
}

void HashTrie::MakeWritable(Path* path) {
  for (int level = 0; level < path->height; level++) {
    HashInner* old = path->steps[level].node;
    if (!old->shared()) continue;
    const uint32_t bits = path->steps[level].bits;
    // The copy's bytes take the place of the original's in this root's account.
    auto* copy = new (AllocateBytes(HashInner::SizeBytes(bits))) HashInner(old->base_depth());
    const uint32_t children = 1u << bits;
    std::copy_n(old->children(), children, copy->children());
    for (uint32_t i = 0; i < children; i++) PrefetchForWrite(copy->children()[i].node());  // together: each may be far away
    for (uint32_t i = 0; i < children; i++) {
      if (i == 0 || copy->children()[i] != copy->children()[i - 1]) copy->children()[i].node()->AddReference();
    }
    SetInner(path, level, copy, bits);
    DropNode(HashNodeRef(old, bits), nullptr);
  }
  HashLeaf* leaf = path->leaf;
  if (!leaf->shared()) return;
  path->leaf = leaf->Copy(leaf->content_capacity());
  SetLeaf(path, path->hash, path->leaf);
  DropNode(HashNodeRef(leaf), nullptr);
}

bool HashTrie::Store(std::string_view key, uint64_t hash, const PayloadParts& payload, bool replace) {
  if (root_.null()) {
    root_ = HashNodeRef(HashLeaf::New(HashLeaf::RoomFor(payload.size()), 0));
    memory_bytes_ += root_.leaf()->allocated_bytes();
  }
  Path path;
  Descend(hash, &path);
  const int found = path.leaf->Find(form_, key, TagOf(hash));
  if (found >= 0 && !replace) return false;
  MakeWritable(&path);
  if (found >= 0) {
    const auto slot = static_cast<uint32_t>(found);
    memory_bytes_ -= path.leaf->outside_bytes(slot);
    if (path.leaf->Overwrite(slot, payload)) {
      memory_bytes_ += path.leaf->outside_bytes(slot);
      return false;
    }
    path.leaf->Erase(slot);
  } else {
    size_++;
  }
  AddRecord(&path, payload);
  memory_bytes_ += HashLeaf::OutsideBytes(payload.size());
  return found < 0;
}

void HashTrie::AddRecord(Path* path, const PayloadParts& payload) {
  const size_t room = HashLeaf::RoomFor(payload.size());
  while (path->leaf->free_bytes() < room) {
    const size_t wanted = path->leaf->live_bytes() + room;
    if (sizeof(HashLeaf) + wanted <= kLeafMaxBytes || path->leaf->depth() == kHashBits) {
      ResizeLeaf(path, wanted);
    } else {
      SplitLeaf(path, room);
    }
  }
  path->leaf->Add(TagOf(path->hash), payload);
}

void HashTrie::ResizeLeaf(Path* path, size_t content_bytes) {
  memory_bytes_ -= path->leaf->allocated_bytes();
  path->leaf = path->leaf->Move(content_bytes);
  memory_bytes_ += path->leaf->allocated_bytes();
  SetLeaf(path, path->hash, path->leaf);
}

void HashTrie::Widen(Path* path) {
  HashLeaf* leaf = path->leaf;
  const uint32_t depth = leaf->depth();
  if (path->height > 0) {
    const Path::Step parent = path->last();
    const uint32_t base = parent.node->base_depth();
    if (depth < base + parent.bits) return;
    if (parent.bits < kInnerMaxBits) {
      HashInner* wider = NewInner(base, parent.bits + 1);
      for (uint32_t i = 0; i < (2u << parent.bits); i++) wider->children()[i] = parent.node->children()[i / 2];
      SetInner(path, path->height - 1, wider, parent.bits + 1);
      FreeInner(parent.node, parent.bits);
      return;
    }
  }
  HashInner* inner = NewInner(depth, 1);
  inner->children()[0] = inner->children()[1] = HashNodeRef(leaf);
  path->height++;
  SetInner(path, path->height - 1, inner, 1);
}

void HashTrie::SplitLeaf(Path* path, size_t room) {
  Widen(path);
  HashLeaf* leaf = path->leaf;
  const uint32_t depth = leaf->depth();
  const uint64_t bit = uint64_t{1} << (kHashBits - 1 - depth);
  const uint32_t own_side = (path->hash & bit) != 0;
  const uint32_t count = leaf->count();
  std::vector<uint8_t> sides(count);
  size_t content[2] = {0, 0};
  for (uint32_t slot = 0; slot < count; slot++) {
    const std::string_view payload = leaf->payload(slot);
    sides[slot] = (Hash(KeyOf(form_, payload)) & bit) != 0;
    content[sides[slot]] += HashLeaf::RoomFor(payload.size());
  }
  // Where all records are on one side, it is split again before anything is added.
  if (sizeof(HashLeaf) + content[own_side] + room <= kLeafMaxBytes) content[own_side] += room;
  HashLeaf* halves[2];
  memory_bytes_ -= leaf->allocated_bytes();
  for (uint32_t side = 0; side < 2; side++) {
    halves[side] = HashLeaf::New(content[side], depth + 1);
    memory_bytes_ += halves[side]->allocated_bytes();
    SetLeaf(path, side == 0 ? path->hash & ~bit : path->hash | bit, halves[side]);
  }
  for (uint32_t slot = 0; slot < count; slot++) halves[sides[slot]]->AddMoved(*leaf, slot);
  leaf->FreeShell();
  path->leaf = halves[own_side];
}

char* HashTrie::MutablePayload(std::string_view key, uint64_t hash) {
  if (root_.null()) return nullptr;
  Path path;
  Descend(hash, &path);
  const int slot = path.leaf->Find(form_, key, TagOf(hash));
  if (slot < 0) return nullptr;
  MakeWritable(&path);
  return path.leaf->MutablePayload(static_cast<uint32_t>(slot));
}

bool HashTrie::Erase(std::string_view key, uint64_t hash) {
  if (root_.null()) return false;
  Path path;
  Descend(hash, &path);
  const int found = path.leaf->Find(form_, key, TagOf(hash));
  if (found < 0) return false;
  MakeWritable(&path);
  const auto slot = static_cast<uint32_t>(found);
  memory_bytes_ -= path.leaf->outside_bytes(slot);
  path.leaf->Erase(slot);
  size_--;
  if (path.leaf->live_bytes() * 8 <= path.leaf->content_capacity() * 5) ShrinkLeaf(&path);
  if (size_ == 0 && root_.is_leaf()) {
    memory_bytes_ -= root_.leaf()->allocated_bytes();
    root_.leaf()->Free();
    root_ = {};
  }
  return true;
}

void HashTrie::ShrinkLeaf(Path* path) {
  const size_t live = path->leaf->live_bytes();
  if (AllocationSize(sizeof(HashLeaf) + live + live / 8) < path->leaf->allocated_bytes()) ResizeLeaf(path, live + live / 8);
  while (MergeLeaf(path)) {
  }
}

bool HashTrie::MergeLeaf(Path* path) {
  if (path->height == 0) return false;
  HashLeaf* leaf = path->leaf;
  const Path::Step parent = path->last();
  const uint32_t depth = leaf->depth();
  if (depth == parent.node->base_depth()) {  // the only child: it takes its parent's place
    path->height--;
    SetLeaf(path, path->hash, leaf);
    FreeInner(parent.node, parent.bits);
    return true;
  }
  const uint64_t bit = uint64_t{1} << (kHashBits - depth);
  const HashNodeRef other = parent.node->children()[HashInner::SlotOf(path->hash ^ bit, parent.node->base_depth(), parent.bits)];
  if (!other.is_leaf() || other.leaf()->depth() != depth) return false;
  const size_t content = leaf->live_bytes() + other.leaf()->live_bytes();
  if (sizeof(HashLeaf) + content > kMergedMaxBytes) return false;
  memory_bytes_ -= leaf->allocated_bytes() + other.leaf()->allocated_bytes();
  HashLeaf* sibling = other.leaf();
  if (sibling->shared()) {
    sibling = sibling->Copy(sibling->live_bytes());
    DropNode(other, nullptr);
  }
  HashLeaf* merged = HashLeaf::New(content, depth - 1);
  memory_bytes_ += merged->allocated_bytes();
  for (HashLeaf* from : {leaf, sibling}) {
    for (uint32_t slot = 0; slot < from->count(); slot++) merged->AddMoved(*from, slot);
    from->FreeShell();
  }
  path->leaf = merged;
  SetLeaf(path, path->hash, merged);
  HalveInner(path);
  return true;
}

void HashTrie::HalveInner(Path* path) {
  const Path::Step parent = path->last();
  if (parent.bits == 1) return;
  const HashNodeRef* from = parent.node->children();
  const uint32_t half = 1u << (parent.bits - 1);
  for (uint32_t i = 0; i < half; i++) {
    if (from[2 * i] != from[2 * i + 1]) return;
  }
  HashInner* narrower = NewInner(parent.node->base_depth(), parent.bits - 1);
  for (uint32_t i = 0; i < half; i++) narrower->children()[i] = from[2 * i];
  SetInner(path, path->height - 1, narrower, parent.bits - 1);
  FreeInner(parent.node, parent.bits);
}

void HashTrie::DropNode(HashNodeRef ref, std::vector<HashNodeRef>* to_free) {
  if (!ref.node()->DropReference()) return;
  if (ref.is_leaf()) {
    ref.leaf()->Free();
    return;
  }
  const uint32_t children = 1u << ref.bits();
  for (uint32_t i = 0; i < children; i++) {
    const HashNodeRef child = ref.inner()->children()[i];
    if (i > 0 && child == ref.inner()->children()[i - 1]) continue;
    if (to_free != nullptr) {
      to_free->push_back(child);
    } else {
      DropNode(child, nullptr);
    }
  }
  FreeBytes(ref.inner(), HashInner::SizeBytes(ref.bits()));
}

bool HashTrie::FreeStep(size_t max_nodes) {
  if (!root_.null()) to_free_.push_back(std::exchange(root_, {}));
  for (size_t i = 0; i < max_nodes && !to_free_.empty(); i++) {
    const HashNodeRef ref = to_free_.back();
    to_free_.pop_back();
    DropNode(ref, &to_free_);
  }
  return !to_free_.empty();
}

}  // namespace cairn
