// Any bytes as a hash in one of its RDB encodings: what decodes is a valid hash, and encodes to bytes that decode alike.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "engine/codec/hash_rdb.h"
#include "engine/codec/value_codec.h"
#include "engine/values/listpack.h"
#include "snapshot/rdb_format.h"

namespace {

using Content = std::map<std::string, std::pair<std::string, int64_t>>;

void Require(bool condition) {
  if (!condition) std::abort();
}

Content ContentOf(const cairn::LoadedValue& value) {
  Require(value.type == cairn::ValueType::kHash);
  std::unique_ptr<cairn::HashTable> converted;
  if (value.encoding == cairn::Encoding::kPacked) {
    uint32_t elements = 0;
    Require(cairn::ValidateListpack(value.packed, &elements) && elements % 2 == 0 && elements > 0);
    converted = cairn::HashTable::FromPacked(value.packed);
    Require(converted->element_count() == elements / 2);
  }
  const auto& table = converted ? *converted : static_cast<const cairn::HashTable&>(*value.large);
  Content content;
  cairn::HashTrie::Walk walk(table.fields());
  std::string_view payload;
  while (walk.Next(&payload)) {
    const cairn::HashField field = cairn::ReadHashField(payload);
    content[std::string(field.name)] = {std::string(field.value), field.deadline_ms};
  }
  Require(!content.empty() && content.size() == table.element_count());
  return content;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static constexpr uint8_t kTypes[] = {cairn::kRdbTypeHash,           cairn::kRdbTypeHashListpack, cairn::kRdbTypeHashMetadata,
                                       cairn::kRdbTypeHashListpackEx, cairn::kRdbTypeHashZiplist,  cairn::kRdbTypeHashZipmap,
                                       cairn::kRdbTypeHash2};
  if (size == 0) return 0;
  const size_t bytes = size - 1;
  // In an allocation of its own, so that reads around it are seen.
  const std::unique_ptr<char[]> copy(new char[bytes]);
  std::copy_n(data + 1, bytes, copy.get());
  const cairn::ValueLimits limits;
  cairn::LoadedValue value;
  if (!cairn::DecodeHash(kTypes[data[0] % std::size(kTypes)], {copy.get(), bytes}, limits, &value).ok()) return 0;
  const Content content = ContentOf(value);
  if (value.encoding == cairn::Encoding::kPacked) return 0;
  const auto& table = static_cast<const cairn::HashTable&>(*value.large);
  std::string encoded;
  cairn::StringRdbSink sink(&encoded);
  cairn::EncodeHash(table, sink);
  cairn::LoadedValue again;
  Require(cairn::DecodeHash(cairn::HashRdbType(table), encoded, limits, &again).ok());
  Require(ContentOf(again) == content);
  return 0;
}
