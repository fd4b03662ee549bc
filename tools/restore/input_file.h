// What is restored, as a file that can be read from its beginning to its end and again. "-" is standard input, which is first copied to a
// file without a name in TMPDIR (/tmp), because its kind is found by looking at it.
//
// Threads: one at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/status.h"

namespace cairn {

class InputFile {
 public:
  static Result<std::unique_ptr<InputFile>> Open(FileSystem& fs, const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // What to call it in messages, and where RdbReader and its like open it.
  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }
  uint64_t size_bytes() const { return size_bytes_; }
  const RandomAccessFile& file() const { return *file_; }

 private:
  InputFile() = default;
  std::string name_, path_;
  std::unique_ptr<RandomAccessFile> file_;
  uint64_t size_bytes_ = 0;
  int spooled_fd_ = -1;
};

// A piece-by-piece view of the bytes: what is not taken yet stands at the front, and Grow reads more behind it.
class InputWindow {
 public:
  // From `offset` on.
  explicit InputWindow(const InputFile& input, uint64_t offset = 0) : input_(input), offset_(offset), read_(offset) {}

  std::string_view bytes() const { return std::string_view(buffer_).substr(taken_); }
  uint64_t offset() const { return offset_; }  // of bytes()
  void Take(size_t size_bytes) {
    taken_ += size_bytes;
    offset_ += size_bytes;
  }
  // False at the end of the file. What is kept at most doubles with each call, so a long item takes memory as it is really there.
  Result<bool> Grow();

 private:
  const InputFile& input_;
  std::string buffer_;
  size_t taken_ = 0;
  uint64_t offset_;
  uint64_t read_;
};

}  // namespace cairn
