#include "tools/common/exit_code.h"

namespace cairn {

ExitCode ExitCodeOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk: return ExitCode::kOk;
    case StatusCode::kInvalidArgument: return ExitCode::kUsage;
    case StatusCode::kNotFound: return ExitCode::kNotFound;
    case StatusCode::kAlreadyExists: return ExitCode::kExists;
    case StatusCode::kIoError:
    case StatusCode::kNoSpace: return ExitCode::kIoError;
    case StatusCode::kDamaged: return ExitCode::kDamaged;
    case StatusCode::kNewerFormat: return ExitCode::kNewerFormat;
    case StatusCode::kLocked: return ExitCode::kLocked;
    case StatusCode::kUnavailable: return ExitCode::kServer;
    case StatusCode::kInternal: return ExitCode::kInternal;
  }
  return ExitCode::kInternal;
}

const char* ExitCodeName(ExitCode code) {
  switch (code) {
    case ExitCode::kOk: return "ok";
    case ExitCode::kUsage: return "usage";
    case ExitCode::kDamaged: return "damaged";
    case ExitCode::kNewerFormat: return "newer format";
    case ExitCode::kLocked: return "in use";
    case ExitCode::kNotFound: return "not found";
    case ExitCode::kIoError: return "input/output error";
    case ExitCode::kExists: return "exists already";
    case ExitCode::kServer: return "server";
    case ExitCode::kInternal: return "internal";
  }
  return "internal";
}

}  // namespace cairn
