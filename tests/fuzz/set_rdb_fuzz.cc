// Any bytes as a set's RDB value: what decodes is encoded to bytes that decode to the same members.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "engine/codec/set_rdb.h"
#include "engine/codec/value_codec.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

cairn::SetView ViewOf(const cairn::LoadedValue& value) {
  if (value.encoding == cairn::Encoding::kLarge) return cairn::SetView(static_cast<const cairn::SetTable&>(*value.large));
  return {value.encoding, value.packed};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static constexpr uint8_t kTypes[] = {cairn::kRdbTypeSet, cairn::kRdbTypeIntSet, cairn::kRdbTypeSetListpack};
  const uint8_t type = kTypes[data[0] % std::size(kTypes)];
  // An allocation of its own, so that reads around it are seen.
  const size_t bytes = size - 1;
  const std::unique_ptr<char[]> copy(new char[bytes]);
  std::copy_n(data + 1, bytes, copy.get());
  const cairn::ValueLimits limits;
  cairn::LoadedValue value;
  if (!cairn::DecodeSet(type, {copy.get(), bytes}, limits, &value).ok()) return 0;
  const cairn::SetView set = ViewOf(value);
  std::string encoded;
  cairn::StringRdbSink sink(&encoded);
  cairn::EncodeSet(set, sink);
  cairn::LoadedValue again;
  Require(cairn::DecodeSet(cairn::SetRdbType(set), encoded, limits, &again).ok());
  const cairn::SetView decoded = ViewOf(again);
  Require(set.count() > 0 && decoded.count() == set.count() && decoded.encoding() == set.encoding());
  Require(set.ForEach([&](const cairn::SetMember& member) { return decoded.Contains(member); }));
  return 0;
}
