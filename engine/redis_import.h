// The first start on a directory that holds Redis's files and none of Cairn's: they are read into the keyspace, and never written.
//
// Which of them count is decided as Redis does: with appendonly the append-only files where there are any (the directory with its
// manifest, or the older single file), otherwise the RDB file. Redis starts empty with appendonly and an RDB file alone; here that file
// is taken, because appendonly is the default.
#pragma once

#include <string>

#include "base/status.h"
#include "engine/recovery.h"
#include "engine/store_core.h"

namespace cairn {

// What was imported, by its name in the directory; empty where there is nothing. Errors name the file, the place and what to do; the
// keyspace is partly filled then, and nothing on disk was changed.
Result<std::string> ImportRedisFiles(StoreCore& core, const std::string& directory, const ProgressCallback& progress);

}  // namespace cairn
