// A value that is too large to lie in its entry: a small root object over a tree of reference-counted nodes (DESIGN.md, section 3).
//
// Sharing: Share() makes a second root over the same nodes in O(1). Whoever changes a value descends from its root and copies every
// node on the way that has another holder (CowNode::shared), children gaining a reference by the copy; so a shared value is read
// without any lock while its other holder goes on being changed, and a change costs the copies of the nodes on one path.
// Threads: a root belongs to one holder at a time: its entry, under the shard's lock, or a snapshot, a reply or the background after
// Share(). Nodes may be held by several threads; their counts are atomic, their contents constant while shared.
// Memory: memory_bytes() counts the root and all nodes under it, shared or not, as the allocator rounds them (base/allocator.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace cairn {

// What every node begins with: how many parents and roots hold it.
class CowNode {
 public:
  CowNode() = default;
  CowNode(const CowNode&) = delete;
  CowNode& operator=(const CowNode&) = delete;

  // Whether somebody else holds it. Meaningful only to a holder whose whole path from its root is not shared.
  bool shared() const { return references_.load(std::memory_order_acquire) > 1; }
  void AddReference() { references_.fetch_add(1, std::memory_order_relaxed); }
  // True for the last holder, who frees the node and lets go of its children.
  bool DropReference() {
    if (references_.load(std::memory_order_acquire) == 1) return true;
    return references_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }

 private:
  std::atomic<uint32_t> references_{1};
};

class LargeValue {
 public:
  virtual ~LargeValue() = default;  // frees what FreeStep has not, however long that takes
  LargeValue(const LargeValue&) = delete;
  LargeValue& operator=(const LargeValue&) = delete;

  virtual std::unique_ptr<LargeValue> Share() const = 0;
  // Whether this and `other`, which is of the same type, share everything: one is a share of the other, and neither was changed since.
  // O(1); a type that nobody asks says no.
  virtual bool SameAs(const LargeValue& /*other*/) const { return false; }
  virtual uint64_t element_count() const = 0;
  virtual uint64_t memory_bytes() const = 0;  // O(1)
  // Whether the encoded value may be larger than `bytes`: a guess, never too small.
  virtual bool MayEncodeBeyond(uint64_t bytes) const {
    constexpr uint64_t kMaxGrowth = 4;  // of elements that take less packed than encoded
    return memory_bytes() * kMaxGrowth > bytes;
  }
  // Lets go of about `max_nodes` nodes; false when none is left. Afterwards only FreeStep and the destructor may be called.
  virtual bool FreeStep(size_t max_nodes) = 0;
  // Unix ms of the earliest expiry inside the value (hash fields), INT64_MAX where there is none. O(1).
  virtual int64_t next_deadline_ms() const { return INT64_MAX; }

 protected:
  LargeValue() = default;
};

// A share as what it is.
template <typename Value>
std::unique_ptr<Value> ShareOf(const Value& value) {
  return std::unique_ptr<Value>(static_cast<Value*>(value.Share().release()));
}

}  // namespace cairn
