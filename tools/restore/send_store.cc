#include "tools/restore/send_store.h"

#include "engine/codec/dump_payload.h"
#include "engine/keyspace/entry.h"
#include "engine/keyspace/keyspace.h"
#include "tools/common/progress_bar.h"

namespace cairn {

Status SendStore(Store& store, const ImportOptions& options, RestoreTarget& target, ImportCounts* counts) {
  Status status;
  uint64_t bytes = 0;
  ProgressBar bar("sending");
  for (uint32_t database = 0; database < store.keyspace().databases(); database++) {
    store.ForEachKey(database, [&](std::string_view key, const Entry& entry) {
      if (!status.ok()) return;
      const std::string payload = MakeDumpPayload(entry);
      const std::string expiry = std::to_string(entry.has_expiry() ? entry.expiry_ms() : 0);
      std::vector<std::string_view> args = {"RESTORE", key, expiry, payload, "ABSTTL"};
      if (options.replace) args.push_back("REPLACE");
      status = target.Run(database, args);
      counts->keys++;
      bytes += payload.size();
      bar.Update(bytes);
    });
  }
  return status;
}

}  // namespace cairn
