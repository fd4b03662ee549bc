// A segment of the dictionary: 1 to 125 cache-line buckets of 8 slots in one allocation, followed by what only writers need.
//
//   bucket 0 (8 slots of 8 bytes) | ... | bucket B-1 | SegmentTail | overflow counters (1 byte a bucket) | joined bits
//
// A slot holds the entry's address in its low 48 bits and its tag, the low 16 bits of the key's hash, above. 0 in the address
// bits is a free slot. Addresses are multiples of 16: bit 0 of a bucket's first slot is free to say that entries overflowed the
// bucket, and bit 1 of any slot that its entry is still to be handed to a snapshot's cut (of meaning in the cut's epoch only).
//
// Invariants
//  - The home of a tag is bucket (tag * B) >> 16, which grows with the tag: B may change without looking at a single key.
//  - An entry is in its home, or in a later bucket (mod B) where every bucket from its home on counts it as overflowed; the flag
//    is set if and only if the count is not 0. A count of 255 stays until the segment is rebuilt.
// B is chosen so that an allocation of the allocator's sizes is used up.
//
// Threads: the shard's lock is held. Only to foresee which lines will be needed slots are read without it (PeekSlot), within a
// ReadSection (base/epoch.h); so a segment is freed after its readers, and its slots are written by StoreSlot.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace cairn {

class Entry;

inline constexpr uint32_t kSlotsPerBucket = 8;
inline constexpr uint32_t kSegmentMaxBuckets = 125;
inline constexpr uint64_t kSlotEntryMask = 0x0000FFFFFFFFFFF0;
inline constexpr uint64_t kSlotOverflowFlag = 1;
inline constexpr uint64_t kSlotPendingFlag = 2;

inline Entry* SlotEntry(uint64_t slot) { return reinterpret_cast<Entry*>(slot & kSlotEntryMask); }
// The two cache lines that a small entry takes; an empty slot is harmless.
inline void PrefetchSlotEntry(uint64_t slot) {
  const uint64_t address = slot & kSlotEntryMask;
  __builtin_prefetch(reinterpret_cast<const char*>(address));
  __builtin_prefetch(reinterpret_cast<const char*>(address + 64));
}
// A slot that may be changed meanwhile.
inline uint64_t PeekSlot(const uint64_t& slot) {
  return std::atomic_ref<uint64_t>(const_cast<uint64_t&>(slot)).load(std::memory_order_relaxed);
}
inline void StoreSlot(uint64_t& slot, uint64_t value) { std::atomic_ref<uint64_t>(slot).store(value, std::memory_order_relaxed); }
inline uint32_t SlotTag(uint64_t slot) { return static_cast<uint32_t>(slot >> 48); }

struct SegmentTail {
  uint32_t epoch;  // the snapshot epoch that the joined bits belong to
  uint16_t count;  // entries
  uint16_t unused;
};

// What the directory holds: where the segment is, how many buckets it has, and how many leading hash bits its keys share. An
// empty range of hashes has no segment (0 buckets) but a depth.
class SegmentRef {
 public:
  SegmentRef() = default;
  SegmentRef(uint64_t* buckets, uint32_t bucket_count, uint32_t depth)
      : bits_(reinterpret_cast<uint64_t>(buckets) | uint64_t{bucket_count} << 48 | uint64_t{depth} << 56) {}

  uint64_t* slots() const { return reinterpret_cast<uint64_t*>(bits_ & 0x0000FFFFFFFFFFFF); }
  uint64_t* bucket(uint32_t index) const { return slots() + index * kSlotsPerBucket; }
  uint32_t buckets() const { return (bits_ >> 48) & 0xFF; }
  uint32_t depth() const { return static_cast<uint32_t>(bits_ >> 56); }
  bool empty() const { return buckets() == 0; }
  bool operator==(const SegmentRef&) const = default;

  uint32_t HomeOf(uint32_t tag) const { return (tag * buckets()) >> 16; }
  // The first tag whose home is `bucket`; 65536 for the bucket behind the last.
  uint32_t FirstTagOf(uint32_t bucket) const { return ((bucket << 16) + buckets() - 1) / buckets(); }
  // Only where !empty().
  SegmentTail& tail() const { return *reinterpret_cast<SegmentTail*>(bucket(buckets())); }
  uint8_t* overflow() const { return reinterpret_cast<uint8_t*>(&tail() + 1); }
  // The buckets whose pending flags are those of the epoch.
  uint8_t* joined() const { return overflow() + buckets(); }
  uint32_t joined_bytes() const { return (buckets() + 7) / 8; }

 private:
  uint64_t bits_ = 0;
};

// The bytes that a segment of so many buckets asks for.
constexpr size_t SegmentBytes(uint32_t buckets) {
  return buckets * kSlotsPerBucket * sizeof(uint64_t) + sizeof(SegmentTail) + buckets + (buckets + 7) / 8;
}
static_assert(SegmentBytes(kSegmentMaxBuckets) <= 8192);

// A zeroed segment. The caller owns it until FreeSegment.
SegmentRef MakeHashSegment(uint32_t buckets, uint32_t depth);
// The segment is in no directory any more.
void FreeSegment(SegmentRef segment);
// How many entries a segment of so many buckets may hold.
uint32_t SegmentCapacity(uint32_t buckets);
// The smallest number of buckets that fills an allocation and has room for so many entries; the largest where none has.
uint32_t BucketsFor(uint32_t entries);

// Puts an entry into a segment that has a free slot; returns the slot, which is not pending.
uint64_t* PlaceInSegment(SegmentRef segment, uint32_t tag, Entry* entry);
// Frees a slot. `pull_back`: entries that overflowed into later buckets move up, or steady deletion and insertion would leave every
// bucket marked as overflowed.
void RemoveFromSegment(SegmentRef segment, uint64_t* slot, bool pull_back);
// Where PlaceInSegment would put an entry of this tag.
uint32_t PlaceFor(SegmentRef segment, uint32_t tag);

inline bool BucketOverflowed(const uint64_t* bucket) { return (bucket[0] & kSlotOverflowFlag) != 0; }

// The slots of a bucket whose tag is `tag`, as a set of bits for NextMatch. Free slots count as tag 0.
inline uint32_t MatchTag(const uint64_t* bucket, uint32_t tag) {
#if defined(__SSE2__)
  const __m128i wanted = _mm_set1_epi16(static_cast<int16_t>(tag));
  const __m128i* from = reinterpret_cast<const __m128i*>(bucket);
  const __m128i a = _mm_srai_epi32(_mm_cmpeq_epi16(_mm_loadu_si128(from), wanted), 16);
  const __m128i b = _mm_srai_epi32(_mm_cmpeq_epi16(_mm_loadu_si128(from + 1), wanted), 16);
  const __m128i c = _mm_srai_epi32(_mm_cmpeq_epi16(_mm_loadu_si128(from + 2), wanted), 16);
  const __m128i d = _mm_srai_epi32(_mm_cmpeq_epi16(_mm_loadu_si128(from + 3), wanted), 16);
  // Each slot is now two 32-bit words of which the upper one is all ones for a match; words become 16-bit lanes, lanes bytes.
  const __m128i bytes = _mm_packs_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d));
  return static_cast<uint32_t>(_mm_movemask_epi8(bytes)) & 0xAAAA;
#else
  uint32_t matches = 0;
  for (uint32_t i = 0; i < kSlotsPerBucket; i++) matches |= uint32_t{SlotTag(bucket[i]) == tag} << (2 * i + 1);
  return matches;
#endif
}

// Takes the first slot index out of a set that MatchTag gave. Not for an empty set.
inline uint32_t NextMatch(uint32_t* matches) {
  const uint32_t index = static_cast<uint32_t>(std::countr_zero(*matches)) >> 1;
  *matches &= *matches - 1;
  return index;
}

}  // namespace cairn
