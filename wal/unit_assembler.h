// Puts together a unit that lies in several frames: begin, middle, commit.
//
// Threads: one at a time. Memory: the unit's length, which is believed only as far as the file is long.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "wal/record_format.h"

namespace cairn {

class UnitAssembler {
 public:
  enum class Outcome : uint8_t { kMore, kWhole, kBadLength };

  bool in_unit() const { return in_unit_; }
  // Whether a frame of this kind may come next.
  bool Fits(FrameKind kind) const { return in_unit_ == (kind == FrameKind::kMiddle || kind == FrameKind::kCommit); }
  void Drop() {
    in_unit_ = false;
    unit_ = SharedBytes();
  }

  // A frame that fits, of kind begin, middle or commit, of a file with `file_bytes`. kWhole: `*unit` has it, or is empty where the unit
  // claims to be longer than its file. kBadLength: the parts do not add up to what the first one says.
  Outcome Take(const FrameHeader& header, std::string_view payload, uint64_t file_bytes, SharedBytes* unit) {
    if (header.kind == FrameKind::kBegin) {
      in_unit_ = true;
      filled_ = 0;
      total_ = header.unit_bytes;
      unit_ = total_ <= file_bytes ? SharedBytes::Allocate(total_) : SharedBytes();
    }
    const uint64_t filled = filled_ + payload.size();
    const bool ends = header.kind == FrameKind::kCommit;
    if (ends ? filled != total_ : filled >= total_) return Outcome::kBadLength;
    if (unit_.size() > 0) std::memcpy(unit_.mutable_data() + filled_, payload.data(), payload.size());
    filled_ = filled;
    if (!ends) return Outcome::kMore;
    in_unit_ = false;
    *unit = std::exchange(unit_, {});
    return Outcome::kWhole;
  }

 private:
  bool in_unit_ = false;
  SharedBytes unit_;
  uint64_t total_ = 0;
  uint64_t filled_ = 0;
};

}  // namespace cairn
