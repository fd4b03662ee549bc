// A key's list, set or sorted set as a command reads it: where it lies, or, once kept, in a form that outlives the lock.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/keyspace/entry.h"
#include "engine/values/large_value.h"
#include "engine/values/set_value.h"
#include "engine/values/sorted_set_view.h"

namespace cairn {

// Copies of a kept value hold the same share or bytes; a copy of one that is not kept is as short-lived as that.
class KeptValue {
 public:
  // A view of the entry's value, which lives until that changes; null: no value. Under the key's lock.
  explicit KeptValue(const Entry* entry);

  // Takes a share of a large value, or a copy of the bytes of a small one: what this says stays true afterwards. Under the key's lock.
  void Keep();
  // Whether this is the value that the other was when it was kept. `now` was made under the key's lock, which is still held.
  bool SameAs(const KeptValue& now) const;

  bool exists() const { return exists_; }
  ValueType type() const { return type_; }  // kString where there is no value
  const LargeValue* large() const { return large_; }
  std::string_view packed() const { return packed_; }
  Encoding encoding() const { return encoding_; }
  // The empty one where there is no value. Of a value of that type otherwise.
  SetView set() const;
  SortedSetView sorted_set() const;

 private:
  bool exists_ = false;
  ValueType type_ = ValueType::kString;
  Encoding encoding_ = Encoding::kPacked;
  std::string_view packed_ = kEmptyListpack;
  const LargeValue* large_ = nullptr;
  // What is kept.
  std::shared_ptr<const std::string> bytes_;
  std::shared_ptr<const LargeValue> share_;
};

}  // namespace cairn
