// Any bytes as a block of entries: every view stays inside them, and entries that decode encode to
// entries that decode alike.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "snapshot/entry_codec.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

bool Same(const cairn::EntryHead& a, const cairn::EntryHead& b) {
  return a.database == b.database && a.value_type == b.value_type && a.access_kind == b.access_kind &&
         a.has_expiry == b.has_expiry && a.access == b.access && a.expiry_unix_ms == b.expiry_unix_ms;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // The first byte is the promised count; the rest lies in an allocation of its own, so that reads
  // around it are seen.
  const size_t bytes = size - 1;
  const std::unique_ptr<char[]> copy(new char[bytes]);
  std::copy_n(data + 1, bytes, copy.get());
  cairn::EntryReader reader({copy.get(), bytes}, data[0]);
  uint64_t read = 0;
  std::string again;
  for (cairn::EntryView entry; reader.Next(&entry); read++) {
    Require(entry.key.data() >= copy.get() && entry.value.data() + entry.value.size() <= copy.get() + bytes);
    again.clear();
    cairn::AppendEntry(again, entry);
    cairn::EntryReader repeated(again, 1);
    cairn::EntryView decoded;
    Require(repeated.Next(&decoded));
    Require(Same(decoded.head, entry.head) && decoded.key == entry.key && decoded.value == entry.value);
  }
  Require(!reader.status().ok() || read == data[0]);
  return 0;
}
