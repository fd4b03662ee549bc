// The segmented hash table of large hashes and sets and of the member index of large sorted sets (DESIGN.md, section 3): a radix
// directory over packed leaves of at most about 1 KiB, copied on write.
//
//   inner node: 2^1 .. 2^6 children | leaf: hash_leaf.h
//
// The leading bits of a key's 64-bit hash lead to its leaf. A leaf knows how many bits its keys share (its depth); in an inner node
// that tells children further apart, several neighbouring slots name one leaf. A full leaf is split by its next bit; where its parent
// has no further bit, the parent doubles, up to 64 children, and then an inner level begins. So no change ever touches more than one
// path and two leaves, leaves lie in the order of their hashes, and a position in a walk is a hash, which no split or merge moves.
// Leaves take the allocator's sizes up one by one and are split in halves that fit: about 0.9 of the memory is records.
//
// What a record is: a payload of 0 bytes to 4 GiB in which the key stands where the table's RecordForm says. Payloads over
// HashLeaf::kInlinePayloadMaxBytes lie outside the leaves, counted, and are not copied with them.
//
// Sharing: Share() is O(1). A change copies the shared nodes of its path first; a lookup copies nothing. memory_bytes() counts all nodes
// and payloads under this root, shared or not.
// Views of payloads live until the next change of this table (a shared sibling keeps them alive too). Sources of changes must not lie
// in the table. Not synchronised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "engine/values/hash_leaf.h"

namespace cairn {

class Random;
class HashInner;

// A child of the directory: its address, and in the low bits how many bits of the hash it tells apart (0: a leaf).
class HashNodeRef {
 public:
  HashNodeRef() = default;
  explicit HashNodeRef(HashLeaf* leaf) : bits_(reinterpret_cast<uint64_t>(leaf)) {}
  HashNodeRef(HashInner* inner, uint32_t bits) : bits_(reinterpret_cast<uint64_t>(inner) | bits) {}
  bool null() const { return bits_ == 0; }
  uint32_t bits() const { return bits_ & 15; }
  bool is_leaf() const { return bits() == 0; }
  HashLeaf* leaf() const { return reinterpret_cast<HashLeaf*>(bits_); }
  HashInner* inner() const { return reinterpret_cast<HashInner*>(bits_ & ~uint64_t{15}); }
  CowNode* node() const { return reinterpret_cast<CowNode*>(bits_ & ~uint64_t{15}); }
  bool operator==(const HashNodeRef&) const = default;

 private:
  uint64_t bits_ = 0;
};

class HashTrie {
 public:
  static constexpr size_t kLeafMaxBytes = 1024;  // beyond it a leaf is split
  static constexpr uint32_t kInnerMaxBits = 6;

  explicit HashTrie(RecordForm form) : form_(form) {}
  ~HashTrie();  // frees what FreeStep has not
  HashTrie(HashTrie&& other) noexcept;
  HashTrie& operator=(HashTrie&&) = delete;
  HashTrie(const HashTrie&) = delete;
  HashTrie& operator=(const HashTrie&) = delete;
  HashTrie Share() const;
  // Whether neither was changed since one was shared from the other.
  bool SameAs(const HashTrie& other) const { return root_ == other.root_; }

  // XXH3 with a seed that is the process's own: nobody outside can choose keys that share a leaf. Not evenly spread (see the .cc).
  static uint64_t Hash(std::string_view key);

  uint64_t size() const { return size_; }
  // All but sizeof(HashTrie).
  uint64_t memory_bytes() const { return memory_bytes_; }

  // `hash` is Hash(key) throughout.
  // The key's payload; a view without data (nullptr) where the key is absent.
  std::string_view Find(std::string_view key, uint64_t hash) const;
  bool Contains(std::string_view key, uint64_t hash) const { return Find(key, hash).data() != nullptr; }
  // A reference to the buffer of a payload that lies outside, whose view is what Find gives; empty otherwise.
  SharedBytes FindOutside(std::string_view key, uint64_t hash) const;
  // Brings the key's leaf into the cache: for commands with many keys, a few keys ahead.
  void Prefetch(uint64_t hash) const;

  // Adds a record; false, and nothing changes, where the key is there. The payload's key is `key`.
  bool Insert(std::string_view key, uint64_t hash, const PayloadParts& payload) { return Store(key, hash, payload, false); }
  // Adds or replaces; true where the key is new.
  bool Put(std::string_view key, uint64_t hash, const PayloadParts& payload) { return Store(key, hash, payload, true); }
  // The payload for changes that keep its size and key, until the next change; nullptr where the key is absent.
  char* MutablePayload(std::string_view key, uint64_t hash);
  // False where the key is absent.
  bool Erase(std::string_view key, uint64_t hash);

  // One step of a SCAN: appends at least `count` payloads (all with the same position together; fewer only at the end) to `out` and
  // returns the cursor of the next step, 0 at the end. The first step's cursor is 0; any number is accepted. Records that are there
  // from the first step to the last are given; once only, unless cursors are invented.
  uint64_t Scan(uint64_t cursor, size_t count, std::vector<std::string_view>* out) const;
  // A payload, each equally likely. size() > 0.
  std::string_view RandomPayload(Random& random) const;
  // The index-th payload of a walk; index < size(). Costs a visit of every leaf before it.
  std::string_view PayloadAt(uint64_t index) const;

  // Walks all payloads in the order of leaves, which stays while the table is not changed.
  class Walk {
   public:
    explicit Walk(const HashTrie& trie) : trie_(trie), done_(trie.size_ == 0) {}
    // False at the end.
    bool Next(std::string_view* payload) {
      while (leaf_ == nullptr || slot_ == leaf_->count()) {
        if (done_) return false;
        NextLeaf();
      }
      *payload = leaf_->payload(slot_++);
      return true;
    }
    // The reference that keeps the last payload's bytes, where they lie outside.
    SharedBytes ShareOutside() const { return leaf_->ShareOutside(slot_ - 1); }

   private:
    void NextLeaf();
    const HashTrie& trie_;
    const HashLeaf* leaf_ = nullptr;
    uint32_t slot_ = 0;
    uint64_t position_ = 0;  // where the next leaf begins
    bool done_;
  };

  // Lets go of about `max_nodes` nodes; false when none is left. Afterwards only FreeStep and the destructor may be called.
  bool FreeStep(size_t max_nodes);

 private:
  struct Path;
  const HashLeaf* LeafAt(uint64_t hash) const;
  void Descend(uint64_t hash, Path* path) const;
  // Copies what is shared on the path, from the root down.
  void MakeWritable(Path* path);
  bool Store(std::string_view key, uint64_t hash, const PayloadParts& payload, bool replace);
  void AddRecord(Path* path, const PayloadParts& payload);
  void ResizeLeaf(Path* path, size_t content_bytes);
  // Splits the path's leaf, of which `room` bytes more are wanted on the path's side; the path then ends at its half.
  void SplitLeaf(Path* path, size_t room);
  void ShrinkLeaf(Path* path);
  bool MergeLeaf(Path* path);
  // Makes the leaf the child of all slots of its parent that its depth covers.
  void SetLeaf(Path* path, uint64_t hash, HashLeaf* leaf);
  void SetInner(Path* path, int level, HashInner* inner, uint32_t bits);
  HashInner* NewInner(uint32_t base_depth, uint32_t bits);
  void FreeInner(HashInner* inner, uint32_t bits);
  // Another bit for the last inner node of the path, or a further level.
  void Widen(Path* path);
  void HalveInner(Path* path);
  static void DropNode(HashNodeRef ref, std::vector<HashNodeRef>* to_free);

  HashNodeRef root_;
  RecordForm form_;
  uint64_t size_ = 0;
  uint64_t memory_bytes_ = 0;
  std::vector<HashNodeRef> to_free_;  // FreeStep's progress
};

}  // namespace cairn
