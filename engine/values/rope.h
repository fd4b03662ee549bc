// A long string (over 16 KiB) as a sequence of slices of shared immutable buffers. Whoever copies a Rope shares its buffers, so a
// reply, a snapshot and the log hold 512 MB without copying it; a write replaces the touched 16 KiB pieces only.
// Not synchronised: one Rope object belongs to one holder (its entry under the shard's lock); buffers may be shared by any
// thread.
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
  explicit Rope(SharedBytes whole);  // shares, copies nothing, up to 4 GiB
  static Rope Copy(std::string_view bytes);

  uint64_t size() const { return size_bytes_; }
  const std::vector<RopeSlice>& slices() const { return slices_; }
  void Append(std::string_view bytes);  // amortised O(bytes): the last piece grows while it is unshared and has room
  // Overwrites [offset, offset + bytes) and zero-fills a gap; grows the rope as needed.
  void Overwrite(uint64_t offset, std::string_view bytes);
  uint8_t ByteAt(uint64_t offset) const;  // offset < size()
  // Appends bytes [offset, offset + size_bytes) to `out`; the range must be inside.
  void CopyTo(uint64_t offset, uint64_t size_bytes, std::string* out) const;
  // The slices of a range, shared.
  Rope Substr(uint64_t offset, uint64_t size_bytes) const;
  // The range as one view where it lies in one slice, otherwise a view without data (nullptr).
  std::string_view Contiguous(uint64_t offset, uint64_t size_bytes) const;
  // Bytes of the object, its slices and buffers. Of a buffer that is used in part, that part; zeros of a gap count as if they
  // were written. O(1).
  uint64_t memory_bytes() const;
  // Gives up to `max_slices` slices at the end back; false when none is left. For frees in small steps.
  bool FreeStep(size_t max_slices);

 private:
  // The slice that holds the byte at `offset` < size().
  size_t SliceAt(uint64_t offset) const;
  void Push(RopeSlice slice);
  void AppendZeros(uint64_t count);
  // Makes the bytes from the one at `offset` writable as far as they are in one buffer, and returns the first; `room` becomes how
  // many.
  char* MakeWritable(uint64_t offset, uint64_t* room);
  // Puts slices in the place of one.
  void ReplaceSlice(size_t index, std::vector<RopeSlice> parts);
  static uint64_t SliceBytes(const RopeSlice& slice);

  std::vector<RopeSlice> slices_;
  std::vector<uint64_t> starts_;  // of each slice, as an offset into the rope
  uint64_t size_bytes_ = 0;
  uint64_t buffer_bytes_ = 0;  // sum of SliceBytes
};

}  // namespace cairn
