// Numbers to text and back as Redis does it, to the byte: what a client sends as a number, and how a number is answered.
//
// Failure: the Parse functions return false and leave the result alone. No function depends on the locale except through
// strtod, which the process never sets to anything but "C". Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cairn {

// The longest text of an int64_t ("-9223372036854775808").
inline constexpr size_t kIntTextMaxBytes = 20;

// Redis's strict rule: optional '-', digits without leading zeros, nothing else, in range; "-0" and "+1" are refused. Whatever is
// accepted is printed back as the same text, so a string value may be stored as an integer.
bool ParseInt64(std::string_view text, int64_t* value);
// The same for 0..2^64-1, without sign.
bool ParseUint64(std::string_view text, uint64_t* value);

// The whole text as strtod reads it: decimal, exponent, hexadecimal and "inf"/"infinity" with sign in any case. Refused: the empty
// text, leading or trailing spaces, overflow to infinity, underflow to zero, and NaN unless allowed.
bool ParseDouble(std::string_view text, double* value, bool allow_nan = false);
// The same in long double, as INCRBYFLOAT reads; texts of 5 KiB and more are refused.
bool ParseLongDouble(std::string_view text, long double* value);

// "%.17g", and "inf", "-inf" or "nan": what Redis 7.0 answers for a double in RESP2 and RESP3.
std::string FormatDouble(double value);
// The same written to `to`, which has room for kDoubleTextMaxBytes; returns the end.
inline constexpr size_t kDoubleTextMaxBytes = 32;
char* WriteDouble(char* to, double value);
// INCRBYFLOAT's form: 17 digits after the point, then trailing zeros cut; never an exponent, "-0" becomes "0".
std::string FormatLongDouble(long double value);

// Writes the decimal text of `value` to `to`, which has room for kIntTextMaxBytes; returns the end.
char* WriteInt(char* to, int64_t value);
char* WriteUint(char* to, uint64_t value);
// The length of what WriteInt writes.
size_t IntTextSize(int64_t value);

inline void AppendInt(std::string& out, int64_t value) {
  char text[kIntTextMaxBytes];
  out.append(text, static_cast<size_t>(WriteInt(text, value) - text));
}
inline void AppendUint(std::string& out, uint64_t value) {
  char text[kIntTextMaxBytes];
  out.append(text, static_cast<size_t>(WriteUint(text, value) - text));
}

// "256mb" in bytes: digits, then nothing, b, k (1000), kb (1024), m, mb, g or gb, in any case. No sign, no overflow.
bool ParseMemory(std::string_view text, uint64_t* bytes);

// "1.50K", "2.00M"...: Redis's *_human fields.
std::string FormatBytesHuman(uint64_t bytes);

// Whether two texts are equal but for the case of ASCII letters: command and option names.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// ASCII letters as capitals.
std::string Upper(std::string_view text);

}  // namespace cairn
