// Hashes in Redis's RDB encodings: 4 (fields and values) and 16 (one listpack) as Redis 7.0 writes them, and for hashes with field
// expiries 24 of Redis 7.4; besides these, 25 (a listpack of field, value, deadline), Valkey's 22 and what stood in the place of 16
// before Redis 7.0, 13 (one ziplist) and 9 (one zipmap), are read.
//
//   4   length | (field value)*
//   16  string that is a listpack
//   22  length | (field value | deadline 8, little-endian ms, or -1 for none)*
//   24  earliest deadline 8, little-endian ms | length | (deadline - earliest + 1, or 0 for none, as a length | field value)*
//   25  earliest deadline 8 | string that is a listpack of field, value, deadline in ms or 0
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/codec/loaded_value.h"
#include "engine/codec/rdb_sink.h"
#include "engine/values/hash_value.h"
#include "engine/values/value_limits.h"

namespace cairn {

inline constexpr uint8_t kRdbTypeHashMetadata = 24;
inline constexpr uint8_t kRdbTypeHashListpackEx = 25;

uint8_t HashRdbType(const HashTable& table);
void EncodeHash(const HashTable& table, RdbSink& sink);

// A hash of one of these types from its bytes, all of them. Errors: kDamaged, also for a field that is there twice; kNotFound for a hash
// without fields.
Status DecodeHash(uint8_t rdb_type, std::string_view bytes, const ValueLimits& limits, LoadedValue* value);

}  // namespace cairn
