// Whether a new data directory can be made somewhere, asked before the work and not after it.
#pragma once

#include <string>

#include "base/file_system.h"
#include "base/status.h"

namespace cairn {

// kAlreadyExists where `target` is there and not empty, kNotFound without its parent, kInvalidArgument where it lies inside of `source`,
// a directory (anything else has no inside).
Status CheckNewTarget(FileSystem& fs, const std::string& source, const std::string& target);

}  // namespace cairn
