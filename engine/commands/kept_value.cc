#include "engine/commands/kept_value.h"

namespace cairn {

KeptValue::KeptValue(const Entry* entry) {
  if (entry == nullptr) return;
  exists_ = true;
  type_ = entry->type();
  encoding_ = entry->encoding();
  if (encoding_ == Encoding::kLarge) {
    large_ = &entry->large();
  } else {
    packed_ = entry->packed();
  }
}

void KeptValue::Keep() {
  if (large_ != nullptr) {
    share_ = large_->Share();
    large_ = share_.get();
  } else if (exists_) {
    bytes_ = std::make_shared<const std::string>(packed_);
    packed_ = *bytes_;
  }
}

bool KeptValue::SameAs(const KeptValue& now) const {
  if (exists_ != now.exists_ || type_ != now.type_ || encoding_ != now.encoding_) return false;
  return large_ != nullptr ? large_->SameAs(*now.large_) : packed_ == now.packed_;
}

SetView KeptValue::set() const {
  if (large_ != nullptr) return SetView(static_cast<const SetTable&>(*large_));
  return exists_ ? SetView(encoding_, packed_) : SetView();
}

SortedSetView KeptValue::sorted_set() const {
  return large_ != nullptr ? SortedSetView(static_cast<const SortedSet&>(*large_)) : SortedSetView(packed_);
}

}  // namespace cairn
