#include "base/crc32c.h"

#include <array>
#include <bit>

#include "base/bytes.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#define CAIRN_CRC32C_X86 1
#endif

namespace cairn {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // reflected

constexpr std::array<std::array<uint32_t, 256>, 8> MakeTables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (uint32_t byte = 0; byte < 256; byte++) {
    for (size_t k = 1; k < 8; k++) tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xFF];
  }
  return tables;
}
constexpr auto kTables = MakeTables();

uint32_t ExtendByTable(uint32_t crc, const char* data, size_t size) {
  while (size >= 8) {
    const uint64_t word = LoadLittleEndian<uint64_t>(data) ^ crc;
    crc = 0;
    for (size_t i = 0; i < 8; i++) crc ^= kTables[7 - i][(word >> (8 * i)) & 0xFF];
    data += 8;
    size -= 8;
  }
  for (; size > 0; size--) crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<uint8_t>(*data++)) & 0xFF];
  return crc;
}

#if defined(CAIRN_CRC32C_X86)

// Three streams hide the instruction's latency of three cycles; their checksums are joined by moving the first two over the bytes
// that follow them, which is a multiplication with x^(8 * bytes) modulo the polynomial, here four table look-ups.
constexpr size_t kLongStreamBytes = 2048;
constexpr size_t kShortStreamBytes = 336;

constexpr uint32_t MultiplyModulo(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t mask = uint32_t{1} << 31; mask != 0; mask >>= 1) {
    if ((a & mask) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) != 0 ? kPolynomial : 0);
  }
  return product;
}

// x^(8 * bytes) modulo the polynomial.
constexpr uint32_t PowerOfX(size_t bytes) {
  uint32_t result = uint32_t{1} << 31;
  uint32_t square = uint32_t{1} << 23;  // x^8
  for (; bytes != 0; bytes >>= 1) {
    if ((bytes & 1) != 0) result = MultiplyModulo(square, result);
    square = MultiplyModulo(square, square);
  }
  return result;
}

using ShiftTable = std::array<std::array<uint32_t, 256>, 4>;

constexpr ShiftTable MakeShiftTable(size_t bytes) {
  const uint32_t power = PowerOfX(bytes);
  ShiftTable table{};
  for (uint32_t part = 0; part < 4; part++) {
    for (uint32_t bit = 0; bit < 8; bit++) {
      const uint32_t shifted = MultiplyModulo(power, uint32_t{1} << (8 * part + bit));
      for (uint32_t byte = 0; byte < (1u << bit); byte++) table[part][byte | (1u << bit)] = table[part][byte] ^ shifted;
    }
  }
  return table;
}
constexpr ShiftTable kLongShift = MakeShiftTable(kLongStreamBytes);
constexpr ShiftTable kShortShift = MakeShiftTable(kShortStreamBytes);

inline uint32_t Shift(const ShiftTable& table, uint32_t crc) {
  return table[0][crc & 0xFF] ^ table[1][(crc >> 8) & 0xFF] ^ table[2][(crc >> 16) & 0xFF] ^ table[3][crc >> 24];
}

template <size_t kStreamBytes>
__attribute__((target("sse4.2"))) inline uint64_t ThreeStreams(uint64_t crc, const char* data, const ShiftTable& shift) {
  uint64_t second = 0;
  uint64_t third = 0;
  for (size_t i = 0; i < kStreamBytes; i += 8) {
    crc = _mm_crc32_u64(crc, LoadLittleEndian<uint64_t>(data + i));
    second = _mm_crc32_u64(second, LoadLittleEndian<uint64_t>(data + kStreamBytes + i));
    third = _mm_crc32_u64(third, LoadLittleEndian<uint64_t>(data + 2 * kStreamBytes + i));
  }
  crc = Shift(shift, static_cast<uint32_t>(crc)) ^ second;
  return Shift(shift, static_cast<uint32_t>(crc)) ^ third;
}

__attribute__((target("sse4.2"))) uint32_t ExtendByInstruction(uint32_t seed, const char* data, size_t size) {
  uint64_t crc = seed;
  for (; size >= 3 * kLongStreamBytes; size -= 3 * kLongStreamBytes, data += 3 * kLongStreamBytes) {
    crc = ThreeStreams<kLongStreamBytes>(crc, data, kLongShift);
  }
  for (; size >= 3 * kShortStreamBytes; size -= 3 * kShortStreamBytes, data += 3 * kShortStreamBytes) {
    crc = ThreeStreams<kShortStreamBytes>(crc, data, kShortShift);
  }
  for (; size >= 8; size -= 8, data += 8) crc = _mm_crc32_u64(crc, LoadLittleEndian<uint64_t>(data));
  uint32_t result = static_cast<uint32_t>(crc);
  for (; size > 0; size--) result = _mm_crc32_u8(result, static_cast<uint8_t>(*data++));
  return result;
}

#endif

using Extend = uint32_t (*)(uint32_t, const char*, size_t);

Extend ChooseExtend() {
#if defined(CAIRN_CRC32C_X86)
  if (__builtin_cpu_supports("sse4.2")) return ExtendByInstruction;
#endif
  return ExtendByTable;
}

}  // namespace

uint32_t Crc32c(std::string_view bytes, uint32_t seed) {
  static const Extend extend = ChooseExtend();
  return ~extend(~seed, bytes.data(), bytes.size());
}

uint32_t Crc32cPortable(std::string_view bytes, uint32_t seed) { return ~ExtendByTable(~seed, bytes.data(), bytes.size()); }

}  // namespace cairn
