#include "engine/values/stream_block.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "base/allocator.h"
#include "base/bytes.h"
#include "base/status.h"
#include "engine/values/listpack.h"

namespace cairn {
namespace {

enum Tag : uint8_t {
  kInlineString = 0x00,
  kInlineInt = 0x40,
  kAsReference = 0x80,
  kIntBytes = 0x80,  // + 1..8
  kLongString = 0x89,
};
constexpr uint32_t kInlineMax = 63;
constexpr size_t kVarintMaxBytes = 10;
constexpr uint64_t kListpackFrameBytes = 7;  // its header and end

char* WriteVarint(char* to, uint64_t value) {
  while (value >= 128) {
    *to++ = static_cast<char>(value | 128);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}

const char* ReadVarint(const char* from, uint64_t* value) {
  uint64_t result = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<uint8_t>(*from++);
    result |= uint64_t{byte & 127u} << shift;
    if (byte < 128) break;
  }
  *value = result;
  return from;
}

// The most that WriteString writes.
uint64_t PackedBound(std::string_view text) { return text.size() + (text.size() <= kInlineMax ? 1 : 1 + 5); }

char* WriteString(char* to, const ListpackItem& item) {
  if (item.is_int()) {
    const int64_t number = item.number();
    if (number >= 0 && number <= kInlineMax) {
      *to++ = static_cast<char>(kInlineInt + number);
      return to;
    }
    // The sign bit is one of those that must be kept.
    const auto bits = static_cast<uint64_t>(number < 0 ? ~number : number);
    const int bytes = (64 - std::countl_zero(bits)) / 8 + 1;
    *to++ = static_cast<char>(kIntBytes + bytes);
    char little_endian[8];
    StoreLittleEndian(little_endian, number);
    std::memcpy(to, little_endian, static_cast<size_t>(bytes));
    return to + bytes;
  }
  const std::string_view text = item.text();
  if (text.size() <= kInlineMax) {
    *to++ = static_cast<char>(kInlineString + text.size());
  } else {
    *to++ = static_cast<char>(kLongString);
    to = WriteVarint(to, text.size());
  }
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

// Reads what WriteString wrote; false for kAsReference.
bool ReadString(const char*& from, ListpackValue* value) {
  const auto tag = static_cast<uint8_t>(*from++);
  uint64_t size = tag;
  if (tag > kInlineMax && tag != kLongString) {
    if (tag == kAsReference) return false;
    value->bytes = {};
    value->number = tag - kInlineInt;
    if (tag < kAsReference) return true;
    const int bytes = tag - kIntBytes;
    char little_endian[8] = {};
    std::memcpy(little_endian, from, static_cast<size_t>(bytes));
    from += bytes;
    const int unused = 64 - 8 * bytes;
    value->number = static_cast<int64_t>(LoadLittleEndian<uint64_t>(little_endian) << unused) >> unused;
    return true;
  }
  if (tag == kLongString) from = ReadVarint(from, &size);
  value->bytes = {from, size};
  from += size;
  return true;
}

uint64_t ListpackIntBytes(uint64_t value) { return ListpackItem(static_cast<int64_t>(value)).encoded_bytes(); }

}  // namespace

uint64_t StreamBlock::CapacityFor(uint64_t bytes) {
  CAIRN_CHECK(bytes <= UINT32_MAX / 2);
  return AllocationSize(sizeof(StreamBlock) + bytes) - sizeof(StreamBlock);
}

StreamBlock* StreamBlock::Create(const StreamId& first, FieldSpan fields, uint32_t expected_bytes) {
  uint64_t bound = expected_bytes, listpack = ListpackIntBytes(fields.size() / 2) + 2;
  for (size_t i = 0; i < fields.size(); i += 2) bound += PackedBound(fields[i]);
  const uint64_t capacity = CapacityFor(bound);
  auto* block = new (AllocateBytes(sizeof(StreamBlock) + capacity)) StreamBlock;
  block->capacity_ = static_cast<uint32_t>(capacity);
  char* to = block->data();
  for (size_t i = 0; i < fields.size(); i += 2) {
    const ListpackItem name(fields[i]);
    listpack += name.encoded_bytes();
    to = WriteString(to, name);
  }
  block->used_ = block->entries_offset_ = static_cast<uint32_t>(to - block->data());
  block->name_count_ = static_cast<uint32_t>(fields.size() / 2);
  block->listpack_content_ = listpack;
  block->first_ = block->last_ = first;
  return block;
}

StreamBlock* StreamBlock::Copy(const StreamBlock& from) {
  auto* block = new (AllocateBytes(sizeof(StreamBlock) + from.capacity_)) StreamBlock;
  block->capacity_ = from.capacity_;
  block->used_ = from.used_;
  block->live_ = from.live_;
  block->deleted_ = from.deleted_;
  block->name_count_ = from.name_count_;
  block->entries_offset_ = from.entries_offset_;
  block->reference_offset_ = from.reference_offset_;
  block->listpack_content_ = from.listpack_content_;
  block->first_ = from.first_;
  block->last_ = from.last_;
  std::memcpy(block->data(), from.data(), from.used_);
  return block;
}

void StreamBlock::Free(StreamBlock* block) {
  const uint64_t bytes = block->memory_bytes();
  block->~StreamBlock();
  FreeBytes(block, bytes);
}

StreamBlock* StreamBlock::Resize(StreamBlock* block, uint64_t capacity) {
  // Nobody else looks at an unshared block, so that its bytes, the count of holders among them, may simply move.
  block = static_cast<StreamBlock*>(
      ReallocateBytes(static_cast<void*>(block), block->memory_bytes(), sizeof(StreamBlock) + capacity));
  block->capacity_ = static_cast<uint32_t>(capacity);
  return block;
}

StreamBlock* StreamBlock::Shrink(StreamBlock* block) {
  const uint64_t capacity = CapacityFor(block->used_);
  return capacity < block->capacity_ ? Resize(block, capacity) : block;
}

bool StreamBlock::HasNames(FieldSpan fields) const {
  if (fields.size() != size_t{name_count_} * 2) return false;
  const char* at = data();
  for (size_t i = 0; i < fields.size(); i += 2) {
    // Most names are short and no integers: their bytes are compared as they lie there.
    const auto tag = static_cast<uint8_t>(*at);
    if (tag <= kInlineMax) [[likely]] {
      if (tag != fields[i].size() || std::memcmp(at + 1, fields[i].data(), tag) != 0) return false;
      at += 1 + tag;
      continue;
    }
    ListpackValue name;
    ReadString(at, &name);
    if (!ListpackItem(fields[i]).Equals(name)) return false;
  }
  return true;
}

StreamBlock* StreamBlock::Append(StreamBlock* block, const StreamId& id, FieldSpan fields) {
  const bool first = block->reference_offset_ == 0;
  const bool same_fields = first || block->HasNames(fields);
  uint64_t bound = 1 + 3 * kVarintMaxBytes;
  for (size_t i = same_fields ? 1 : 0; i < fields.size(); i += same_fields ? 2 : 1) bound += PackedBound(fields[i]);
  const uint32_t size_bytes = bound < 128 ? 1 : bound < 16384 ? 2 : bound < (1u << 21) ? 3 : 5;
  if (block->capacity_ - block->used_ < bound + size_bytes) {
    const uint64_t needed = block->used_ + bound + size_bytes;
    block =
        Resize(block, CapacityFor(std::max<uint64_t>(needed, std::min<uint64_t>(uint64_t{block->used_} * 2, needed + 65536))));
  }

  char* const start = block->data() + block->used_;
  char* to = start + size_bytes + 1;
  uint8_t flags = same_fields ? BlockCursor::kSameFields : 0;
  const uint64_t ms_difference = id.ms - block->last_.ms;
  const uint64_t usual_seq = ms_difference != 0 ? 0 : block->last_.seq + (first ? 0 : 1);
  if (ms_difference == 0) {
    flags |= BlockCursor::kSameMs;
  } else {
    to = WriteVarint(to, ms_difference);
  }
  if (id.seq == usual_seq) {
    flags |= BlockCursor::kUsualSeq;
  } else {
    to = WriteVarint(to, id.seq);
  }
  const uint64_t count = fields.size() / 2;
  uint64_t listpack = 2 + ListpackIntBytes(id.ms - block->first_.ms) + ListpackIntBytes(id.seq - block->first_.seq);
  listpack += ListpackIntBytes(same_fields ? count + 3 : 2 * count + 4);
  if (!same_fields) {
    to = WriteVarint(to, count);
    listpack += ListpackIntBytes(count);
    for (size_t i = 0; i < fields.size(); i += 2) {
      const ListpackItem name(fields[i]);
      listpack += name.encoded_bytes();
      to = WriteString(to, name);
    }
  }
  if (first) block->reference_offset_ = static_cast<uint32_t>(to - block->data());
  const char* reference = block->data() + block->reference_offset_;
  for (size_t i = 1; i < fields.size(); i += 2) {
    const ListpackItem value(fields[i]);
    listpack += value.encoded_bytes();
    ListpackValue in_first;
    if (same_fields && !first && (ReadString(reference, &in_first), value.Equals(in_first))) {
      *to++ = static_cast<char>(kAsReference);
    } else {
      to = WriteString(to, value);
    }
  }
  start[size_bytes] = static_cast<char>(flags);
  // The size in as many bytes as were left for it: a varint may be longer than it needs to be.
  uint64_t size = static_cast<uint64_t>(to - start) - size_bytes;
  for (uint32_t i = 0; i < size_bytes; i++, size >>= 7)
    start[i] = static_cast<char>((size & 127) | (i + 1 < size_bytes ? 128 : 0));
  block->used_ = static_cast<uint32_t>(to - block->data());
  block->listpack_content_ += listpack;
  block->live_++;
  block->last_ = id;
  return block;
}

void StreamBlock::MarkDeleted(uint32_t offset) {
  uint64_t size;
  char* const flags = data() + (ReadVarint(data() + offset, &size) - data());
  CAIRN_CHECK((static_cast<uint8_t>(*flags) & BlockCursor::kDeleted) == 0 && live_ > 0);
  *flags = static_cast<char>(*flags | BlockCursor::kDeleted);
  live_--;
  deleted_++;
}

uint64_t StreamBlock::listpack_bytes() const {
  return kListpackFrameBytes + ListpackIntBytes(live_) + ListpackIntBytes(deleted_) + listpack_content_;
}

void BlockCursor::ReadHead(uint32_t at) {
  const char* const data = block_->data();
  uint64_t size;
  const char* from = ReadVarint(data + at, &size);
  start_ = at;
  next_ = static_cast<uint32_t>(from - data + static_cast<ptrdiff_t>(size));
  flags_ = static_cast<uint8_t>(*from++);
  values_ = static_cast<uint32_t>(from - data);
}

bool BlockCursor::Next() {
  if (next_ >= block_->used_) return false;
  const bool first = next_ == block_->entries_offset_;
  ReadHead(next_);
  const char* const data = block_->data();
  const char* from = data + values_;
  uint64_t number = 0;
  if ((flags_ & kSameMs) == 0) {
    from = ReadVarint(from, &number);
    id_.ms += number;
    id_.seq = 0;
  } else if (!first) {
    id_.seq++;
  }
  if ((flags_ & kUsualSeq) == 0) from = ReadVarint(from, &id_.seq);
  if (same_fields()) {
    field_count_ = block_->name_count_;
    names_ = 0;
    reference_ = block_->reference_offset_;
  } else {
    from = ReadVarint(from, &number);
    field_count_ = static_cast<uint32_t>(number);
    names_ = static_cast<uint32_t>(from - data);
    ListpackValue skipped;
    for (uint32_t i = 0; i < field_count_; i++) ReadString(from, &skipped);
  }
  values_ = static_cast<uint32_t>(from - data);
  return true;
}

bool BlockCursor::Seek(const StreamId& id) {
  while (Next()) {
    if (id_ >= id) return true;
  }
  return false;
}

void BlockCursor::Return(const Place& place) {
  // Next() adds the entry's difference to the id before it; here its id is known.
  next_ = place.start;
  Next();
  id_ = place.id;
}

void BlockCursor::ReadField(std::string_view* name, std::string_view* value) {
  const char* const data = block_->data();
  ListpackValue packed;
  const char* from = data + names_;
  ReadString(from, &packed);
  names_ = static_cast<uint32_t>(from - data);
  *name = packed.Text(name_text_);
  from = data + values_;
  const bool own = ReadString(from, &packed);
  values_ = static_cast<uint32_t>(from - data);
  if (same_fields()) {
    // The first entry's values are walked alongside, for those that are the same.
    ListpackValue in_first;
    from = data + reference_;
    ReadString(from, &in_first);
    reference_ = static_cast<uint32_t>(from - data);
    if (!own) packed = in_first;
  }
  *value = packed.Text(value_text_);
}

}  // namespace cairn
