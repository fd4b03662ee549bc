// The keys of one shard and database: an extendible-hash directory, by the upper part of the hash, to small segments (segment.h).
//
// The range of hashes is cut into `roots` equal parts, each of which is halved as often as needed: the directory has roots *
// 2^depth entries, a segment of depth d covers 1 / (roots * 2^d) of all hashes. No operation walks more than one segment (at most
// about 1,000 slots). A segment grows in steps of a size class and splits in two when the largest is full. How full it is repeats
// with every doubling of its keys; dictionaries with different roots are at different points of that cycle, so that together they
// are about 0.87 full at any number of keys. Segments are never merged, but an empty one takes no memory and an empty dictionary
// forgets its directory.
//
// Ownership: the dictionary owns the entries in it. Remove and Replace give an entry back to the caller. Pointers to slots are
// valid until the next insertion or removal. Threads: the shard's lock is held for every call, or the dictionary belongs to one
// thread; only the Prefetch functions are called without it, within a ReadSection (base/epoch.h) that began before the dictionary
// was looked up. What they read is therefore written atomically and freed after its readers.
//
// Snapshots: while a cut is set, every entry that was there when it was set is handed to it before it changes or goes. Remove and
// Replace see to it; whoever changes an entry in place calls BeforeChange first. What is still to be handed over is marked in its slot
// (kSlotPendingFlag), the slots of a bucket when the bucket is touched for the first time: to set a cut touches nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/keyspace/entry.h"
#include "engine/keyspace/key_ref.h"
#include "engine/keyspace/segment.h"

namespace cairn {

// Takes an entry as it is (snapshot_cut.h). Called under the shard's lock.
class EntrySink {
 public:
  virtual ~EntrySink() = default;
  virtual void TakeEntry(uint32_t database, const Entry& entry) = 0;
};

// A place in hash order that keeps its meaning while segments grow and split: everything before the range of hashes
// that begins at `prefix` was visited, and in that range every tag below `tag`.
struct HashPosition {
  static constexpr uint32_t kMaxDepth = 23;
  static constexpr uint32_t kPrefixBits = kMaxDepth + 3;  // for up to 7 roots
  uint32_t prefix = 0;                                    // where the range begins, in parts of 1 / (roots * 2^kMaxDepth)
  uint32_t depth = 0;                                     // how often its root was halved; of no meaning while tag is 0
  uint32_t tag = 0;

  bool operator==(const HashPosition&) const = default;
  static constexpr uint64_t kPackedBits = kPrefixBits + 16 + 5;
  uint64_t Pack() const { return uint64_t{prefix} << 21 | uint64_t{tag} << 5 | depth; }
  static HashPosition Unpack(uint64_t packed);  // any number gives a valid position
};

class Dictionary {
 public:
  static constexpr uint32_t kMaxRoots = 7;
  explicit Dictionary(uint32_t roots = 4);
  ~Dictionary();  // frees the entries; FreeStep before keeps this short
  Dictionary(const Dictionary&) = delete;
  Dictionary& operator=(const Dictionary&) = delete;

  uint64_t size() const { return size_; }
  // Buckets and directory, as allocated.
  uint64_t memory_bytes() const { return memory_bytes_; }

  // The slot that holds the key's entry, or nullptr.
  uint64_t* FindSlot(const KeyRef& key) const;
  Entry* Find(const KeyRef& key) const {
    const uint64_t* slot = FindSlot(key);
    return slot == nullptr ? nullptr : SlotEntry(*slot);
  }
  // The key must be absent.
  void Insert(const KeyRef& key, Entry* entry);
  Entry* Remove(const KeyRef& key, uint64_t* slot);
  // Puts another entry of the same key into the slot.
  Entry* Replace(const KeyRef& key, uint64_t* slot, Entry* entry);
  void BeforeChange(const KeyRef& key, uint64_t* slot) {
    if (cut_is_set()) [[unlikely]]
      HandOver(SegmentAt(key.hash), slot);
  }
  // Makes room for so many keys in all, so that inserting them moves little. Only in an empty dictionary.
  void Reserve(uint64_t keys);

  // Stage 1 and 2 of Keyspace::Prefetch. Without the lock: what they see may be on the move, and they only foresee.
  void PrefetchBucket(uint64_t hash) const {
    const SegmentRef segment = PeekSegment(hash);
    if (segment.empty()) return;
    const uint32_t home = segment.HomeOf(hash & 0xFFFF);
    __builtin_prefetch(segment.bucket(home));
    if (cut_is_set()) [[unlikely]] {
      __builtin_prefetch(&segment.tail());
      __builtin_prefetch(segment.joined() + home / 8);
    }
  }
  void PrefetchEntry(uint64_t hash) const;

  // Appends the entries at `position` (those of one home bucket, each once) and moves it on; false when that was the last.
  // From a default position to the end every key that stays is given at least once, and only once while segments merely grow and
  // split.
  bool Gather(HashPosition* position, std::vector<Entry*>* entries) const;
  // Appends entries from the place where `hash` belongs on, until there are `wanted`; with `volatile_only` those that have an
  // expiry. Looks at `max_buckets` buckets at most.
  void Sample(uint64_t hash, size_t wanted, bool volatile_only, uint32_t max_buckets, std::vector<Entry*>* entries) const;

  // From now on entries are handed over for `epoch` (not seen before) as keys of `database`, until sink is set to nullptr.
  void SetCut(EntrySink* sink, uint32_t epoch, uint32_t database);
  // Hands over what was not handed over yet: up to `max_buckets` buckets from *walk on, which starts at 0 and is moved on; false
  // when all is handed over.
  struct CutWalk {
    uint32_t prefix = 0;
    uint32_t bucket = 0;
    uint64_t layout = 0;  // of the segments, for which the bucket was meant
  };
  bool HandOverSome(CutWalk* walk, uint32_t max_buckets);

  // Frees entries and segments until `max_entries` entries are freed; false when nothing is left. Afterwards only the destructor
  // may be called. `entry_count` grows by the entries freed.
  bool FreeStep(uint32_t max_entries, uint64_t* freed_entries);

 private:
  static uint64_t PartOf(uint64_t hash, uint64_t parts) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(hash) * parts) >> 64);
  }
  // Where segments are, and how often each root was halved to have so many: one word, so that whoever reads without the lock sees the
  // two agree.
  class Directory {
   public:
    Directory() = default;
    Directory(SegmentRef* segments, uint32_t depth) : bits_(reinterpret_cast<uint64_t>(segments) | uint64_t{depth} << 56) {}
    SegmentRef* segments() const { return reinterpret_cast<SegmentRef*>(bits_ & 0x00FFFFFFFFFFFFFF); }
    uint32_t depth() const { return static_cast<uint32_t>(bits_ >> 56); }

   private:
    uint64_t bits_ = 0;
  };
  SegmentRef* directory() const { return directory_.load(std::memory_order_relaxed).segments(); }
  uint32_t directory_depth() const { return directory_.load(std::memory_order_relaxed).depth(); }
  uint64_t directory_size() const { return SizeOf(directory_depth()); }
  uint64_t SizeOf(uint32_t depth) const { return uint64_t{roots_} << depth; }
  size_t DirectoryBytes(uint32_t depth) const { return SizeOf(depth) * sizeof(SegmentRef); }
  SegmentRef SegmentAt(uint64_t hash) const { return directory()[PartOf(hash, directory_size())]; }
  SegmentRef PeekSegment(uint64_t hash) const {
    const Directory directory = directory_.load(std::memory_order_acquire);
    SegmentRef& place = directory.segments()[PartOf(hash, SizeOf(directory.depth()))];
    return std::atomic_ref<SegmentRef>(place).load(std::memory_order_acquire);
  }
  uint32_t PrefixOf(uint64_t hash) const { return static_cast<uint32_t>(PartOf(hash, PrefixEnd())); }
  uint32_t PrefixEnd() const { return roots_ << HashPosition::kMaxDepth; }
  static uint32_t RangeBegin(uint32_t prefix, uint32_t depth) {
    return prefix >> (HashPosition::kMaxDepth - depth) << (HashPosition::kMaxDepth - depth);
  }
  static uint32_t RangeEnd(uint32_t prefix, uint32_t depth) {
    return RangeBegin(prefix, depth) + (1u << (HashPosition::kMaxDepth - depth));
  }
  static uint32_t SlotBucket(SegmentRef segment, const uint64_t* slot) {
    return static_cast<uint32_t>(slot - segment.slots()) / kSlotsPerBucket;
  }
  uint32_t IndexOf(uint32_t prefix) const { return prefix >> (HashPosition::kMaxDepth - directory_depth()); }
  SegmentRef MakeSegment(uint32_t buckets, uint32_t depth);
  void DropSegment(SegmentRef segment);
  // Puts `segment` everywhere in the directory where its hashes belong.
  void Install(uint32_t prefix, SegmentRef segment);
  // A directory of that depth for which the dictionary accounts; the caller fills it and hands it to UseDirectory.
  Directory NewDirectory(uint32_t depth);
  // Takes the place of the directory that there is.
  void UseDirectory(Directory directory);
  void UseEmptyDirectory();
  void DropDirectory(Directory directory);
  SegmentRef MakeRoom(uint64_t hash, SegmentRef segment);
  SegmentRef Rebuild(uint64_t hash, SegmentRef segment, uint32_t buckets);
  void Split(uint64_t hash, SegmentRef segment);
  void DoubleDirectory();
  void ReserveRange(uint32_t prefix, uint32_t depth, uint64_t keys);
  void Reset();
  bool cut_is_set() const { return sink_.load(std::memory_order_relaxed) != nullptr; }
  void HandOver(SegmentRef segment, uint64_t* slot);
  // Hands over what a slot of a joined bucket holds, if it is pending; whether it was.
  bool TakeIfPending(uint64_t& slot);
  // Marks what is in the bucket as pending, unless that was done in this epoch.
  void JoinCut(SegmentRef segment, uint32_t bucket);
  void JoinAll(SegmentRef segment);
  // The buckets of a new segment need no joining: what is put into them is pending or not.
  void MarkAllJoined(SegmentRef segment);
  // Moves an entry into another segment, pending or not.
  void MoveEntry(uint64_t from, SegmentRef to);
  void GatherTags(SegmentRef segment, uint32_t tag_begin, uint32_t tag_end, std::vector<Entry*>* entries) const;

  std::atomic<Directory> directory_{};
  const uint32_t roots_;
  uint32_t epoch_ = 0;  // of the cut
  uint64_t size_ = 0;
  uint64_t memory_bytes_ = 0;
  std::atomic<EntrySink*> sink_{nullptr};
  uint32_t sink_database_ = 0;
  uint64_t layout_ = 0;      // grows whenever a segment takes another's place
  uint64_t free_index_ = 0;  // FreeStep's progress
};

}  // namespace cairn
