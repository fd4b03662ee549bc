// Builds, changes and frees the bytes of entries. Only the keyspace uses it; the layout is drawn in entry.h.
//
// Ownership: New gives the caller an entry that belongs to nobody yet; Free ends one together with its rope or large value, unless
// that was taken out before. Nothing here fails (memory that runs out aborts) and nothing is synchronised: the shard's lock is held, or
// the entry is not shared yet.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/allocator.h"
#include "engine/keyspace/entry.h"
#include "engine/values/string_value.h"

namespace cairn {

class EntryCodec {
 public:
  // What a string value is stored as: chosen by ShapeOf, written by WriteValue.
  struct ValueShape {
    Encoding encoding = Encoding::kEmbedded;
    uint32_t inline_size = 0;  // of inline bytes
    int64_t number = 0;        // kInt
  };
  // raw: neither an integer nor embedded, whatever the bytes are.
  static ValueShape ShapeOf(std::string_view value, bool raw);
  static ValueShape IntShape(int64_t number) { return {Encoding::kInt, 0, number}; }

  // The bytes to ask the allocator for.
  static size_t SizeBytes(size_t key_bytes, bool has_expiry, const ValueShape& shape) {
    return sizeof(Entry) + (has_expiry ? 8 : 0) + (key_bytes >= Entry::kLongKey ? 8 : 0) + key_bytes + PayloadBytes(shape);
  }
  static size_t SizeBytes(const Entry& entry) {
    return static_cast<size_t>(entry.payload() - reinterpret_cast<const char*>(&entry)) + PayloadBytes(ShapeIn(entry));
  }
  // What the entry's own allocation takes. At least 16, so that the low four bits of every entry's address are zero.
  static size_t AllocatedBytes(size_t size_bytes) {
    if (size_bytes <= kTabledBytes) [[likely]]
      return kAllocatedBytes[(size_bytes + 15) / 16];
    return AllocationSize(size_bytes);
  }
  static size_t AllocatedBytes(const Entry& entry) { return AllocatedBytes(SizeBytes(entry)); }

  // An entry with everything but the value's bytes. expiry_ms < 0: none.
  static Entry* New(std::string_view key, ValueType type, const ValueShape& shape, int64_t expiry_ms, uint32_t access);
  // Changes the shape in place; the caller knows that the allocation has room. The value must be written next.
  static void SetShape(Entry* entry, ValueType type, const ValueShape& shape);
  // Only where has_expiry(). The index is to hold the entry under the same deadline.
  static void SetExpiry(Entry* entry, int64_t expiry_ms);
  // The same, while the index goes on to hold the entry under indexed_expiry_ms(); false, and no change, where the new expiry is earlier
  // than that or too much later.
  static bool PostponeExpiry(Entry* entry, int64_t expiry_ms);
  static char* MutablePayload(Entry* entry) { return const_cast<char*>(entry->payload()); }
  // Writes a string value's bytes as the entry's shape says: nothing for kInt, a new rope (shared where there is an owner) for
  // kRope.
  static void WriteValue(Entry* entry, const StringSource& value);
  static void SetInt(Entry* entry, int64_t number);
  static void SetRope(Entry* entry, std::unique_ptr<Rope> rope);  // forgets the pointer that was there
  static Rope* MutableRope(Entry* entry) { return const_cast<Rope*>(&entry->rope()); }
  static void SetLarge(Entry* entry, std::unique_ptr<LargeValue> large);  // likewise
  static LargeValue* MutableLarge(Entry* entry) { return const_cast<LargeValue*>(&entry->large()); }
  // Frees the entry alone; a rope or large value in it stays.
  static void FreeShell(Entry* entry);
  // Frees the entry and what it owns.
  static void Free(Entry* entry);

  static ValueShape ShapeIn(const Entry& entry) {
    return {entry.encoding(), entry.inline_size_, entry.encoding() == Encoding::kInt ? entry.int_value() : 0};
  }
  static bool HoldsInlineBytes(Encoding encoding) {
    return encoding != Encoding::kInt && encoding != Encoding::kRope && encoding != Encoding::kLarge;
  }
  static size_t PayloadBytes(const ValueShape& shape) { return HoldsInlineBytes(shape.encoding) ? shape.inline_size : 8; }

 private:
  // What allocations of up to 1 KiB take, asked once.
  static constexpr size_t kTabledBytes = 1024;
  static const std::array<uint16_t, kTabledBytes / 16 + 1> kAllocatedBytes;
};

}  // namespace cairn
