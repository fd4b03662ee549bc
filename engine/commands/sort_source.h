// The elements of a list, set or sorted set for SORT, whatever the encoding. Views of elements live as long as the value stays as it is.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/commands/kept_value.h"
#include "engine/values/large_value.h"
#include "engine/values/list_cursor.h"
#include "engine/values/set_value.h"
#include "engine/values/sorted_set.h"

namespace cairn {

class SortSource {
 public:
  // Of a type that CanSort, or nothing; outlives the source.
  explicit SortSource(const KeptValue& value) : value_(value) {}

  static bool CanSort(ValueType type) {
    return type == ValueType::kList || type == ValueType::kSet || type == ValueType::kSortedSet;
  }
  ValueType type() const { return value_.type(); }
  uint64_t count() const;
  // visit(const ListpackValue&) with the elements [first, end) in the value's own order, or counted and given from its end on.
  template <typename Visit>
  void ForRange(uint64_t first, uint64_t end, bool backward, Visit&& visit) const;

 private:
  template <typename Visit>
  void ForSetRange(uint64_t first, uint64_t end, Visit&& visit) const;

  const KeptValue& value_;
};

template <typename Visit>
void SortSource::ForSetRange(uint64_t first, uint64_t end, Visit&& visit) const {
  uint64_t index = 0;
  value_.set().ForEach([&](const SetMember& member) {
    if (index >= end) return false;
    if (index++ >= first) visit(member);
    return true;
  });
}

template <typename Visit>
void SortSource::ForRange(uint64_t first, uint64_t end, bool backward, Visit&& visit) const {
  if (first >= end) return;
  const LargeValue* const large = value_.large();
  if (type() == ValueType::kSet) return ForSetRange(first, end, visit);  // has no order
  const uint64_t start = backward ? count() - 1 - first : first;
  if (type() == ValueType::kSortedSet && large != nullptr) {
    SortedSet::Cursor cursor = static_cast<const SortedSet&>(*large).At(start);
    for (uint64_t i = first; i < end; i++) {
      visit(ListpackValue{cursor.member(), 0});
      backward ? cursor.Prev() : cursor.Next();
    }
    return;
  }
  // A packed sorted set is a list of members, each with its score behind it.
  const uint64_t step = type() == ValueType::kSortedSet ? 2 : 1;
  ListCursor cursor = large == nullptr ? ListCursor(value_.packed()) : ListCursor(static_cast<const ListValue&>(*large));
  cursor.Seek(start * step);
  for (uint64_t i = first; i < end; i++) {
    visit(cursor.Get().value);
    for (uint64_t n = 0; n < step && cursor.valid(); n++) backward ? cursor.ReadBackward() : cursor.ReadForward();
  }
}

}  // namespace cairn
