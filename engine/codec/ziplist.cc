#include "engine/codec/ziplist.h"

namespace cairn {
namespace {

constexpr size_t kHeaderBytes = 10;
constexpr uint8_t kEnd = 0xFF;
constexpr uint8_t kLongPrevious = 0xFE;
constexpr uint16_t kCountUnknown = 65535;

uint8_t ByteAt(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

struct Parsed {
  ListpackValue value;
  size_t bytes = 0;  // of encoding and value
};

bool ParseString(std::string_view from, Parsed* entry) {
  const uint8_t first = ByteAt(from, 0);
  size_t head = 1;
  uint64_t size = first & 0x3Fu;
  if (first >= 0x80) {
    head = 5;
    if (from.size() < head) return false;
    size = 0;
    for (size_t i = 1; i < head; i++) size = size << 8 | ByteAt(from, i);
  } else if (first >= 0x40) {
    head = 2;
    if (from.size() < head) return false;
    size = size << 8 | ByteAt(from, 1);
  }
  if (size > from.size() - head) return false;
  entry->value.bytes = from.substr(head, size);
  entry->bytes = head + size;
  return true;
}

bool ParseNumber(std::string_view from, Parsed* entry) {
  const uint8_t first = ByteAt(from, 0);
  if (first >= 0xF1 && first <= 0xFD) {
    entry->value.number = first - 0xF1;
    entry->bytes = 1;
    return true;
  }
  size_t size = 0;
  switch (first) {
    case 0xC0: size = 2; break;
    case 0xD0: size = 4; break;
    case 0xE0: size = 8; break;
    case 0xF0: size = 3; break;
    case 0xFE: size = 1; break;
    default: return false;
  }
  if (from.size() <= size) return false;
  uint64_t number = 0;
  for (size_t i = size; i > 0; i--) number = number << 8 | ByteAt(from, i);
  const size_t unused_bits = 64 - 8 * size;
  entry->value.number = static_cast<int64_t>(number << unused_bits) >> unused_bits;
  entry->bytes = 1 + size;
  return true;
}

}  // namespace

Status AppendZiplist(std::string_view ziplist, ListpackBuilder* elements) {
  Status damaged = Status::Damaged("a ziplist is malformed");
  if (ziplist.size() < kHeaderBytes + 1 || LoadLittleEndian<uint32_t>(ziplist.data()) != ziplist.size()) return damaged;
  const size_t end = ziplist.size() - 1;
  if (ByteAt(ziplist, end) != kEnd) return damaged;
  size_t at = kHeaderBytes;
  size_t previous_bytes = 0;
  uint64_t count = 0;
  while (at < end) {
    const std::string_view rest = ziplist.substr(at, end - at);
    const bool long_previous = ByteAt(rest, 0) == kLongPrevious;
    const size_t head = long_previous ? 5 : 1;
    if (rest.size() <= head) return damaged;
    if ((long_previous ? LoadLittleEndian<uint32_t>(rest.data() + 1) : ByteAt(rest, 0)) != previous_bytes) return damaged;
    Parsed entry;
    const std::string_view body = rest.substr(head);
    if (!(ByteAt(body, 0) < 0xC0 ? ParseString(body, &entry) : ParseNumber(body, &entry))) return damaged;
    elements->Add(ListpackItem(entry.value));
    previous_bytes = head + entry.bytes;
    at += previous_bytes;
    count++;
  }
  const uint16_t stated = LoadLittleEndian<uint16_t>(ziplist.data() + 8);
  if (stated != kCountUnknown && stated != count) return damaged;
  const uint32_t last = LoadLittleEndian<uint32_t>(ziplist.data() + 4);
  return last == at - previous_bytes ? Status() : damaged;
}

}  // namespace cairn
