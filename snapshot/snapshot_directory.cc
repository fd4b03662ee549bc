#include "snapshot/snapshot_directory.h"

#include <algorithm>
#include <cstdio>

namespace cairn {
namespace {

constexpr size_t kLsnDigits = 20;

std::optional<uint64_t> ParseDigits(std::string_view text) {
  uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(number, 10, &number)) return std::nullopt;
    if (__builtin_add_overflow(number, static_cast<uint64_t>(c - '0'), &number)) return std::nullopt;
  }
  return text.empty() ? std::nullopt : std::optional<uint64_t>(number);
}

bool IsNamed(const Manifest& manifest, std::string_view name) {
  if (manifest.current_snapshot && manifest.current_snapshot->directory_name == name) return true;
  return std::any_of(manifest.older_snapshots.begin(), manifest.older_snapshots.end(),
                     [&](const SnapshotInfo& older) { return older.directory_name == name; });
}

}  // namespace

std::string SnapshotsPath(std::string_view directory) { return JoinPath(directory, "snapshots"); }

std::string SnapshotPath(std::string_view directory, std::string_view name) { return JoinPath(SnapshotsPath(directory), name); }

std::string SnapshotDirectoryName(Lsn lsn, uint32_t attempt) {
  char digits[kLsnDigits + 1];
  std::snprintf(digits, sizeof digits, "%020llu", static_cast<unsigned long long>(lsn));
  return attempt <= 1 ? digits : digits + ("." + std::to_string(attempt));
}

std::optional<Lsn> ParseSnapshotDirectoryName(std::string_view name) {
  if (name.size() < kLsnDigits) return std::nullopt;
  const std::string_view attempt = name.substr(kLsnDigits);
  if (!attempt.empty() && (attempt[0] != '.' || !ParseDigits(attempt.substr(1)))) {
    return std::nullopt;
  }
  return ParseDigits(name.substr(0, kLsnDigits));
}

std::string SnapshotFileName(uint32_t file_number) {
  char name[32];
  std::snprintf(name, sizeof name, "data-%05u", file_number);
  return name;
}

Status RemoveSnapshot(FileSystem& fs, const std::string& directory, std::string_view name) {
  const std::string path = SnapshotPath(directory, name);
  CAIRN_ASSIGN_OR_RETURN(const bool exists, fs.Exists(path));
  if (!exists) return Status();
  CAIRN_ASSIGN_OR_RETURN(const std::vector<std::string> files, fs.ListDirectory(path));
  for (const std::string& file : files) {
    CAIRN_RETURN_IF_ERROR(fs.RemoveFile(JoinPath(path, file)));
  }
  return fs.RemoveDirectory(path);
}

Result<std::vector<std::string>> RemoveStaleSnapshots(FileSystem& fs, const std::string& directory, const Manifest& manifest) {
  std::vector<std::string> removed;
  CAIRN_ASSIGN_OR_RETURN(const bool exists, fs.Exists(SnapshotsPath(directory)));
  if (!exists) return removed;
  CAIRN_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.ListDirectory(SnapshotsPath(directory)));
  for (const std::string& name : names) {
    std::string_view finished = name;
    if (finished.ends_with(kUnfinishedSnapshotSuffix)) {
      finished.remove_suffix(kUnfinishedSnapshotSuffix.size());
    }
    if (!ParseSnapshotDirectoryName(finished) || IsNamed(manifest, name)) continue;
    CAIRN_RETURN_IF_ERROR(RemoveSnapshot(fs, directory, name));
    removed.push_back(name);
  }
  return removed;
}

}  // namespace cairn
