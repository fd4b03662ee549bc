#include "engine/commands/sort_source.h"

namespace cairn {

SortSource::SortSource(const KeptValue& value)
    : type_(value.exists() ? value.type() : ValueType::kList),
      encoding_(value.encoding()),
      packed_(value.packed()),
      large_(value.large()) {}

uint64_t SortSource::count() const {
  if (large_ != nullptr) return large_->element_count();
  if (encoding_ == Encoding::kIntSet) return IntSet(packed_).count();
  const uint64_t elements = ListpackView(packed_).count();
  return type_ == ValueType::kSortedSet ? elements / 2 : elements;
}

}  // namespace cairn
