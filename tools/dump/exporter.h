// Writes the keys of a loaded store, filtered, as an RDB file, as commands, or as JSON lines.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/keyspace/entry.h"
#include "engine/store.h"
#include "tools/common/output_file.h"

namespace cairn {

// Which keys; an empty filter takes all.
struct KeyFilter {
  std::vector<std::string> patterns;  // globs as KEYS takes them; one must match
  std::vector<std::string> types;     // "string", "list"...; one must be the key's
  std::vector<uint32_t> databases;

  bool TakesDatabase(uint32_t database) const;
  bool Takes(std::string_view key, const Entry& entry) const;
};

struct ExportCounts {
  uint64_t keys = 0;
  uint64_t bytes = 0;      // written
  uint64_t converted = 0;  // values that lost what Redis 7.0 does not know (engine/codec/redis70_value.h)
};

// An RDB file of version 10, which Redis 7.0 loads. `path` "-": standard output.
Result<ExportCounts> ExportRdb(Store& store, FileSystem& fs, const std::string& path, const KeyFilter& filter);

// RESP commands that make the keys in an empty server: SELECT, SET, RPUSH, SADD, HSET, ZADD, PEXPIREAT, HPEXPIREAT; streams by RESTORE.
Result<ExportCounts> ExportCommands(Store& store, OutputFile& out, const KeyFilter& filter);

// tools/common/json_text.h says how the lines look.
Result<ExportCounts> ExportJsonLines(Store& store, OutputFile& out, const KeyFilter& filter);

}  // namespace cairn
