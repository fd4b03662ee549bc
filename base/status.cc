#include "base/status.h"

#include <cerrno>
#include <system_error>

namespace cairn {
namespace {

std::string_view CodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk: return "OK";
    case StatusCode::kInvalidArgument: return "invalid argument";
    case StatusCode::kNotFound: return "not found";
    case StatusCode::kAlreadyExists: return "already exists";
    case StatusCode::kIoError: return "I/O error";
    case StatusCode::kNoSpace: return "no space";
    case StatusCode::kDamaged: return "damaged";
    case StatusCode::kNewerFormat: return "newer format";
    case StatusCode::kLocked: return "locked";
    case StatusCode::kUnavailable: return "unavailable";
    case StatusCode::kInternal: return "internal error";
  }
  return "unknown";
}

}  // namespace

Status Status::FromErrno(int error_number, std::string_view what) {
  std::string message(what);
  message += ": ";
  message += std::generic_category().message(error_number);
  switch (error_number) {
    case ENOENT: return NotFound(std::move(message));
    case ENOSPC:
    case EDQUOT: return NoSpace(std::move(message));
    default: return IoError(std::move(message));
  }
}

std::string Status::ToString() const {
  if (ok()) return "OK";
  std::string text(CodeName(code()));
  text += ": ";
  text += message();
  return text;
}

}  // namespace cairn
