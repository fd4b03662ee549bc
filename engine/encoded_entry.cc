#include "engine/encoded_entry.h"

#include <string>
#include <utility>

#include "engine/codec/value_codec.h"
#include "snapshot/rdb_string_decoder.h"

namespace cairn {

AccessKind LoadedAccessKind(EvictionPolicy policy) {
  return policy == EvictionPolicy::kAllKeysLfu || policy == EvictionPolicy::kVolatileLfu ? AccessKind::kLfu : AccessKind::kLru;
}

Status LoadEncodedEntry(Keyspace& keyspace, uint32_t database, const KeyRef& key, uint8_t rdb_type, std::string_view value,
                        const LoadedAttributes& attributes, int64_t now_ms) {
  if (rdb_type != kRdbTypeString) {
    LoadedValue collection;
    CAIRN_RETURN_IF_ERROR(DecodeCollection(rdb_type, value, keyspace.limits(), &collection));
    keyspace.LoadCollection(database, key, std::move(collection), attributes, now_ms, true);
    return Status();
  }
  LoadedString loaded;
  RdbString decoded;
  std::string scratch;
  if (!DecodePlainRdbString(value, &decoded)) {
    std::string_view rest = value;
    CAIRN_RETURN_IF_ERROR(DecodeRdbString(&rest, &decoded, &scratch));
    if (!rest.empty()) return Status::Damaged("bytes behind a value");
  }
  loaded.is_int = decoded.is_int;
  loaded.number = decoded.number;
  SharedBytes owner;
  if (!decoded.is_int) {
    if (decoded.bytes.size() > kInlineValueMaxBytes) owner = SharedBytes::Copy(decoded.bytes);
    loaded.value = {decoded.bytes, owner.size() > 0 ? &owner : nullptr};
  }
  loaded.expiry_ms = attributes.expiry_ms;
  loaded.has_access = attributes.has_access;
  loaded.access = attributes.access;
  keyspace.LoadEntry(database, key, loaded, now_ms, true);
  return Status();
}

}  // namespace cairn
