#include "server/pid_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/logger.h"

namespace cairn {

void PidFile::Write() {
  MutexLock lock(mutex_);
  if (path_.empty() || state_ != State::kNotYet) return;
  std::FILE* const file = std::fopen(path_.c_str(), "we");
  if (file == nullptr) {
    LogF(LogLevel::kWarning, "Cannot write the pid file %s: %s", path_.c_str(), std::strerror(errno));
    state_ = State::kOver;
    return;
  }
  std::fprintf(file, "%d\n", static_cast<int>(getpid()));
  std::fclose(file);
  state_ = State::kWritten;
}

void PidFile::Remove() {
  MutexLock lock(mutex_);
  if (state_ == State::kWritten) unlink(path_.c_str());
  state_ = State::kOver;
}

}  // namespace cairn
