#include "tools/common/output_file.h"

#include <unistd.h>

#include <cerrno>

namespace cairn {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;
constexpr std::string_view kUnfinishedSuffix = ".tmp";

class StandardOutputFile final : public WritableFile {
 public:
  Status WriteAt(uint64_t, std::string_view) override { return Status::Internal("standard output is only appended to"); }
  Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Status::FromErrno(errno, "write to standard output");
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return Status();
  }
  Status ZeroFill(uint64_t, uint64_t) override { return Status::Internal("standard output is only appended to"); }
  Status Sync() override { return Status(); }
  Status Truncate(uint64_t) override { return Status::Internal("standard output is only appended to"); }
  Status Close() override { return Status(); }
};

}  // namespace

std::unique_ptr<WritableFile> OutputFile::StandardOutput() { return std::make_unique<StandardOutputFile>(); }

Status CheckNotThere(FileSystem& fs, const std::string& path, bool replace) {
  if (path == "-" || replace) return Status();
  CAIRN_ASSIGN_OR_RETURN(const bool exists, fs.Exists(path));
  return exists ? Status::AlreadyExists(path + " exists already: give another name, or --replace") : Status();
}

Result<std::unique_ptr<OutputFile>> OutputFile::Create(FileSystem& fs, const std::string& path, bool replace) {
  if (path == "-") return std::unique_ptr<OutputFile>(new OutputFile(fs, "", StandardOutput()));
  CAIRN_RETURN_IF_ERROR(CheckNotThere(fs, path, replace));
  CAIRN_ASSIGN_OR_RETURN(auto file, fs.OpenForWriting(path + std::string(kUnfinishedSuffix), FileSystem::OpenMode::kTruncate));
  return std::unique_ptr<OutputFile>(new OutputFile(fs, path, std::move(file)));
}

OutputFile::~OutputFile() {
  if (!finished_ && !path_.empty()) (void)fs_.RemoveFile(path_ + std::string(kUnfinishedSuffix));
}

void OutputFile::Write(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) Flush();
}

void OutputFile::Flush() {
  if (failure_.ok()) failure_ = file_->Append(buffer_);
  buffer_.clear();
}

Status OutputFile::Finish() {
  Flush();
  CAIRN_RETURN_IF_ERROR(failure_);
  CAIRN_RETURN_IF_ERROR(file_->Sync());
  CAIRN_RETURN_IF_ERROR(file_->Close());
  if (!path_.empty()) {
    CAIRN_RETURN_IF_ERROR(fs_.Rename(path_ + std::string(kUnfinishedSuffix), path_));
    CAIRN_RETURN_IF_ERROR(fs_.SyncDirectory(ParentOf(path_)));
  }
  finished_ = true;
  return Status();
}

}  // namespace cairn
