#include "base/numbers.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace cairn {
namespace {

constexpr size_t kLongDoubleTextMaxBytes = 5 * 1024;
constexpr double kExactIntegerMax = 9007199254740992.0;  // 2^53: integers up to it are exact as doubles
constexpr size_t kExactIntegerDigits = 15;

// Digits without leading zeros, no overflow.
bool ParseDigits(std::string_view text, uint64_t* value) {
  if (text.empty() || text.size() > kIntTextMaxBytes) return false;
  if (text[0] == '0' && text.size() > 1) return false;
  uint64_t result = 0;
  for (const char c : text) {
    const auto digit = static_cast<unsigned>(c - '0');
    if (digit > 9) return false;
    if (result > UINT64_MAX / 10) return false;
    result *= 10;
    if (result > UINT64_MAX - digit) return false;
    result += digit;
  }
  *value = result;
  return true;
}

bool StartsWithSpace(std::string_view text) { return text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r'); }

template <typename T>
bool ParseFloating(const char* text, size_t size, bool allow_nan, T (*parse)(const char*, char**), T* value) {
  char* end = nullptr;
  errno = 0;
  const T parsed = parse(text, &end);
  if (end != text + size) return false;
  if (errno == ERANGE && (std::isinf(parsed) || parsed == 0)) return false;
  if (std::isnan(parsed) && !allow_nan) return false;
  *value = parsed;
  return true;
}

template <typename T>
bool ParseTerminated(std::string_view text, bool allow_nan, T (*parse)(const char*, char**), T* value) {
  if (text.empty() || StartsWithSpace(text)) return false;
  char small[128];
  if (text.size() < sizeof(small)) {
    std::memcpy(small, text.data(), text.size());
    small[text.size()] = '\0';
    return ParseFloating<T>(small, text.size(), allow_nan, parse, value);
  }
  const std::string large(text);
  return ParseFloating<T>(large.c_str(), large.size(), allow_nan, parse, value);
}

}  // namespace

bool ParseInt64(std::string_view text, int64_t* value) {
  const bool negative = !text.empty() && text[0] == '-';
  uint64_t magnitude;
  if (!ParseDigits(negative ? text.substr(1) : text, &magnitude)) return false;
  if (negative) {
    if (magnitude == 0 || magnitude > uint64_t{1} << 63) return false;
    *value = static_cast<int64_t>(0 - magnitude);
  } else {
    if (magnitude > static_cast<uint64_t>(INT64_MAX)) return false;
    *value = static_cast<int64_t>(magnitude);
  }
  return true;
}

bool ParseUint64(std::string_view text, uint64_t* value) { return ParseDigits(text, value); }

bool ParseDouble(std::string_view text, double* value, bool allow_nan) {
  // Most are short integers. "-0" is not one: the sign stays.
  int64_t integer;
  if (text.size() <= kExactIntegerDigits && ParseInt64(text, &integer)) {
    *value = static_cast<double>(integer);
    return true;
  }
  return ParseTerminated<double>(text, allow_nan, std::strtod, value);
}

bool ParseLongDouble(std::string_view text, long double* value) {
  if (text.size() >= kLongDoubleTextMaxBytes) return false;
  return ParseTerminated<long double>(text, false, std::strtold, value);
}

char* WriteDouble(char* to, double value) {
  if (value >= -kExactIntegerMax && value <= kExactIntegerMax) [[likely]] {
    const auto integer = static_cast<int64_t>(value);
    if (static_cast<double>(integer) == value && (integer != 0 || !std::signbit(value))) return WriteInt(to, integer);
  }
  const std::string_view special = std::isnan(value) ? "nan" : !std::isinf(value) ? "" : value > 0 ? "inf" : "-inf";
  if (!special.empty()) return std::copy(special.begin(), special.end(), to);
  return std::to_chars(to, to + kDoubleTextMaxBytes, value, std::chars_format::general, 17).ptr;
}

std::string FormatDouble(double value) {
  char text[kDoubleTextMaxBytes];
  return std::string(text, static_cast<size_t>(WriteDouble(text, value) - text));
}

std::string FormatLongDouble(long double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[kLongDoubleTextMaxBytes];
  const int size = std::snprintf(text, sizeof(text), "%.17Lf", value);
  std::string_view result(text, static_cast<size_t>(size));
  result.remove_suffix(result.size() - 1 - result.find_last_not_of('0'));
  if (result.back() == '.') result.remove_suffix(1);
  return result == "-0" ? "0" : std::string(result);
}

char* WriteInt(char* to, int64_t value) { return std::to_chars(to, to + kIntTextMaxBytes, value).ptr; }
char* WriteUint(char* to, uint64_t value) {
  if (value < 10) {
    *to = static_cast<char>('0' + value);
    return to + 1;
  }
  return std::to_chars(to, to + kIntTextMaxBytes, value).ptr;
}

size_t IntTextSize(int64_t value) {
  uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  size_t size = value < 0 ? 2 : 1;
  while (magnitude >= 1000) {
    magnitude /= 1000;
    size += 3;
  }
  return size + (magnitude >= 100 ? 2 : magnitude >= 10 ? 1 : 0);
}

bool ParseMemory(std::string_view text, uint64_t* bytes) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') digits++;
  if (digits == 0) return false;
  uint64_t number = 0;
  for (const char c : text.substr(0, digits)) {
    const auto digit = static_cast<uint64_t>(c - '0');
    if (number > (UINT64_MAX - digit) / 10) return false;
    number = number * 10 + digit;
  }
  struct Unit {
    std::string_view name;
    uint64_t factor;
  };
  static constexpr Unit kUnits[] = {{"", 1},
                                    {"b", 1},
                                    {"k", 1000},
                                    {"kb", 1024},
                                    {"m", 1000'000},
                                    {"mb", 1024 * 1024},
                                    {"g", 1000'000'000},
                                    {"gb", 1024 * 1024 * 1024}};
  for (const Unit& unit : kUnits) {
    if (!EqualsIgnoreCase(text.substr(digits), unit.name)) continue;
    if (number > UINT64_MAX / unit.factor) return false;
    *bytes = number * unit.factor;
    return true;
  }
  return false;
}

std::string FormatBytesHuman(uint64_t bytes) {
  static constexpr char kUnits[] = "KMGTP";
  if (bytes < 1024) return std::to_string(bytes) + "B";
  double value = static_cast<double>(bytes) / 1024;
  uint64_t unit = 0;
  for (uint64_t rest = bytes >> 10; rest >= 1024 && unit < 4; rest >>= 10) {
    value /= 1024;
    unit++;
  }
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f%c", value, kUnits[unit]);
  return text;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  constexpr char kCaseBit = 'a' ^ 'A';
  for (size_t i = 0; i < a.size(); i++) {
    if (a[i] == b[i]) continue;
    const auto letter = static_cast<unsigned>((a[i] | kCaseBit) - 'a');
    if ((a[i] ^ b[i]) != kCaseBit || letter > 'z' - 'a') return false;
  }
  return true;
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
  }
  return upper;
}

}  // namespace cairn
