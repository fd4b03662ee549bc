// Ziplists: what stood in Redis's files before version 7 where listpacks stand now. Only read, when such a file is.
//
//   total bytes 4 | offset of the last entry 4 | count 2 (65,535: unknown) | entry* | 0xFF
//   entry: length of the one before, 1 byte or 0xFE and 4 | encoding | value
#pragma once

#include <string_view>

#include "base/status.h"
#include "engine/values/listpack.h"

namespace cairn {

// Appends a ziplist's entries to `elements`. kDamaged where the bytes are no ziplist; `elements` may have got some of them then.
Status AppendZiplist(std::string_view ziplist, ListpackBuilder* elements);

}  // namespace cairn
