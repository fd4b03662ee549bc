// Requests from bytes as they arrive: RESP arrays of bulk strings, and inline lines.
//
// The caller holds the bytes of one connection from the beginning of its oldest unfinished request on and offers them again with more
// behind them; what was understood of an unfinished request is kept in a PartialRequest, so no byte is looked at twice. Memory grows
// with bytes that arrived, never with sizes that were announced: the argument list by doubling, a large bulk string in steps.
//
// A bulk string over 16 KiB that is not yet there as a whole goes into a buffer of its own, straight from the socket, and is never copied
// again: DirectRoom() is where to read, and the bytes of the bulk leave the input.
// Errors are Redis's texts. Thread: one parser a network thread; a PartialRequest belongs to its connection.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace cairn {

// A request of which only a part is there (or which is whole but could not run yet).
class PartialRequest {
 public:
  // Where the next bytes of a large bulk string go; empty while none is being read.
  std::span<char> DirectRoom();
  void DirectFilled(size_t bytes);  // so many were read into it
  bool reading_direct() const { return large_announced_ > 0; }
  // Input bytes from here on were taken into the large bulk string: the caller drops them once after Next() returned kIncomplete.
  static constexpr size_t kNothingTaken = SIZE_MAX;
  size_t TakeCut() { return std::exchange(cut_at_, kNothingTaken); }
  // How much of the input is understood, and what is there of the large bulk string under way: the rest is what waits to be parsed.
  uint64_t parsed_bytes() const { return inline_scanned_ ? 0 : position_; }
  uint64_t large_bytes() const { return large_filled_; }
  // Bytes held outside the input: the client's alone, and with the list of its arguments.
  uint64_t held_bytes() const { return held_bytes_ + large_.size(); }
  uint64_t memory_bytes() const {
    return held_bytes() + arguments_.capacity() * sizeof(Argument) + owners_.capacity() * sizeof(SharedBytes);
  }

 private:
  friend class RequestParser;
  struct Argument {
    size_t offset = 0, size = 0;  // in the input, from the request's beginning
    int owner = -1;               // or an index into owners_
  };
  void FinishLarge();

  size_t position_ = 0;          // the input was understood up to here
  int64_t missing_ = -1;         // arguments not yet there; -1: the count line itself is missing
  int64_t bulk_size_ = -1;       // of the argument under way; -1: its size line is missing
  bool inline_scanned_ = false;  // an inline line without its end: position_ is how far it was searched
  std::vector<Argument> arguments_;
  std::vector<SharedBytes> owners_;
  uint64_t held_bytes_ = 0;       // in owners_
  SharedBytes large_;             // the large bulk string's buffer as far as it was allocated
  uint64_t large_announced_ = 0;  // its final size; 0: none is being read
  uint64_t large_filled_ = 0;
  size_t cut_at_ = kNothingTaken;
};

class RequestParser {
 public:
  static constexpr size_t kLineMaxBytes = 64 * 1024;    // inline requests and size lines
  static constexpr size_t kLargeBulkBytes = 16 * 1024;  // longer ones get a buffer of their own
  static constexpr int64_t kUnauthenticatedArguments = 10;
  static constexpr int64_t kUnauthenticatedBulkBytes = 16384;

  struct Limits {
    int64_t max_bulk_bytes = 512ll << 20;  // proto-max-bulk-len
    bool authenticated = true;
  };
  enum class Kind : uint8_t { kRequest, kIncomplete, kError };
  struct Result {
    Kind kind;
    size_t begin = 0;         // where the request begins: behind empty requests, which may be dropped
    size_t consumed = 0;      // kRequest: the first byte behind it
    bool ends_batch = false;  // its arguments live in the parser or the PartialRequest: run it before the next call
  };

  // The next request in `input`. Its arguments are appended to *args as views into `input` (kRequest only). What is known of an
  // unfinished request is in *partial, with offsets from `begin` on. kRequest keeps a *partial that took part in it until Release(): the
  // request can be parsed once more from the input that begins at `begin`.
  Result Next(std::string_view input, const Limits& limits, std::unique_ptr<PartialRequest>& partial,
              std::vector<std::string_view>* args);
  // Whether a whole request in the common form begins `input`; its arguments are appended to *args. Changes nothing: for looking ahead.
  bool Peek(std::string_view input, std::vector<std::string_view>* args) {
    size_t consumed = 0;
    return !input.empty() && input[0] == '*' && ParseWhole(input, {}, args, &consumed) == Step::kDone;
  }
  // The request that ended the batch has run: its large arguments are no longer held here.
  void Release(std::unique_ptr<PartialRequest>& partial) {
    partial.reset();
    owners_.clear();
  }
  // Parallel to the arguments of the last request with ends_batch; empty where no argument has a buffer of its own.
  std::span<const SharedBytes> owners() const { return owners_; }
  // "Protocol error: ..." after kError.
  const std::string& error() const { return error_; }

 private:
  enum class Step : uint8_t { kDone, kMore, kError };

  // The common case: a whole request in one piece. kMore where it is not (then nothing was appended).
  Step ParseWhole(std::string_view input, const Limits& limits, std::vector<std::string_view>* args, size_t* consumed);
  Step ParseArray(std::string_view input, const Limits& limits, PartialRequest& partial);
  Step ParseBulk(std::string_view input, const Limits& limits, PartialRequest& partial);
  Step ParseInline(std::string_view input, std::unique_ptr<PartialRequest>& partial, size_t* consumed);
  // A "<type><number>\r\n" line at `position`; *next is behind it.
  enum class Line : uint8_t { kOk, kMore, kTooLong, kBadNumber };
  static Line ReadNumberLine(std::string_view input, size_t position, int64_t* number, size_t* next);
  Step Fail(std::string_view text);
  Step CheckCount(int64_t count, const Limits& limits);
  Step CheckBulkSize(int64_t size, const Limits& limits);
  void Emit(std::string_view input, PartialRequest& partial, std::vector<std::string_view>* args);

  std::string error_;
  std::vector<SharedBytes> owners_;
  std::vector<std::string> words_;  // of an inline request
};

}  // namespace cairn
