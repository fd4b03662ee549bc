// Any bytes as a HyperLogLog: nothing reads around them, all readers agree on whether they are corrupt, and what they hold is the same
// in every form.
#include "engine/values/hyperloglog.h"

#include <algorithm>
#include <memory>

#include "base/status.h"

namespace {

// A value that is not corrupt stays so when registers are raised, and holds what it held and what was raised.
void RaiseSome(std::string value, cairn::HllRegisters model, const uint8_t* data, size_t size) {
  for (size_t i = 0; i + 3 <= std::min<size_t>(size, 60); i += 3) {
    const cairn::HllMark mark{(data[i] | static_cast<uint32_t>(data[i + 1]) << 8) % cairn::kHllRegisters,
                              static_cast<uint8_t>(1 + data[i + 2] % 51)};
    const bool raises = model[mark.index] < mark.value;
    CAIRN_CHECK(cairn::HllRaise(&value, mark, 3000) == (raises ? cairn::HllChange::kChanged : cairn::HllChange::kNone));
    model[mark.index] = std::max(model[mark.index], mark.value);
  }
  cairn::HllRegisters registers{};
  CAIRN_CHECK(cairn::HllMergeInto(value, &registers) && registers == model);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // In an allocation of their own, so that reads around them are seen.
  const std::unique_ptr<char[]> copy(new char[size]);
  std::copy_n(data, size, copy.get());
  const std::string_view bytes(copy.get(), size);
  if (!cairn::IsHyperLogLog(bytes)) return 0;
  uint64_t count = 0, dense_count = 0;
  cairn::HllRegisters registers{};
  const bool valid = cairn::HllMergeInto(bytes, &registers);
  CAIRN_CHECK(cairn::HllCount(bytes, &count) == valid);
  std::string value(bytes);
  CAIRN_CHECK(cairn::HllToDense(&value) == valid);
  if (cairn::HllIsSparse(bytes)) cairn::HllDescribeRuns(bytes);
  const cairn::HllMark last{cairn::kHllRegisters - 1, 7};
  CAIRN_CHECK(!valid || cairn::HllProbe(bytes, last) != cairn::HllChange::kCorrupt);
  value = bytes;
  cairn::HllRaise(&value, last, 3000);  // of corrupt runs perhaps only those up to the register are looked at
  if (!valid) return 0;
  value = bytes;
  CAIRN_CHECK(cairn::HllToDense(&value) && cairn::HllCount(value, &dense_count) && count == dense_count);
  CAIRN_CHECK(cairn::HllCount(registers) == count);
  RaiseSome(std::string(bytes), registers, data, size);
  return 0;
}
