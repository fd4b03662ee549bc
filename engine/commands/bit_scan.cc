#include <bit>
#include <cstring>

#include "engine/commands/bitmap_commands.h"

namespace cairn::bitmap_commands {
namespace {

uint64_t LoadWord(const char* from) {
  uint64_t word = 0;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

}  // namespace

uint64_t CountBits(std::string_view bytes) {
  const char* at = bytes.data();
  size_t left = bytes.size();
  uint64_t counts[4] = {0, 0, 0, 0};  // independent, so that the additions overlap
  for (; left >= 32; at += 32, left -= 32) {
    for (int i = 0; i < 4; i++) counts[i] += static_cast<uint64_t>(std::popcount(LoadWord(at + 8 * i)));
  }
  for (; left >= 8; at += 8, left -= 8) counts[0] += static_cast<uint64_t>(std::popcount(LoadWord(at)));
  for (; left > 0; at++, left--) counts[0] += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(*at)));
  return counts[0] + counts[1] + counts[2] + counts[3];
}

int64_t FirstBit(std::string_view bytes, bool bit) {
  const uint64_t skip = bit ? 0 : ~uint64_t{0};
  size_t at = 0;
  while (at + 8 <= bytes.size() && LoadWord(bytes.data() + at) == skip) at += 8;
  for (; at < bytes.size(); at++) {
    const auto wanted = static_cast<uint8_t>(static_cast<uint8_t>(bytes[at]) ^ static_cast<uint8_t>(skip));
    if (wanted != 0) return static_cast<int64_t>(8 * at) + std::countl_zero(wanted);
  }
  return -1;
}

}  // namespace cairn::bitmap_commands
