// A set of integers as packed bytes, in Redis's intset layout to the byte: what small sets of integers hold inline and what RDB type 11
// carries.
//
//   width 4 (2, 4 or 8) | count 4 | count integers of `width` bytes, little-endian, ascending
//
// All integers have the width of the widest; adding a wider one widens all, nothing narrows again. Functions work on bytes that somebody
// else holds: a reader asks an IntSet, which is a view; a writer asks where a value goes, splices its first `width` bytes (little-endian)
// in or out there and then corrects the count with SetIntSetCount.
// Failure: only ValidateIntSet takes untrusted bytes; everything else wants bytes that it accepts. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace cairn {

inline constexpr size_t kIntSetHeaderBytes = 8;

// Bytes per integer that a value needs: 2, 4 or 8.
inline uint32_t IntSetWidthOf(int64_t value) {
  if (value >= INT16_MIN && value <= INT16_MAX) return 2;
  return value >= INT32_MIN && value <= INT32_MAX ? 4 : 8;
}

class IntSet {
 public:
  explicit IntSet(std::string_view bytes) : bytes_(bytes) {}

  uint32_t count() const { return LoadLittleEndian<uint32_t>(bytes_.data() + 4); }
  uint32_t width() const { return static_cast<uint8_t>(bytes_[0]); }
  int64_t at(uint32_t index) const { return Load(bytes_.data() + kIntSetHeaderBytes + size_t{index} * width(), width()); }

  // Whether the value is there; *index becomes its place, or the place where it would be inserted.
  bool Find(int64_t value, uint32_t* index) const;
  bool Contains(int64_t value) const {
    uint32_t index;
    return Find(value, &index);
  }
  // Where the integer at `index` begins; for index == count() the end.
  size_t offset(uint32_t index) const { return kIntSetHeaderBytes + size_t{index} * width(); }

 private:
  static int64_t Load(const char* from, uint32_t width) {
    if (width == 2) return LoadLittleEndian<int16_t>(from);
    return width == 4 ? LoadLittleEndian<int32_t>(from) : LoadLittleEndian<int64_t>(from);
  }
  std::string_view bytes_;
};

// Corrects the header after a splice.
inline void SetIntSetCount(char* bytes, uint32_t count) { StoreLittleEndian<uint32_t>(bytes + 4, count); }

// *out becomes the set of `ascending` (strictly) integers.
void BuildIntSet(std::span<const int64_t> ascending, std::string* out);
// *out becomes the set with `value`, which is wider than the set's width, at its end or front.
void WidenIntSet(std::string_view bytes, int64_t value, std::string* out);

// OK where bytes from anywhere are a set with at least one integer; otherwise kDamaged, saying what is wrong.
Status ValidateIntSet(std::string_view bytes);

}  // namespace cairn
