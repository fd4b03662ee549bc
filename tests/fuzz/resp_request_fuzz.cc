// Any bytes: the reader stays inside them, ends, and what it accepts is encoded back to the same bytes.
#include <cstdint>
#include <string>

#include "base/resp_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  cairn::RequestReader reader(bytes);
  std::string again;
  while (reader.Next()) cairn::AppendRequest(again, reader.args());
  CAIRN_CHECK(bytes.substr(0, reader.offset()) == again);
  CAIRN_CHECK(!reader.status().ok() || reader.offset() == size);
  return 0;
}
