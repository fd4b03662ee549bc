#include "base/glob.h"

#include <cstddef>
#include <utility>

namespace cairn {
namespace {

inline char Fold(char c, bool ignore_case) { return ignore_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Whether `c` is in the set whose first byte after '[' is pattern[*at]; *at moves behind the set. Bytes above 127 sort below the
// others in ranges, and an escaped byte never folds, both as Redis has it.
bool MatchSet(std::string_view pattern, size_t* at, char c, bool ignore_case) {
  size_t p = *at;
  const bool negated = p < pattern.size() && pattern[p] == '^';
  if (negated) p++;
  bool match = false;
  for (; p < pattern.size() && pattern[p] != ']'; p++) {
    if (pattern[p] == '\\' && p + 1 < pattern.size()) {
      p++;
      match |= pattern[p] == c;
    } else if (p + 2 < pattern.size() && pattern[p + 1] == '-') {
      auto low = static_cast<signed char>(pattern[p]);
      auto high = static_cast<signed char>(pattern[p + 2]);
      if (low > high) std::swap(low, high);
      const auto folded = static_cast<signed char>(Fold(c, ignore_case));
      match |= folded >= Fold(low, ignore_case) && folded <= Fold(high, ignore_case);
      p += 2;
    } else {
      match |= Fold(pattern[p], ignore_case) == Fold(c, ignore_case);
    }
  }
  *at = p < pattern.size() ? p + 1 : p;
  return match != negated;
}

// Whether the one-byte element at pattern[*at] matches `c`; *at moves behind the element. The element is not '*'.
bool MatchOne(std::string_view pattern, size_t* at, char c, bool ignore_case) {
  char expected = pattern[(*at)++];
  if (expected == '?') return true;
  if (expected == '[') return MatchSet(pattern, at, c, ignore_case);
  if (expected == '\\' && *at < pattern.size()) expected = pattern[(*at)++];
  return Fold(expected, ignore_case) == Fold(c, ignore_case);
}

}  // namespace

bool GlobMatch(std::string_view pattern, std::string_view text, bool ignore_case) {
  // Redis does not match the empty text with "*".
  if (text.empty()) return pattern.empty();
  // Every element but '*' takes exactly one byte, so the shortest match up to a star leaves the most for the rest: only the last
  // star seen ever needs to be widened, which bounds the work.
  static constexpr size_t kNone = static_cast<size_t>(-1);
  size_t p = 0;
  size_t t = 0;
  size_t star_p = kNone;
  size_t star_t = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      while (p < pattern.size() && pattern[p] == '*') p++;
      if (p == pattern.size()) return true;
      star_p = p;
      star_t = t;
    } else if (p < pattern.size() && MatchOne(pattern, &p, text[t], ignore_case)) {
      t++;
    } else if (star_p != kNone) {
      p = star_p;
      t = ++star_t;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') p++;
  return p == pattern.size();
}

}  // namespace cairn
