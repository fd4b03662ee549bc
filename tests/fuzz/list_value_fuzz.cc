// Any bytes as a list in each RDB form: what is accepted reads the same in both directions, and again after it was encoded.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/codec/list_rdb.h"
#include "engine/values/list_cursor.h"

namespace {

using Elements = std::vector<std::string>;

cairn::ListCursor Open(const cairn::LoadedValue& value) {
  return value.encoding == cairn::Encoding::kPacked ? cairn::ListCursor(value.packed)
                                                    : cairn::ListCursor(static_cast<const cairn::ListValue&>(*value.large));
}

Elements Read(const cairn::LoadedValue& value) {
  Elements elements;
  for (cairn::ListCursor cursor = Open(value); cursor.valid();) cursor.ReadForward().value.AppendTo(&elements.emplace_back());
  return elements;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr uint8_t kTypes[] = {cairn::kRdbTypeList, cairn::kRdbTypeListZiplist, cairn::kRdbTypeListQuicklist,
                                cairn::kRdbTypeListQuicklist2};
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  cairn::LoadedValue value;
  if (!cairn::DecodeList(kTypes[data[0] % 4], bytes, &value).ok()) return 0;
  const Elements elements = Read(value);
  CAIRN_CHECK(!elements.empty());
  cairn::ListCursor cursor = Open(value);
  CAIRN_CHECK(cursor.element_count() == elements.size() && cursor.Seek(elements.size() - 1));
  for (size_t i = elements.size(); i-- > 0;) {
    std::string text;
    cursor.ReadBackward().value.AppendTo(&text);
    CAIRN_CHECK(text == elements[i]);
  }
  if (value.large == nullptr) return 0;
  std::string encoded;
  cairn::StringRdbSink sink(&encoded);
  cairn::EncodeList(static_cast<const cairn::ListValue&>(*value.large), sink);
  cairn::LoadedValue again;
  CAIRN_CHECK(cairn::DecodeList(cairn::kRdbTypeListQuicklist2, encoded, &again).ok());
  CAIRN_CHECK(Read(again) == elements);
  return 0;
}
