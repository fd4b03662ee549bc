#include "tools/restore/input_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace cairn {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;

// An open file without a name.
Result<int> MakeSpool() {
  const char* const place = std::getenv("TMPDIR");
  std::string name = std::string(place == nullptr || *place == '\0' ? "/tmp" : place) + "/cairn-restore-XXXXXX";
  const int fd = mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return Status::FromErrno(errno, "create a file for standard input in " + name);
  unlink(name.c_str());
  return fd;
}

Status CopyStandardInput(int to) {
  std::string buffer(kChunkBytes, '\0');
  while (true) {
    const ssize_t got = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Status::FromErrno(errno, "read standard input");
    if (got == 0) return Status();
    for (ssize_t done = 0; done < got;) {
      const ssize_t written = write(to, buffer.data() + done, static_cast<size_t>(got - done));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Status::FromErrno(errno, "keep standard input in a file");
      done += written;
    }
  }
}

}  // namespace

InputFile::~InputFile() {
  if (spooled_fd_ >= 0) close(spooled_fd_);
}

Result<std::unique_ptr<InputFile>> InputFile::Open(FileSystem& fs, const std::string& path) {
  std::unique_ptr<InputFile> input(new InputFile);
  input->name_ = input->path_ = path;
  if (path == "-") {
    CAIRN_ASSIGN_OR_RETURN(input->spooled_fd_, MakeSpool());
    CAIRN_RETURN_IF_ERROR(CopyStandardInput(input->spooled_fd_));
    input->name_ = "standard input";
    input->path_ = "/proc/self/fd/" + std::to_string(input->spooled_fd_);
  }
  CAIRN_ASSIGN_OR_RETURN(input->file_, fs.OpenForReading(input->path_));
  CAIRN_ASSIGN_OR_RETURN(input->size_bytes_, input->file_->Size());
  return input;
}

Result<bool> InputWindow::Grow() {
  buffer_.erase(0, taken_);
  taken_ = 0;
  const size_t kept = buffer_.size();
  const uint64_t left = input_.size_bytes() > read_ ? input_.size_bytes() - read_ : 0;
  const size_t step = std::min<uint64_t>(std::max(kept, kChunkBytes), left);
  if (step == 0) return false;
  buffer_.resize(kept + step);
  CAIRN_ASSIGN_OR_RETURN(const size_t got, input_.file().Read(read_, step, buffer_.data() + kept));
  buffer_.resize(kept + got);
  read_ += got;
  return got > 0;
}

}  // namespace cairn
