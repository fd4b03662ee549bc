// Reads strings and lengths in Redis's RDB encoding. Any bytes may come: every length is checked before it is used, and what is
// allocated is bounded by what is really there (LZF: by its ratio of at most 1 to 264).
//
// Views point into the bytes that were given. Pure functions; any thread. Errors: kDamaged, saying what is wrong, not where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "snapshot/rdb_string_encoder.h"

namespace cairn {

// A decoded string: the number, or the bytes.
struct RdbString {
  bool is_int = false;
  int64_t number = 0;
  std::string_view bytes;
};

// A length, or the special encoding's number (kRdbInt8...) where *special becomes true; nullptr where the bytes end within it.
inline const char* DecodeRdbLength(const char* from, const char* end, uint64_t* length, bool* special) {
  if (from == end) return nullptr;
  const uint8_t first = static_cast<uint8_t>(*from++);
  *special = first >= 0xC0;
  if (first < 64 || *special) [[likely]] {
    *length = first;
    return from;
  }
  if (first < 128) {
    if (from == end) return nullptr;
    *length = uint64_t{first & 0x3Fu} << 8 | static_cast<uint8_t>(*from);
    return from + 1;
  }
  const int bytes = first == kRdb32Bit ? 4 : first == kRdb64Bit ? 8 : 0;
  if (bytes == 0 || end - from < bytes) return nullptr;
  *length = 0;
  for (int i = 0; i < bytes; i++) *length = *length << 8 | static_cast<uint8_t>(*from++);
  return from;
}

// How many bytes a length takes that begins with this one; 0 where no length does.
inline size_t RdbLengthSize(uint8_t first) {
  if (first < 64) return 1;
  if (first < 128) return 2;
  return first == kRdb32Bit ? 5 : first == kRdb64Bit ? 9 : 0;
}

// Reads one string from the front of *rest and moves *rest behind it. Compressed strings are expanded into *scratch.
Status DecodeRdbString(std::string_view* rest, RdbString* value, std::string* scratch);

// The usual case, inlined: a whole value that is one plain string or small integer. False for everything else, damage included;
// DecodeRdbString decides then.
inline bool DecodePlainRdbString(std::string_view bytes, RdbString* value) {
  uint64_t length;
  bool special;
  const char* end = bytes.data() + bytes.size();
  const char* body = DecodeRdbLength(bytes.data(), end, &length, &special);
  if (body == nullptr || special || length != static_cast<uint64_t>(end - body)) return false;
  value->is_int = false;
  value->bytes = std::string_view(body, length);
  return true;
}

}  // namespace cairn
