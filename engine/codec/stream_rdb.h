// Streams in Redis's RDB encoding: type 19 is written; 15 (up to 6.2), 19 (7.0), 21 (7.2), 26 (8.6) and 27 (from 8.8 on) are read.
//
// 26 is 21 with, at its end, the windows of idempotent producers: duration in seconds, size of each, the producers as in type 200, messages
// added and duplicates refused, ever. 27 is 26 with, at the end of each group, the ids of its pending entries that XNACK gave back: their
// number, and 16 bytes each, in the order in which they will be delivered again.
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
