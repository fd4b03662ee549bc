// Where restored keys go: a new data directory, or a running server.
//
// Order: Run is called for one command after the other; Finish once, at the end. Failure: a command that is refused is kInvalidArgument for
// a directory and kUnavailable for a server, with the error's text; nothing is left of a new directory without a Finish that was OK.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"

namespace cairn {

struct StoreCore;

class RestoreTarget {
 public:
  virtual ~RestoreTarget() = default;
  // A write command, in a database. The views are not kept.
  virtual Status Run(uint32_t database, const std::vector<std::string_view>& args) = 0;
  virtual Status Finish() = 0;
};

// A data directory that appears whole under its name. kAlreadyExists where `path` is there and not empty. It is made as PATH.partial.
// `fill`, if any, gives what it holds at first (StoreOptions::fill); *filled_keys, where wanted, becomes how many keys these are.
Result<std::unique_ptr<RestoreTarget>> MakeDirectoryTarget(FileSystem& fs, const std::string& path, uint32_t databases,
                                                           std::function<Status(StoreCore&)> fill = {},
                                                           uint64_t* filled_keys = nullptr);

struct ServerAddress {
  std::string host = "127.0.0.1";
  uint16_t port = 6379;
  std::string user, password;  // empty: none
};
// "host:port", "[::1]:port" or "port".
Result<ServerAddress> ParseAddress(const std::string& text);
Result<std::unique_ptr<RestoreTarget>> ConnectTarget(const ServerAddress& address);

}  // namespace cairn
