// Sorted sets in Redis's RDB encoding: pairs of member and binary score, the highest first (type 5), or one listpack of members
// and scores, the lowest first (17). Text scores (3) and ziplists (12), as old versions wrote them, are read.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "engine/codec/loaded_value.h"
#include "engine/codec/rdb_sink.h"
#include "engine/values/sorted_set.h"
#include "engine/values/value_limits.h"

namespace cairn {

// A large sorted set's bytes, of type 5. Pure; any thread that may read the set.
void EncodeSortedSet(const SortedSet& set, RdbSink& sink);
// A sorted set from untrusted bytes, all of them; kDamaged where they are malformed, a member is there twice or a score is NaN,
// kNotFound where the set is empty. Elements may come in any order.
Status DecodeSortedSet(uint8_t rdb_type, std::string_view bytes, const ValueLimits& limits, LoadedValue* value);

}  // namespace cairn
