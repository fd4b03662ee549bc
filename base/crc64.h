// CRC64 in the Jones variant (reflected), which closes Redis's RDB files and DUMP payloads. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace cairn {

// The checksum of `bytes` after bytes whose checksum is `seed`. 0 for the empty string.
uint64_t Crc64(std::string_view bytes, uint64_t seed = 0);

}  // namespace cairn
