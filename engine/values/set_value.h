// Sets, whatever their encoding: an intset or a listpack of members while small (both inline in the entry), a SetTable when large.
//
// A set is an intset as long as all its members are integers and there are at most set-max-intset-entries of them; a listpack up to
// set-max-listpack-entries members of at most set-max-listpack-value bytes; otherwise, and above kPackedMaxBytes, a table. It never
// goes back, except by being built anew. Members are byte strings; intsets and listpacks keep those that are integers in binary.
//
// SetView reads, SetEditor (set_editor.h) changes, MemorySet is a set outside the keyspace: a result to be stored, a value that is
// being decoded. None of them locks; views live until their set is changed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/keyspace/entry.h"
#include "engine/values/intset.h"
#include "engine/values/listpack.h"
#include "engine/values/set_table.h"
#include "engine/values/value_limits.h"

namespace cairn {

class Random;

// A member as it is read or looked for: its bytes, or the integer that an intset or listpack holds.
using SetMember = ListpackValue;
inline SetMember MemberOf(std::string_view text) { return {text.data() == nullptr ? std::string_view("") : text, 0}; }

class SetView {
 public:
  SetView() = default;                   // the empty set
  explicit SetView(const Entry* entry);  // nullptr: the empty set; otherwise entry->type() is kSet
  SetView(Encoding encoding, std::string_view packed) : encoding_(encoding), packed_(packed) {}
  explicit SetView(const SetTable& table) : encoding_(Encoding::kLarge), table_(&table) {}

  Encoding encoding() const { return encoding_; }
  std::string_view packed() const { return packed_; }
  const SetTable* table() const { return table_; }  // nullptr unless the encoding is kLarge
  uint64_t count() const;
  bool Contains(const SetMember& member) const;
  // visit(const SetMember&) -> bool with every member, until it returns false; whether all were visited.
  template <typename Visit>
  bool ForEach(Visit&& visit) const;
  // Any member, each equally likely; the set is not empty. The same member is always read from the same bytes.
  SetMember Draw(Random& random) const;

 private:
  Encoding encoding_ = Encoding::kPacked;
  std::string_view packed_ = kEmptyListpack;
  const SetTable* table_ = nullptr;
};

class MemorySet {
 public:
  explicit MemorySet(const ValueLimits& limits);

  bool Add(const SetMember& member);     // false: it was there
  bool Remove(const SetMember& member);  // false: it was not
  Encoding encoding() const { return encoding_; }
  SetView view() const { return table_ == nullptr ? SetView(encoding_, packed_) : SetView(*table_); }
  uint64_t count() const { return view().count(); }
  // The set leaves: its packed bytes, or its table where the encoding is kLarge.
  std::string TakePacked() { return std::move(packed_); }
  std::unique_ptr<SetTable> TakeTable() { return std::move(table_); }

  // --- as what a SetEditor changes ---
  std::string_view packed() const { return packed_; }
  const SetTable& table() const { return *table_; }
  void Splice(size_t offset, size_t remove_bytes, std::string_view insert) { packed_.replace(offset, remove_bytes, insert); }
  char* MutablePacked() { return packed_.data(); }
  SetTable& MutableTable() { return *table_; }
  void StorePacked(Encoding encoding, std::string_view bytes);
  void StoreLarge(std::unique_ptr<SetTable> table);

 private:
  const ValueLimits& limits_;
  Encoding encoding_ = Encoding::kIntSet;
  std::string packed_;
  std::unique_ptr<SetTable> table_;
};

template <typename Visit>
bool SetView::ForEach(Visit&& visit) const {
  if (encoding_ == Encoding::kLarge) {
    return table_->ForEach([&](std::string_view member) { return visit(SetMember{member, 0}); });
  }
  if (encoding_ == Encoding::kIntSet) {
    const IntSet set(packed_);
    for (uint32_t i = 0; i < set.count(); i++) {
      if (!visit(SetMember{{}, set.at(i)})) return false;
    }
    return true;
  }
  const ListpackView list(packed_);
  for (ListpackView::Position at = list.begin(); at != list.end();) {
    if (!visit(list.Read(&at))) return false;
  }
  return true;
}

}  // namespace cairn
