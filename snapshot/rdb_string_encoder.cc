#include "snapshot/rdb_string_encoder.h"

namespace cairn {

std::string RdbLengthPrefix(uint64_t size_bytes) {
  char prefix[kRdbLengthMaxBytes];
  return std::string(prefix, EncodeRdbLength(prefix, size_bytes));
}

void AppendRdbString(std::string_view bytes, std::string* out) {
  char prefix[kRdbLengthMaxBytes];
  out->append(prefix, EncodeRdbLength(prefix, bytes.size())).append(bytes);
}

}  // namespace cairn
