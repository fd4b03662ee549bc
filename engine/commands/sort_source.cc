#include "engine/commands/sort_source.h"

namespace cairn {

uint64_t SortSource::count() const {
  if (value_.large() != nullptr) return value_.large()->element_count();
  if (value_.encoding() == Encoding::kIntSet) return IntSet(value_.packed()).count();
  const uint64_t elements = ListpackView(value_.packed()).count();
  return type() == ValueType::kSortedSet ? elements / 2 : elements;
}

}  // namespace cairn
