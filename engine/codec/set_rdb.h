// Sets in Redis's RDB encoding: members one after another (type 2) or the intset's bytes (11); listpacks of members (20) are read, as
// versions from 7.2 on write them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "engine/codec/loaded_value.h"
#include "engine/codec/rdb_sink.h"
#include "engine/values/set_value.h"

namespace cairn {

uint8_t SetRdbType(const SetView& set);
// The value's bytes, of the type that SetRdbType says. Pure; any thread that may read the set.
void EncodeSet(const SetView& set, RdbSink& sink);
// A set from untrusted bytes, all of them; kDamaged where they are malformed or a member is there twice, kNotFound where the set is
// empty.
Status DecodeSet(uint8_t rdb_type, std::string_view bytes, const ValueLimits& limits, LoadedValue* value);

}  // namespace cairn
