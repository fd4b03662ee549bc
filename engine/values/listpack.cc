#include "engine/values/listpack.h"

#include <algorithm>
#include <cstring>

namespace cairn {
namespace {

constexpr uint8_t kEnd = 0xFF;
constexpr uint8_t kString32 = 0xF0;
constexpr uint8_t kInt16 = 0xF1;
constexpr uint8_t kInt24 = 0xF2;
constexpr uint8_t kInt32 = 0xF3;
constexpr uint8_t kInt64 = 0xF4;

// Bytes that the length of `size_bytes` takes behind an element. The limits are Redis's, one below what fits.
inline uint32_t LengthBytes(uint64_t size_bytes) {
  if (size_bytes <= 127) [[likely]]
    return 1;
  if (size_bytes < 16383) return 2;
  if (size_bytes < 2097151) return 3;
  return size_bytes < 268435455 ? 4 : 5;
}

inline char* WriteLength(char* to, uint64_t size_bytes) {
  if (size_bytes <= 127) [[likely]] {
    *to = static_cast<char>(size_bytes);
    return to + 1;
  }
  const uint32_t bytes = LengthBytes(size_bytes);
  for (uint32_t i = bytes; i-- > 0; size_bytes >>= 7) {
    to[i] = static_cast<char>((size_bytes & 127) | (i > 0 ? 128 : 0));
  }
  return to + bytes;
}

inline uint32_t IntBytes(int64_t number) {
  if (number >= 0 && number <= 127) return 1;
  if (number >= -4096 && number <= 4095) return 2;
  if (number >= INT16_MIN && number <= INT16_MAX) return 3;
  if (number >= -(1 << 23) && number < (1 << 23)) return 4;
  return number >= INT32_MIN && number <= INT32_MAX ? 5 : 9;
}

inline uint64_t StringBytes(uint64_t size_bytes) { return size_bytes + (size_bytes < 64 ? 1 : size_bytes < 4096 ? 2 : 5); }

// Bytes of the encoding and its length field alone; 0 for a byte that begins no element.
inline uint32_t HeadBytes(uint8_t first) {
  if (first < 0xE0) return 1;
  if (first < 0xF0) return 2;
  return first == kString32 ? 5 : first <= kInt64 ? 1 : 0;
}

// Bytes of encoding and value, without the length behind them.
inline uint64_t ElementBytes(const uint8_t* at) {
  const uint8_t first = *at;
  if (first < 0x80) return 1;
  if (first < 0xC0) return 1 + (first & 63u);
  if (first < 0xE0) return 2;
  if (first < 0xF0) return 2 + ((first & 15u) << 8 | at[1]);
  if (first == kString32) return 5 + uint64_t{LoadLittleEndian<uint32_t>(at + 1)};
  return first == kInt64 ? 9 : 2u + (first & 3u);
}

inline uint64_t WholeBytes(const uint8_t* at) {
  const uint64_t element = ElementBytes(at);
  return element + LengthBytes(element);
}

inline int64_t SignExtend(uint32_t value, int bits) { return static_cast<int32_t>(value << (32 - bits)) >> (32 - bits); }

// The value of a number; `at` is no string.
inline int64_t Number(const uint8_t* at) {
  switch (*at) {
    case kInt16: return LoadLittleEndian<int16_t>(at + 1);
    case kInt24: return SignExtend(LoadLittleEndian<uint16_t>(at + 1) | uint32_t{at[3]} << 16, 24);
    case kInt32: return LoadLittleEndian<int32_t>(at + 1);
    case kInt64: return LoadLittleEndian<int64_t>(at + 1);
    default: return *at < 0x80 ? *at : SignExtend((*at & 31u) << 8 | at[1], 13);
  }
}

inline bool IsString(uint8_t first) { return first >= 0x80 && (first < 0xC0 || (first >= 0xE0 && first <= kString32)); }

char* WriteNumber(char* to, int64_t number) {
  switch (IntBytes(number)) {
    case 1: *to = static_cast<char>(number); return to + 1;
    case 2:
      to[0] = static_cast<char>(0xC0 | (number >> 8 & 31));
      to[1] = static_cast<char>(number);
      return to + 2;
    case 3:
      *to = static_cast<char>(kInt16);
      StoreLittleEndian(to + 1, static_cast<int16_t>(number));
      return to + 3;
    case 4:
      *to = static_cast<char>(kInt24);
      StoreLittleEndian(to + 1, static_cast<uint16_t>(number));
      to[3] = static_cast<char>(number >> 16);
      return to + 4;
    case 5:
      *to = static_cast<char>(kInt32);
      StoreLittleEndian(to + 1, static_cast<int32_t>(number));
      return to + 5;
    default:
      *to = static_cast<char>(kInt64);
      StoreLittleEndian(to + 1, number);
      return to + 9;
  }
}

char* WriteString(char* to, std::string_view text) {
  if (text.size() < 64) {
    *to++ = static_cast<char>(0x80 | text.size());
  } else if (text.size() < 4096) {
    *to++ = static_cast<char>(0xE0 | text.size() >> 8);
    *to++ = static_cast<char>(text.size());
  } else {
    *to = static_cast<char>(kString32);
    StoreLittleEndian(to + 1, static_cast<uint32_t>(text.size()));
    to += 5;
  }
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

}  // namespace

size_t ListpackItem::encoded_bytes() const {
  const uint64_t bytes = is_int_ ? IntBytes(number_) : StringBytes(text_.size());
  return bytes + LengthBytes(bytes);
}

char* ListpackItem::Write(char* to) const {
  char* const end = is_int_ ? WriteNumber(to, number_) : WriteString(to, text_);
  return WriteLength(end, static_cast<uint64_t>(end - to));
}

uint32_t ListpackView::count() const {
  const uint16_t known = ListpackHeaderCount(bytes_);
  if (known != kListpackCountUnknown) return known;
  uint32_t count = 0;
  for (Position at = begin(); at != end(); at = Next(at)) count++;
  return count;
}

ListpackView::Position ListpackView::Next(Position at) const { return at + static_cast<Position>(WholeBytes(At(at))); }

ListpackView::Position ListpackView::Prev(Position at) const {
  const uint8_t* last = At(at) - 1;
  if (*last < 128) [[likely]]
    return at - 1 - *last;
  uint64_t element = *last & 127u;
  for (int shift = 7; (*last & 128) != 0; shift += 7) element |= uint64_t{*--last & 127u} << shift;
  return at - static_cast<Position>(element + LengthBytes(element));
}

ListpackView::Position ListpackView::Skip(Position at, uint32_t n) const {
  const uint8_t* p = At(at);
  for (; n > 0; n--) p += WholeBytes(p);
  return static_cast<Position>(p - At(0));
}

ListpackView::Position ListpackView::Seek(int64_t index) const {
  const uint16_t known = ListpackHeaderCount(bytes_);
  if (known != kListpackCountUnknown) {
    if (index >= known || index < -int64_t{known}) return end();
    if (index > known / 2) {
      index -= known;
    } else if (-index > known / 2) {
      index += known;
    }
  }
  Position at;
  if (index >= 0) {
    for (at = begin(); at != end() && index > 0; index--) at = Next(at);
    return at;
  }
  for (at = end(); at != begin() && index < 0; index++) at = Prev(at);
  return index == 0 ? at : end();
}

ListpackValue ListpackView::Read(Position* at) const {
  const uint8_t* p = At(*at);
  const uint8_t first = *p;
  const uint64_t element = ElementBytes(p);
  *at += static_cast<Position>(element + LengthBytes(element));
  ListpackValue value;
  if (IsString(first)) {
    const uint32_t head = HeadBytes(first);
    value.bytes = {reinterpret_cast<const char*>(p + head), static_cast<size_t>(element - head)};
  } else {
    value.number = Number(p);
  }
  return value;
}

ListpackView::Position ListpackView::Find(Position from, const ListpackItem& item, uint32_t skip) const {
  const uint8_t* const last = At(end());
  for (const uint8_t* p = At(from); p != last;) {
    const uint64_t element = ElementBytes(p);
    const uint8_t first = *p;
    bool equal;
    if (IsString(first)) {
      const uint32_t head = HeadBytes(first);
      equal = item.EqualsString({reinterpret_cast<const char*>(p + head), static_cast<size_t>(element - head)});
    } else {
      equal = item.is_int() && Number(p) == item.number();
    }
    if (equal) return static_cast<Position>(p - At(0));
    p += element + LengthBytes(element);
    for (uint32_t i = 0; i < skip && p != last; i++) p += WholeBytes(p);
  }
  return end();
}

bool ValidateListpack(std::string_view bytes, uint32_t* count) {
  if (bytes.size() < kListpackEmptyBytes || LoadLittleEndian<uint32_t>(bytes.data()) != bytes.size()) return false;
  const uint8_t* p = reinterpret_cast<const uint8_t*>(bytes.data()) + kListpackHeaderBytes;
  const uint8_t* const last = p + (bytes.size() - kListpackEmptyBytes);
  if (*last != kEnd) return false;
  uint32_t found = 0;
  while (p != last) {
    const auto room = static_cast<uint64_t>(last - p);
    const uint32_t head = HeadBytes(*p);
    if (head == 0 || head > room) return false;
    const uint64_t element = ElementBytes(p);
    if (element > room || LengthBytes(element) > room - element) return false;
    char length[5];
    const auto length_bytes = static_cast<size_t>(WriteLength(length, element) - length);
    if (std::memcmp(p + element, length, length_bytes) != 0) return false;
    p += element + length_bytes;
    found++;
  }
  const uint16_t stated = ListpackHeaderCount(bytes);
  if (stated != kListpackCountUnknown && stated != found) return false;
  *count = found;
  return true;
}

void WriteListpackHeader(char* to, size_t total_bytes, uint64_t count) {
  CAIRN_CHECK(total_bytes <= UINT32_MAX);
  StoreLittleEndian(to, static_cast<uint32_t>(total_bytes));
  StoreLittleEndian(to + 4, static_cast<uint16_t>(std::min<uint64_t>(count, kListpackCountUnknown)));
}

void ListpackBuilder::AddEncoded(std::string_view bytes, uint64_t count) {
  Reserve(bytes.size());
  if (!bytes.empty()) std::memcpy(data_ + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
  count_ += count;
}

std::string_view ListpackBuilder::listpack() {
  data_[end_] = static_cast<char>(kEnd);  // Reserve always leaves a byte for it
  WriteListpackHeader(data_, end_ + 1, count_);
  return {data_, end_ + 1};
}

void ListpackBuilder::Grow(size_t more_bytes) {
  const size_t capacity = std::max(capacity_ * 2, end_ + more_bytes + 1);
  std::unique_ptr<char[]> grown(new char[capacity]);
  std::memcpy(grown.get(), data_, end_);
  heap_ = std::move(grown);
  data_ = heap_.get();
  capacity_ = capacity;
}

}  // namespace cairn
