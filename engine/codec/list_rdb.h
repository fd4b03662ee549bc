// Lists in Redis's RDB encodings: written as quicklists of listpacks (a large list's leaves as they lie), read in every form that Redis
// has written. Encoding may run without locks on a retained value; decoding takes any bytes. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "engine/codec/loaded_value.h"
#include "engine/codec/rdb_sink.h"
#include "engine/values/list_value.h"

namespace cairn {

inline constexpr uint8_t kRdbTypeList = 1;
inline constexpr uint8_t kRdbTypeListZiplist = 10;
inline constexpr uint8_t kRdbTypeListQuicklist = 14;
inline constexpr uint8_t kRdbTypeListQuicklist2 = 18;

// Whether DecodeList knows it.
bool IsListRdbType(uint8_t rdb_type);

// As kRdbTypeListQuicklist2.
void EncodeList(const ListValue& list, RdbSink& sink);

// The whole of `bytes` as a list; kDamaged for malformed bytes, kNotFound for a list without elements.
Status DecodeList(uint8_t rdb_type, std::string_view bytes, LoadedValue* value);

}  // namespace cairn
