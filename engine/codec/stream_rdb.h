// Streams in Redis's RDB encoding: type 19 is written; 15 (up to 6.2), 19 (7.0) and 21 (7.2) are read.
//
// What type 19 cannot say is written in a form of our own, type 200 (FORMAT.md): the windows of idempotent producers, and pending
// entries without a consumer. Only streams that have such state get it; Redis does not know it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "engine/codec/loaded_value.h"
#include "engine/codec/rdb_sink.h"
#include "engine/values/stream_value.h"

namespace cairn {

inline constexpr uint8_t kRdbTypeStreamExtended = 200;

uint8_t StreamRdbType(const Stream& stream);
// The value's bytes, of the type that StreamRdbType says. Pure; any thread that may read the stream.
void EncodeStream(const Stream& stream, RdbSink& sink);
// A stream from untrusted bytes, all of them; kDamaged where they are malformed or contradict each other.
Status DecodeStream(uint8_t rdb_type, std::string_view bytes, LoadedValue* value);

}  // namespace cairn
