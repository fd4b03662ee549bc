// A stream: entries in order of their ids, in packed blocks (stream_block.h) under a tree, with its counters, consumer groups and
// producers' windows.
//
// Blocks end where Redis's nodes would, so that trimming with '~' removes the same entries. A deleted entry stays in its block, marked;
// a block goes when all its entries are.
// Sharing and threads: as large_value.h says; Share() takes one more holder of each group and producer, never of an entry.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/values/counted_tree.h"
#include "engine/values/stream_block.h"
#include "engine/values/stream_groups.h"
#include "engine/values/stream_producers.h"
#include "engine/values/value_limits.h"

namespace cairn {

// What becomes of the references that groups hold to an entry which is deleted (Redis 8.2's KEEPREF, DELREF and ACKED).
enum class StreamReferences : uint8_t {
  kKeep,    // they stay
  kDelete,  // the entry is no longer pending in any group
  kAcked,   // an entry that a group has not read, or not acknowledged, is not deleted
};

// Which entries a trim removes: the oldest, until at most max_length are left, or none with an id below min_id.
struct StreamTrim {
  bool by_id = false;
  uint64_t max_length = 0;
  StreamId min_id;
  bool whole_blocks = false;  // '~': blocks that can go as a whole, no others
  uint64_t limit = 0;         // at most so many entries, where not 0; looked at before each block
  StreamReferences references = StreamReferences::kKeep;
};

struct StreamBlockTraits {
  using Leaf = StreamBlock;
  using Key = StreamId;
  static Key KeyOf(const StreamBlock& block) { return block.first(); }
  static uint64_t Count(const StreamBlock& block) { return block.live_count(); }
  static size_t MemoryBytes(const StreamBlock& block) { return block.memory_bytes(); }
  static StreamBlock* Clone(const StreamBlock& block) { return StreamBlock::Copy(block); }
  static void Free(StreamBlock* block) { StreamBlock::Free(block); }
};

class Stream final : public LargeValue {
 public:
  using BlockTree = CountedTree<StreamBlockTraits>;

  Stream() = default;
  ~Stream() override;

  std::unique_ptr<LargeValue> Share() const override;
  uint64_t element_count() const override { return length(); }
  uint64_t memory_bytes() const override;               // O(groups)
  bool MayEncodeBeyond(uint64_t bytes) const override;  // looks at no more blocks than that
  bool FreeStep(size_t max_nodes) override;

  // --- entries ---------------------------------------------------------------------------------------------------------------------
  uint64_t length() const { return blocks_.count(); }
  const StreamId& first_id() const { return first_id_; }  // 0-0 where it is empty
  StreamId last_id;                                       // of the last entry ever, or what XSETID said
  StreamId max_deleted_id;                                // the highest that XDEL removed
  uint64_t entries_added = 0;                             // ever
  const BlockTree& blocks() const { return blocks_; }
  uint64_t block_count() const { return block_count_; }

  // Adds an entry; `id` is above last_id, and names and values together are at most kStreamBlockMaxBytes.
  void Append(const StreamId& id, FieldSpan fields, const ValueLimits& limits);
  // Marks an entry as deleted; false where there is none. Neither max_deleted_id nor references change.
  bool Delete(const StreamId& id);
  bool WouldTrim(const StreamTrim& trim) const;        // false: Trim would find nothing to do; true: it may
  uint64_t MostTrimmed(const StreamTrim& trim) const;  // how many entries at most; O(log n + entries of a block)
  // How many entries went; *last_removed, if given, is the last of them.
  uint64_t Trim(const StreamTrim& trim, StreamId* last_removed = nullptr);
  // Whether both hold the same entries because one is a share of the other, and no entry came or went since. O(1)
  bool SharesEntriesWith(const Stream& other) const { return blocks_.SameAs(other.blocks_); }
  // Takes over the entries of a share of this stream that was trimmed, and gives it its own. Groups and producers stay as they are.
  void SwapEntries(Stream& trimmed);
  bool Contains(const StreamId& id) const;
  uint64_t CountBetween(const StreamId& start, const StreamId& end) const;  // both included; O(log n + entries of a block)
  StreamId LastLiveId() const;                                              // 0-0 where it is empty
  StreamId FirstIdOfBlocks() const;  // of the first entry, deleted or not; the highest id where there is none
  // For loading: adds a block behind the others. Takes the block over.
  void AppendBlock(StreamBlock* block);
  void UpdateFirstId();  // after blocks were added

  // --- groups ----------------------------------------------------------------------------------------------------------------------
  const std::vector<StreamGroup*>& groups() const { return groups_; }  // sorted by name
  const StreamGroup* FindGroup(std::string_view name) const;           // null: none
  StreamGroup* MutableGroup(std::string_view name);                    // the group for change; null: none
  StreamGroup* MutableGroup(size_t index);                             // of groups()
  StreamGroup* CreateGroup(std::string_view name, const StreamId& last, int64_t entries_read);  // null: the name is taken
  // Takes a group out, to be freed in steps; null where there is none.
  std::unique_ptr<LargeValue> DestroyGroup(std::string_view name);
  // Whether some group has not read the entry, or not acknowledged it.
  bool IsReferenced(const StreamId& id) const;
  bool IsPending(const StreamId& id) const;  // in some group
  // The entry is no longer pending in any group; returns in how many it was.
  size_t DropReferences(const StreamId& id);
  // How many entries had been added when `id` was, or kEntriesReadUnknown where that cannot be told.
  int64_t CountUpTo(const StreamId& id) const;
  // Whether an entry with an id of at least `start` may have been deleted from the middle.
  bool HasDeletedFrom(const StreamId& start) const;

  // --- producers -------------------------------------------------------------------------------------------------------------------
  const StreamProducers* producers() const { return producers_.get(); }  // null: never used
  StreamProducers& MutableProducers();
  void SetProducers(std::unique_ptr<StreamProducers> producers) { producers_ = std::move(producers); }

 private:
  Stream(const Stream& other);
  uint64_t CountBelow(const StreamId& id) const;
  size_t GroupPosition(std::string_view name) const;
  // Marks the entries of the path's block for which `trim` says so, or removes it when none is left; returns how many. The path is void
  // afterwards.
  uint64_t TrimBlock(BlockTree::Path* path, const StreamTrim& trim, StreamId* last_removed);

  BlockTree blocks_;
  uint64_t block_count_ = 0;
  StreamId first_id_;
  std::vector<StreamGroup*> groups_;
  std::unique_ptr<StreamProducers> producers_;
};

// Walks a stream's entries between two ids, both included, forwards or backwards; deleted ones only where asked for. The stream must
// not change meanwhile.
class StreamCursor {
 public:
  StreamCursor(const Stream& stream, const StreamId& start, const StreamId& end, bool backwards = false,
               bool deleted_too = false);

  bool Next();  // false behind the last entry of the range
  const StreamId& id() const { return block_->id(); }
  uint32_t field_count() const { return block_->field_count(); }
  // field_count() times after each Next; the views live until the next call.
  void ReadField(std::string_view* name, std::string_view* value) { block_->ReadField(name, value); }

 private:
  bool EnterBlock();
  bool NextInBlock();

  Stream::BlockTree::Path at_;
  const StreamId start_, end_;
  const bool backwards_, deleted_too_;
  bool found_ = false;  // at_ is a block that may hold entries of the range
  bool entered_ = false;
  std::optional<BlockCursor> block_;
  std::vector<BlockCursor::Place> places_;  // backwards: entries of the block that are still to come
};

}  // namespace cairn
