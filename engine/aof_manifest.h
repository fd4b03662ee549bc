// The manifest of Redis's multi-part append-only file: which files, in which order, are the data.
//
//   file appendonly.aof.2.base.rdb seq 2 type b        the keyspace when the last rewrite began, at most one
//   file appendonly.aof.1.incr.aof seq 1 type h        history: not needed any more
//   file appendonly.aof.2.incr.aof seq 2 type i        commands since then, by growing seq
//
// A line is at least those three pairs of words, further ones are for later versions; names with spaces are quoted. Lines that begin
// with # are comments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace cairn {

struct AofManifest {
  std::string base;  // empty: none
  std::vector<std::string> increments;
};

inline constexpr uint64_t kAofManifestMaxBytes = 16 << 20;

// Any bytes may come. kDamaged with the line and what is wrong; the message does not name the file.
Result<AofManifest> ParseAofManifest(std::string_view text);

}  // namespace cairn
