// The keys of one shard and database that have an expiry, ordered by time: a B+tree of packed 512-byte nodes.
//
// An item is 12 bytes, a 48-bit deadline in Unix milliseconds and the entry's 48-bit address; later deadlines (after the year
// 10889) count as the last. Insertion in ascending order fills the nodes. Insert, Erase and First are O(log n).
//
// Invariant: holds an item for exactly those entries of its dictionary that have an expiry; who changes an expiry or moves an
// entry tells the index. A key's item may lie before its expiry (Entry::indexed_expiry_ms): sessions and caches move the expiries of the
// same keys on all the time, and a way down the tree for each would be the dearest part of such a command. Whoever wants
// the first entry settles it before (State::SettleFirstExpiry). Not synchronised: the shard's lock is held.
#pragma once

#include <cstdint>
#include <vector>

namespace cairn {

class Entry;
class Random;

class ExpiryIndex {
 public:
  ExpiryIndex() = default;
  ~ExpiryIndex();
  ExpiryIndex(const ExpiryIndex&) = delete;
  ExpiryIndex& operator=(const ExpiryIndex&) = delete;

  // Each (deadline, entry) once; Erase only what is there.
  void Insert(int64_t deadline_ms, const Entry* entry);
  void Erase(int64_t deadline_ms, const Entry* entry);
  // The entry's item stays where it is, and counts for the average as if it had moved.
  void Postponed(int64_t from_ms, int64_t to_ms) { deadline_sum_s_ += Units(to_ms) - Units(from_ms); }

  // The entry with the earliest deadline; nullptr where there is none.
  Entry* First() const;
  // Its deadline; INT64_MAX where there is none.
  int64_t first_deadline_ms() const { return size_ == 0 ? INT64_MAX : static_cast<int64_t>(first_.high >> 16); }
  // Some entry, each about as likely as the others; nullptr where there is none.
  Entry* Any(Random& random) const;

  uint64_t size() const { return size_; }
  uint64_t memory_bytes() const { return memory_bytes_; }
  double AverageDeadlineMs() const {
    return size_ == 0 ? 0 : static_cast<double>(deadline_sum_s_) * 1024 / static_cast<double>(size_);
  }
  // Frees up to `max_nodes` nodes; false when none is left. Afterwards only the destructor may be called.
  bool FreeStep(uint32_t max_nodes);

 private:
  struct Item {
    uint64_t high = 0;  // deadline << 16 | address >> 32
    uint32_t low = 0;   // address
    bool operator<(const Item& other) const { return high != other.high ? high < other.high : low < other.low; }
    bool operator==(const Item&) const = default;
  };
  struct Node;
  struct Leaf;
  struct Inner;
  // The way from the root to a leaf: inner nodes and the child taken in each.
  struct Path {
    static constexpr int kMaxHeight = 12;
    Inner* nodes[kMaxHeight];
    uint32_t children[kMaxHeight];
    int height = 0;
  };
  static uint64_t Units(int64_t deadline_ms) { return static_cast<uint64_t>(deadline_ms) >> 10; }
  static Item MakeItem(int64_t deadline_ms, const Entry* entry);
  static Entry* EntryOf(const Item& item);
  Leaf* Descend(const Item& item, Path* path) const;
  template <typename NodeType>
  NodeType* NewNode();
  void FreeNode(Node* node);
  void InsertIntoParent(Path* path, const Item& separator, Node* right);
  void ShrinkLeaf(Path* path, Leaf* leaf);
  void RemoveChild(Path* path, uint32_t child);
  void FindFirst();

  Node* root_ = nullptr;
  Item first_;
  uint64_t size_ = 0;
  uint64_t memory_bytes_ = 0;
  uint64_t deadline_sum_s_ = 0;  // in units of 1,024 ms, rounded down each
  std::vector<Node*> to_free_;   // FreeStep's progress
};

}  // namespace cairn
