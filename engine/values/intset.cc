#include "engine/values/intset.h"

#include <algorithm>

namespace cairn {
namespace {

// The first index whose integer is not below `value`. Without branches on the integers: their outcome cannot be foretold.
template <typename Int>
uint32_t LowerBound(const char* integers, uint32_t count, int64_t value) {
  const char* from = integers;
  while (count > 1) {
    const uint32_t half = count / 2;
    from += int64_t{LoadLittleEndian<Int>(from + (half - 1) * sizeof(Int))} < value ? half * sizeof(Int) : 0;
    count -= half;
  }
  const auto index = static_cast<uint32_t>(static_cast<size_t>(from - integers) / sizeof(Int));
  return index + (count == 1 && int64_t{LoadLittleEndian<Int>(from)} < value ? 1 : 0);
}

void AppendHeader(uint32_t width, uint32_t count, std::string* out) {
  char header[kIntSetHeaderBytes];
  StoreLittleEndian<uint32_t>(header, width);
  StoreLittleEndian<uint32_t>(header + 4, count);
  out->append(header, sizeof(header));
}

void AppendValue(int64_t value, uint32_t width, std::string* out) {
  char bytes[8];
  StoreLittleEndian(bytes, value);
  out->append(bytes, width);
}

}  // namespace

bool IntSet::Find(int64_t value, uint32_t* index) const {
  const char* integers = bytes_.data() + kIntSetHeaderBytes;
  const uint32_t count = this->count();
  switch (width()) {
    case 2: *index = LowerBound<int16_t>(integers, count, value); break;
    case 4: *index = LowerBound<int32_t>(integers, count, value); break;
    default: *index = LowerBound<int64_t>(integers, count, value); break;
  }
  return *index < count && at(*index) == value;
}

void BuildIntSet(std::span<const int64_t> ascending, std::string* out) {
  uint32_t width = 2;
  if (!ascending.empty()) width = std::max(IntSetWidthOf(ascending.front()), IntSetWidthOf(ascending.back()));
  out->clear();
  out->reserve(kIntSetHeaderBytes + ascending.size() * width);
  AppendHeader(width, static_cast<uint32_t>(ascending.size()), out);
  for (const int64_t value : ascending) AppendValue(value, width, out);
}

void WidenIntSet(std::string_view bytes, int64_t value, std::string* out) {
  const IntSet set(bytes);
  const uint32_t width = IntSetWidthOf(value), count = set.count();
  out->clear();
  out->reserve(kIntSetHeaderBytes + (size_t{count} + 1) * width);
  AppendHeader(width, count + 1, out);
  if (value < 0) AppendValue(value, width, out);
  for (uint32_t i = 0; i < count; i++) AppendValue(set.at(i), width, out);
  if (value > 0) AppendValue(value, width, out);
}

Status ValidateIntSet(std::string_view bytes) {
  if (bytes.size() < kIntSetHeaderBytes) return Status::Damaged("intset shorter than its header");
  const auto width = LoadLittleEndian<uint32_t>(bytes.data());
  if (width != 2 && width != 4 && width != 8) return Status::Damaged("intset of integers of " + std::to_string(width) + " bytes");
  const IntSet set(bytes);
  const uint32_t count = set.count();
  if (count == 0) return Status::Damaged("empty intset");
  if (bytes.size() != kIntSetHeaderBytes + uint64_t{count} * width) {
    return Status::Damaged("intset of " + std::to_string(bytes.size()) + " bytes says it holds " + std::to_string(count) +
                           " integers");
  }
  for (uint32_t i = 1; i < count; i++) {
    if (set.at(i - 1) >= set.at(i)) return Status::Damaged("intset whose integers do not ascend");
  }
  return Status::Ok();
}

}  // namespace cairn
