// Any bytes as an intset: what is accepted holds exactly the ascending integers that it is built from again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "engine/values/intset.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::unique_ptr<char[]> copy(new char[size]);  // an allocation of its own, so that reads around it are seen
  std::copy_n(data, size, copy.get());
  const std::string_view bytes(copy.get(), size);
  if (!cairn::ValidateIntSet(bytes).ok()) return 0;
  const cairn::IntSet set(bytes);
  std::vector<int64_t> values;
  for (uint32_t i = 0; i < set.count(); i++) values.push_back(set.at(i));
  Require(std::is_sorted(values.begin(), values.end()));
  for (uint32_t i = 0; i < set.count(); i++) {
    uint32_t index;
    Require(set.Find(values[i], &index) && index == i);
  }
  std::string again;
  cairn::BuildIntSet(values, &again);
  Require(again.size() <= bytes.size());  // less where the integers would fit a smaller width
  if (again.size() == bytes.size()) Require(again == bytes);
  std::string wide;
  if (set.width() < 8) {
    cairn::WidenIntSet(bytes, INT64_MIN, &wide);
    Require(cairn::ValidateIntSet(wide).ok() && cairn::IntSet(wide).count() == set.count() + 1);
  }
  return 0;
}
