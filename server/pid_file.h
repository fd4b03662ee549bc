// The file with the server's process id. It belongs to the server that has the data directory: one that is refused at the start, because
// another is running there, must neither write over that one's file nor remove it.
#pragma once

#include <string>

#include "base/thread_annotations.h"

namespace cairn {

class PidFile {
 public:
  // An empty path: there is none, and nothing is done.
  explicit PidFile(std::string path) : path_(std::move(path)) {}

  // Any thread. Writes it once, however often it is called; failing to is logged.
  void Write() CAIRN_EXCLUDES(mutex_);
  // Any thread. Removes what Write() wrote; it is not written any more.
  void Remove() CAIRN_EXCLUDES(mutex_);

 private:
  enum class State { kNotYet, kWritten, kOver };

  const std::string path_;
  Mutex mutex_;
  State state_ CAIRN_GUARDED_BY(mutex_) = State::kNotYet;
};

}  // namespace cairn
