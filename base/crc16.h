// CRC16-XMODEM and the hash slot of a key as Redis Cluster defines it. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace cairn {

inline constexpr uint32_t kSlotCount = 16384;

// Polynomial 0x1021, initial value 0, not reflected.
uint16_t Crc16(std::string_view bytes);

// The slot of a key, 0..16383. Where the key holds `{...}` with at least one byte between the first `{` and the first `}` after
// it, only those bytes count, so that keys can be kept together.
uint16_t KeySlot(std::string_view key);

}  // namespace cairn
