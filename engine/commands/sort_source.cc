#include "engine/commands/sort_source.h"

namespace cairn {

SortSource::SortSource(const Entry* entry) {
  if (entry == nullptr) return;
  type_ = entry->type();
  encoding_ = entry->encoding();
  if (encoding_ == Encoding::kLarge) {
    large_ = &entry->large();
  } else {
    packed_ = entry->packed();
  }
}

uint64_t SortSource::count() const {
  if (large_ != nullptr) return large_->element_count();
  if (encoding_ == Encoding::kIntSet) return IntSet(packed_).count();
  const uint64_t elements = ListpackView(packed_).count();
  return type_ == ValueType::kSortedSet ? elements / 2 : elements;
}

}  // namespace cairn
