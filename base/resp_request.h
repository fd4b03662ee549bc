// Requests as RESP arrays of bulk strings, the form in which the log and replication hold commands:
//
//   *<argument count>\r\n  then per argument  $<size>\r\n<bytes>\r\n
//
// Decimal numbers without sign or leading zeros. Any thread; a reader belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace cairn {

// The line in front of a request's arguments, and of each argument, to a place with room for it (kIntTextMaxBytes + 3); returns its end.
char* WriteRequestHeader(char* to, size_t argument_count);
char* WriteBulkHeader(char* to, size_t argument_bytes);
void AppendRequestHeader(std::string& out, size_t argument_count);
void AppendBulk(std::string& out, std::string_view bytes);
// One request. An argument may be any bytes.
void AppendRequest(std::string& out, std::span<const std::string_view> args);
std::string EncodeRequest(std::span<const std::string_view> args);
std::string EncodeRequest(std::initializer_list<std::string_view> args);
// What AppendBulk and AppendRequestHeader append, in bytes.
size_t BulkSize(size_t argument_bytes);
size_t RequestHeaderSize(size_t argument_count);

// Iterates the requests in a byte string:
//
//   RequestReader reader(bytes);
//   while (reader.Next()) Apply(reader.args());
//   if (!reader.status().ok()) ...
//
// Views point into `bytes`, which must outlive them. Never reads beyond `bytes` and allocates nothing but the argument list, which
// grows with arguments that are really there, not with the count a request claims.
class RequestReader {
 public:
  static constexpr uint64_t kMaxArguments = 1024 * 1024 * 1024;
  static constexpr uint64_t kMaxBulkBytes = uint64_t{4} * 1024 * 1024 * 1024;

  explicit RequestReader(std::string_view bytes) : bytes_(bytes) {}

  // The next request, or false at the end of the bytes or at the first malformed one; status() tells which.
  bool Next();
  // Of the last request; valid until the next call of Next().
  const std::vector<std::string_view>& args() const { return args_; }
  // OK at a clean end. kDamaged otherwise, with the offset and what was expected; incomplete() is then true where the bytes simply
  // end inside a request, so that more of them might complete it.
  const Status& status() const { return status_; }
  bool incomplete() const { return incomplete_; }
  // Where the last request began, and the first byte after it.
  size_t request_offset() const { return request_offset_; }
  size_t offset() const { return offset_; }

 private:
  bool ReadCount(char marker, uint64_t limit, size_t* position, uint64_t* count);
  bool Malformed(size_t position, std::string_view expected);
  bool EndsEarly(size_t position);

  std::string_view bytes_;
  size_t offset_ = 0;
  size_t request_offset_ = 0;
  std::vector<std::string_view> args_;
  Status status_;
  bool incomplete_ = false;
};

}  // namespace cairn
