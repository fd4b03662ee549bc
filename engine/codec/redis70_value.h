// Values as Redis 7.0 can read them. The encodings that Cairn writes are Redis 7.0's but for two, which hold what it does not know:
//
//   24   a hash with expiries of fields: they are left out, and so are fields whose time has come
//   200  a stream with idempotent producers, or with pending entries that belong to no consumer: the producers are left out, and those
//        entries become a consumer's, "nacked", from which XAUTOCLAIM and XCLAIM take them
//
// Pure; any thread. Takes any bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace cairn {

// Whether a value of this type has to be converted.
bool NeedsRedis70Form(uint8_t rdb_type);

// Converts a value of such a type: *rdb_type becomes the new one and *out its bytes. kNotFound where nothing is left (all of a hash's
// fields are gone), kDamaged for malformed bytes.
Status ToRedis70Form(std::string_view value, int64_t now_ms, uint8_t* rdb_type, std::string* out);

}  // namespace cairn
