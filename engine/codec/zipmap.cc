#include "engine/codec/zipmap.h"

#include "base/bytes.h"

namespace cairn {
namespace {

constexpr uint8_t kCountUnknown = 254;
constexpr uint8_t kLongLength = 254;
constexpr uint8_t kEnd = 255;

// Takes a text behind its length; before a value's text stands how many bytes behind it are not used.
bool TakeText(std::string_view* rest, bool with_unused, std::string_view* text) {
  if (rest->empty()) return false;
  uint64_t size = static_cast<uint8_t>(rest->front());
  size_t head = 1;
  if (size == kEnd) return false;
  if (size == kLongLength) {
    head = 5;
    if (rest->size() < head) return false;
    size = LoadLittleEndian<uint32_t>(rest->data() + 1);
  }
  uint64_t unused = 0;
  if (with_unused) {
    if (rest->size() <= head) return false;
    unused = static_cast<uint8_t>((*rest)[head++]);
  }
  if (size + unused > rest->size() - head) return false;
  *text = rest->substr(head, size);
  rest->remove_prefix(head + size + unused);
  return true;
}

}  // namespace

Status AppendZipmap(std::string_view zipmap, ListpackBuilder* pairs) {
  Status damaged = Status::Damaged("a zipmap is malformed");
  if (zipmap.size() < 2 || static_cast<uint8_t>(zipmap.back()) != kEnd) return damaged;
  const auto stated = static_cast<uint8_t>(zipmap.front());
  std::string_view rest = zipmap.substr(1, zipmap.size() - 2);
  uint64_t count = 0;
  for (; !rest.empty(); count++) {
    std::string_view field, value;
    if (!TakeText(&rest, false, &field) || !TakeText(&rest, true, &value)) return damaged;
    pairs->Add(ListpackItem(field));
    pairs->Add(ListpackItem(value));
  }
  return stated >= kCountUnknown || stated == count ? Status() : damaged;
}

}  // namespace cairn
