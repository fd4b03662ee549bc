// What Redis left behind as the content of a store that is being opened (StoreOptions::fill): read by all worker threads, never written.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/status.h"
#include "engine/redis_files.h"

namespace cairn {

struct StoreCore;

struct RedisDirectory {
  std::string path;
  RedisFileNames names;
};

// Redis's files under `path`, which is the directory of a Redis server or its appendonlydir alone; nothing where there are none or where
// Cairn has a manifest there. Append-only files have any name (the one manifest's), the RDB file and the older single file their usual.
// kInvalidArgument where two manifests lie side by side.
Result<std::optional<RedisDirectory>> FindRedisFiles(FileSystem& fs, const std::string& path);

// Append-only files if there are any, otherwise the RDB file. *imported becomes the name of what was read. All but the opened store must
// outlive the opening.
std::function<Status(StoreCore&)> FillFromRedis(const RedisDirectory& directory, std::string* imported);

}  // namespace cairn
