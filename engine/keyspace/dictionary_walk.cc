// Reading a dictionary in hash order, in random samples, and for a snapshot's cut.
#include <algorithm>

#include "engine/keyspace/dictionary.h"

namespace cairn {

namespace {

constexpr uint32_t kTagEnd = 65536;

}  // namespace

void Dictionary::GatherTags(SegmentRef segment, uint32_t tag_begin, uint32_t tag_end, std::vector<Entry*>* entries) const {
  if (segment.empty()) return;
  const uint32_t last_home = segment.HomeOf(tag_end - 1);
  for (uint32_t home = segment.HomeOf(tag_begin); home <= last_home; home++) {
    const uint32_t begin = std::max(tag_begin, segment.FirstTagOf(home));
    const uint32_t end = std::min(tag_end, segment.FirstTagOf(home + 1));
    uint32_t index = home;
    for (uint32_t probes = 0; probes < segment.buckets(); probes++) {
      const uint64_t* bucket = segment.bucket(index);
      for (uint32_t i = 0; i < kSlotsPerBucket; i++) {
        Entry* entry = SlotEntry(bucket[i]);
        const uint32_t tag = SlotTag(bucket[i]);
        if (entry != nullptr && tag >= begin && tag < end) entries->push_back(entry);
      }
      if (!BucketOverflowed(bucket)) break;
      if (++index == segment.buckets()) index = 0;
    }
  }
}

bool Dictionary::Gather(HashPosition* position, std::vector<Entry*>* entries) const {
  if (position->prefix >= PrefixEnd()) return false;
  if (position->tag == 0) position->depth = directory()[IndexOf(position->prefix)].depth();
  // Where the range was split since it was begun, its parts are visited side by side, tag by tag.
  const uint32_t begin = RangeBegin(position->prefix, position->depth);
  const uint32_t end = RangeEnd(position->prefix, position->depth);
  uint32_t tag_end = 0;
  for (uint32_t at = begin; at < end;) {
    const SegmentRef segment = directory()[IndexOf(at)];
    if (!segment.empty()) {
      if (tag_end == 0) tag_end = segment.FirstTagOf(segment.HomeOf(position->tag) + 1);
      GatherTags(segment, position->tag, tag_end, entries);
    }
    at = RangeEnd(at, segment.depth());
  }
  if (tag_end != 0 && tag_end < kTagEnd) {
    position->tag = tag_end;
    return true;
  }
  *position = {end, 0, 0};
  return end < PrefixEnd();
}

void Dictionary::Sample(uint64_t hash, size_t wanted, bool volatile_only, uint32_t max_buckets,
                        std::vector<Entry*>* entries) const {
  if (size_ == 0) return;
  uint32_t prefix = PrefixOf(hash);
  SegmentRef segment = SegmentAt(hash);
  // Begins at any slot, or the later ones of a bucket would come up less often.
  uint32_t index = segment.empty() ? 0 : segment.HomeOf(hash & 0xFFFF) * kSlotsPerBucket + (hash >> 16) % kSlotsPerBucket;
  for (uint32_t looked = 0; looked < max_buckets * kSlotsPerBucket && entries->size() < wanted; looked++) {
    while (index >= segment.buckets() * kSlotsPerBucket) {
      prefix = RangeEnd(prefix, segment.depth()) % PrefixEnd();
      segment = directory()[IndexOf(prefix)];
      index = 0;
    }
    Entry* entry = SlotEntry(segment.slots()[index++]);
    if (entry != nullptr && (!volatile_only || entry->has_expiry())) entries->push_back(entry);
  }
}

void Dictionary::SetCut(EntrySink* sink, uint32_t epoch, uint32_t database) {
  sink_.store(sink, std::memory_order_relaxed);
  epoch_ = epoch;
  sink_database_ = database;
}

void Dictionary::JoinCut(SegmentRef segment, uint32_t bucket) {
  SegmentTail& tail = segment.tail();
  if (tail.epoch != epoch_) {
    tail.epoch = epoch_;
    std::memset(segment.joined(), 0, segment.joined_bytes());
  }
  uint8_t& joined = segment.joined()[bucket / 8];
  const uint8_t bit = static_cast<uint8_t>(1u << (bucket % 8));
  if ((joined & bit) != 0) return;
  joined |= bit;
  for (uint32_t i = 0; i < kSlotsPerBucket; i++) {
    uint64_t& slot = segment.bucket(bucket)[i];
    if (SlotEntry(slot) != nullptr) StoreSlot(slot, slot | kSlotPendingFlag);
  }
}

void Dictionary::JoinAll(SegmentRef segment) {
  for (uint32_t bucket = 0; bucket < segment.buckets(); bucket++) JoinCut(segment, bucket);
}

void Dictionary::MarkAllJoined(SegmentRef segment) {
  segment.tail().epoch = epoch_;
  std::memset(segment.joined(), 0xFF, segment.joined_bytes());
}

void Dictionary::HandOver(SegmentRef segment, uint64_t* slot) {
  JoinCut(segment, SlotBucket(segment, slot));
  TakeIfPending(*slot);
}

bool Dictionary::TakeIfPending(uint64_t& slot) {
  if ((slot & kSlotPendingFlag) == 0) return false;
  StoreSlot(slot, slot & ~kSlotPendingFlag);
  sink_.load(std::memory_order_relaxed)->TakeEntry(sink_database_, *SlotEntry(slot));
  return true;
}

bool Dictionary::HandOverSome(CutWalk* walk, uint32_t max_buckets) {
  // Of a bucket with something to hand over, in buckets passed by: so much that a walk that begins its segment anew each time moves on.
  constexpr uint32_t kCost = 128;
  static_assert(kCost > kSegmentMaxBuckets);
  constexpr uint32_t kAheadBuckets = 2;
  constexpr uint32_t kAheadLines = 10;  // the next call's
  if (walk->layout != layout_) {
    // The bucket was one of a segment that may be another now. What it has handed over is not pending any more.
    walk->layout = layout_;
    walk->bucket = 0;
  }
  for (uint32_t cost = 0; cost < max_buckets * kCost; cost++) {
    if (walk->prefix >= PrefixEnd()) return false;
    const SegmentRef segment = directory()[IndexOf(walk->prefix)];
    if (walk->bucket >= segment.buckets()) {
      walk->prefix = RangeEnd(walk->prefix, segment.depth());
      walk->bucket = 0;
      continue;
    }
    if (const uint32_t ahead = walk->bucket + kAheadLines; ahead < segment.buckets()) __builtin_prefetch(segment.bucket(ahead));
    if (const uint32_t ahead = walk->bucket + kAheadBuckets; ahead < segment.buckets()) {
      JoinCut(segment, ahead);
      for (uint32_t i = 0; i < kSlotsPerBucket; i++) {
        if (const uint64_t slot = segment.bucket(ahead)[i]; (slot & kSlotPendingFlag) != 0) PrefetchSlotEntry(slot);
      }
    }
    JoinCut(segment, walk->bucket);
    bool handed_over = false;
    for (uint32_t i = 0; i < kSlotsPerBucket; i++) handed_over |= TakeIfPending(segment.bucket(walk->bucket)[i]);
    if (handed_over) cost += kCost - 1;
    walk->bucket++;
  }
  return walk->prefix < PrefixEnd();
}

}  // namespace cairn
