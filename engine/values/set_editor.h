// Changing a set in whatever holds it: an entry under change, or a MemorySet. Knows when a set becomes a listpack or a table.
//
// A holder has the set's bytes as any SpliceTarget, and
//   encoding() -> Encoding, table() -> const SetTable&, MutableTable() -> SetTable&,
//   StorePacked(Encoding, std::string_view), StoreLarge(std::unique_ptr<SetTable>).
// It is told to change only where something really changes, so that a key is not touched by an SADD of what is there.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "engine/values/set_value.h"

namespace cairn {

// The first set of a holder that has none.
template <typename Holder>
void CreateSet(Holder& holder, const SetMember& member, const ValueLimits& limits);

template <typename Holder>
class SetEditor {
 public:
  SetEditor(Holder& holder, const ValueLimits& limits) : holder_(holder), limits_(limits) {}

  bool Add(const SetMember& member);     // false: it was there
  bool Remove(const SetMember& member);  // false: it was not; the set may be empty afterwards, which is the caller's to see
  uint64_t count() const { return View().count(); }

 private:
  SetView View() const {
    return holder_.encoding() == Encoding::kLarge ? SetView(holder_.table()) : SetView(holder_.encoding(), holder_.packed());
  }
  bool AddInteger(int64_t number);
  bool AddToListpack(const ListpackItem& item, const SetMember& member);
  // The set with one more member in another encoding: a listpack where it may be one, otherwise a table.
  void Convert(const SetMember& member);

  Holder& holder_;
  const ValueLimits& limits_;
};

// Whether so many members in so many bytes may be a listpack; `member_bytes` is the longest of them.
inline bool FitsSetListpack(const ValueLimits& limits, uint64_t members, size_t listpack_bytes, size_t member_bytes) {
  return static_cast<int64_t>(members) <= limits.set_max_listpack_entries &&
         static_cast<int64_t>(member_bytes) <= limits.set_max_listpack_value && listpack_bytes <= kPackedMaxBytes;
}
inline bool FitsIntSet(const ValueLimits& limits, uint64_t members, uint32_t width) {
  return static_cast<int64_t>(members) <= limits.set_max_intset_entries &&
         kIntSetHeaderBytes + members * width <= kPackedMaxBytes;
}
inline ListpackItem ItemOf(const SetMember& member) {
  return member.is_int() ? ListpackItem(member.number) : ListpackItem(member.bytes);
}

template <typename Holder>
bool SetEditor<Holder>::Add(const SetMember& member) {
  if (holder_.encoding() == Encoding::kLarge) {
    char buffer[kIntTextMaxBytes];
    const std::string_view text = member.Text(buffer);
    const uint64_t hash = SetTable::Hash(text);
    if (holder_.table().Contains(text, hash)) return false;
    holder_.MutableTable().Add(text, hash);
    return true;
  }
  const ListpackItem item = ItemOf(member);
  if (holder_.encoding() == Encoding::kPacked) return AddToListpack(item, member);
  if (item.is_int()) return AddInteger(item.number());
  Convert(member);
  return true;
}

template <typename Holder>
bool SetEditor<Holder>::AddInteger(int64_t number) {
  const IntSet set(holder_.packed());
  uint32_t index;
  if (set.Find(number, &index)) return false;
  const uint32_t count = set.count(), width = set.width();
  if (!FitsIntSet(limits_, uint64_t{count} + 1, std::max(width, IntSetWidthOf(number)))) {
    Convert(SetMember{{}, number});
    return true;
  }
  if (IntSetWidthOf(number) > width) {
    std::string wide;
    WidenIntSet(holder_.packed(), number, &wide);
    holder_.StorePacked(Encoding::kIntSet, wide);
    return true;
  }
  char bytes[8];
  StoreLittleEndian(bytes, number);
  holder_.Splice(set.offset(index), 0, {bytes, width});
  SetIntSetCount(holder_.MutablePacked(), count + 1);
  return true;
}

template <typename Holder>
bool SetEditor<Holder>::AddToListpack(const ListpackItem& item, const SetMember& member) {
  const ListpackView list(holder_.packed());
  if (list.Find(list.begin(), item) != list.end()) return false;
  const size_t bytes = list.bytes().size() + item.encoded_bytes();
  if (!FitsSetListpack(limits_, uint64_t{list.count()} + 1, bytes, member.text_size())) {
    Convert(member);
    return true;
  }
  ListpackBuilder element;
  element.Add(item);
  AppendToListpack(holder_, element);
  return true;
}

template <typename Holder>
void SetEditor<Holder>::Convert(const SetMember& member) {
  const SetView view = View();
  if (view.encoding() == Encoding::kIntSet) {
    ListpackBuilder list;
    const ListpackItem item = ItemOf(member);
    const uint64_t members = view.count() + 1;
    if (FitsSetListpack(limits_, members, 0, std::max(member.text_size(), kIntTextMaxBytes))) {
      view.ForEach([&](const SetMember& old) {
        list.Add(old.number);
        return true;
      });
      list.Add(item);
      if (list.listpack_bytes() <= kPackedMaxBytes) return holder_.StorePacked(Encoding::kPacked, list.listpack());
    }
  }
  char buffer[kIntTextMaxBytes];
  auto table = std::make_unique<SetTable>();
  view.ForEach([&](const SetMember& old) {
    table->Add(old.Text(buffer));
    return true;
  });
  table->Add(member.Text(buffer));
  holder_.StoreLarge(std::move(table));
}

template <typename Holder>
bool SetEditor<Holder>::Remove(const SetMember& member) {
  if (holder_.encoding() == Encoding::kLarge) {
    char buffer[kIntTextMaxBytes];
    const std::string_view text = member.Text(buffer);
    const uint64_t hash = SetTable::Hash(text);
    return holder_.table().Contains(text, hash) && holder_.MutableTable().Remove(text, hash);
  }
  const ListpackItem item = ItemOf(member);
  if (holder_.encoding() == Encoding::kPacked) {
    const ListpackView list(holder_.packed());
    const ListpackView::Position at = list.Find(list.begin(), item);
    if (at == list.end()) return false;
    RemoveFromListpack(holder_, at);
    return true;
  }
  const IntSet set(holder_.packed());
  uint32_t index;
  if (!item.is_int() || !set.Find(item.number(), &index)) return false;
  const uint32_t count = set.count();
  holder_.Splice(set.offset(index), set.width(), {});
  SetIntSetCount(holder_.MutablePacked(), count - 1);
  return true;
}

template <typename Holder>
void CreateSet(Holder& holder, const SetMember& member, const ValueLimits& limits) {
  const ListpackItem item = ItemOf(member);
  if (item.is_int() && FitsIntSet(limits, 1, 8)) {
    const uint32_t width = IntSetWidthOf(item.number());
    char bytes[kIntSetHeaderBytes + 8];
    StoreLittleEndian<uint32_t>(bytes, width);
    SetIntSetCount(bytes, 1);
    StoreLittleEndian(bytes + kIntSetHeaderBytes, item.number());
    return holder.StorePacked(Encoding::kIntSet, {bytes, kIntSetHeaderBytes + width});
  }
  if (FitsSetListpack(limits, 1, kListpackEmptyBytes + item.encoded_bytes(), member.text_size())) {
    ListpackBuilder list;
    list.Add(item);
    return holder.StorePacked(Encoding::kPacked, list.listpack());
  }
  char buffer[kIntTextMaxBytes];
  auto table = std::make_unique<SetTable>();
  table->Add(member.Text(buffer));
  holder.StoreLarge(std::move(table));
}

}  // namespace cairn
