// The lock of a directory that is only read: shared, so that several tools may have it, and a server neither starts beside them nor
// they beside a server, whose lock is an exclusive flock() on the same file. The file is opened for reading, and stays as it is.
#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/status.h"

namespace cairn {

// kLocked, with the holder's pid where known, if a process has it for itself. Null where there is no such file, or where the file system
// has no such locks (some that are mounted read-only): nobody can have it then.
Result<std::unique_ptr<FileLock>> LockForReading(const std::string& path);

}  // namespace cairn
