// A connection to another server that the calling thread waits for, with deadlines: what MIGRATE speaks to its target through.
//
// Failure: kIoError naming what failed, kUnavailable for a deadline that passed or a cancelled wait. After one the connection is of no
// more use. One thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace cairn {

class TargetConnection {
 public:
  // kNotFound where nobody listens. Waits end early once `*cancelled` is true; it outlives the connection.
  static Result<std::unique_ptr<TargetConnection>> Connect(const std::string& host, const std::string& port, int64_t timeout_ms,
                                                           const std::atomic<bool>* cancelled);
  ~TargetConnection();
  TargetConnection(const TargetConnection&) = delete;
  TargetConnection& operator=(const TargetConnection&) = delete;

  // All of the bytes; the timeout is for each time that the other side takes none.
  Status Send(std::string_view bytes, int64_t timeout_ms);
  // The next line, without its end. At most 64 KiB.
  Result<std::string> ReadLine(int64_t timeout_ms);

 private:
  TargetConnection(int fd, const std::atomic<bool>* cancelled) : fd_(fd), cancelled_(*cancelled) {}
  Status Await(short events, int64_t timeout_ms) const;

  const int fd_;
  const std::atomic<bool>& cancelled_;
  std::string received_;
};

}  // namespace cairn
