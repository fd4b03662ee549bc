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

void Dictionary::SetCut(BucketSink* sink, uint32_t epoch, uint32_t database) {
  sink_ = sink;
  epoch_ = epoch;
  sink_database_ = database;
}

bool Dictionary::HandedOver(SegmentRef segment, uint32_t bucket) {
  SegmentTail& tail = segment.tail();
  if (tail.epoch != epoch_) {
    tail.epoch = epoch_;
    std::memset(segment.handed_over(), 0, segment.handed_over_bytes());
  }
  return (segment.handed_over()[bucket / 8] >> (bucket % 8) & 1) != 0;
}

void Dictionary::HandOver(SegmentRef segment, uint32_t bucket) {
  if (HandedOver(segment, bucket)) return;
  segment.handed_over()[bucket / 8] |= static_cast<uint8_t>(1u << (bucket % 8));
  // A writer knows one entry of the bucket; the others are in no cache, and it has clients waiting.
  for (uint32_t i = 0; i < kSlotsPerBucket; i++) PrefetchSlotEntry(segment.bucket(bucket)[i]);
  sink_->TakeBucket(sink_database_, segment.bucket(bucket));
}

void Dictionary::HandOverAll(SegmentRef segment) {
  constexpr uint32_t kAheadBuckets = 2;
  for (uint32_t bucket = 0; bucket < segment.buckets(); bucket++) {
    if (bucket + kAheadBuckets < segment.buckets()) {
      const uint64_t* ahead = segment.bucket(bucket + kAheadBuckets);
      for (uint32_t i = 0; i < kSlotsPerBucket; i++) __builtin_prefetch(SlotEntry(ahead[i]));
    }
    HandOver(segment, bucket);
  }
}

void Dictionary::MarkAllHandedOver(SegmentRef segment) {
  segment.tail().epoch = epoch_;
  std::memset(segment.handed_over(), 0xFF, segment.handed_over_bytes());
}

bool Dictionary::HandOverSome(CutWalk* walk, uint32_t max_buckets) {
  constexpr uint32_t kCost = 16;  // of a bucket handed over, in buckets passed by
  for (uint32_t cost = 0; cost < max_buckets * kCost; cost++) {
    if (walk->prefix >= PrefixEnd()) return false;
    const SegmentRef segment = directory()[IndexOf(walk->prefix)];
    if (walk->bucket >= segment.buckets()) {
      walk->prefix = RangeEnd(walk->prefix, segment.depth());
      walk->bucket = 0;
      continue;
    }
    if (walk->bucket + 2 < segment.buckets()) {
      const uint64_t* ahead = segment.bucket(walk->bucket + 2);
      for (uint32_t i = 0; i < kSlotsPerBucket; i++) PrefetchSlotEntry(ahead[i]);
    }
    if (!HandedOver(segment, walk->bucket)) cost += kCost - 1;
    HandOver(segment, walk->bucket++);
  }
  return walk->prefix < PrefixEnd();
}

}  // namespace cairn
