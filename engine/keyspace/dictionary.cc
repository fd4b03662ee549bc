#include "engine/keyspace/dictionary.h"

#include <algorithm>
#include <memory>
#include <new>

#include "base/allocator.h"
#include "base/bytes.h"
#include "base/epoch.h"
#include "base/status.h"
#include "engine/keyspace/entry_codec.h"

namespace cairn {

HashPosition HashPosition::Unpack(uint64_t packed) {
  HashPosition position;
  position.depth = std::min<uint32_t>(packed & 31, kMaxDepth);
  position.tag = (packed >> 5) & 0xFFFF;
  position.prefix = static_cast<uint32_t>(packed >> 21) & ((1u << kPrefixBits) - 1);
  return position;
}

Dictionary::Dictionary(uint32_t roots) : roots_(roots) {
  CAIRN_CHECK(roots >= 1 && roots <= kMaxRoots);
  UseEmptyDirectory();
}

Dictionary::~Dictionary() {
  uint64_t freed = 0;
  FreeStep(UINT32_MAX, &freed);
  DropDirectory(directory_.load(std::memory_order_relaxed));
}

Dictionary::Directory Dictionary::NewDirectory(uint32_t depth) {
  memory_bytes_ += AllocationSize(DirectoryBytes(depth));
  return {static_cast<SegmentRef*>(AllocateBytes(DirectoryBytes(depth))), depth};
}

void Dictionary::UseDirectory(Directory directory) { DropDirectory(directory_.exchange(directory, std::memory_order_release)); }

void Dictionary::UseEmptyDirectory() {
  const Directory empty = NewDirectory(0);
  std::uninitialized_fill_n(empty.segments(), roots_, SegmentRef());
  UseDirectory(empty);
}

void Dictionary::DropDirectory(Directory directory) {
  if (directory.segments() == nullptr) return;
  memory_bytes_ -= AllocationSize(DirectoryBytes(directory.depth()));
  FreeAfterReaders(directory.segments(), DirectoryBytes(directory.depth()));
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
      if (entry != nullptr && EqualBytes(entry->key(), key.name)) return slot;
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
  if (cut_is_set()) [[unlikely]]
    JoinCut(segment, PlaceFor(segment, tag));
  PlaceInSegment(segment, tag, entry);
  size_++;
}

Entry* Dictionary::Remove(const KeyRef& key, uint64_t* slot) {
  const SegmentRef segment = SegmentAt(key.hash);
  if (cut_is_set()) [[unlikely]]
    HandOver(segment, slot);
  Entry* entry = SlotEntry(*slot);
  // While a cut is set nothing moves: its walk goes through a segment bucket by bucket.
  RemoveFromSegment(segment, slot, !cut_is_set());
  size_--;
  const uint32_t count = segment.tail().count;
  if (count == 0) {
    Install(PrefixOf(key.hash), SegmentRef(nullptr, 0, segment.depth()));
    DropSegment(segment);
    if (size_ == 0) Reset();
  } else if (segment.buckets() > 1 && count * 5 < segment.buckets() * kSlotsPerBucket * 3) {
    Rebuild(key.hash, segment, BucketsFor(count + count / 8 + 1));
  }
  return entry;
}

Entry* Dictionary::Replace(const KeyRef& key, uint64_t* slot, Entry* entry) {
  BeforeChange(key, slot);
  Entry* old = SlotEntry(*slot);
  StoreSlot(*slot, (*slot & ~kSlotEntryMask) | reinterpret_cast<uint64_t>(entry));
  return old;
}

void Dictionary::PrefetchEntry(uint64_t hash) const {
  const SegmentRef segment = PeekSegment(hash);
  if (segment.empty()) return;
  const uint32_t tag = hash & 0xFFFF;
  uint32_t index = segment.HomeOf(tag);
  for (int probes = 0; probes < 2; probes++) {
    const uint64_t* bucket = segment.bucket(index);
    bool found = false;
    for (uint32_t i = 0; i < kSlotsPerBucket; i++) {
      const uint64_t slot = PeekSlot(bucket[i]);
      if (SlotTag(slot) != tag) continue;
      PrefetchSlotEntry(slot);
      found = true;
    }
    if (found || (PeekSlot(bucket[0]) & kSlotOverflowFlag) == 0) return;
    if (++index == segment.buckets()) index = 0;
  }
}

SegmentRef Dictionary::MakeSegment(uint32_t buckets, uint32_t depth) {
  const SegmentRef segment = MakeHashSegment(buckets, depth);
  memory_bytes_ += AllocationSize(SegmentBytes(buckets));
  if (cut_is_set()) MarkAllJoined(segment);
  return segment;
}

void Dictionary::DropSegment(SegmentRef segment) {
  if (segment.empty()) return;
  memory_bytes_ -= AllocationSize(SegmentBytes(segment.buckets()));
  FreeSegment(segment);
}

void Dictionary::Install(uint32_t prefix, SegmentRef segment) {
  layout_++;
  const uint32_t begin = IndexOf(RangeBegin(prefix, segment.depth()));
  SegmentRef* const at = directory() + begin;
  const uint64_t count = uint64_t{1} << (directory_depth() - segment.depth());
  for (uint64_t i = 0; i < count; i++) std::atomic_ref<SegmentRef>(at[i]).store(segment, std::memory_order_release);
}

SegmentRef Dictionary::MakeRoom(uint64_t hash, SegmentRef segment) {
  if (segment.empty()) {
    Install(PrefixOf(hash), MakeSegment(1, segment.depth()));
    return SegmentAt(hash);
  }
  for (;; segment = SegmentAt(hash)) {
    if (segment.empty()) return MakeRoom(hash, segment);
    const uint32_t count = segment.tail().count;
    if (count < SegmentCapacity(segment.buckets())) return segment;
    if (segment.buckets() == kSegmentMaxBuckets) {
      CAIRN_CHECK(segment.depth() < HashPosition::kMaxDepth);
      Split(hash, segment);
    } else {
      Rebuild(hash, segment, BucketsFor(count + 1));
    }
  }
}

void Dictionary::MoveEntry(uint64_t from, SegmentRef to) {
  Entry* const entry = SlotEntry(from);
  if (entry == nullptr) return;
  uint64_t* const slot = PlaceInSegment(to, SlotTag(from), entry);
  StoreSlot(*slot, *slot | (from & kSlotPendingFlag));
}

SegmentRef Dictionary::Rebuild(uint64_t hash, SegmentRef segment, uint32_t buckets) {
  if (buckets == segment.buckets()) return segment;
  const SegmentRef rebuilt = MakeSegment(buckets, segment.depth());
  if (cut_is_set()) JoinAll(segment);
  const uint64_t* slots = segment.slots();
  for (uint32_t i = 0; i < segment.buckets() * kSlotsPerBucket; i++) MoveEntry(slots[i], rebuilt);
  Install(PrefixOf(hash), rebuilt);
  DropSegment(segment);
  return rebuilt;
}

void Dictionary::Split(uint64_t hash, SegmentRef segment) {
  if (cut_is_set()) JoinAll(segment);
  const uint32_t depth = segment.depth();
  if (depth == directory_depth()) DoubleDirectory();
  const uint64_t* slots = segment.slots();
  const uint32_t slot_count = segment.buckets() * kSlotsPerBucket;
  constexpr uint32_t kAhead = 12;
  uint8_t side[kSegmentMaxBuckets * kSlotsPerBucket];
  uint32_t counts[2] = {0, 0};
  for (uint32_t i = 0; i < slot_count; i++) {
    if (i + kAhead < slot_count) __builtin_prefetch(SlotEntry(slots[i + kAhead]));
    const Entry* entry = SlotEntry(slots[i]);
    if (entry == nullptr) continue;
    side[i] = PartOf(KeyRef::Hash(entry->key()), uint64_t{roots_} << (depth + 1)) & 1;
    counts[side[i]]++;
  }
  SegmentRef halves[2];
  for (int half = 0; half < 2; half++) {
    halves[half] = counts[half] == 0 ? SegmentRef(nullptr, 0, depth + 1)
                                     : MakeSegment(BucketsFor(counts[half] + counts[half] / 64 + 1), depth + 1);
  }
  for (uint32_t i = 0; i < slot_count; i++) {
    if (SlotEntry(slots[i]) != nullptr) MoveEntry(slots[i], halves[side[i]]);
  }
  const uint32_t begin = RangeBegin(PrefixOf(hash), depth);
  Install(begin, halves[0]);
  Install(RangeEnd(begin, depth + 1), halves[1]);
  DropSegment(segment);
}

void Dictionary::DoubleDirectory() {
  const Directory twice = NewDirectory(directory_depth() + 1);
  const SegmentRef* const old = directory();
  for (uint64_t i = 0; i < directory_size(); i++) std::uninitialized_fill_n(twice.segments() + 2 * i, 2, old[i]);
  UseDirectory(twice);
}

void Dictionary::Reserve(uint64_t keys) {
  if (size_ != 0 || keys == 0) return;
  Reset();
  for (uint32_t root = 0; root < roots_; root++) ReserveRange(root << HashPosition::kMaxDepth, 0, keys / roots_ + 1);
}

// Splits an expected number of keys as their insertion would have done.
void Dictionary::ReserveRange(uint32_t prefix, uint32_t depth, uint64_t keys) {
  if (keys > SegmentCapacity(kSegmentMaxBuckets) && depth < HashPosition::kMaxDepth) {
    if (depth == directory_depth()) DoubleDirectory();
    ReserveRange(prefix, depth + 1, (keys + 1) / 2);
    ReserveRange(RangeEnd(prefix, depth + 1), depth + 1, keys / 2);
    return;
  }
  Install(prefix, MakeSegment(BucketsFor(static_cast<uint32_t>(std::max<uint64_t>(keys, 1))), depth));
}

// Only while there is no entry.
void Dictionary::Reset() {
  for (uint32_t prefix = 0; prefix < PrefixEnd();) {
    const SegmentRef segment = directory()[IndexOf(prefix)];
    Install(prefix, SegmentRef(nullptr, 0, segment.depth()));
    DropSegment(segment);
    prefix = RangeEnd(prefix, segment.depth());
  }
  if (directory_depth() > 0) UseEmptyDirectory();
}

bool Dictionary::FreeStep(uint32_t max_entries, uint64_t* freed_entries) {
  uint64_t freed = 0;
  while (free_index_ < directory_size() && freed < max_entries) {
    const SegmentRef segment = directory()[free_index_];
    const uint64_t* slots = segment.slots();
    for (uint32_t i = 0; i < segment.buckets() * kSlotsPerBucket; i++) {
      if (Entry* entry = SlotEntry(slots[i])) {
        EntryCodec::Free(entry);
        freed++;
      }
    }
    free_index_ += uint64_t{1} << (directory_depth() - segment.depth());
    DropSegment(segment);
  }
  size_ -= std::min(size_, freed);
  *freed_entries += freed;
  return free_index_ < directory_size();
}

}  // namespace cairn
