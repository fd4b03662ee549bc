// What every file system offers through the interface alone.
#include "base/file_system.h"

namespace cairn {
namespace {

Status WriteAndSync(FileSystem& fs, const std::string& path, std::string_view bytes) {
  CAIRN_ASSIGN_OR_RETURN(auto file, fs.OpenForWriting(path, FileSystem::OpenMode::kTruncate));
  CAIRN_RETURN_IF_ERROR(file->Append(bytes));
  CAIRN_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

}  // namespace

Result<std::string> ReadWholeFile(FileSystem& fs, const std::string& path, uint64_t max_bytes) {
  CAIRN_ASSIGN_OR_RETURN(auto file, fs.OpenForReading(path));
  CAIRN_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  if (size > max_bytes) {
    return Status::InvalidArgument(path + " has " + std::to_string(size) + " bytes, more than the " + std::to_string(max_bytes) +
                                   " expected at most");
  }
  std::string content(size, '\0');
  CAIRN_ASSIGN_OR_RETURN(const size_t read, file->Read(0, size, content.data()));
  content.resize(read);
  return content;
}

Status ReplaceFileDurably(FileSystem& fs, const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  Status status = WriteAndSync(fs, temporary, bytes);
  if (status.ok()) status = fs.Rename(temporary, path);
  if (!status.ok()) {
    // The failure is what the caller must hear; a temporary file that stays is overwritten next time.
    (void)fs.RemoveFile(temporary);
    return status;
  }
  return fs.SyncDirectory(ParentOf(path));
}

std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') path += '/';
  path += name;
  return path;
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace cairn
