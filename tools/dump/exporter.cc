#include "tools/dump/exporter.h"

#include <algorithm>

#include "base/clock.h"
#include "base/glob.h"
#include "engine/codec/redis70_value.h"
#include "engine/codec/value_codec.h"
#include "engine/keyspace/keyspace.h"
#include "server/version.h"
#include "snapshot/rdb_writer.h"
#include "tools/common/progress_bar.h"

namespace cairn {

bool KeyFilter::TakesDatabase(uint32_t database) const {
  return databases.empty() || std::find(databases.begin(), databases.end(), database) != databases.end();
}

bool KeyFilter::Takes(std::string_view key, const Entry& entry) const {
  const auto matches = [key](const std::string& pattern) { return GlobMatch(pattern, key); };
  if (!patterns.empty() && std::none_of(patterns.begin(), patterns.end(), matches)) return false;
  return types.empty() || std::find(types.begin(), types.end(), TypeName(entry.type())) != types.end();
}

Result<ExportCounts> ExportRdb(Store& store, FileSystem& fs, const std::string& path, const KeyFilter& filter) {
  std::unique_ptr<RdbWriter> writer;
  if (path == "-") {
    writer = RdbWriter::Over(OutputFile::StandardOutput());
  } else {
    CAIRN_ASSIGN_OR_RETURN(writer, RdbWriter::Create(fs, path));
  }
  writer->AddAux("redis-ver", kRedisVersion);
  writer->AddAux("redis-bits", "64");
  ExportCounts counts;
  ProgressBar bar("writing " + path);
  const int64_t now_ms = RealClock().WallMs();
  std::string value, converted;
  Status status;
  for (uint32_t database = 0; database < store.keyspace().databases(); database++) {
    if (!filter.TakesDatabase(database)) continue;
    store.ForEachKey(database, [&](std::string_view key, const Entry& entry) {
      if (!filter.Takes(key, entry) || !status.ok()) return;
      value.clear();
      AppendRdbValue(entry, &value);
      RdbEntry written{.database = database,
                       .value_type = RdbTypeOf(entry),
                       .expiry_unix_ms = entry.has_expiry() ? entry.expiry_ms() : -1,
                       .key = key,
                       .value = value};
      if (NeedsRedis70Form(written.value_type)) {
        const Status done = ToRedis70Form(value, now_ms, &written.value_type, &converted);
        if (done.code() == StatusCode::kNotFound) return;  // all of its fields have expired
        status = done;
        written.value = converted;
        counts.converted++;
      }
      writer->AddEntry(written);
      counts.keys++;
      bar.Update(writer->size_bytes());
    });
  }
  CAIRN_RETURN_IF_ERROR(status);
  CAIRN_RETURN_IF_ERROR(writer->Finish());
  counts.bytes = writer->size_bytes();
  return counts;
}

}  // namespace cairn
