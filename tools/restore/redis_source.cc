#include "tools/restore/redis_source.h"

#include <utility>
#include <vector>

#include "engine/redis_import.h"
#include "engine/store_core.h"
#include "snapshot/manifest.h"
#include "tools/common/progress_bar.h"

namespace cairn {
namespace {

constexpr std::string_view kAofManifestSuffix = ".manifest";

// What Redis's append-only files in this directory are called; empty where there is no manifest.
Result<std::string> AofNameIn(FileSystem& fs, const std::string& path) {
  std::string name;
  const Result<std::vector<std::string>> files = fs.ListDirectory(path);
  if (!files.ok()) return name;
  for (const std::string& file : *files) {
    if (!file.ends_with(kAofManifestSuffix) || file.size() == kAofManifestSuffix.size()) continue;
    if (!name.empty()) {
      return Status::InvalidArgument(path + " holds the manifests " + name + std::string(kAofManifestSuffix) + " and " + file +
                                     ": move the one that does not count elsewhere");
    }
    name = file.substr(0, file.size() - kAofManifestSuffix.size());
  }
  return name;
}

}  // namespace

Result<std::optional<RedisDirectory>> FindRedisFiles(FileSystem& fs, const std::string& path) {
  RedisDirectory found{.path = path, .names = {}};
  while (found.path.size() > 1 && found.path.ends_with('/')) found.path.pop_back();
  CAIRN_ASSIGN_OR_RETURN(const bool is_ours, fs.Exists(JoinPath(found.path, kManifestFileName)));
  if (is_ours) return std::optional<RedisDirectory>();
  CAIRN_ASSIGN_OR_RETURN(std::string aof, AofNameIn(fs, found.path));
  if (!aof.empty()) {
    found.names = {.rdb = "", .aof_directory = ".", .aof = std::move(aof)};
    return std::optional(std::move(found));
  }
  CAIRN_ASSIGN_OR_RETURN(aof, AofNameIn(fs, JoinPath(found.path, found.names.aof_directory)));
  bool any = !aof.empty();
  if (any) found.names.aof = std::move(aof);
  for (const std::string& name : {found.names.rdb, found.names.aof}) {
    CAIRN_ASSIGN_OR_RETURN(const bool exists, fs.Exists(JoinPath(found.path, name)));
    any = any || exists;
  }
  return any ? std::optional(std::move(found)) : std::nullopt;
}

std::function<Status(StoreCore&)> FillFromRedis(const RedisDirectory& directory, std::string* imported) {
  return [&directory, imported](StoreCore& core) -> Status {
    ProgressBar bar("reading " + directory.path);
    const auto progress = [&bar](const Store::Progress& done) {
      bar.SetTotal(done.total_bytes);
      bar.Update(done.done_bytes);
    };
    CAIRN_ASSIGN_OR_RETURN(*imported, ImportRedisFiles(core, directory.path, {.names = directory.names}, progress));
    return Status();
  };
}

}  // namespace cairn
