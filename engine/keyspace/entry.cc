#include "engine/keyspace/entry.h"

#include <new>

#include "base/numbers.h"
#include "base/status.h"
#include "engine/keyspace/entry_codec.h"
#include "engine/values/large_value.h"
#include "engine/values/rope.h"

namespace cairn {

namespace {

constexpr size_t kEmbeddedMaxBytes = 44;  // beyond it Redis's OBJECT ENCODING says raw

uint8_t Kind(ValueType type, Encoding encoding, bool has_expiry) {
  return static_cast<uint8_t>(static_cast<uint8_t>(type) | static_cast<uint8_t>(encoding) << 3 | (has_expiry ? 0x80 : 0));
}

}  // namespace

std::string_view TypeName(ValueType type) {
  switch (type) {
    case ValueType::kString: return "string";
    case ValueType::kList: return "list";
    case ValueType::kSet: return "set";
    case ValueType::kSortedSet: return "zset";
    case ValueType::kHash: return "hash";
    case ValueType::kStream: return "stream";
  }
  return "none";
}

std::string_view EncodingName(ValueType type, Encoding encoding) {
  switch (encoding) {
    case Encoding::kInt: return "int";
    case Encoding::kEmbedded: return "embstr";
    case Encoding::kRaw:
    case Encoding::kRope: return "raw";
    case Encoding::kIntSet: return "intset";
    case Encoding::kPacked:
    case Encoding::kLarge: break;
  }
  // Version 7.0 has lists in one form only, and no packed sets of strings.
  switch (type) {
    case ValueType::kList: return "quicklist";
    case ValueType::kSet: return "hashtable";
    case ValueType::kStream: return "stream";
    case ValueType::kHash: return encoding == Encoding::kPacked ? "listpack" : "hashtable";
    case ValueType::kSortedSet: return encoding == Encoding::kPacked ? "listpack" : "skiplist";
    case ValueType::kString: break;
  }
  return "unknown";
}

uint64_t Entry::memory_bytes() const {
  const uint64_t own_bytes = EntryCodec::AllocatedBytes(*this);
  if (encoding() == Encoding::kRope) return own_bytes + rope().memory_bytes();
  return encoding() == Encoding::kLarge ? own_bytes + large().memory_bytes() : own_bytes;
}

const std::array<uint16_t, EntryCodec::kTabledBytes / 16 + 1> EntryCodec::kAllocatedBytes = [] {
  std::array<uint16_t, kTabledBytes / 16 + 1> sizes{};
  for (size_t i = 0; i < sizes.size(); i++) sizes[i] = static_cast<uint16_t>(AllocationSize(i == 0 ? 16 : i * 16));
  return sizes;
}();

EntryCodec::ValueShape EntryCodec::ShapeOf(std::string_view value, bool raw) {
  ValueShape shape;
  if (value.size() > kInlineValueMaxBytes) {
    shape.encoding = Encoding::kRope;
    return shape;
  }
  shape.inline_size = static_cast<uint32_t>(value.size());
  if (raw || value.size() > kEmbeddedMaxBytes) {
    shape.encoding = Encoding::kRaw;
  } else if (value.size() <= kIntTextMaxBytes && ParseInt64(value, &shape.number)) {
    shape.encoding = Encoding::kInt;
    shape.inline_size = 0;
  }
  return shape;
}

Entry* EntryCodec::New(std::string_view key, ValueType type, const ValueShape& shape, int64_t expiry_ms, uint32_t access) {
  const bool has_expiry = expiry_ms >= 0;
  const size_t size_bytes = SizeBytes(key.size(), has_expiry, shape);
  Entry* entry = new (AllocateBytes(size_bytes < 16 ? 16 : size_bytes)) Entry;
  entry->access_ = access & 0xFFFFFF;
  entry->kind_ = Kind(type, shape.encoding, has_expiry);
  entry->inline_size_ = static_cast<uint16_t>(shape.inline_size);
  char* at = const_cast<char*>(entry->body());
  if (has_expiry) {
    SetExpiry(entry, expiry_ms);
    at += sizeof(expiry_ms);
  }
  if (key.size() >= Entry::kLongKey) [[unlikely]] {
    entry->key_size_ = Entry::kLongKey;
    const uint64_t key_bytes = key.size();
    std::memcpy(at, &key_bytes, sizeof(key_bytes));
    at += sizeof(key_bytes);
  } else {
    entry->key_size_ = static_cast<uint16_t>(key.size());
  }
  if (!key.empty()) std::memcpy(at, key.data(), key.size());
  if (shape.encoding == Encoding::kInt) std::memcpy(at + key.size(), &shape.number, sizeof(shape.number));
  return entry;
}

void EntryCodec::SetShape(Entry* entry, ValueType type, const ValueShape& shape) {
  entry->kind_ = Kind(type, shape.encoding, entry->has_expiry());
  entry->inline_size_ = static_cast<uint16_t>(shape.inline_size);
  if (shape.encoding == Encoding::kInt) SetInt(entry, shape.number);
}

void EntryCodec::SetExpiry(Entry* entry, int64_t expiry_ms) {
  const int64_t raw = expiry_ms > Entry::kExpiryMask ? expiry_ms | INT64_MIN : expiry_ms;
  std::memcpy(const_cast<char*>(entry->body()), &raw, sizeof(raw));
}

bool EntryCodec::PostponeExpiry(Entry* entry, int64_t expiry_ms) {
  const int64_t lag_ms = expiry_ms - entry->indexed_expiry_ms();
  if (expiry_ms > Entry::kExpiryMask || lag_ms < 0 || lag_ms > Entry::kExpiryLagMax) return false;
  const int64_t raw = lag_ms << Entry::kExpiryBits | expiry_ms;
  std::memcpy(const_cast<char*>(entry->body()), &raw, sizeof(raw));
  return true;
}

void EntryCodec::SetInt(Entry* entry, int64_t number) { std::memcpy(MutablePayload(entry), &number, sizeof(number)); }

void EntryCodec::SetRope(Entry* entry, std::unique_ptr<Rope> rope) {
  Rope* pointer = rope.release();
  std::memcpy(MutablePayload(entry), &pointer, sizeof(pointer));
}

void EntryCodec::WriteValue(Entry* entry, const StringSource& value) {
  switch (entry->encoding()) {
    case Encoding::kInt: return;
    case Encoding::kRope:
      SetRope(entry, std::make_unique<Rope>(value.owner != nullptr ? Rope(*value.owner) : Rope::Copy(value.bytes)));
      return;
    case Encoding::kEmbedded:
    case Encoding::kRaw: break;
    case Encoding::kPacked:
    case Encoding::kIntSet:
    case Encoding::kLarge: CAIRN_CHECK(false);
  }
  // The source may be this entry's old value.
  if (!value.bytes.empty()) std::memmove(MutablePayload(entry), value.bytes.data(), value.bytes.size());
}

void EntryCodec::FreeShell(Entry* entry) {
  const size_t size_bytes = SizeBytes(*entry);
  FreeBytes(entry, size_bytes < 16 ? 16 : size_bytes);
}

void EntryCodec::SetLarge(Entry* entry, std::unique_ptr<LargeValue> large) {
  LargeValue* pointer = large.release();
  std::memcpy(MutablePayload(entry), &pointer, sizeof(pointer));
}

void EntryCodec::Free(Entry* entry) {
  if (entry->encoding() == Encoding::kRope) delete MutableRope(entry);
  if (entry->encoding() == Encoding::kLarge) delete MutableLarge(entry);
  FreeShell(entry);
}

}  // namespace cairn
