// A long string (over 16 KiB) as a sequence of slices of shared immutable buffers. Whoever copies a Rope shares its buffers, so a
// reply, a snapshot and the log hold 512 MB without copying it; a write replaces the touched 16 KiB pieces only.
// Not synchronised: one Rope object belongs to one holder (its entry under the shard's lock); buffers may be shared by any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace cairn {

struct RopeSlice {
  SharedBytes owner;
  uint32_t offset = 0;      // into owner
  uint32_t size_bytes = 0;  // > 0
  std::string_view view() const { return owner.view().substr(offset, size_bytes); }
};

class Rope {
 public:
  static constexpr uint32_t kPieceBytes = 16 * 1024;

  Rope() = default;
  explicit Rope(SharedBytes whole);        // shares, copies nothing
  static Rope Copy(std::string_view bytes);

  uint64_t size() const { return size_bytes_; }
  const std::vector<RopeSlice>& slices() const { return slices_; }
  void Append(std::string_view bytes);     // amortised O(bytes): the last piece grows while it is unshared and has room
  // Overwrites [offset, offset + bytes) and zero-fills a gap; grows the rope as needed.
  void Overwrite(uint64_t offset, std::string_view bytes);
  uint8_t ByteAt(uint64_t offset) const;   // offset < size()
  // Appends bytes [offset, offset + size_bytes) to `out`; the range must be inside.
  void CopyTo(uint64_t offset, uint64_t size_bytes, std::string* out) const;
  // The slices of a range, shared.
  Rope Substr(uint64_t offset, uint64_t size_bytes) const;
  uint64_t memory_bytes() const;

 private:
  std::vector<RopeSlice> slices_;
  uint64_t size_bytes_ = 0;
};

}  // namespace cairn
