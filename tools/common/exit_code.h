// What the tools' exit codes mean: one table for all of them, which the README repeats. Scripts depend on the numbers.
#pragma once

#include "base/status.h"

namespace cairn {

enum class ExitCode : int {
  kOk = 0,           // done; cairn-check: nothing is wrong
  kUsage = 1,        // flags or arguments that make no sense; nothing was done
  kDamaged = 2,      // the input is damaged, or is not what it should be
  kNewerFormat = 3,  // the input was written by a newer version
  kLocked = 4,       // a server uses the directory: stop it, or read beside it with --live; or another tool is making it
  kNotFound = 5,     // no such file or directory, or a time or LSN outside of what is kept
  kIoError = 6,      // the disk or the operating system failed; also: no space
  kExists = 7,       // the target exists already; it was left as it is
  kServer = 8,       // the server could not be reached, or refused a command
  kInternal = 70,    // a bug in the tool
};

ExitCode ExitCodeOf(const Status& status);
// "damaged", "in use": for --json.
const char* ExitCodeName(ExitCode code);

}  // namespace cairn
