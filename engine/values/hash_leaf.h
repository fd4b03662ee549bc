// A leaf of a HashTrie: records packed into one allocation, found through an array of one-byte tags.
//
//   header 16 | tags: 1 byte a record | distances: 2 bytes a record | free | records, the first at the very end
//
// A record is a size byte and so many payload bytes, or, for payloads over kInlinePayloadMaxBytes, 255 and the 8-byte reference of a
// SharedBytes. A tag is the lowest byte of the key's hash. A distance is how far before the leaf's end its record begins, so that a
// leaf moves to a larger allocation by two copies. Erased and outgrown records leave holes, which the next move closes.
//
// Where the key stands in a payload is the table's RecordForm. Leaves are plain bytes: who changes one holds it alone (CowNode).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/bytes.h"
#include "engine/values/large_value.h"

namespace cairn {

// Where the key stands in a payload.
enum class RecordForm : uint8_t {
  kKeyOnly,       // the payload is the key: sets
  kKeyThenEight,  // the key, then 8 bytes: a sorted set's member and score
  kField,         // a hash's field (field_record.h)
};

// The header of a field's payload: varint of 2 * field bytes + (1 with a deadline) | deadline_ms 8 (if any) | field | value.
struct FieldHeader {
  uint64_t field_size;
  uint32_t header_size;  // up to the field
  bool has_deadline;
};
inline FieldHeader ReadFieldHeader(const char* payload) {
  uint64_t coded = static_cast<uint8_t>(payload[0]);
  uint32_t size = 1;
  if (coded >= 0x80) [[unlikely]] {
    coded &= 0x7F;
    for (uint32_t shift = 7;; shift += 7) {
      const auto byte = static_cast<uint8_t>(payload[size++]);
      coded |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) break;
    }
  }
  const bool has_deadline = (coded & 1) != 0;
  return {coded >> 1, size + (has_deadline ? 8u : 0u), has_deadline};
}

inline std::string_view KeyOf(RecordForm form, std::string_view payload) {
  if (form == RecordForm::kKeyOnly) return payload;
  if (form == RecordForm::kKeyThenEight) return payload.substr(0, payload.size() - 8);
  const FieldHeader header = ReadFieldHeader(payload.data());
  return payload.substr(header.header_size, header.field_size);
}

// A payload in up to three parts, as its writer has them.
struct PayloadParts {
  std::string_view parts[3];
  size_t size() const { return parts[0].size() + parts[1].size() + parts[2].size(); }
  void CopyTo(char* to) const {
    for (const std::string_view part : parts) {
      if (!part.empty()) std::memcpy(to, part.data(), part.size());
      to += part.size();
    }
  }
};

// What every node of a HashTrie begins with is a CowNode.
class HashLeaf : public CowNode {
 public:
  static constexpr size_t kInlinePayloadMaxBytes = 253;
  static constexpr uint8_t kOutside = 255;    // the size byte of a payload that lies outside
  static constexpr size_t kOutsideBytes = 9;  // of its record
  static constexpr size_t kSlotBytes = 3;
  static constexpr size_t kMaxBytes = 56 * 1024;  // sizes and distances are 16 bits

  // An empty leaf with room for `content_bytes` of slots and records.
  static HashLeaf* New(size_t content_bytes, uint32_t depth);
  // A leaf of the same content without holes and with room for `content_bytes` (at least live_bytes()). Outside payloads are shared.
  HashLeaf* Copy(size_t content_bytes) const;
  // The same for a leaf that nobody else holds and that is freed by it.
  HashLeaf* Move(size_t content_bytes);
  // Frees the leaf, whose last reference was dropped, and lets go of its outside payloads.
  void Free();
  // Frees one whose records were all taken over.
  void FreeShell();

  uint32_t depth() const { return depth_; }
  void set_depth(uint32_t depth) { depth_ = static_cast<uint8_t>(depth); }
  uint32_t count() const { return count_; }
  uint32_t allocated_bytes() const { return size_bytes_; }
  // Slots and records, without holes.
  uint32_t live_bytes() const { return count_ * kSlotBytes + data_bytes_ - hole_bytes_; }
  uint32_t free_bytes() const { return size_bytes_ - sizeof(HashLeaf) - count_ * kSlotBytes - data_bytes_; }
  uint32_t content_capacity() const { return size_bytes_ - sizeof(HashLeaf); }

  // The slot of a key, -1 where it is not here.
  int Find(RecordForm form, std::string_view key, uint8_t tag) const;
  uint8_t tag(uint32_t slot) const { return tags()[slot]; }
  std::string_view payload(uint32_t slot) const;
  bool outside(uint32_t slot) const { return static_cast<uint8_t>(*record(slot)) == kOutside; }
  // Bytes that the payload takes outside the leaf, as the allocator rounds them.
  uint64_t outside_bytes(uint32_t slot) const;
  static uint64_t OutsideBytes(size_t payload_bytes);
  // Another reference to a payload that lies outside; empty for one in the leaf.
  SharedBytes ShareOutside(uint32_t slot) const;

  // How many bytes of the leaf a payload of this size takes, slot included.
  static size_t RoomFor(size_t payload_bytes) {
    return kSlotBytes + (payload_bytes <= kInlinePayloadMaxBytes ? 1 + payload_bytes : kOutsideBytes);
  }
  // Adds a record; free_bytes() are at least RoomFor(payload.size()).
  void Add(uint8_t tag, const PayloadParts& payload);
  // Takes a record over from another leaf, with its reference.
  void AddMoved(const HashLeaf& from, uint32_t slot);
  // Overwrites a payload where the new one takes the same bytes; false where it does not.
  bool Overwrite(uint32_t slot, const PayloadParts& payload);
  // The payload for change in its size; copies it first where it lies outside and somebody else has it too.
  char* MutablePayload(uint32_t slot);
  // The last record takes the slot of the one that goes.
  void Erase(uint32_t slot);

 private:
  HashLeaf() = default;
  const uint8_t* tags() const { return reinterpret_cast<const uint8_t*>(this + 1); }
  uint8_t* tags() { return reinterpret_cast<uint8_t*>(this + 1); }
  const char* end() const { return reinterpret_cast<const char*>(this) + size_bytes_; }
  char* end() { return reinterpret_cast<char*>(this) + size_bytes_; }
  uint32_t distance(uint32_t slot) const {
    uint16_t distance;
    std::memcpy(&distance, tags() + count_ + 2 * slot, sizeof(distance));
    return distance;
  }
  const char* record(uint32_t slot) const { return end() - distance(slot); }
  char* record(uint32_t slot) { return end() - distance(slot); }
  static uint32_t RecordBytes(const char* record) {
    const auto size = static_cast<uint8_t>(*record);
    return size == kOutside ? static_cast<uint32_t>(kOutsideBytes) : 1u + size;
  }
  static uint64_t OutsideReference(const char* record) {
    uint64_t reference;
    std::memcpy(&reference, record + 1, sizeof(reference));
    return reference;
  }
  // A new slot at the end for a record of so many bytes; returns where the record goes.
  char* AddSlot(uint8_t tag, uint32_t record_bytes);
  void FillFrom(const HashLeaf& from);

  uint8_t depth_ = 0;        // how many leading bits of the hash its keys share
  uint16_t size_bytes_ = 0;  // of the allocation
  uint16_t count_ = 0;       // records
  uint16_t data_bytes_ = 0;  // records and holes
  uint16_t hole_bytes_ = 0;
  uint16_t outside_count_ = 0;  // records whose payload lies outside
};
static_assert(sizeof(HashLeaf) == 16);

inline std::string_view HashLeaf::payload(uint32_t slot) const {
  const char* at = record(slot);
  const auto size = static_cast<uint8_t>(*at);
  if (size != kOutside) [[likely]]
    return {at + 1, size};
  SharedBytes outside = SharedBytes::Adopt(OutsideReference(at));
  const std::string_view view = outside.view();
  outside.Detach();
  return view;
}

inline int HashLeaf::Find(RecordForm form, std::string_view key, uint8_t tag) const {
  const uint8_t* at = tags();
#if defined(__SSE2__)
  const __m128i wanted = _mm_set1_epi8(static_cast<char>(tag));
  for (uint32_t base = 0; base < count_; base += 16) {
    // Reads beyond the last tag stay in the leaf: a record takes at least 4 bytes, and the smallest leaf with one is 32 bytes.
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + base));
    auto matches = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted)));
    if (count_ - base < 16) matches &= (1u << (count_ - base)) - 1;
    for (; matches != 0; matches &= matches - 1) {
      const uint32_t slot = base + static_cast<uint32_t>(__builtin_ctz(matches));
      if (KeyOf(form, payload(slot)) == key) return static_cast<int>(slot);
    }
  }
#else
  for (uint32_t slot = 0; slot < count_; slot++) {
    if (at[slot] == tag && KeyOf(form, payload(slot)) == key) return static_cast<int>(slot);
  }
#endif
  return -1;
}

}  // namespace cairn
