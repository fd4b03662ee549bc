// Status and Result<T>: how every fallible function in Cairn reports failure.
//
// Errors are values. A Status is OK (one null pointer, free to copy and test) or carries a closed code and a message that says
// what happened, where (file, offset, LSN) and what to do. Add a code only where a caller acts on it differently.
// Both types may be used from any thread; one object is not shared between threads without a lock.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace cairn {

enum class StatusCode : uint8_t {
  kOk = 0,
  kInvalidArgument,  // the caller's input is wrong; nothing was changed
  kNotFound,         // the named thing does not exist
  kAlreadyExists,    // the named thing exists and must not
  kIoError,          // the operating system refused or failed an operation
  kNoSpace,          // ENOSPC or EDQUOT: the same operation may succeed when there is room
  kDamaged,          // stored bytes fail their checksum or contradict each other
  kNewerFormat,      // stored by a newer version of Cairn
  kLocked,           // another process holds the directory
  kUnavailable,      // refused for now; the message says until when
  kInternal,         // a bug in Cairn
};

class [[nodiscard]] Status {
 public:
  Status() = default;  // OK
  Status(StatusCode code, std::string message) : state_(std::make_shared<State>(State{code, std::move(message)})) {}

  static Status Ok() { return Status(); }
  static Status InvalidArgument(std::string m) { return {StatusCode::kInvalidArgument, std::move(m)}; }
  static Status NotFound(std::string m) { return {StatusCode::kNotFound, std::move(m)}; }
  static Status AlreadyExists(std::string m) { return {StatusCode::kAlreadyExists, std::move(m)}; }
  static Status IoError(std::string m) { return {StatusCode::kIoError, std::move(m)}; }
  static Status NoSpace(std::string m) { return {StatusCode::kNoSpace, std::move(m)}; }
  static Status Damaged(std::string m) { return {StatusCode::kDamaged, std::move(m)}; }
  static Status NewerFormat(std::string m) { return {StatusCode::kNewerFormat, std::move(m)}; }
  static Status Locked(std::string m) { return {StatusCode::kLocked, std::move(m)}; }
  static Status Unavailable(std::string m) { return {StatusCode::kUnavailable, std::move(m)}; }
  static Status Internal(std::string m) { return {StatusCode::kInternal, std::move(m)}; }
  // The Status for a failed system call: kNotFound for ENOENT, kNoSpace for ENOSPC and EDQUOT, otherwise kIoError.
  // `what` names the call and its file ("write data/log/00001.log at 4096").
  static Status FromErrno(int error_number, std::string_view what);

  bool ok() const { return state_ == nullptr; }
  StatusCode code() const { return state_ ? state_->code : StatusCode::kOk; }
  // Empty when ok. The view lives as long as this Status or a copy of it.
  std::string_view message() const { return state_ ? std::string_view(state_->message) : std::string_view(); }
  // "OK", or the code's name and the message, for logs.
  std::string ToString() const;

 private:
  struct State {
    StatusCode code;
    std::string message;
  };
  std::shared_ptr<const State> state_;
};

// A T, or the Status that says why there is none (never an OK status).
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::in_place_index<1>, std::move(value)) {}         // NOLINT: implicit on purpose
  Result(Status status) : value_(std::in_place_index<0>, std::move(status)) {}  // NOLINT: implicit on purpose

  bool ok() const { return value_.index() == 1; }
  Status status() const { return ok() ? Status() : std::get<0>(value_); }
  // Only when ok(); otherwise the process aborts, because reading an absent value is our bug.
  T& value() & { return *Checked(); }
  const T& value() const& { return *const_cast<Result*>(this)->Checked(); }
  T&& value() && { return std::move(*Checked()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  T* Checked() {
    if (!ok()) {
      std::fprintf(stderr, "Result read without a value: %s\n", std::get<0>(value_).ToString().c_str());
      std::abort();
    }
    return &std::get<1>(value_);
  }
  std::variant<Status, T> value_;
};

#define CAIRN_CONCAT_(a, b) a##b
#define CAIRN_CONCAT(a, b) CAIRN_CONCAT_(a, b)

// Returns from the enclosing function when `expr` is not OK.
#define CAIRN_RETURN_IF_ERROR(expr)                                                        \
  do {                                                                                     \
    if (::cairn::Status cairn_status_ = (expr); !cairn_status_.ok()) return cairn_status_; \
  } while (false)

// `CAIRN_ASSIGN_OR_RETURN(auto file, fs.Open(path));`
#define CAIRN_ASSIGN_OR_RETURN(declaration, expr) \
  CAIRN_ASSIGN_OR_RETURN_(CAIRN_CONCAT(cairn_result_, __LINE__), declaration, expr)
#define CAIRN_ASSIGN_OR_RETURN_(result, declaration, expr) \
  auto result = (expr);                                    \
  if (!result.ok()) return result.status();                \
  declaration = std::move(result).value()

// A check for our own bugs; on in release too. World faults return a Status instead.
#define CAIRN_CHECK(condition)                                                           \
  do {                                                                                   \
    if (!(condition)) [[unlikely]] {                                                     \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)

}  // namespace cairn
