// Any bytes as DUMP's payload: refused as they are, and, with the versions and checksums that make them look right, refused or decoded.
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/crc64.h"
#include "base/status.h"
#include "engine/codec/dump_payload.h"
#include "engine/codec/value_codec.h"
#include "snapshot/rdb_format.h"
#include "snapshot/rdb_string_decoder.h"

using namespace cairn;  // NOLINT(google-build-using-namespace)

namespace {

void Decode(std::string_view payload) {
  uint8_t type = 0;
  std::string_view bytes;
  if (!OpenDumpPayload(payload, &type, &bytes)) return;
  if (type == kRdbTypeString) {
    RdbString string;
    std::string scratch;
    (void)DecodeRdbString(&bytes, &string, &scratch);
    return;
  }
  LoadedValue value;
  if (!DecodeCollection(type, bytes, {}, &value).ok()) return;
  CAIRN_CHECK(value.encoding != Encoding::kLarge || value.large != nullptr);
  if (value.encoding != Encoding::kLarge) return;
  std::string encoded;
  StringRdbSink sink(&encoded);
  EncodeLargeValue(value.type, *value.large, sink);
  LoadedValue again;
  CAIRN_CHECK(DecodeCollection(RdbTypeOf(value.type, *value.large), encoded, {}, &again).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  Decode(bytes);
  for (const uint32_t version : {kRdbNewestVersion, kRdbValkeyVersion}) {
    std::string payload = bytes;
    char footer[8];
    StoreLittleEndian<uint16_t>(footer, static_cast<uint16_t>(version));
    payload.append(footer, 2);
    StoreLittleEndian<uint64_t>(footer, Crc64(payload));
    payload.append(footer, 8);
    Decode(payload);
  }
  return 0;
}
