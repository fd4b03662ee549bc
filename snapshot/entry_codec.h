// One keyspace entry inside a block: a key, its value in Redis's RDB value encoding (opaque here),
// and what belongs to it.
//
//   varint  database
//   byte    flags: 1 has expiry, 2 has an LRU field, 4 has an LFU field (2 and 4 exclude each
//   other), others 0 byte    RDB value type 8 bytes expiry, unix milliseconds, little endian only
//   with flag 1 3 bytes access field, little endian                   only with flag 2 or 4 varint
//   key length varint  value length bytes   key bytes   value
//
// A varint holds seven bits a byte, lowest first, the high bit set on all but the last byte. Both
// lengths stand before the key, so that all of an entry but its bytes is within the first
// kEntryHeadMaxBytes.
//
// Decoding takes any bytes: every length is checked before it is used. Views point into the bytes
// that were given and live as long as those. The types here are not synchronised; use one object
// from one thread at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace cairn {

// What the access field means; engines that do not evict keep none.
enum class AccessKind : uint8_t { kNone = 0, kLru = 1, kLfu = 2 };

struct EntryHead {
  uint32_t database = 0;
  uint8_t value_type = 0;  // as in RDB files
  AccessKind access_kind = AccessKind::kNone;
  bool has_expiry = false;
  uint32_t access = 0;         // the low 24 bits are kept
  int64_t expiry_unix_ms = 0;  // only with has_expiry
};

struct EntryView {
  EntryHead head;
  std::string_view key;
  std::string_view value;
};

inline constexpr uint8_t kEntryHasExpiry = 1;
inline constexpr uint8_t kEntryHasLru = 2;
inline constexpr uint8_t kEntryHasLfu = 4;
inline constexpr size_t kEntryHeadMaxBytes = 5 + 1 + 1 + 8 + 3 + 10 + 10;

inline char* EncodeVarint(char* to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
  *to++ = static_cast<char>(value);
  return to;
}

// Reads at most ten bytes; null for a number over 64 bits.
inline const char* DecodeVarint(const char* from, uint64_t* value) {
  uint64_t byte = static_cast<uint8_t>(*from++);
  if (byte < 0x80) [[likely]] {
    *value = byte;
    return from;
  }
  uint64_t sum = byte & 0x7f;
  for (int shift = 7; shift < 64; shift += 7) {
    byte = static_cast<uint8_t>(*from++);
    if (shift == 63 && byte > 1) return nullptr;
    sum |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = sum;
      return from;
    }
  }
  return nullptr;
}

// Writes everything in front of the key and returns the end; `to` has kEntryHeadMaxBytes.
inline char* EncodeEntryHead(char* to, const EntryHead& head, uint64_t key_bytes, uint64_t value_bytes) {
  to = EncodeVarint(to, head.database);
  const auto access_flag = static_cast<uint8_t>(static_cast<uint8_t>(head.access_kind) << 1);
  *to++ = static_cast<char>(access_flag | (head.has_expiry ? kEntryHasExpiry : 0));
  *to++ = static_cast<char>(head.value_type);
  if (head.has_expiry) {
    StoreLittleEndian<int64_t>(to, head.expiry_unix_ms);
    to += 8;
  }
  if (access_flag != 0) {
    StoreLittleEndian<uint16_t>(to, static_cast<uint16_t>(head.access));
    to[2] = static_cast<char>(head.access >> 16);
    to += 3;
  }
  to = EncodeVarint(to, key_bytes);
  return EncodeVarint(to, value_bytes);
}

// Reads what EncodeEntryHead wrote and returns its end, or null where no writer can have written
// it. May look at all of kEntryHeadMaxBytes: the caller pads with zeros and checks that the end is
// within what it has.
inline const char* DecodeEntryHead(const char* from, EntryHead* head, uint64_t* key_bytes, uint64_t* value_bytes) {
  uint64_t database;
  const char* const begin = from;
  from = DecodeVarint(from, &database);
  if (from == nullptr || from - begin > 5 || database > UINT32_MAX) return nullptr;
  head->database = static_cast<uint32_t>(database);
  const uint8_t flags = static_cast<uint8_t>(*from++);
  if (flags > (kEntryHasExpiry | kEntryHasLfu)) return nullptr;
  head->value_type = static_cast<uint8_t>(*from++);
  head->has_expiry = flags & kEntryHasExpiry;
  head->access_kind = static_cast<AccessKind>(flags >> 1);
  head->expiry_unix_ms = 0;
  head->access = 0;
  if (head->has_expiry) {
    head->expiry_unix_ms = LoadLittleEndian<int64_t>(from);
    from += 8;
  }
  if (head->access_kind != AccessKind::kNone) {
    head->access = LoadLittleEndian<uint16_t>(from) | static_cast<uint32_t>(static_cast<uint8_t>(from[2])) << 16;
    from += 3;
  }
  from = DecodeVarint(from, key_bytes);
  return from == nullptr ? nullptr : DecodeVarint(from, value_bytes);
}

// Writes a whole entry and returns its end; `to` has kEntryHeadMaxBytes + key + value bytes.
inline char* EncodeEntry(char* to, const EntryView& entry) {
  to = EncodeEntryHead(to, entry.head, entry.key.size(), entry.value.size());
  to = std::copy_n(entry.key.data(), entry.key.size(), to);
  return std::copy_n(entry.value.data(), entry.value.size(), to);
}

// Appends one entry to `out`. Writers of snapshots use EntryBlock, which also counts.
inline void AppendEntry(std::string& out, const EntryView& entry) {
  char head[kEntryHeadMaxBytes];
  const char* end = EncodeEntryHead(head, entry.head, entry.key.size(), entry.value.size());
  out.append(head, static_cast<size_t>(end - head)).append(entry.key).append(entry.value);
}

// Walks the entries of one block:
//   EntryReader reader(bytes, entry_count);
//   for (EntryView entry; reader.Next(&entry);) ...
//   CAIRN_RETURN_IF_ERROR(reader.status());
class EntryReader {
 public:
  // `bytes` outlives the reader and every entry it gives. `entry_count` is what the block's header
  // promises.
  EntryReader(std::string_view bytes, uint64_t entry_count)
      : begin_(bytes.data()), at_(bytes.data()), end_(at_ + bytes.size()), promised_(entry_count) {}

  // False at the end and at the first damage; status() tells which.
  bool Next(EntryView* entry) {
    if (at_ == end_) [[unlikely]]
      return Stop(read_ == promised_ ? nullptr : "fewer than promised");
    uint64_t key_bytes;
    uint64_t value_bytes;
    size_t left = static_cast<size_t>(end_ - at_);
    if (left >= kEntryHeadMaxBytes) [[likely]] {
      const char* body = DecodeEntryHead(at_, &entry->head, &key_bytes, &value_bytes);
      if (body == nullptr) return Stop("malformed head");
      left -= static_cast<size_t>(body - at_);
    } else {
      char padded[kEntryHeadMaxBytes] = {};
      std::memcpy(padded, at_, left);
      const char* body = DecodeEntryHead(padded, &entry->head, &key_bytes, &value_bytes);
      if (body == nullptr) return Stop("malformed head");
      const size_t head_bytes = static_cast<size_t>(body - padded);
      if (head_bytes > left) return Stop("head beyond the block's end");
      left -= head_bytes;
    }
    if (key_bytes > left || value_bytes > left - key_bytes) return Stop("beyond the block's end");
    if (++read_ > promised_) return Stop("more than promised");
    const char* key = end_ - left;
    entry->key = std::string_view(key, key_bytes);
    entry->value = std::string_view(key + key_bytes, value_bytes);
    at_ = key + key_bytes + value_bytes;
    return true;
  }

  // OK, or kDamaged saying which entry at which byte of the block; SnapshotReader::Located adds
  // file and block.
  Status status() const {
    if (problem_ == nullptr) return Status();
    return Status::Damaged("entry " + std::to_string(read_) + " at byte " + std::to_string(at_ - begin_) + ": " + problem_);
  }

 private:
  bool Stop(const char* problem) {
    if (problem_ == nullptr) problem_ = problem;
    end_ = at_;
    promised_ = read_;
    return false;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  uint64_t promised_;
  uint64_t read_ = 0;
  const char* problem_ = nullptr;
};

static_assert(static_cast<int>(AccessKind::kLru) << 1 == kEntryHasLru);
static_assert(static_cast<int>(AccessKind::kLfu) << 1 == kEntryHasLfu);

}  // namespace cairn
