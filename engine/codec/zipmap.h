// Zipmaps: what small hashes were in Redis's files before version 2.6. Only read, when such a file is.
//
//   count 1 (254: unknown) | (length field | length unused 1 value unused bytes)* | 0xFF
//   length: 1 byte, or 0xFE and 4 bytes, little endian
#pragma once

#include <string_view>

#include "base/status.h"
#include "engine/values/listpack.h"

namespace cairn {

// Appends a zipmap's fields and values to `pairs`. kDamaged where the bytes are no zipmap; `pairs` may have got some of them then.
Status AppendZipmap(std::string_view zipmap, ListpackBuilder* pairs);

}  // namespace cairn
