// CRC32C (Castagnoli, reflected), the checksum of the log's frames and the snapshot's blocks. Any thread.
//
// Uses the CPU's instruction where there is one (chosen once, when first called), three streams at a time for long inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cairn {

// The checksum of `bytes` after bytes whose checksum is `seed`: Crc32c(b, Crc32c(a)) == Crc32c(a + b). 0 for the empty string.
uint32_t Crc32c(std::string_view bytes, uint32_t seed = 0);

inline uint32_t Crc32cExtend(uint32_t crc, const void* data, size_t size_bytes) {
  return Crc32c(std::string_view(static_cast<const char*>(data), size_bytes), crc);
}

// The table version whatever the CPU offers; for tests.
uint32_t Crc32cPortable(std::string_view bytes, uint32_t seed = 0);

}  // namespace cairn
