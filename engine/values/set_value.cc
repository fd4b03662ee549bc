#include "engine/values/set_value.h"

#include "base/random.h"
#include "base/status.h"
#include "engine/values/set_editor.h"

namespace cairn {

SetView::SetView(const Entry* entry) {
  if (entry == nullptr) return;
  encoding_ = entry->encoding();
  if (encoding_ == Encoding::kLarge) {
    table_ = &entry->large_as<SetTable>();
  } else {
    packed_ = entry->packed();
  }
}

uint64_t SetView::count() const {
  if (encoding_ == Encoding::kLarge) return table_->element_count();
  return encoding_ == Encoding::kIntSet ? IntSet(packed_).count() : ListpackView(packed_).count();
}

bool SetView::Contains(const SetMember& member) const {
  switch (encoding_) {
    case Encoding::kLarge: {
      char buffer[kIntTextMaxBytes];
      const std::string_view text = member.Text(buffer);
      return table_->Contains(text, SetTable::Hash(text));
    }
    case Encoding::kIntSet: {
      const ListpackItem item = ItemOf(member);
      return item.is_int() && IntSet(packed_).Contains(item.number());
    }
    default: {
      const ListpackView list(packed_);
      return list.Find(list.begin(), ItemOf(member)) != list.end();
    }
  }
}

SetMember SetView::Draw(Random& random) const {
  if (encoding_ == Encoding::kLarge) return {table_->Draw(random), 0};
  const uint64_t rank = random.Uniform(count());
  if (encoding_ == Encoding::kIntSet) return {{}, IntSet(packed_).at(static_cast<uint32_t>(rank))};
  const ListpackView list(packed_);
  return list.Get(list.Seek(static_cast<int64_t>(rank)));
}

MemorySet::MemorySet(const ValueLimits& limits) : limits_(limits) { BuildIntSet({}, &packed_); }

bool MemorySet::Add(const SetMember& member) { return SetEditor(*this, limits_).Add(member); }
bool MemorySet::Remove(const SetMember& member) { return SetEditor(*this, limits_).Remove(member); }

void MemorySet::StorePacked(Encoding encoding, std::string_view bytes) {
  packed_ = std::string(bytes);  // the bytes may be the old ones
  encoding_ = encoding;
}

void MemorySet::StoreLarge(std::unique_ptr<SetTable> table) {
  table_ = std::move(table);
  packed_ = std::string();
  encoding_ = Encoding::kLarge;
}

}  // namespace cairn
