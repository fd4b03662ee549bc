#include "base/crc16.h"

#include <array>

namespace cairn {
namespace {

constexpr uint16_t kPolynomial = 0x1021;

constexpr std::array<std::array<uint16_t, 256>, 8> MakeTables() {
  std::array<std::array<uint16_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte << 8;
    for (int bit = 0; bit < 8; bit++) crc = (crc << 1) ^ ((crc & 0x8000) != 0 ? kPolynomial : 0);
    tables[0][byte] = static_cast<uint16_t>(crc);
  }
  for (uint32_t byte = 0; byte < 256; byte++) {
    for (size_t k = 1; k < 8; k++) {
      const uint16_t before = tables[k - 1][byte];
      tables[k][byte] = static_cast<uint16_t>((before << 8) ^ tables[0][before >> 8]);
    }
  }
  return tables;
}
// kTables[k][byte]: the checksum of `byte` followed by k zero bytes.
constexpr auto kTables = MakeTables();

}  // namespace

uint16_t Crc16(std::string_view bytes) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t size = bytes.size();
  uint32_t crc = 0;
  for (; size >= 8; size -= 8, data += 8) {
    // What depends on the bytes alone is joined first, so that only two look-ups wait for the previous step.
    const uint32_t rest = (kTables[5][data[2]] ^ kTables[4][data[3]]) ^ (kTables[3][data[4]] ^ kTables[2][data[5]]) ^
                          (kTables[1][data[6]] ^ kTables[0][data[7]]);
    crc = (kTables[7][data[0] ^ (crc >> 8)] ^ kTables[6][data[1] ^ (crc & 0xFF)]) ^ rest;
  }
  for (; size > 0; size--) crc = ((crc << 8) & 0xFFFF) ^ kTables[0][(crc >> 8) ^ *data++];
  return static_cast<uint16_t>(crc);
}

uint16_t KeySlot(std::string_view key) {
  const size_t open = key.find('{');
  if (open != std::string_view::npos) [[unlikely]] {
    const size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close != open + 1) key = key.substr(open + 1, close - open - 1);
  }
  return Crc16(key) & (kSlotCount - 1);
}

}  // namespace cairn
