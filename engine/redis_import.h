// Redis's files in a directory are read into the keyspace, and never written: at the first start on a directory that holds none of
// Cairn's, and by cairn-restore.
//
// Which of them count is decided as Redis does: with appendonly the append-only files where there are any (the directory with its
// manifest, or the older single file), otherwise the RDB file. Redis starts empty with appendonly and an RDB file alone; here that file
// is taken, because appendonly is the default.
#pragma once

#include <string>

#include "base/status.h"
#include "engine/recovery.h"
#include "engine/redis_files.h"
#include "engine/store_core.h"

namespace cairn {

struct RedisImportOptions {
  RedisFileNames names;
  bool takes_aof = true;  // as with appendonly
};

// What was imported, by its name in the directory; empty where there is nothing. Errors name the file, the place and what to do; the
// keyspace is partly filled then, and nothing on disk was changed. Uses the store's worker threads; nobody else may be in the keyspace.
Result<std::string> ImportRedisFiles(StoreCore& core, const std::string& directory, const RedisImportOptions& options,
                                     const ProgressCallback& progress);

}  // namespace cairn
