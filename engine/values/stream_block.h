// A run of consecutive entries of a stream, packed: what Redis keeps in one node, in fewer bytes.
//
// The names of the first entry's fields stand once in front; an entry with the same fields holds only its values, and a value equal
// to the first entry's one byte. Ids are differences to the entry before. Deleted entries stay, marked, until the whole block goes.
//
//   names     strings, as many as the first entry has fields
//   entries   size (varint: of what follows) | flags | [ms difference] | [seq] | [field count | names] | values
//   string    0x00-0x3F: that many bytes | 0x40-0x7F: the integer 0-63 | 0x80: as in the first entry
//             | 0x81-0x88: an integer in 1-8 bytes, little-endian, signed | 0x89: varint length, bytes
//
// The bytes are never stored: the codec writes Redis's layout. A block knows how long Redis's listpack of it would be, because that
// decides where Redis starts the next one, and so what a trim with '~' removes.
// Threads: as large_value.h says of nodes; a block that is shared is constant.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/values/large_value.h"
#include "engine/values/stream_id.h"

namespace cairn {

// Names and values in turn, as XADD has them.
using FieldSpan = std::span<const std::string_view>;

// No listpack may become longer, and no entry's names and values together.
inline constexpr uint64_t kStreamBlockMaxBytes = uint64_t{1} << 30;

class StreamBlock : public CowNode {
 public:
  // A block with no entry yet, whose names are those of `fields`; the first Append must bring the same. `expected_bytes`: of entries.
  static StreamBlock* Create(const StreamId& first, FieldSpan fields, uint32_t expected_bytes);
  static StreamBlock* Copy(const StreamBlock& from);
  static void Free(StreamBlock* block);  // of the last holder

  // Adds an entry with an id above last(). Block must not be shared; it may move, and the new place is returned.
  [[nodiscard]] static StreamBlock* Append(StreamBlock* block, const StreamId& id, FieldSpan fields);
  // Gives room that no entry uses back; may move.
  [[nodiscard]] static StreamBlock* Shrink(StreamBlock* block);
  // Whether Shrink would gain anything.
  static bool IsSlack(const StreamBlock& block) { return CapacityFor(block.used_) < block.capacity_; }
  // Marks the entry at `offset` (BlockCursor::offset), which is not marked yet.
  void MarkDeleted(uint32_t offset);

  const StreamId& first() const { return first_; }  // of the first entry, deleted or not; never changes
  const StreamId& last() const { return last_; }
  uint32_t live_count() const { return live_; }
  uint32_t deleted_count() const { return deleted_; }
  uint32_t name_count() const { return name_count_; }
  uint32_t used_bytes() const { return used_; }
  uint64_t memory_bytes() const { return sizeof(StreamBlock) + capacity_; }
  // The length of Redis's listpack with the same content.
  uint64_t listpack_bytes() const;

 private:
  friend class BlockCursor;
  StreamBlock() = default;
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  char* data() { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] static StreamBlock* Resize(StreamBlock* block, uint64_t capacity);
  static uint64_t CapacityFor(uint64_t bytes);
  bool HasNames(FieldSpan fields) const;

  uint32_t capacity_ = 0;  // of data()
  uint32_t used_ = 0;
  uint32_t live_ = 0;
  uint32_t deleted_ = 0;
  uint32_t name_count_ = 0;
  uint32_t entries_offset_ = 0;    // behind the names
  uint32_t reference_offset_ = 0;  // the first entry's values; 0 until it is there
  uint64_t listpack_content_ = 0;  // of the listpack, without its two counts
  StreamId first_, last_;
};

// Walks a block's entries. The block must stay and not change meanwhile, but for marks.
class BlockCursor {
 public:
  explicit BlockCursor(const StreamBlock& block) : block_(&block), next_(block.entries_offset_), id_(block.first_) {}

  // Goes to the next entry, a deleted one too; false behind the last.
  bool Next();
  // Goes on to the first entry with an id of at least `id`; false where there is none.
  bool Seek(const StreamId& id);

  // --- of the entry that Next found ---
  const StreamId& id() const { return id_; }
  bool deleted() const { return (flags_ & kDeleted) != 0; }
  bool same_fields() const { return (flags_ & kSameFields) != 0; }  // as the block's first entry
  uint32_t field_count() const { return field_count_; }
  uint32_t offset() const { return start_; }
  // The fields one after the other, field_count() times after each Next. The views live until the next call and as long as cursor and
  // block.
  void ReadField(std::string_view* name, std::string_view* value);

  // A place to come back to.
  struct Place {
    uint32_t start = 0;
    StreamId id;
  };
  Place place() const { return {start_, id_}; }
  void Return(const Place& place);

 private:
  friend class StreamBlock;
  enum Flag : uint8_t { kDeleted = 1, kSameFields = 2, kSameMs = 4, kUsualSeq = 8 };
  void ReadHead(uint32_t at);

  const StreamBlock* block_;
  uint32_t next_;       // offset of the entry after this one
  uint32_t start_ = 0;  // of this one
  uint32_t names_ = 0;  // where ReadField goes on: in the block's names or the entry
  uint32_t values_ = 0;
  uint32_t reference_ = 0;  // in the first entry's values
  uint32_t field_count_ = 0;
  uint8_t flags_ = 0;
  StreamId id_;
  char name_text_[kIntTextMaxBytes];
  char value_text_[kIntTextMaxBytes];
};

}  // namespace cairn
