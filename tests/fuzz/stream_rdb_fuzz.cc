// Any bytes as a stream's value: refused, or a stream whose encoding decodes to the same. The first byte chooses the type.
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>

#include "engine/codec/loaded_value.h"
#include "engine/codec/stream_rdb.h"
#include "engine/codec/value_codec.h"

namespace {

std::string Encoded(const cairn::Stream& stream) {
  std::string bytes;
  cairn::StringRdbSink sink(&bytes);
  cairn::EncodeStream(stream, sink);
  return bytes;
}

// Walks everything that a command could.
void Walk(const cairn::Stream& stream) {
  uint64_t entries = 0;
  for (const bool backwards : {false, true}) {
    for (cairn::StreamCursor entry(stream, cairn::kStreamIdMin, cairn::kStreamIdMax, backwards); entry.Next(); entries++) {
      std::string_view name, value;
      for (uint32_t i = 0; i < entry.field_count(); i++) entry.ReadField(&name, &value);
    }
  }
  if (entries != 2 * stream.length()) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint8_t kTypes[] = {cairn::kRdbTypeStreamListpacks, cairn::kRdbTypeStreamListpacks2, cairn::kRdbTypeStreamListpacks3,
                                cairn::kRdbTypeStreamExtended,  cairn::kRdbTypeStreamListpacks4, cairn::kRdbTypeStreamListpacks5};
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  cairn::LoadedValue value;
  if (!cairn::DecodeStream(kTypes[data[0] % std::size(kTypes)], bytes, &value).ok()) return 0;
  const auto& stream = static_cast<const cairn::Stream&>(*value.large);
  Walk(stream);
  const std::string encoded = Encoded(stream);
  cairn::LoadedValue again;
  if (!cairn::DecodeStream(cairn::StreamRdbType(stream), encoded, &again).ok()) abort();
  if (Encoded(static_cast<const cairn::Stream&>(*again.large)) != encoded) abort();
  return 0;
}
