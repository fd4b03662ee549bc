#include "base/crc64.h"

#include <array>

#include "base/bytes.h"

namespace cairn {
namespace {

constexpr uint64_t kPolynomial = 0x95AC9329AC4BC9B5;  // 0xAD93D23594C935A9 reflected

constexpr std::array<std::array<uint64_t, 256>, 8> MakeTables() {
  std::array<std::array<uint64_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint64_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (uint32_t byte = 0; byte < 256; byte++) {
    for (size_t k = 1; k < 8; k++) tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xFF];
  }
  return tables;
}
constexpr auto kTables = MakeTables();

}  // namespace

uint64_t Crc64(std::string_view bytes, uint64_t seed) {
  const char* data = bytes.data();
  size_t size = bytes.size();
  uint64_t crc = seed;
  for (; size >= 8; size -= 8, data += 8) {
    const uint64_t word = LoadLittleEndian<uint64_t>(data) ^ crc;
    crc = 0;
    for (size_t i = 0; i < 8; i++) crc ^= kTables[7 - i][(word >> (8 * i)) & 0xFF];
  }
  for (; size > 0; size--) crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<uint8_t>(*data++)) & 0xFF];
  return crc;
}

}  // namespace cairn
