#include "tools/common/new_target.h"

#include <algorithm>
#include <filesystem>

#include "engine/partial_directory.h"

namespace cairn {
namespace {

namespace files = std::filesystem;

// The path without links, "." and "..", also where its end is not there yet; empty where it cannot be told.
files::path Resolved(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  std::error_code failed;
  files::path resolved = files::weakly_canonical(files::absolute(path, failed), failed);
  return failed ? files::path() : resolved;
}

bool LiesInside(const files::path& inner, const files::path& outer) {
  if (inner.empty() || outer.empty() || inner == outer) return false;
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

}  // namespace

Status CheckNewTarget(FileSystem& fs, const std::string& source, const std::string& target) {
  std::error_code failed;
  if (files::is_symlink(files::symlink_status(target, failed)) && !files::exists(target, failed)) {
    return Status::AlreadyExists(target + " is a symbolic link to something that is not there");
  }
  if (files::is_directory(source, failed) && LiesInside(Resolved(target), Resolved(source))) {
    return Status::InvalidArgument(target + " lies inside of " + source + ": a new directory belongs elsewhere");
  }
  return PartialDirectory::CheckTarget(fs, target);
}

}  // namespace cairn
