#include "engine/keyspace/dictionary.h"

#include <algorithm>

#include "base/allocator.h"
#include "base/status.h"
#include "engine/keyspace/entry_codec.h"

namespace cairn {

namespace {

constexpr uint32_t kPrefixBits = HashPosition::kPrefixBits;
constexpr uint32_t kPrefixEnd = 1u << kPrefixBits;

uint32_t PrefixOf(uint64_t hash) { return static_cast<uint32_t>(hash >> (64 - kPrefixBits)); }
uint64_t HashOfPrefix(uint32_t prefix) { return uint64_t{prefix} << (64 - kPrefixBits); }
uint32_t RangeBegin(uint32_t prefix, uint32_t depth) { return prefix >> (kPrefixBits - depth) << (kPrefixBits - depth); }

// How full a segment gets before it splits: spread evenly on a logarithmic scale over a factor of two.
uint32_t SplitLimit(uint64_t hash, uint32_t depth) {
  const uint64_t place = (uint64_t{RangeBegin(PrefixOf(hash), depth)} << 5 | depth) + 1;
  const uint64_t mixed = (place * 0x9E3779B97F4A7C15) ^ (place * 0xC2B2AE3D27D4EB4F >> 29);
  const uint32_t roll = (mixed >> 40) % 1000;
  const uint32_t buckets = roll < 320 ? 78 : roll < 590 ? 94 : roll < 800 ? 109 : kSegmentMaxBuckets;
  return SegmentCapacity(buckets);
}

}  // namespace

HashPosition HashPosition::Unpack(uint64_t packed) {
  HashPosition position;
  position.depth = std::min<uint32_t>(packed & 31, kPrefixBits);
  position.tag = (packed >> 5) & 0xFFFF;
  position.prefix = static_cast<uint32_t>(packed >> 21) & (kPrefixEnd - 1);
  return position;
}

Dictionary::Dictionary() : directory_(static_cast<SegmentRef*>(AllocateBytes(sizeof(SegmentRef)))) {
  directory_[0] = SegmentRef();
  memory_bytes_ = AllocationSize(sizeof(SegmentRef));
}

Dictionary::~Dictionary() {
  uint64_t freed = 0;
  FreeStep(UINT32_MAX, &freed);
  FreeBytes(directory_, sizeof(SegmentRef) << depth_);
}

uint64_t* Dictionary::FindSlot(const KeyRef& key) const {
  const SegmentRef segment = SegmentAt(key.hash);
  if (segment.empty()) return nullptr;
  const uint32_t tag = key.hash & 0xFFFF;
  uint32_t index = segment.HomeOf(tag);
  for (uint32_t probes = 0; probes < segment.buckets(); probes++) {
    uint64_t* bucket = segment.bucket(index);
    for (uint32_t matches = MatchTag(bucket, tag); matches != 0;) {
      uint64_t* slot = bucket + NextMatch(&matches);
      const Entry* entry = SlotEntry(*slot);
      if (entry != nullptr && entry->key() == key.name) return slot;
    }
    if (!BucketOverflowed(bucket)) return nullptr;
    if (++index == segment.buckets()) index = 0;
  }
  return nullptr;
}

void Dictionary::Insert(const KeyRef& key, Entry* entry) {
  SegmentRef segment = SegmentAt(key.hash);
  if (segment.empty() || segment.tail().count >= SegmentCapacity(segment.buckets())) segment = MakeRoom(key.hash, segment);
  const uint32_t tag = key.hash & 0xFFFF;
  if (sink_ != nullptr) [[unlikely]] HandOver(segment, PlaceFor(segment, tag));
  PlaceInSegment(segment, tag, entry);
  size_++;
}

Entry* Dictionary::Remove(const KeyRef& key, uint64_t* slot) {
  const SegmentRef segment = SegmentAt(key.hash);
  if (sink_ != nullptr) [[unlikely]] HandOver(segment, SlotBucket(segment, slot));
  Entry* entry = SlotEntry(*slot);
  RemoveFromSegment(segment, slot);
  size_--;
  const uint32_t count = segment.tail().count;
  if (count == 0) {
    Install(key.hash, SegmentRef(nullptr, 0, segment.depth()));
    DropSegment(segment);
    if (size_ == 0) Reset();
  } else if (segment.buckets() > 1 && count * 5 < segment.buckets() * kSlotsPerBucket * 2) {
    Rebuild(key.hash, segment, BucketsFor(count + count / 8 + 1));
  }
  return entry;
}

Entry* Dictionary::Replace(const KeyRef& key, uint64_t* slot, Entry* entry) {
  BeforeChange(key, slot);
  Entry* old = SlotEntry(*slot);
  *slot = (*slot & ~kSlotEntryMask) | reinterpret_cast<uint64_t>(entry);
  return old;
}

void Dictionary::PrefetchEntry(uint64_t hash) const {
  const SegmentRef segment = SegmentAt(hash);
  if (segment.empty()) return;
  const uint32_t tag = hash & 0xFFFF;
  uint32_t index = segment.HomeOf(tag);
  for (int probes = 0; probes < 2; probes++) {
    const uint64_t* bucket = segment.bucket(index);
    uint32_t matches = MatchTag(bucket, tag);
    if (matches != 0) {
      while (matches != 0) {
        const char* entry = reinterpret_cast<const char*>(SlotEntry(bucket[NextMatch(&matches)]));
        __builtin_prefetch(entry);
        __builtin_prefetch(entry + 64);
      }
      return;
    }
    if (!BucketOverflowed(bucket)) return;
    if (++index == segment.buckets()) index = 0;
  }
}

SegmentRef Dictionary::MakeSegment(uint32_t buckets, uint32_t depth) {
  const SegmentRef segment = MakeHashSegment(buckets, depth);
  memory_bytes_ += AllocationSize(SegmentBytes(buckets));
  if (sink_ != nullptr) MarkAllHandedOver(segment);
  return segment;
}

void Dictionary::DropSegment(SegmentRef segment) {
  if (segment.empty()) return;
  memory_bytes_ -= AllocationSize(SegmentBytes(segment.buckets()));
  FreeSegment(segment);
}

void Dictionary::Install(uint64_t hash, SegmentRef segment) {
  const uint32_t begin = IndexOf(RangeBegin(PrefixOf(hash), segment.depth()));
  std::fill_n(directory_ + begin, size_t{1} << (depth_ - segment.depth()), segment);
}

SegmentRef Dictionary::MakeRoom(uint64_t hash, SegmentRef segment) {
  if (segment.empty()) {
    Install(hash, MakeSegment(1, segment.depth()));
    return SegmentAt(hash);
  }
  for (;; segment = SegmentAt(hash)) {
    if (segment.empty()) return MakeRoom(hash, segment);
    const uint32_t count = segment.tail().count;
    if (count < SegmentCapacity(segment.buckets())) return segment;
    if (count >= SplitLimit(hash, segment.depth())) {
      CAIRN_CHECK(segment.depth() < kPrefixBits);
      Split(hash, segment);
    } else {
      Rebuild(hash, segment, BucketsFor(count + 1));
    }
  }
}

SegmentRef Dictionary::Rebuild(uint64_t hash, SegmentRef segment, uint32_t buckets) {
  if (buckets == segment.buckets()) return segment;
  if (sink_ != nullptr) HandOverAll(segment);
  const SegmentRef rebuilt = MakeSegment(buckets, segment.depth());
  const uint64_t* slots = segment.slots();
  for (uint32_t i = 0; i < segment.buckets() * kSlotsPerBucket; i++) {
    if (Entry* entry = SlotEntry(slots[i])) PlaceInSegment(rebuilt, SlotTag(slots[i]), entry);
  }
  Install(hash, rebuilt);
  DropSegment(segment);
  return rebuilt;
}

void Dictionary::Split(uint64_t hash, SegmentRef segment) {
  if (sink_ != nullptr) HandOverAll(segment);
  const uint32_t depth = segment.depth();
  if (depth == depth_) DoubleDirectory();
  const uint64_t* slots = segment.slots();
  const uint32_t slot_count = segment.buckets() * kSlotsPerBucket;
  constexpr uint32_t kAhead = 12;
  uint8_t side[kSegmentMaxBuckets * kSlotsPerBucket];
  uint32_t counts[2] = {0, 0};
  for (uint32_t i = 0; i < slot_count; i++) {
    if (i + kAhead < slot_count) __builtin_prefetch(SlotEntry(slots[i + kAhead]));
    const Entry* entry = SlotEntry(slots[i]);
    if (entry == nullptr) continue;
    side[i] = (KeyRef::Hash(entry->key()) >> (63 - depth)) & 1;
    counts[side[i]]++;
  }
  SegmentRef halves[2];
  for (int half = 0; half < 2; half++) {
    halves[half] = counts[half] == 0 ? SegmentRef(nullptr, 0, depth + 1) : MakeSegment(BucketsFor(counts[half] + counts[half] / 64 + 1), depth + 1);
  }
  for (uint32_t i = 0; i < slot_count; i++) {
    if (Entry* entry = SlotEntry(slots[i])) PlaceInSegment(halves[side[i]], SlotTag(slots[i]), entry);
  }
  const uint64_t upper_bit = uint64_t{1} << (63 - depth);
  Install(hash & ~upper_bit, halves[0]);
  Install(hash | upper_bit, halves[1]);
  DropSegment(segment);
}

void Dictionary::DoubleDirectory() {
  const size_t old_count = size_t{1} << depth_;
  SegmentRef* doubled = static_cast<SegmentRef*>(AllocateBytes(2 * old_count * sizeof(SegmentRef)));
  for (size_t i = 0; i < old_count; i++) doubled[2 * i] = doubled[2 * i + 1] = directory_[i];
  FreeBytes(directory_, old_count * sizeof(SegmentRef));
  memory_bytes_ += AllocationSize(2 * old_count * sizeof(SegmentRef)) - AllocationSize(old_count * sizeof(SegmentRef));
  directory_ = doubled;
  depth_++;
}

void Dictionary::Reserve(uint64_t keys) {
  if (size_ != 0 || keys == 0) return;
  Reset();
  ReserveRange(0, 0, keys);
}

// Splits an expected number of keys as their insertion would have done.
void Dictionary::ReserveRange(uint32_t prefix, uint32_t depth, uint64_t keys) {
  const uint64_t hash = HashOfPrefix(prefix);
  if (keys > SplitLimit(hash, depth) && depth < kPrefixBits) {
    if (depth == depth_) DoubleDirectory();
    ReserveRange(prefix, depth + 1, (keys + 1) / 2);
    ReserveRange(prefix + (kPrefixEnd >> (depth + 1)), depth + 1, keys / 2);
    return;
  }
  const uint32_t expected = static_cast<uint32_t>(std::min<uint64_t>(keys, SegmentCapacity(kSegmentMaxBuckets)));
  Install(hash, expected == 0 ? SegmentRef(nullptr, 0, depth) : MakeSegment(BucketsFor(expected), depth));
}

// Only while there is no entry.
void Dictionary::Reset() {
  for (size_t i = 0; i < size_t{1} << depth_;) {
    const SegmentRef segment = directory_[i];
    i += size_t{1} << (depth_ - segment.depth());
    DropSegment(segment);
  }
  if (depth_ > 0) {
    FreeBytes(directory_, sizeof(SegmentRef) << depth_);
    memory_bytes_ -= AllocationSize(sizeof(SegmentRef) << depth_);
    directory_ = static_cast<SegmentRef*>(AllocateBytes(sizeof(SegmentRef)));
    memory_bytes_ += AllocationSize(sizeof(SegmentRef));
    depth_ = 0;
  }
  directory_[0] = SegmentRef();
}

bool Dictionary::FreeStep(uint32_t max_entries, uint64_t* freed_entries) {
  uint64_t freed = 0;
  while (free_index_ < size_t{1} << depth_ && freed < max_entries) {
    const SegmentRef segment = directory_[free_index_];
    const uint64_t* slots = segment.slots();
    for (uint32_t i = 0; i < segment.buckets() * kSlotsPerBucket; i++) {
      if (Entry* entry = SlotEntry(slots[i])) {
        EntryCodec::Free(entry);
        freed++;
      }
    }
    free_index_ += 1u << (depth_ - segment.depth());
    DropSegment(segment);
  }
  size_ -= std::min(size_, freed);
  *freed_entries += freed;
  return free_index_ < size_t{1} << depth_;
}

}  // namespace cairn
