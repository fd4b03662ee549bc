// Reading a string value whatever its encoding. A StringView is valid as long as its entry's shard lock is held and the key
// unchanged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "engine/keyspace/entry.h"
#include "engine/values/rope.h"

namespace cairn {

// A value as it arrives: bytes, and, where they are longer than 16 KiB and already in a shared buffer of exactly these bytes,
// that buffer (so that storing, logging and replying copy nothing).
struct StringSource {
  std::string_view bytes;
  const SharedBytes* owner = nullptr;
};

class StringView {
 public:
  StringView() = default;                   // the empty string (an absent key reads so)
  explicit StringView(const Entry* entry);  // nullptr: the empty string; otherwise entry->type() is kString

  uint64_t size() const;
  // The whole value as one view: no copy for inline values; integers are printed and ropes copied into *scratch.
  std::string_view Flatten(std::string* scratch) const;
  // Bytes [offset, offset + size_bytes) as one view, clipped to the value; copies only what is not contiguous.
  std::string_view Range(uint64_t offset, uint64_t size_bytes, std::string* scratch) const;
  uint8_t ByteAt(uint64_t offset) const;  // 0 beyond the end
  // The value as an integer under Redis's strict rule, if it is one.
  std::optional<int64_t> AsInt() const;
  const Rope* rope() const;  // nullptr unless the encoding is kRope

 private:
  const Entry* entry_ = nullptr;
};

}  // namespace cairn
