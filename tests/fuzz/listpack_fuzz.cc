// Any bytes as a listpack: what validation accepts is read forwards and backwards inside its bytes, and its elements packed again are
// a listpack of the same elements.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "engine/values/listpack.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // In an allocation of its own, so that reads around it are seen.
  const std::unique_ptr<char[]> copy(new char[size]);
  if (size > 0) std::memcpy(copy.get(), data, size);
  const std::string_view bytes(copy.get(), size);
  uint32_t count;
  if (!cairn::ValidateListpack(bytes, &count)) return 0;
  const cairn::ListpackView view(bytes);
  CAIRN_CHECK(view.count() == count);
  cairn::ListpackBuilder builder;
  std::vector<uint32_t> positions;
  for (uint32_t at = view.begin(); at != view.end();) {
    positions.push_back(at);
    builder.Add(cairn::ListpackItem(view.Get(at)));
    const cairn::ListpackValue value = view.Read(&at);
    char text[cairn::kIntTextMaxBytes];
    if (positions.size() < 100)
      CAIRN_CHECK(view.Find(positions.back(), cairn::ListpackItem(value.Text(text))) == positions.back());
  }
  CAIRN_CHECK(positions.size() == count);
  uint32_t at = view.end();
  while (!positions.empty()) {
    at = view.Prev(at);
    CAIRN_CHECK(at == positions.back());
    positions.pop_back();
  }
  uint32_t again;
  CAIRN_CHECK(cairn::ValidateListpack(builder.listpack(), &again) && again == count);
  const cairn::ListpackView packed(builder.listpack());
  for (uint32_t a = view.begin(), b = packed.begin(); a != view.end();) {
    CAIRN_CHECK(cairn::ListpackItem(view.Read(&a)).Equals(packed.Read(&b)));
  }
  return 0;
}
