// Where a tool writes its data: a file that appears whole under its name or not at all, or standard output for "-".
//
// Durability: after Finish, returning OK, a file is synced under its name. Failure: the first is kept, later writes do nothing, Finish
// returns it; without a Finish that was OK nothing is left. Threads: one at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/status.h"

namespace cairn {

class OutputFile {
 public:
  // kAlreadyExists where the file exists and must not be replaced.
  static Result<std::unique_ptr<OutputFile>> Create(FileSystem& fs, const std::string& path, bool replace);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void Write(std::string_view bytes);
  Status status() const { return failure_; }
  Status Finish();

  // Standard output as a file that is appended to.
  static std::unique_ptr<WritableFile> StandardOutput();

 private:
  OutputFile(FileSystem& fs, std::string path, std::unique_ptr<WritableFile> file)
      : fs_(fs), path_(std::move(path)), file_(std::move(file)) {}
  void Flush();

  FileSystem& fs_;
  const std::string path_;  // empty: standard output
  std::unique_ptr<WritableFile> file_;
  std::string buffer_;
  Status failure_;
  bool finished_ = false;
};

// kAlreadyExists, saying so, where there is a file of this name; OK for "-".
Status CheckNotThere(FileSystem& fs, const std::string& path, bool replace);

}  // namespace cairn
