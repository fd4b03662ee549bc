// A running server into which keys are restored.
//
// Order: Run is called for one command after the other; Finish once, at the end. Failure: a command that is refused is kUnavailable, with
// the command, its key, its place in the input where that is known, and the error's text; it may be told by a later call.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace cairn {

class RestoreTarget {
 public:
  static constexpr uint64_t kNoOffset = UINT64_MAX;

  virtual ~RestoreTarget() = default;
  // A write command, in a database, which stood at `offset` of the input. The views are not kept.
  virtual Status Run(uint32_t database, const std::vector<std::string_view>& args, uint64_t offset) = 0;
  // Whether it loads values of this type (snapshot/rdb_format.h); where not, they are to be given in Redis 7.0's form.
  virtual bool Loads(uint8_t rdb_type) const = 0;
  virtual Status Finish() = 0;
};

struct ServerAddress {
  std::string host = "127.0.0.1";
  uint16_t port = 6379;
  std::string user, password;  // empty: none
};
// "host:port", "[::1]:port" or "port".
Result<ServerAddress> ParseAddress(const std::string& text);
Result<std::unique_ptr<RestoreTarget>> ConnectTarget(const ServerAddress& address);

}  // namespace cairn
