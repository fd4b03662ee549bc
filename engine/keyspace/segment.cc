#include "engine/keyspace/segment.h"

#include "base/allocator.h"
#include "base/epoch.h"
#include "base/status.h"

namespace cairn {

namespace {

// The bucket counts that use an allocation of jemalloc's size classes up, from 128 to 8192 bytes.
constexpr uint8_t kBucketCounts[] = {1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15, 19, 23, 27, 31, 39, 47, 54, 62, 78, 94, 109, 125};
constexpr uint8_t kOverflowStuck = 255;

void CountOverflow(SegmentRef segment, uint32_t bucket) {
  uint8_t& count = segment.overflow()[bucket];
  if (count != kOverflowStuck) count++;
  uint64_t& first = segment.bucket(bucket)[0];
  StoreSlot(first, first | kSlotOverflowFlag);
}

void UncountOverflow(SegmentRef segment, uint32_t bucket) {
  uint8_t& count = segment.overflow()[bucket];
  if (count != kOverflowStuck) count--;
  uint64_t& first = segment.bucket(bucket)[0];
  if (count == 0) StoreSlot(first, first & ~kSlotOverflowFlag);
}

uint32_t Next(SegmentRef segment, uint32_t bucket) { return bucket + 1 == segment.buckets() ? 0 : bucket + 1; }

// An entry in one of the next buckets that found no place in `bucket` or before it; nullptr where none is near.
uint64_t* FindDisplaced(SegmentRef segment, uint32_t bucket) {
  constexpr uint32_t kLookAhead = 4;
  const uint32_t buckets = segment.buckets();
  uint32_t at = bucket;
  for (uint32_t distance = 1; distance <= kLookAhead && distance < buckets; distance++) {
    at = Next(segment, at);
    for (uint32_t i = 0; i < kSlotsPerBucket; i++) {
      uint64_t* slot = segment.bucket(at) + i;
      if (SlotEntry(*slot) == nullptr) continue;
      const uint32_t home = segment.HomeOf(SlotTag(*slot));
      if ((at >= home ? at - home : at + buckets - home) >= distance) return slot;
    }
    if (!BucketOverflowed(segment.bucket(at))) return nullptr;
  }
  return nullptr;
}

int FreeSlot(const uint64_t* bucket) {
  for (uint32_t i = 0; i < kSlotsPerBucket; i++) {
    if ((bucket[i] & kSlotEntryMask) == 0) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

SegmentRef MakeHashSegment(uint32_t buckets, uint32_t depth) {
  const size_t size_bytes = SegmentBytes(buckets);
  uint64_t* memory = static_cast<uint64_t*>(AllocateBytes(size_bytes));
  std::memset(memory, 0, size_bytes);
  return SegmentRef(memory, buckets, depth);
}

void FreeSegment(SegmentRef segment) {
  if (!segment.empty()) FreeAfterReaders(segment.slots(), SegmentBytes(segment.buckets()));
}

uint32_t SegmentCapacity(uint32_t buckets) {
  const uint32_t slots = buckets * kSlotsPerBucket;
  return slots - slots / 32;  // at most 0.97 full; up to three buckets may be quite full
}

uint32_t BucketsFor(uint32_t entries) {
  for (uint8_t buckets : kBucketCounts) {
    if (SegmentCapacity(buckets) >= entries) return buckets;
  }
  return kSegmentMaxBuckets;
}

uint32_t PlaceFor(SegmentRef segment, uint32_t tag) {
  uint32_t bucket = segment.HomeOf(tag);
  for (uint32_t probes = 0; FreeSlot(segment.bucket(bucket)) < 0; probes++) {
    CAIRN_CHECK(probes < segment.buckets());
    bucket = Next(segment, bucket);
  }
  return bucket;
}

uint64_t* PlaceInSegment(SegmentRef segment, uint32_t tag, Entry* entry) {
  uint32_t bucket = segment.HomeOf(tag);
  int index;
  while ((index = FreeSlot(segment.bucket(bucket))) < 0) {
    CountOverflow(segment, bucket);
    bucket = Next(segment, bucket);
  }
  uint64_t* slot = segment.bucket(bucket) + index;
  StoreSlot(*slot, (*slot & kSlotOverflowFlag) | reinterpret_cast<uint64_t>(entry) | uint64_t{tag} << 48);
  segment.tail().count++;
  return slot;
}

void RemoveFromSegment(SegmentRef segment, uint64_t* slot, bool pull_back) {
  uint32_t bucket = static_cast<uint32_t>(slot - segment.slots()) / kSlotsPerBucket;
  for (uint32_t b = segment.HomeOf(SlotTag(*slot)); b != bucket; b = Next(segment, b)) UncountOverflow(segment, b);
  // Only the first slot's lowest bit is the bucket's; in the others it is 0 anyway.
  StoreSlot(*slot, *slot & kSlotOverflowFlag);
  segment.tail().count--;
  while (pull_back && BucketOverflowed(segment.bucket(bucket))) {
    uint64_t* displaced = FindDisplaced(segment, bucket);
    if (displaced == nullptr) return;
    const uint32_t from = static_cast<uint32_t>(displaced - segment.slots()) / kSlotsPerBucket;
    for (uint32_t b = bucket; b != from; b = Next(segment, b)) UncountOverflow(segment, b);
    StoreSlot(*slot, (*slot & kSlotOverflowFlag) | (*displaced & ~kSlotOverflowFlag));
    StoreSlot(*displaced, *displaced & kSlotOverflowFlag);
    slot = displaced;
    bucket = from;
  }
}

}  // namespace cairn
