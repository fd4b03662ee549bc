#include "engine/keyspace/expiry_index.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/allocator.h"
#include "base/random.h"
#include "base/status.h"

namespace cairn {

namespace {

constexpr size_t kNodeBytes = 512;
constexpr uint64_t kDeadlineMax = (uint64_t{1} << 48) - 1;

// Moves [from, count) one place to the right, or one place to the left over `from`.
template <typename T>
void OpenGap(T* array, uint32_t from, uint32_t count) {
  std::memmove(array + from + 1, array + from, (count - from) * sizeof(T));
}
template <typename T>
void CloseGap(T* array, uint32_t from, uint32_t count) {
  std::memmove(array + from, array + from + 1, (count - from - 1) * sizeof(T));
}

}  // namespace

struct ExpiryIndex::Node {
  uint16_t count;
  bool is_leaf;
};

struct ExpiryIndex::Leaf : Node {
  static constexpr bool kIsLeaf = true;
  static constexpr uint32_t kItems = 42;
  uint64_t high[kItems];
  uint32_t low[kItems];

  Item item(uint32_t index) const { return {high[index], low[index]}; }
  void Set(uint32_t index, const Item& item) {
    high[index] = item.high;
    low[index] = item.low;
  }
  // The first item that is not before `item`.
  uint32_t LowerBound(const Item& item) const {
    uint32_t index = static_cast<uint32_t>(std::lower_bound(high, high + count, item.high) - high);
    while (index < count && high[index] == item.high && low[index] < item.low) index++;
    return index;
  }
  void CopyFrom(const Leaf& other, uint32_t begin, uint32_t n, uint32_t to) {
    std::memcpy(high + to, other.high + begin, n * sizeof(uint64_t));
    std::memcpy(low + to, other.low + begin, n * sizeof(uint32_t));
  }
};

// `count` children; separator i is not after anything in child i + 1 and after everything in child i.
struct ExpiryIndex::Inner : Node {
  static constexpr bool kIsLeaf = false;
  static constexpr uint32_t kChildren = 25;
  uint64_t high[kChildren - 1];
  Node* children[kChildren];
  uint32_t low[kChildren - 1];

  uint32_t ChildFor(const Item& item) const {
    const uint32_t separators = count - 1u;
    uint32_t index = static_cast<uint32_t>(std::lower_bound(high, high + separators, item.high) - high);
    while (index < separators && high[index] == item.high && low[index] <= item.low) index++;
    return index;
  }
};

ExpiryIndex::Item ExpiryIndex::MakeItem(int64_t deadline_ms, const Entry* entry) {
  const uint64_t address = reinterpret_cast<uint64_t>(entry);
  const uint64_t deadline = deadline_ms < 0 ? 0 : std::min(static_cast<uint64_t>(deadline_ms), kDeadlineMax);
  return {deadline << 16 | address >> 32, static_cast<uint32_t>(address)};
}

Entry* ExpiryIndex::EntryOf(const Item& item) { return reinterpret_cast<Entry*>((item.high & 0xFFFF) << 32 | item.low); }

ExpiryIndex::~ExpiryIndex() {
  while (FreeStep(UINT32_MAX)) {
  }
}

template <typename NodeType>
NodeType* ExpiryIndex::NewNode() {
  static_assert(sizeof(NodeType) <= kNodeBytes);
  NodeType* node = new (AllocateBytes(kNodeBytes)) NodeType;
  node->count = 0;
  node->is_leaf = NodeType::kIsLeaf;
  memory_bytes_ += AllocationSize(kNodeBytes);
  return node;
}

void ExpiryIndex::FreeNode(Node* node) {
  FreeBytes(node, kNodeBytes);
  memory_bytes_ -= AllocationSize(kNodeBytes);
}

ExpiryIndex::Leaf* ExpiryIndex::Descend(const Item& item, Path* path) const {
  Node* node = root_;
  while (!node->is_leaf) {
    Inner* inner = static_cast<Inner*>(node);
    CAIRN_CHECK(path->height < Path::kMaxHeight);
    const uint32_t child = inner->ChildFor(item);
    path->nodes[path->height] = inner;
    path->children[path->height++] = child;
    node = inner->children[child];
  }
  return static_cast<Leaf*>(node);
}

void ExpiryIndex::Insert(int64_t deadline_ms, const Entry* entry) {
  const Item item = MakeItem(deadline_ms, entry);
  if (root_ == nullptr) root_ = NewNode<Leaf>();
  Path path;
  Leaf* leaf = Descend(item, &path);
  uint32_t index = leaf->LowerBound(item);
  if (leaf->count == Leaf::kItems) {
    Leaf* right = NewNode<Leaf>();
    bool rightmost = index == leaf->count;
    for (int i = 0; i < path.height; i++) rightmost = rightmost && path.children[i] + 1u == path.nodes[i]->count;
    const uint32_t keep = rightmost ? Leaf::kItems : Leaf::kItems / 2;
    right->count = static_cast<uint16_t>(Leaf::kItems - keep);
    right->CopyFrom(*leaf, keep, right->count, 0);
    leaf->count = static_cast<uint16_t>(keep);
    const Item separator = rightmost ? item : right->item(0);
    InsertIntoParent(&path, separator, right);
    if (index > keep || rightmost) {
      index -= keep;
      leaf = right;
    }
  }
  OpenGap(leaf->high, index, leaf->count);
  OpenGap(leaf->low, index, leaf->count);
  leaf->Set(index, item);
  leaf->count++;
  if (size_ == 0 || item < first_) first_ = item;
  size_++;
  deadline_sum_s_ += item.high >> 26;
}

// `right` is new and belongs directly behind the child that the path ends in.
void ExpiryIndex::InsertIntoParent(Path* path, const Item& separator, Node* right) {
  Item up = separator;
  for (int level = path->height - 1; level >= 0; level--) {
    Inner* parent = path->nodes[level];
    uint32_t at = path->children[level];  // the new separator's index; the new child's is one higher
    Inner* target = parent;
    Inner* split = nullptr;
    Item middle;
    if (parent->count == Inner::kChildren) {
      const bool at_end = at + 1 == parent->count;
      const uint32_t keep = at_end ? Inner::kChildren - 1 : (Inner::kChildren + 1) / 2;
      split = NewNode<Inner>();
      split->count = static_cast<uint16_t>(Inner::kChildren - keep);
      middle = {parent->high[keep - 1], parent->low[keep - 1]};
      std::memcpy(split->high, parent->high + keep, (split->count - 1u) * sizeof(uint64_t));
      std::memcpy(split->low, parent->low + keep, (split->count - 1u) * sizeof(uint32_t));
      std::memcpy(split->children, parent->children + keep, split->count * sizeof(Node*));
      parent->count = static_cast<uint16_t>(keep);
      if (at >= keep) {
        target = split;
        at -= keep;
      }
    }
    const uint32_t separators = target->count - 1u;
    OpenGap(target->high, at, separators);
    OpenGap(target->low, at, separators);
    OpenGap(target->children, at + 1, target->count);
    target->high[at] = up.high;
    target->low[at] = up.low;
    target->children[at + 1] = right;
    target->count++;
    if (split == nullptr) return;
    up = middle;
    right = split;
  }
  Inner* root = NewNode<Inner>();
  root->count = 2;
  root->high[0] = up.high;
  root->low[0] = up.low;
  root->children[0] = root_;
  root->children[1] = right;
  root_ = root;
}

void ExpiryIndex::Erase(int64_t deadline_ms, const Entry* entry) {
  const Item item = MakeItem(deadline_ms, entry);
  CAIRN_CHECK(root_ != nullptr);
  Path path;
  Leaf* leaf = Descend(item, &path);
  const uint32_t index = leaf->LowerBound(item);
  CAIRN_CHECK(index < leaf->count && leaf->item(index) == item);
  CloseGap(leaf->high, index, leaf->count);
  CloseGap(leaf->low, index, leaf->count);
  leaf->count--;
  size_--;
  deadline_sum_s_ -= item.high >> 26;
  if (leaf->count < Leaf::kItems / 3) ShrinkLeaf(&path, leaf);
  if (item == first_) FindFirst();
}

// Merges a leaf that got small with a neighbour under the same parent, or removes it when it is empty.
void ExpiryIndex::ShrinkLeaf(Path* path, Leaf* leaf) {
  if (path->height == 0) {
    if (leaf->count == 0) {
      FreeNode(leaf);
      root_ = nullptr;
    }
    return;
  }
  Inner* parent = path->nodes[path->height - 1];
  const uint32_t child = path->children[path->height - 1];
  if (leaf->count == 0) {
    FreeNode(leaf);
    RemoveChild(path, child);
    return;
  }
  constexpr uint32_t kMergedItemsMax = Leaf::kItems - Leaf::kItems / 6;  // so that the next insertion does not split again
  for (uint32_t left_child = child > 0 ? child - 1 : child; left_child <= child && left_child + 1 < parent->count; left_child++) {
    Leaf* left = static_cast<Leaf*>(parent->children[left_child]);
    Leaf* right = static_cast<Leaf*>(parent->children[left_child + 1]);
    if (uint32_t{left->count} + right->count > kMergedItemsMax) continue;
    left->CopyFrom(*right, 0, right->count, left->count);
    left->count = static_cast<uint16_t>(left->count + right->count);
    FreeNode(right);
    RemoveChild(path, left_child + 1);
    return;
  }
}

// Takes a child, already freed, out of the path's last inner node, and inner nodes that became empty with it.
void ExpiryIndex::RemoveChild(Path* path, uint32_t child) {
  for (int level = path->height - 1; level >= 0; level--, child = level >= 0 ? path->children[level] : 0) {
    Inner* parent = path->nodes[level];
    if (parent->count > 1) {
      // Of the two separators around the child the left one goes; the first child has only a right one.
      const uint32_t separator = child == 0 ? 0 : child - 1;
      CloseGap(parent->high, separator, parent->count - 1u);
      CloseGap(parent->low, separator, parent->count - 1u);
      CloseGap(parent->children, child, parent->count);
      parent->count--;
      break;
    }
    FreeNode(parent);
    if (level == 0) root_ = nullptr;
  }
  while (root_ != nullptr && !root_->is_leaf && root_->count == 1) {
    Node* only = static_cast<Inner*>(root_)->children[0];
    FreeNode(root_);
    root_ = only;
  }
}

void ExpiryIndex::FindFirst() {
  if (size_ == 0) return;
  Node* node = root_;
  while (!node->is_leaf) node = static_cast<Inner*>(node)->children[0];
  first_ = static_cast<Leaf*>(node)->item(0);
}

Entry* ExpiryIndex::First() const { return size_ == 0 ? nullptr : EntryOf(first_); }

Entry* ExpiryIndex::Any(Random& random) const {
  if (size_ == 0) return nullptr;
  Node* node = root_;
  while (!node->is_leaf) node = static_cast<Inner*>(node)->children[random.Uniform(node->count)];
  return EntryOf(static_cast<Leaf*>(node)->item(static_cast<uint32_t>(random.Uniform(node->count))));
}

bool ExpiryIndex::FreeStep(uint32_t max_nodes) {
  if (root_ != nullptr) to_free_.push_back(root_);
  root_ = nullptr;
  for (uint32_t freed = 0; freed < max_nodes && !to_free_.empty(); freed++) {
    Node* node = to_free_.back();
    to_free_.pop_back();
    if (!node->is_leaf) {
      const Inner* inner = static_cast<Inner*>(node);
      to_free_.insert(to_free_.end(), inner->children, inner->children + inner->count);
    }
    FreeNode(node);
  }
  return !to_free_.empty();
}

}  // namespace cairn
