// A stream's consumer groups: how far each has read, which entries are pending (delivered and not acknowledged), and to whom.
//
// A group holds its pending entries in one tree; each consumer holds the ids of its own in another. Groups and consumers are counted
// like nodes (large_value.h): sharing a stream adds a holder to each group, and the first change of a shared group copies its list of
// consumers, the first change of a consumer its root; nothing is copied for each pending entry.
// Times are Unix milliseconds, and come from the caller. Threads: as large_value.h says of nodes.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/values/stream_id_tree.h"

namespace cairn {

// A consumer's place in its group; stays as long as the consumer, and is used again afterwards.
using ConsumerSlot = uint32_t;
// A pending entry that XNACK gave back to its group.
inline constexpr ConsumerSlot kNoConsumer = UINT32_MAX;
// entries_read of a group that cannot know it.
inline constexpr int64_t kEntriesReadUnknown = -1;

struct PendingEntry {
  StreamId id;
  // Of an entry without a consumer its place among these, first given back, first claimed: small numbers, older than any time.
  int64_t delivery_ms = 0;
  int64_t delivery_count = 0;
  ConsumerSlot consumer = kNoConsumer;

  int64_t delivered_ms() const { return consumer == kNoConsumer ? 0 : delivery_ms; }
};

struct PendingId {
  StreamId id;
};

class StreamConsumer : public CowNode {
 public:
  const std::string& name() const { return name_; }
  ConsumerSlot slot() const { return slot_; }
  int64_t seen_ms() const { return seen_ms_; }      // when it last asked for something
  int64_t active_ms() const { return active_ms_; }  // when it last got something; -1: never
  const StreamIdTree<PendingId>& pending() const { return pending_; }
  uint64_t memory_bytes() const;

 private:
  friend class StreamGroup;
  StreamConsumer(std::string_view name, ConsumerSlot slot) : name_(name), slot_(slot) {}
  StreamConsumer(const StreamConsumer& other)  // NOLINT: one more holder of the pending ids, none of the consumer
      : name_(other.name_),
        slot_(other.slot_),
        seen_ms_(other.seen_ms_),
        active_ms_(other.active_ms_),
        pending_(other.pending_) {}

  const std::string name_;
  const ConsumerSlot slot_;
  int64_t seen_ms_ = 0;
  int64_t active_ms_ = -1;
  StreamIdTree<PendingId> pending_;
};

class StreamGroup : public CowNode {
 public:
  explicit StreamGroup(std::string_view name) : name_(name) {}
  ~StreamGroup();
  StreamGroup& operator=(const StreamGroup&) = delete;
  StreamGroup* Copy() const { return new StreamGroup(*this); }

  const std::string& name() const { return name_; }
  StreamId last_id;                            // the last that was delivered
  int64_t entries_read = kEntriesReadUnknown;  // how many were delivered, if all that were ever added

  const StreamIdTree<PendingEntry>& pending() const { return pending_; }
  const std::vector<StreamConsumer*>& consumers() const { return consumers_; }  // sorted by name
  const StreamConsumer* FindConsumer(std::string_view name) const;              // null: none
  const StreamConsumer& consumer(ConsumerSlot slot) const { return *slots_[slot]; }
  uint64_t nacked_count() const;  // pending entries without a consumer; O(consumers)
  // No pending entry was delivered before this; INT64_MAX where none is pending. Who has looked at all of them may say when the first
  // really was: acknowledging leaves it behind.
  int64_t oldest_delivery_ms() const { return oldest_ms_.load(std::memory_order_relaxed); }
  void NoteOldestDelivery(int64_t delivery_ms) const { oldest_ms_.store(delivery_ms, std::memory_order_relaxed); }
  uint64_t memory_bytes() const;  // O(1)

  // --- changes (of a group that nobody else holds) ---------------------------------------------------------------------------------
  // Adds a consumer whose name is new.
  ConsumerSlot CreateConsumer(std::string_view name, int64_t seen_ms);
  // Removes a consumer with its pending entries; returns how many these were.
  uint64_t DeleteConsumer(ConsumerSlot slot);
  void SetSeen(ConsumerSlot slot, int64_t seen_ms);
  void SetActive(ConsumerSlot slot, int64_t active_ms);
  // Makes the entry pending with these facts, or gives it them, and its consumer (kNoConsumer: none), if it is.
  void Deliver(const PendingEntry& entry);
  // The entry is pending without a consumer, behind all others that are.
  void GiveBack(const StreamId& id, int64_t delivery_count);
  // After pending entries without consumers were put in by Deliver.
  void RestorePlaces();
  // The entry is not pending any more; false where it was not.
  bool Acknowledge(const StreamId& id);
  // Lets go of about `max_nodes` nodes; false when none is left.
  bool FreeStep(size_t max_nodes);

 private:
  StreamGroup(const StreamGroup& other);
  StreamConsumer* MutableConsumer(ConsumerSlot slot);
  size_t PositionOf(std::string_view name) const;

  const std::string name_;
  StreamIdTree<PendingEntry> pending_;
  std::vector<StreamConsumer*> consumers_;  // by name
  std::vector<StreamConsumer*> slots_;      // null: free
  uint64_t consumer_bytes_ = 0;
  int64_t last_place_ = 0;                             // that an entry without a consumer got
  mutable std::atomic<int64_t> oldest_ms_{INT64_MAX};  // two streams that share the group may find it out at the same time
};

}  // namespace cairn
