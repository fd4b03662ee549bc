// Where a handler writes its reply: RESP2 or RESP3 bytes (server/resp), a C++ value (engine/reply_value.h), later a Lua value.
//
// A handler writes exactly one reply: one scalar, or one aggregate header followed by its elements. Text that RESP frames with line
// ends (Simple, Error) is cleaned of CR and LF by the sink. Called only from the thread that executes the command.
#pragma once

#include <cstdint>
#include <string_view>

namespace cairn {

class Rope;

class ReplySink {
 public:
  virtual ~ReplySink() = default;
  virtual void Simple(std::string_view text) = 0;    // +OK
  virtual void Error(std::string_view message) = 0;  // "ERR ...": code first, no leading '-'
  virtual void Integer(int64_t value) = 0;
  virtual void Bulk(std::string_view bytes) = 0;  // copied
  virtual void BulkRope(const Rope& rope) = 0;    // shared, not copied
  virtual void Null() = 0;                        // RESP2 $-1, RESP3 _
  virtual void NullArray() = 0;                   // RESP2 *-1, RESP3 _
  virtual void Array(size_t elements) = 0;
  virtual void Map(size_t pairs) = 0;                                         // RESP2: an array of 2 * pairs
  virtual void Set(size_t elements) = 0;                                      // RESP2: an array
  virtual void Push(size_t elements) = 0;                                     // RESP2: an array
  virtual void Double(double value) = 0;                                      // RESP2: a bulk string
  virtual void BigNumber(std::string_view digits) = 0;                        // RESP2: a bulk string
  virtual void Boolean(bool value) = 0;                                       // RESP2: integer 1 or 0
  virtual void Verbatim(std::string_view format, std::string_view text) = 0;  // RESP2: a bulk string
  virtual int protocol() const = 0;                                           // 2 or 3
  // Errors written so far: lets the executor count failed calls.
  virtual uint64_t error_count() const = 0;
  // Nobody will read the rest: whoever writes very many elements looks now and then, and may leave the reply unfinished.
  virtual bool abandoned() const { return false; }

  void Ok() { Simple("OK"); }
};

}  // namespace cairn
