// Scores in few bytes: the column of scores that the leaves of a large sorted set hold. A column is in one format: integers as
// their distance from a base, in the fewest bytes that the leaf's range needs (none where all are equal), or doubles as they are.
// Which doubles were given is kept exactly, -0 included.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace cairn {

// Integers up to this size, both signs, are exact as doubles, and so are their distances as int64.
inline constexpr double kExactIntegerMax = 9007199254740992.0;  // 2^53

// Whether a score can lie in a column of integers.
inline bool ScoreAsInteger(double score, int64_t* integer) {
  if (!(score >= -kExactIntegerMax && score <= kExactIntegerMax)) return false;
  *integer = static_cast<int64_t>(score);
  return static_cast<double>(*integer) == score && (*integer != 0 || !std::signbit(score));
}

struct ScoreFormat {
  int64_t base = 0;
  uint8_t width = 0;     // bytes a score takes, 0..8
  bool doubles = false;  // width is 8 then

  static ScoreFormat Doubles() { return {0, 8, true}; }
  // For integers in [low, high]. The room that whole bytes leave is above, or below with `room_below`: where the next scores are
  // expected.
  static ScoreFormat Integers(int64_t low, int64_t high, bool room_below = false) {
    const auto span = static_cast<uint64_t>(high - low);
    ScoreFormat format{low, static_cast<uint8_t>((64 - std::countl_zero(span) + 7) / 8), false};
    if (room_below && format.width > 0 && format.width < 7) {
      format.base = high - static_cast<int64_t>((uint64_t{1} << (8 * format.width)) - 1);
    }
    return format;
  }

  bool operator==(const ScoreFormat&) const = default;

  bool Fits(double score) const {
    if (doubles) return true;
    int64_t integer;
    if (!ScoreAsInteger(score, &integer) || integer < base) return false;
    const auto distance = static_cast<uint64_t>(integer - base);
    return width == 8 || distance >> (8 * width) == 0;
  }

  // `column` has at least 8 readable bytes in front of it: a score is read with those before it and shifted down.
  double Get(const char* column, uint32_t at) const {
    if (width == 0) return static_cast<double>(base);
    uint64_t bits;
    std::memcpy(&bits, column + (at + 1) * width - 8, 8);
    if (doubles) return std::bit_cast<double>(bits);
    return static_cast<double>(base + static_cast<int64_t>(bits >> (64 - 8 * width)));
  }
  // `score` fits.
  void Set(char* column, uint32_t at, double score) const {
    const uint64_t bits = doubles ? std::bit_cast<uint64_t>(score) : static_cast<uint64_t>(static_cast<int64_t>(score) - base);
    std::memcpy(column + at * width, &bits, width);
  }
};
static_assert(std::endian::native == std::endian::little);

// Finds out the format that a number of scores need.
class ScoreRange {
 public:
  void Add(double score) {
    int64_t integer;
    if (!ScoreAsInteger(score, &integer)) {
      doubles_ = true;
      return;
    }
    low_ = integer < low_ ? integer : low_;
    high_ = integer > high_ ? integer : high_;
  }
  ScoreFormat format(bool room_below = false) const {
    return doubles_ || low_ > high_ ? ScoreFormat::Doubles() : ScoreFormat::Integers(low_, high_, room_below);
  }

 private:
  int64_t low_ = INT64_MAX;
  int64_t high_ = INT64_MIN;
  bool doubles_ = false;
};

}  // namespace cairn
