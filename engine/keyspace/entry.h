// One key with its value: a single allocation of an 8-byte header, the expiry where there is one, the key and, for small
// strings, the value itself.
//
//   header 8 | expiry 8 (if any) | key length 8 (only keys of 65,535 bytes and more) | key | inline value or 8-byte payload
//
// header: access 24 bits (LRU clock in seconds, or LFU counter and decrement time, as Redis), kind 8 bits (type 3, encoding 4,
// expiry 1), key length 16 bits, inline value length 16 bits. Inline strings are at most kInlineValueMaxBytes, longer ones are
// ropes; inline collections are at most kPackedMaxBytes, larger ones are LargeValues.
//
// expiry: 44 bits of Unix milliseconds and, above them, 19 bits that say by how much the expiry index lags behind; with the sign bit
// set (after the year 2527) 63 bits of milliseconds, and no lag.
//
// Entries are created, resized, moved and freed only by the Dictionary that holds them; everybody else reads through const access
// or changes them through Keyspace. A pointer to an entry lives until the next change of its key or the release of its shard's
// lock.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace cairn {

class LargeValue;
class Rope;

enum class ValueType : uint8_t { kString = 0, kList = 1, kSet = 2, kSortedSet = 3, kHash = 4, kStream = 6 };

enum class Encoding : uint8_t {
  kInt = 0,       // payload: int64
  kEmbedded = 1,  // inline bytes, at most 44: OBJECT ENCODING says embstr
  kRaw = 2,       // inline bytes that grew or are longer than 44
  kRope = 3,      // payload: Rope* owned by the entry; OBJECT ENCODING says raw
  kPacked = 4,    // inline bytes: a listpack; the type says of what
  kIntSet = 5,    // inline bytes: an intset
  kLarge = 6,     // payload: LargeValue* owned by the entry; the type says which
};

inline constexpr uint32_t kInlineValueMaxBytes = 16 * 1024;
inline constexpr uint32_t kPackedMaxBytes = 65535;

// "string", "list"... as TYPE answers.
std::string_view TypeName(ValueType type);
// "int", "embstr", "listpack"... as Redis 7.0's OBJECT ENCODING answers.
std::string_view EncodingName(ValueType type, Encoding encoding);

class Entry {
 public:
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  std::string_view key() const;
  ValueType type() const { return static_cast<ValueType>(kind_ & 7); }
  Encoding encoding() const { return static_cast<Encoding>((kind_ >> 3) & 15); }
  bool has_expiry() const { return (kind_ & 0x80) != 0; }
  // Unix time in milliseconds; only where has_expiry().
  int64_t expiry_ms() const;
  // The deadline under which the expiry index holds the entry: expiry_ms(), or an earlier one from before the expiry was moved on.
  int64_t indexed_expiry_ms() const;
  // 24 bits; the meaning depends on the eviction policy (see eviction.h).
  uint32_t access() const { return access_; }
  void set_access(uint32_t access) { access_ = access & 0xFFFFFF; }

  // By encoding: the inline bytes (kEmbedded, kRaw), the integer (kInt), the rope (kRope).
  std::string_view inline_value() const;
  int64_t int_value() const;
  const Rope& rope() const;
  // The same of collections: the inline bytes (kPacked, kIntSet), the tree (kLarge), which `T` names by its type.
  std::string_view packed() const { return inline_value(); }
  const LargeValue& large() const;
  template <typename T>
  const T& large_as() const {
    return static_cast<const T&>(large());
  }
  // Bytes that this entry and what it alone owns take from the allocator (rounded as the allocator does).
  uint64_t memory_bytes() const;

 private:
  friend class EntryCodec;                      // entry.cc, entry_codec.h: builds and changes the bytes
  static constexpr uint16_t kLongKey = 0xFFFF;  // key_size_ of a key whose length stands in 8 bytes of its own
  static constexpr int kExpiryBits = 44;
  static constexpr int64_t kExpiryMask = (int64_t{1} << kExpiryBits) - 1;
  static constexpr int64_t kExpiryLagMax = (int64_t{1} << (63 - kExpiryBits)) - 1;
  Entry() = default;
  int64_t raw_expiry() const {
    int64_t raw;
    std::memcpy(&raw, body(), sizeof(raw));
    return raw;
  }
  const char* body() const { return reinterpret_cast<const char*>(this + 1); }
  const char* payload() const {
    const std::string_view name = key();
    return name.data() + name.size();
  }

  uint32_t access_ : 24;
  uint32_t kind_ : 8;
  uint16_t key_size_;
  uint16_t inline_size_;
};
static_assert(sizeof(Entry) == 8);

inline std::string_view Entry::key() const {
  const char* at = body() + ((kind_ & 0x80) >> 4);
  if (key_size_ != kLongKey) [[likely]]
    return {at, key_size_};
  uint64_t size;
  std::memcpy(&size, at, sizeof(size));
  return {at + sizeof(size), size};
}

inline int64_t Entry::expiry_ms() const {
  const int64_t raw = raw_expiry();
  return raw < 0 ? raw & INT64_MAX : raw & kExpiryMask;
}

inline int64_t Entry::indexed_expiry_ms() const {
  const int64_t raw = raw_expiry();
  return raw < 0 ? raw & INT64_MAX : (raw & kExpiryMask) - (raw >> kExpiryBits);
}

inline std::string_view Entry::inline_value() const { return {payload(), inline_size_}; }

inline int64_t Entry::int_value() const {
  int64_t value;
  std::memcpy(&value, payload(), sizeof(value));
  return value;
}

inline const Rope& Entry::rope() const {
  const Rope* rope;
  std::memcpy(&rope, payload(), sizeof(rope));
  return *rope;
}

inline const LargeValue& Entry::large() const {
  const LargeValue* large;
  std::memcpy(&large, payload(), sizeof(large));
  return *large;
}

}  // namespace cairn
