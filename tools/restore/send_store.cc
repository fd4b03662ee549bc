#include "tools/restore/send_store.h"

#include "engine/codec/value_codec.h"
#include "engine/keyspace/entry.h"
#include "engine/keyspace/keyspace.h"
#include "tools/common/progress_bar.h"

namespace cairn {

Status SendStore(Store& store, const ImportOptions& options, RestoreTarget& target, ImportCounts* counts) {
  Status status;
  uint64_t bytes = 0;
  std::string value;
  ProgressBar bar("sending");
  for (uint32_t database = 0; database < store.keyspace().databases(); database++) {
    store.ForEachKey(database, [&](std::string_view key, const Entry& entry) {
      if (!status.ok()) return;
      value.clear();
      AppendRdbValue(entry, &value);
      const RdbEntry sent{.database = database,
                          .value_type = RdbTypeOf(entry),
                          .expiry_unix_ms = entry.has_expiry() ? entry.expiry_ms() : -1,
                          .key = key,
                          .value = value};
      status = SendKey(sent, RestoreTarget::kNoOffset, options, target, counts);
      bytes += value.size();
      bar.Update(bytes);
    });
  }
  return status;
}

}  // namespace cairn
