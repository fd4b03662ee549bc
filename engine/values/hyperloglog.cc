#include "engine/values/hyperloglog.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/bytes.h"
#include "base/numbers.h"

namespace cairn {
namespace {

constexpr size_t kEncodingOffset = 4;
constexpr char kDense = 0, kSparse = 1;
constexpr uint32_t kIndexBits = 14;
constexpr uint32_t kRankBits = 64 - kIndexBits;  // values go up to one more

// With a count of 0 that is not valid.
std::string Header(char encoding) {
  std::string header(kHllHeaderBytes, '\0');
  std::memcpy(header.data(), "HYLL", 4);
  header[kEncodingOffset] = encoding;
  header[kHllCountOffset + 7] = static_cast<char>(0x80);
  return header;
}

// The dense registers from the first on, four to three bytes.
template <typename Visit>
void ForEachDense(std::string_view hll, Visit&& visit) {
  const auto* at = reinterpret_cast<const uint8_t*>(hll.data()) + kHllHeaderBytes;
  for (uint32_t i = 0; i < kHllRegisters; i += 4, at += 3) {
    const uint32_t four = at[0] | static_cast<uint32_t>(at[1]) << 8 | static_cast<uint32_t>(at[2]) << 16;
    visit(i, static_cast<uint8_t>(four & 63));
    visit(i + 1, static_cast<uint8_t>(four >> 6 & 63));
    visit(i + 2, static_cast<uint8_t>(four >> 12 & 63));
    visit(i + 3, static_cast<uint8_t>(four >> 18));
  }
}

// One run of a sparse value.
struct Run {
  uint32_t length = 0;  // registers
  uint8_t value = 0;
  uint8_t size = 1;  // bytes
};

// The run at `offset` < sparse.size(); size 0 where its second byte is cut off.
Run RunAt(std::string_view sparse, size_t offset) {
  const auto byte = static_cast<uint8_t>(sparse[offset]);
  if (byte >= 0x80) return {(byte & 3u) + 1, static_cast<uint8_t>((byte >> 2 & 31) + 1), 1};
  if (byte < 0x40) return {byte + 1u, 0, 1};
  if (offset + 1 >= sparse.size()) return {0, 0, 0};
  return {((byte & 63u) << 8 | static_cast<uint8_t>(sparse[offset + 1])) + 1, 0, 2};
}

// Calls visit(first register, run) for the runs in order; false where they do not make up exactly all registers.
template <typename Visit>
bool ForEachRun(std::string_view sparse, Visit&& visit) {
  uint32_t first = 0;
  for (size_t offset = kHllHeaderBytes; offset < sparse.size();) {
    const Run run = RunAt(sparse, offset);
    if (run.size == 0 || run.length > kHllRegisters - first) return false;
    visit(first, run);
    first += run.length;
    offset += run.size;
  }
  return first == kHllRegisters;
}

char ValueByte(uint8_t value, uint32_t length) { return static_cast<char>(0x80 | (value - 1) << 2 | (length - 1)); }

// Zeros at the end of `out`, if any, in the shortest form.
char* WriteZeros(char* out, uint32_t length) {
  if (length == 0) return out;
  length--;
  if (length < 64) {
    *out++ = static_cast<char>(length);
  } else {
    *out++ = static_cast<char>(0x40 | length >> 8);
    *out++ = static_cast<char>(length & 0xFF);
  }
  return out;
}

// Where a register's run is.
struct RunPlace {
  size_t offset = 0;
  size_t before = 0;   // offset of the run before it, or its own where it is the first
  uint32_t first = 0;  // register
  Run run;             // size 0: none
};

RunPlace FindRun(std::string_view sparse, uint32_t index) {
  RunPlace place;
  place.offset = place.before = kHllHeaderBytes;
  while (place.offset < sparse.size()) {
    place.run = RunAt(sparse, place.offset);
    if (place.run.size == 0 || index < place.first + place.run.length) return place;
    place.first += place.run.length;
    place.before = place.offset;
    place.offset += place.run.size;
  }
  place.run = {0, 0, 0};
  return place;
}

// Joins neighbours of equal values among the next five runs from `offset` on, as far as one run can hold them. Redis does the same after
// each change, so that the same elements in the same order make the same bytes.
void JoinRuns(std::string* hll, size_t offset) {
  for (int steps = 5; steps > 0 && offset < hll->size(); steps--) {
    const Run run = RunAt(*hll, offset);
    if (run.size == 0) return;
    if (run.value > 0 && offset + 1 < hll->size()) {
      const Run next = RunAt(*hll, offset + 1);
      if (next.value == run.value && run.length + next.length <= 4) {
        (*hll)[offset] = ValueByte(run.value, run.length + next.length);
        hll->erase(offset + 1, 1);
        continue;
      }
    }
    offset += run.size;
  }
}

HllChange RaiseDense(std::string* hll, HllMark mark) {
  if (HllDenseRegister(hll->data() + kHllHeaderBytes, mark.index) >= mark.value) return HllChange::kNone;
  HllSetDenseRegister(hll->data() + kHllHeaderBytes, mark.index, mark.value);
  return HllChange::kChanged;
}

HllChange RaiseSparse(std::string* hll, HllMark mark, size_t sparse_max_bytes) {
  if (mark.value > kHllSparseValueMax) return HllToDense(hll) ? RaiseDense(hll, mark) : HllChange::kCorrupt;
  const RunPlace place = FindRun(*hll, mark.index);
  if (place.run.size == 0) return HllChange::kCorrupt;
  if (place.run.value >= mark.value) return HllChange::kNone;
  // The run becomes up to three: what is before the register, the register, what is after it.
  char runs[5];
  char* end = runs;
  const uint32_t before = mark.index - place.first, after = place.run.length - before - 1;
  if (place.run.value == 0) {
    end = WriteZeros(end, before);
    *end++ = ValueByte(mark.value, 1);
    end = WriteZeros(end, after);
  } else {
    if (before > 0) *end++ = ValueByte(place.run.value, before);
    *end++ = ValueByte(mark.value, 1);
    if (after > 0) *end++ = ValueByte(place.run.value, after);
  }
  const auto new_bytes = static_cast<size_t>(end - runs);
  if (new_bytes > place.run.size && hll->size() + new_bytes - place.run.size > sparse_max_bytes)
    return HllToDense(hll) ? RaiseDense(hll, mark) : HllChange::kCorrupt;
  hll->replace(place.offset, place.run.size, runs, new_bytes);
  JoinRuns(hll, place.before);
  return HllChange::kChanged;
}

// The estimator of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (arXiv:1702.01284), in the same order of
// operations as Redis: every rounding must come out alike.
double Sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1, z = x, before;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (before != z);
  return z;
}

double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1, z = 1 - x, before;
  do {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    const double rest = 1 - x;
    z -= rest * rest * y;
  } while (before != z);
  return z / 3;
}

// How many registers have each value.
using Histogram = std::array<int, kHllRegisterMax + 1>;

uint64_t Estimate(const Histogram& histogram) {
  constexpr double kAlpha = 0.721347520444481703680;  // 0.5 / ln 2
  constexpr double kCount = kHllRegisters;
  double z = kCount * Tau((kCount - histogram[kRankBits + 1]) / kCount);
  for (uint32_t value = kRankBits; value >= 1; value--) {
    z += histogram[value];
    z *= 0.5;
  }
  z += kCount * Sigma(histogram[0] / kCount);
  return static_cast<uint64_t>(llroundl(kAlpha * kCount * kCount / z));
}

// MurmurHash64A: short, and what Redis's values were made with.
uint64_t Hash(std::string_view bytes) {
  constexpr uint64_t kSeed = 0xadc83b19, kFactor = 0xc6a4a7935bd1e995;
  uint64_t hash = kSeed ^ (bytes.size() * kFactor);
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    uint64_t word = LoadLittleEndian<uint64_t>(bytes.data()) * kFactor;
    word ^= word >> 47;
    hash = (hash ^ word * kFactor) * kFactor;
  }
  if (!bytes.empty()) {
    for (size_t i = 0; i < bytes.size(); i++) hash ^= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
    hash *= kFactor;
  }
  hash = (hash ^ hash >> 47) * kFactor;
  return hash ^ hash >> 47;
}

}  // namespace

HllMark HllMarkOf(std::string_view element) {
  const uint64_t hash = Hash(element);
  // The bit above the last one ends the run of zeros where there is no one in it.
  const uint64_t rest = hash >> kIndexBits | uint64_t{1} << kRankBits;
  return {static_cast<uint32_t>(hash & (kHllRegisters - 1)), static_cast<uint8_t>(__builtin_ctzll(rest) + 1)};
}

bool IsHyperLogLog(std::string_view bytes) {
  if (bytes.size() < kHllHeaderBytes || !bytes.starts_with("HYLL")) return false;
  const char encoding = bytes[kEncodingOffset];
  return encoding == kSparse || (encoding == kDense && bytes.size() == kHllDenseBytes);
}

bool HllIsSparse(std::string_view hll) { return hll[kEncodingOffset] == kSparse; }

bool HllCachedCount(std::string_view hll, uint64_t* count) {
  *count = LoadLittleEndian<uint64_t>(hll.data() + kHllCountOffset);
  return *count >> 63 == 0;
}

bool HllCount(std::string_view hll, uint64_t* count) {
  Histogram histogram{};
  if (HllIsSparse(hll)) {
    if (!ForEachRun(hll, [&](uint32_t, Run run) { histogram[run.value] += static_cast<int>(run.length); })) return false;
  } else {
    ForEachDense(hll, [&](uint32_t, uint8_t value) { histogram[value]++; });
  }
  *count = Estimate(histogram);
  return true;
}

uint64_t HllCount(const HllRegisters& registers) {
  Histogram histogram{};
  for (const uint8_t value : registers) histogram[value]++;
  return Estimate(histogram);
}

bool HllMergeInto(std::string_view hll, HllRegisters* registers) {
  uint8_t* const to = registers->data();
  const auto raise = [to](uint32_t index, uint8_t value) { to[index] = value > to[index] ? value : to[index]; };
  if (!HllIsSparse(hll)) {
    ForEachDense(hll, raise);
    return true;
  }
  return ForEachRun(hll, [&](uint32_t first, Run run) {
    if (run.value == 0) return;
    for (uint32_t i = 0; i < run.length; i++) raise(first + i, run.value);
  });
}

HllChange HllProbe(std::string_view hll, HllMark mark) {
  if (!HllIsSparse(hll)) {
    const bool less = HllDenseRegister(hll.data() + kHllHeaderBytes, mark.index) < mark.value;
    return less ? HllChange::kChanged : HllChange::kNone;
  }
  const RunPlace place = FindRun(hll, mark.index);
  if (place.run.size == 0) return HllChange::kCorrupt;
  return place.run.value < mark.value ? HllChange::kChanged : HllChange::kNone;
}

HllChange HllRaise(std::string* hll, HllMark mark, size_t sparse_max_bytes) {
  const HllChange change = HllIsSparse(*hll) ? RaiseSparse(hll, mark, sparse_max_bytes) : RaiseDense(hll, mark);
  if (change == HllChange::kChanged) (*hll)[kHllCountOffset + 7] |= static_cast<char>(0x80);
  return change;
}

bool HllToDense(std::string* hll) {
  if (!HllIsSparse(*hll)) return true;
  std::string dense(kHllDenseBytes, '\0');
  std::memcpy(dense.data(), hll->data(), kHllHeaderBytes);
  dense[kEncodingOffset] = kDense;
  const bool valid = ForEachRun(*hll, [&](uint32_t first, Run run) {
    if (run.value == 0) return;
    for (uint32_t i = 0; i < run.length; i++) HllSetDenseRegister(dense.data() + kHllHeaderBytes, first + i, run.value);
  });
  if (valid) hll->swap(dense);
  return valid;
}

std::string HllPack(const HllRegisters& registers, size_t sparse_max_bytes) {
  const auto zeros_bytes = [](uint32_t length) -> size_t { return length == 0 ? 0 : length <= 64 ? 1 : 2; };
  std::string hll = Header(kSparse);
  uint32_t next = 0;  // the first register that has no run yet
  char zeros[2];
  for (uint32_t i = 0; i < kHllRegisters; i++) {
    const uint8_t value = registers[i];
    if (value == 0) continue;
    // What a change would replace the last run of zeros by: its size decides, before neighbours are joined.
    const size_t new_bytes = zeros_bytes(i - next) + 1 + zeros_bytes(kHllRegisters - i - 1);
    const bool grows = new_bytes > zeros_bytes(kHllRegisters - next);
    if (value > kHllSparseValueMax || (grows && hll.size() + new_bytes > sparse_max_bytes)) return HllPackDense(registers);
    const Run last = i == next && i > 0 ? RunAt(hll, hll.size() - 1) : Run();
    if (last.value == value && last.length < 4) {
      hll.back() = ValueByte(value, last.length + 1);
    } else {
      hll.append(zeros, WriteZeros(zeros, i - next));
      hll += ValueByte(value, 1);
    }
    next = i + 1;
  }
  hll.append(zeros, WriteZeros(zeros, kHllRegisters - next));
  return hll;
}

std::string HllPackDense(const HllRegisters& registers) {
  std::string hll = Header(kDense);
  hll.reserve(kHllDenseBytes);
  for (uint32_t i = 0; i < kHllRegisters; i += 4) {
    const uint32_t four = registers[i] | static_cast<uint32_t>(registers[i + 1]) << 6 |
                          static_cast<uint32_t>(registers[i + 2]) << 12 | static_cast<uint32_t>(registers[i + 3]) << 18;
    const char bytes[] = {static_cast<char>(four), static_cast<char>(four >> 8), static_cast<char>(four >> 16)};
    hll.append(bytes, sizeof(bytes));
  }
  return hll;
}

std::string HllDescribeRuns(std::string_view sparse) {
  std::string text;
  for (size_t offset = kHllHeaderBytes; offset < sparse.size();) {
    const Run run = RunAt(sparse, offset);
    if (run.size == 0) break;
    if (!text.empty()) text += ' ';
    text += run.value > 0 ? "v:" : run.size == 1 ? "z:" : "Z:";
    if (run.value > 0) {
      AppendUint(text, run.value);
      text += ',';
    }
    AppendUint(text, run.length);
    offset += run.size;
  }
  return text;
}

void HllSetDenseRegister(char* registers, uint32_t index, uint8_t value) {
  const uint32_t bit = index * 6;
  auto* at = reinterpret_cast<uint8_t*>(registers) + bit / 8;
  const uint32_t shift = bit % 8;
  at[0] = static_cast<uint8_t>((at[0] & ~(kHllRegisterMax << shift)) | value << shift);
  if (shift > 2) at[1] = static_cast<uint8_t>((at[1] & ~(kHllRegisterMax >> (8 - shift))) | value >> (8 - shift));
}

std::string NewHyperLogLog() { return HllPack({}, 0); }

}  // namespace cairn
