// HyperLogLog in Redis's own string format, so that values move between Redis and Cairn unchanged: 16,384 registers of 6 bits, each
// the longest run of zeros seen in the hashes that fell to it, from which the number of distinct elements is estimated.
//
//   "HYLL" 4 | encoding 1 | unused 3 | cached count 8, little-endian, highest bit: not valid | registers
//   dense (0):  the registers, 6 bits each from the lowest bit up: 12,288 bytes
//   sparse (1): runs: 00nnnnnn n + 1 zeros | 01nnnnnn nnnnnnnn n + 1 zeros | 1vvvvvnn n + 1 registers of value v + 1
//
// The bytes come from clients: every function is safe on any bytes, and says where they are corrupt. Nothing is kept between calls;
// views are into the caller's bytes. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cairn {

inline constexpr uint32_t kHllRegisters = 16384;
inline constexpr size_t kHllHeaderBytes = 16;
inline constexpr size_t kHllDenseBytes = kHllHeaderBytes + kHllRegisters * 6 / 8;
inline constexpr size_t kHllCountOffset = 8;       // of the cached count, 8 bytes
inline constexpr uint8_t kHllSparseValueMax = 32;  // a larger register needs the dense encoding
inline constexpr uint8_t kHllRegisterMax = 63;

// A register's number and the value that one element asks for there, 1 to 51.
struct HllMark {
  uint32_t index = 0;
  uint8_t value = 0;
};

enum class HllChange : uint8_t { kNone, kChanged, kCorrupt };

// One byte a register: what unions are computed in.
using HllRegisters = std::array<uint8_t, kHllRegisters>;

HllMark HllMarkOf(std::string_view element);

// Whether the bytes begin like a HyperLogLog and, where dense, have its length. The runs of a sparse one are not looked at.
bool IsHyperLogLog(std::string_view bytes);

// --- of bytes for which IsHyperLogLog holds ---------------------------------------------------------------------------------------

bool HllIsSparse(std::string_view hll);
// The cached count, if it is valid.
bool HllCachedCount(std::string_view hll, uint64_t* count);
// The estimate of Redis 7.0, whatever is cached; false where the runs are corrupt.
bool HllCount(std::string_view hll, uint64_t* count);
uint64_t HllCount(const HllRegisters& registers);
// Raises each register to the value's where that is larger; false where the runs are corrupt (`registers` is then unspecified).
bool HllMergeInto(std::string_view hll, HllRegisters* registers);
// What HllRaise would do.
HllChange HllProbe(std::string_view hll, HllMark mark);
// Raises one register to `mark.value` where that is larger, and marks the cached count as not valid. A sparse value becomes dense
// where it cannot hold the register's value or would grow beyond `sparse_max_bytes`. Unchanged where it is corrupt.
HllChange HllRaise(std::string* hll, HllMark mark, size_t sparse_max_bytes);
// Nothing for a dense value; false, and unchanged, where the runs are corrupt. The cached count stays.
bool HllToDense(std::string* hll);
// Values that hold these registers, with a count of 0 that is not valid: a sparse one as raising them in ascending order makes it
// (dense where that becomes dense), and a dense one.
std::string HllPack(const HllRegisters& registers, size_t sparse_max_bytes);
std::string HllPackDense(const HllRegisters& registers);
// PFDEBUG DECODE's text of the runs: "Z:16384", "v:1,2 z:3"...
std::string HllDescribeRuns(std::string_view sparse);

// --- single registers of the dense encoding; `registers` is what follows the header ----------------------------------------------

inline uint8_t HllDenseRegister(const char* registers, uint32_t index) {
  const uint32_t bit = index * 6;
  const auto* at = reinterpret_cast<const uint8_t*>(registers) + bit / 8;
  const uint32_t shift = bit % 8;
  // A register that ends with its byte must not look at the next: the last one has none.
  const uint32_t both = shift <= 2 ? at[0] : at[0] | static_cast<uint32_t>(at[1]) << 8;
  return static_cast<uint8_t>(both >> shift & kHllRegisterMax);
}
void HllSetDenseRegister(char* registers, uint32_t index, uint8_t value);

// An empty value: sparse, one run of zeros, a count of 0 that is not valid.
std::string NewHyperLogLog();

}  // namespace cairn
