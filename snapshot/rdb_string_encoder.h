// Strings, lengths and numbers in Redis's RDB encoding: what stands in RDB files, snapshots, DUMP and, later, the cold tier and full
// sync. Whole values of all types: engine/codec/value_codec.h.
//
// A string is a length followed by its bytes, or a small integer in one, two or four bytes. All functions are pure; callers give
// the room. The bytes are durable: they never change for a given value type.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/numbers.h"

namespace cairn {

inline constexpr uint8_t kRdbTypeString = 0;
inline constexpr size_t kRdbLengthMaxBytes = 9;
// The longest encoding of an integer: its text behind a one-byte length.
inline constexpr size_t kRdbIntMaxBytes = 1 + kIntTextMaxBytes;

// The first byte's two upper bits: 6-bit length, 14-bit length, 32- or 64-bit big-endian length, or a special encoding.
inline constexpr uint8_t kRdb14Bit = 0x40;
inline constexpr uint8_t kRdb32Bit = 0x80;
inline constexpr uint8_t kRdb64Bit = 0x81;
inline constexpr uint8_t kRdbInt8 = 0xC0;
inline constexpr uint8_t kRdbInt16 = 0xC1;
inline constexpr uint8_t kRdbInt32 = 0xC2;
inline constexpr uint8_t kRdbLzf = 0xC3;

// Writes the length and returns the end; `to` has kRdbLengthMaxBytes.
inline char* EncodeRdbLength(char* to, uint64_t length) {
  if (length < 64) [[likely]] {
    *to = static_cast<char>(length);
    return to + 1;
  }
  if (length < 16384) {
    to[0] = static_cast<char>(kRdb14Bit | length >> 8);
    to[1] = static_cast<char>(length);
    return to + 2;
  }
  const int bytes = length <= UINT32_MAX ? 4 : 8;
  *to++ = static_cast<char>(bytes == 4 ? kRdb32Bit : kRdb64Bit);
  for (int i = bytes - 1; i >= 0; i--) *to++ = static_cast<char>(length >> (8 * i));
  return to;
}

inline size_t RdbLengthBytes(uint64_t length) { return length < 64 ? 1 : length < 16384 ? 2 : length <= UINT32_MAX ? 5 : 9; }

// Writes an integer as Redis writes strings that are integers; returns the end. `to` has kRdbIntMaxBytes.
inline char* EncodeRdbInt(char* to, int64_t value) {
  if (value >= INT8_MIN && value <= INT8_MAX) {
    *to = static_cast<char>(kRdbInt8);
    StoreLittleEndian<int8_t>(to + 1, static_cast<int8_t>(value));
    return to + 2;
  }
  if (value >= INT16_MIN && value <= INT16_MAX) {
    *to = static_cast<char>(kRdbInt16);
    StoreLittleEndian<int16_t>(to + 1, static_cast<int16_t>(value));
    return to + 3;
  }
  if (value >= INT32_MIN && value <= INT32_MAX) {
    *to = static_cast<char>(kRdbInt32);
    StoreLittleEndian<int32_t>(to + 1, static_cast<int32_t>(value));
    return to + 5;
  }
  char* end = WriteInt(to + 1, value);
  *to = static_cast<char>(end - to - 1);
  return end;
}

// Appends a string's length and bytes.
void AppendRdbString(std::string_view bytes, std::string* out);
// The length that stands in front of a string of so many bytes.
std::string RdbLengthPrefix(uint64_t size_bytes);

}  // namespace cairn
