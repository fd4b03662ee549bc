// The id of a stream's entry: milliseconds and a sequence number within them, ordered as one 128-bit number, written "ms-seq".
#pragma once

#include <compare>
#include <cstdint>

#include "base/numbers.h"

namespace cairn {

struct StreamId {
  uint64_t ms = 0;
  uint64_t seq = 0;

  friend auto operator<=>(const StreamId&, const StreamId&) = default;
  bool zero() const { return (ms | seq) == 0; }
  // Becomes the next, or previous, id; false where there is none, and the id wraps around.
  bool Increment() {
    if (++seq != 0) return true;
    return ++ms != 0;
  }
  bool Decrement() {
    if (seq-- != 0) return true;
    return ms-- != 0;
  }
};

inline constexpr StreamId kStreamIdMin{0, 0};
inline constexpr StreamId kStreamIdMax{UINT64_MAX, UINT64_MAX};

// Two numbers of 20 digits and a dash.
inline constexpr size_t kStreamIdTextMaxBytes = 41;

// Writes the text of an id; returns the end. `to` has room for kStreamIdTextMaxBytes.
inline char* WriteStreamId(char* to, const StreamId& id) {
  to = WriteUint(to, id.ms);
  *to++ = '-';
  return WriteUint(to, id.seq);
}

// The text of an id, in place.
class StreamIdText {
 public:
  explicit StreamIdText(const StreamId& id) : size_(static_cast<uint8_t>(WriteStreamId(text_, id) - text_)) {}
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[kStreamIdTextMaxBytes];
  uint8_t size_;
};

}  // namespace cairn
