// The keyspace as it was at one moment, handed out in blocks while it goes on changing (DESIGN.md, section 5).
//
// Life of a cut
//  1. Keyspace::BeginCut, all shards locked: the cut pins every table and a new epoch begins. Nothing is copied or allocated.
//  2. Before an entry of a pinned table changes for the first time, the writer's thread hands it to the cut: a small value is encoded
//     into the shard's buffer, ropes and large values are retained by sharing.
//  3. Worker threads call NextBlock until it returns false: each call fills one block from one shard, with what writers handed
//     over and with buckets that it walks itself, taking the shard's lock for a few buckets at a time.
//  4. Keyspace::EndCut lets the tables go.
// Every entry of the cut is handed out exactly once. FLUSHALL and SWAPDB exchange tables; the cut goes on with the pinned ones.
// An entry keeps the number of the database where it was when the cut began.
//
// Memory: handed_over_bytes() is what writers added and no worker has taken yet; whoever admits writers parks them while it is
// high. Threads: NextBlock and the counters from any thread, without locks held; TakeEntry only from Dictionary.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_annotations.h"
#include "engine/codec/value_codec.h"
#include "engine/keyspace/dictionary.h"
#include "engine/keyspace/key_ref.h"
#include "snapshot/entry_block.h"

namespace cairn {

struct Shard;
struct Table;

// An entry whose value is retained, to be encoded outside the locks; as NextBlock gives it out, it may be too big for a block
// (EntryBlock::IsBig).
struct LargeEntry {
  uint32_t shard = 0;
  EntryHead head;
  std::string key;
  RetainedValue value;
};

class SnapshotCut {
 public:
  SnapshotCut(Shard* const* shards, uint32_t databases, AccessKind access_kind);
  ~SnapshotCut();
  SnapshotCut(const SnapshotCut&) = delete;
  SnapshotCut& operator=(const SnapshotCut&) = delete;

  // Resets `block` to some shard and fills it until it is full or the shard is done; entries that are too big for it are appended
  // to `large`. While handed_over_bytes() is at least `relieve_from_bytes`, it gives out only what writers handed over, from the shard
  // where that is most: memory comes free soon, and cheaply, as nothing is looked up for it. False when there is nothing left that
  // another worker is not busy with; the block is empty then. A block may also be empty with true (when only large entries came).
  // `between`, if any, is called without locks each time that the shard's lock was released.
  bool NextBlock(EntryBlock* block, std::vector<LargeEntry>* large, uint64_t relieve_from_bytes,
                 const std::function<void()>& between = nullptr);

  // How many entries there are in all, and how many NextBlock has given out.
  uint64_t entry_count() const { return entry_count_; }
  uint64_t entries_done() const { return entries_done_.load(std::memory_order_relaxed); }
  uint64_t handed_over_bytes() const;

 private:
  friend class Keyspace;
  class ShardCut;

  void Pin(uint32_t epoch) CAIRN_NO_THREAD_SAFETY_ANALYSIS;  // all shards locked
  // Takes the pinned tables of one shard out of the cut; its shard is locked.
  std::vector<std::shared_ptr<Table>> Unpin(uint32_t shard);
  // A shard that nobody is busy with and that is not done, the one with most handed over if `relieve`: nullptr where there is none.
  ShardCut* Claim(bool relieve) CAIRN_EXCLUDES(claims_);
  void Fill(ShardCut& part, bool relieve, EntryBlock* block, std::vector<LargeEntry>* large,
            const std::function<void()>& between);

  uint64_t entry_count_ = 0;
  std::atomic<uint64_t> entries_done_{0};
  std::array<std::unique_ptr<ShardCut>, kShardCount> parts_;
  SpinLock claims_;
};

}  // namespace cairn
