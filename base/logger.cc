#include "base/logger.h"

#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <ctime>

#include "base/thread_annotations.h"

namespace cairn {
namespace {

constexpr size_t kMessageMaxBytes = 16 * 1024;
constexpr std::string_view kLevelNames[] = {"debug", "verbose", "notice", "warning"};
constexpr char kLevelMarks[] = ".-*#";

std::atomic<LogLevel> g_level{LogLevel::kNotice};
std::atomic<char> g_role{'M'};

struct Target {
  Mutex mutex;
  int fd CAIRN_GUARDED_BY(mutex) = STDOUT_FILENO;
  std::string path CAIRN_GUARDED_BY(mutex);
  std::function<void(LogLevel, std::string_view)> sink CAIRN_GUARDED_BY(mutex);
};

// Never destroyed: threads may still log while the process ends.
Target& GetTarget() {
  static auto* target = new Target;
  return *target;
}

void WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return;
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

std::string Prefix(LogLevel level) {
  timeval now;
  gettimeofday(&now, nullptr);
  tm local;
  localtime_r(&now.tv_sec, &local);
  char date[64];
  strftime(date, sizeof(date), "%d %b %Y %H:%M:%S", &local);
  char text[128];
  std::snprintf(text, sizeof(text), "%d:%c %s.%03d %c ", static_cast<int>(getpid()), g_role.load(std::memory_order_relaxed), date,
                static_cast<int>(now.tv_usec / 1000), kLevelMarks[static_cast<int>(level)]);
  return text;
}

Status OpenTarget(Target& target, const std::string& path) CAIRN_REQUIRES(target.mutex) {
  int fd = STDOUT_FILENO;
  if (!path.empty()) {
    fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) return Status::FromErrno(errno, "open the log file " + path);
  }
  if (target.fd != STDOUT_FILENO) close(target.fd);
  target.fd = fd;
  target.path = path;
  return Status::Ok();
}

}  // namespace

void Log(LogLevel level, std::string_view message) {
  Target& target = GetTarget();
  MutexLock lock(target.mutex);
  if (target.sink) {
    target.sink(level, message);
    return;
  }
  if (!LogEnabled(level)) return;
  std::string line = Prefix(level);
  line += message.substr(0, kMessageMaxBytes);
  line += '\n';
  WriteAll(target.fd, line);
}

void LogF(LogLevel level, const char* format, ...) {
  char message[kMessageMaxBytes];
  va_list arguments;
  va_start(arguments, format);
  const int size = std::vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  if (size < 0) return;
  Log(level, std::string_view(message, std::min(static_cast<size_t>(size), sizeof(message) - 1)));
}

bool LogEnabled(LogLevel level) { return level >= g_level.load(std::memory_order_relaxed); }
void SetLogLevel(LogLevel level) { g_level.store(level, std::memory_order_relaxed); }
void SetLogRole(char role) { g_role.store(role, std::memory_order_relaxed); }

bool ParseLogLevel(std::string_view name, LogLevel* level) {
  for (size_t i = 0; i < std::size(kLevelNames); i++) {
    if (kLevelNames[i] == name) {
      *level = static_cast<LogLevel>(i);
      return true;
    }
  }
  return false;
}

std::string_view LogLevelName(LogLevel level) { return kLevelNames[static_cast<size_t>(level)]; }

Status SetLogFile(const std::string& path) {
  Target& target = GetTarget();
  MutexLock lock(target.mutex);
  return OpenTarget(target, path);
}

Status ReopenLogFile() {
  Target& target = GetTarget();
  MutexLock lock(target.mutex);
  return OpenTarget(target, std::string(target.path));
}

void SetLogSink(std::function<void(LogLevel, std::string_view)> sink) {
  Target& target = GetTarget();
  MutexLock lock(target.mutex);
  target.sink = std::move(sink);
}

}  // namespace cairn
