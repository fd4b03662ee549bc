#include "engine/codec/rdb_value_encoder.h"

#include "base/status.h"
#include "engine/values/rope.h"

namespace cairn {

uint8_t RdbTypeOf(const Entry& entry) {
  CAIRN_CHECK(entry.type() == ValueType::kString);
  return kRdbTypeString;
}

std::string RdbLengthPrefix(uint64_t size_bytes) {
  char prefix[kRdbLengthMaxBytes];
  return std::string(prefix, EncodeRdbLength(prefix, size_bytes));
}

void AppendRdbString(std::string_view bytes, std::string* out) {
  char prefix[kRdbLengthMaxBytes];
  out->append(prefix, EncodeRdbLength(prefix, bytes.size())).append(bytes);
}

void AppendRdbValue(const Entry& entry, std::string* out) {
  switch (entry.encoding()) {
    case Encoding::kInt: {
      char bytes[kRdbIntMaxBytes];
      out->append(bytes, EncodeRdbInt(bytes, entry.int_value()));
      return;
    }
    case Encoding::kRope: {
      const Rope& rope = entry.rope();
      out->reserve(out->size() + kRdbLengthMaxBytes + rope.size());
      out->append(RdbLengthPrefix(rope.size()));
      for (const RopeSlice& slice : rope.slices()) out->append(slice.view());
      return;
    }
    case Encoding::kEmbedded:
    case Encoding::kRaw: break;
  }
  AppendRdbString(entry.inline_value(), out);
}

}  // namespace cairn
