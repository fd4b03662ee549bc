// Applies one of Redis's append-only files: RESP commands, MULTI and EXEC around those that belong together, lines of annotations
// (#TS:...) between them, and perhaps an RDB file in front.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/status.h"
#include "engine/store_core.h"

namespace cairn {

struct AofFileOptions {
  // The last file, with aof-load-truncated: where it ends inside a command or a transaction, what is whole before is taken.
  bool may_be_truncated = false;
  std::string name;  // of the file in messages, where its path is none
};

struct AofFileCounts {
  uint64_t commands = 0;
  uint64_t rdb_keys = 0;         // of the RDB file in front
  uint64_t failed_commands = 0;  // answered an error, as they did, or would have, in Redis, which goes on too
  uint64_t function_commands =
      0;                   // libraries, FUNCTION and SCRIPT commands that were passed over: there are no functions and scripts
  uint64_t cut_bytes = 0;  // at the end: a command or transaction that is not whole
};

// Replays with the store's worker threads into a keyspace that nobody else uses. The file is only read. Failure: kDamaged and others as
// of RdbImport and LogReplay, naming file and byte; the keyspace must not be served then. `progress` (bytes done, keys from an RDB part)
// is called now and then.
Status ApplyAofFile(StoreCore& core, const std::string& path, const AofFileOptions& options,
                    const std::function<void(uint64_t done_bytes, uint64_t keys)>& progress, AofFileCounts* counts);

// Logs that `function_commands` of `source` were passed over, if there are any.
void LogFunctionsLeftOut(uint64_t function_commands, const std::string& source);

}  // namespace cairn
