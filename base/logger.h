// The process's log of what it does, in Redis's line shape, because tools wait for it:
//
//   PID:M DD Mon YYYY HH:MM:SS.mmm * message
//
// Lines go out unbuffered in one write each, so lines of different threads never mix and none is lost in a crash. Any thread.
// Failure: a line that cannot be written is dropped; logging never fails its caller.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace cairn {

// In Redis's order and with its marks: . - * #
enum class LogLevel : uint8_t { kDebug = 0, kVerbose = 1, kNotice = 2, kWarning = 3 };

// printf-like; a trailing newline is not wanted. Longer messages than 16 KiB are cut.
void LogF(LogLevel level, const char* format, ...) __attribute__((format(printf, 2, 3)));
void Log(LogLevel level, std::string_view message);
// Whether lines of this level are written: test before composing something expensive.
bool LogEnabled(LogLevel level);

void SetLogLevel(LogLevel level);
// "debug", "verbose", "notice", "warning", or false.
bool ParseLogLevel(std::string_view name, LogLevel* level);
std::string_view LogLevelName(LogLevel level);

// Standard output for the empty path, otherwise appends to the file, created if missing. On error the old target stays.
Status SetLogFile(const std::string& path);
// Opens the file again: after it was rotated away, or after a fork with a new working directory.
Status ReopenLogFile();
// The letter after the process id: M for a primary, S for a replica.
void SetLogRole(char role);
// Lines of any level go to `sink` (level, message without prefix) instead; nullptr ends that. The sink is called with a lock held:
// it must not log.
void SetLogSink(std::function<void(LogLevel, std::string_view)> sink);

}  // namespace cairn
