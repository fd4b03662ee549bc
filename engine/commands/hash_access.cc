#include "engine/commands/hash_access.h"

#include <algorithm>

namespace cairn {

namespace {

// A packed entry under change, as the listpack functions want it.
class PackedEdit {
 public:
  explicit PackedEdit(ValueEdit& edit) : edit_(edit) {}
  std::string_view packed() const { return edit_.entry()->packed(); }
  void Splice(size_t offset, size_t remove_bytes, std::string_view insert) { edit_.Splice(offset, remove_bytes, insert); }
  char* MutablePacked() { return edit_.MutablePacked(); }

 private:
  ValueEdit& edit_;
};

size_t TextSize(const ListpackItem& item) { return item.is_int() ? IntTextSize(item.number()) : item.text().size(); }

std::string_view TextOf(const ListpackItem& item, char (&buffer)[kIntTextMaxBytes]) {
  if (!item.text().empty() || !item.is_int()) return item.text();
  return {buffer, static_cast<size_t>(WriteInt(buffer, item.number()) - buffer)};
}

bool ShortEnough(const ValueLimits& limits, size_t name_bytes, size_t value_bytes) {
  const int64_t max = limits.hash_max_listpack_value;
  return static_cast<int64_t>(name_bytes) <= max && static_cast<int64_t>(value_bytes) <= max;
}

// False where the hash cannot stay packed with this field.
bool StorePackedField(CommandContext& context, ValueEdit& edit, std::string_view name, const ListpackItem& value, bool* added) {
  const ListpackView view(edit.entry()->packed());
  const ListpackItem field(name);
  const ListpackView::Position at = view.Find(view.begin(), field, 1);
  *added = at == view.end();
  if (!ShortEnough(context.limits(), name.size(), TextSize(value))) return false;
  if (view.bytes().size() + field.encoded_bytes() + value.encoded_bytes() > kPackedMaxBytes) return false;
  PackedEdit target(edit);
  if (*added) {
    if (static_cast<int64_t>(view.count() / 2) >= context.limits().hash_max_listpack_entries) return false;
    ListpackBuilder elements;
    elements.Add(field);
    elements.Add(value);
    AppendToListpack(target, elements);
    return true;
  }
  const ListpackView::Position value_at = view.Next(at);
  if (view.Next(value_at) - value_at == value.encoded_bytes()) {
    value.Write(edit.MutablePacked() + value_at);
    return true;
  }
  ListpackBuilder element;
  element.Add(value);
  ReplaceInListpack(target, value_at, element);
  return true;
}

}  // namespace

bool HashView::Find(std::string_view name, ListpackValue* value, int64_t* deadline_ms) const {
  if (table_ == nullptr) {
    if (deadline_ms != nullptr) *deadline_ms = HashField::kNoDeadline;
    const ListpackView::Position at = packed_.Find(packed_.begin(), ListpackItem(name), 1);
    if (at == packed_.end()) return false;
    *value = packed_.Get(packed_.Next(at));
    return true;
  }
  HashField field;
  if (!table_->Find(name, now_ms_, &field)) return false;
  *value = ListpackValue{field.value};
  if (deadline_ms != nullptr) *deadline_ms = field.deadline_ms;
  return true;
}

bool HashView::Reply(ReplySink& reply, std::string_view name) const {
  ListpackValue value;
  if (!Find(name, &value)) {
    reply.Null();
    return false;
  }
  if (!value.is_int() && value.bytes.size() > kInlineValueMaxBytes && table_ != nullptr) {
    const SharedBytes owner = table_->FindOutside(name);
    const uint64_t offset = static_cast<uint64_t>(value.bytes.data() - owner.view().data());
    reply.BulkRope(Rope(owner).Substr(offset, value.bytes.size()));
  } else {
    ReplyElement(reply, value);
  }
  return true;
}

HashTable& TableForChange(ValueEdit& edit) {
  if (edit.entry()->encoding() != Encoding::kLarge) {
    edit.StoreLarge(ValueType::kHash, HashTable::FromPacked(edit.entry()->packed()));
  }
  return edit.Mutable<HashTable>();
}

bool StoreField(CommandContext& context, ValueEdit& edit, std::string_view name, const ListpackItem& value,
                FieldDeadline deadline) {
  bool added = true;
  if (edit.entry() == nullptr) {
    ListpackBuilder elements;
    elements.Add(name);
    elements.Add(value);
    if (ShortEnough(context.limits(), name.size(), TextSize(value)) && context.limits().hash_max_listpack_entries > 0 &&
        elements.listpack_bytes() <= kPackedMaxBytes) {
      edit.StorePacked(ValueType::kHash, Encoding::kPacked, elements.listpack());
      return true;
    }
    edit.StoreLarge(ValueType::kHash, std::make_unique<HashTable>());
  } else if (edit.entry()->encoding() == Encoding::kPacked && StorePackedField(context, edit, name, value, &added)) {
    return added;
  }
  char text[kIntTextMaxBytes];
  HashTable& table = TableForChange(edit);
  return deadline == FieldDeadline::kKeep ? table.SetKeepingDeadline(name, TextOf(value, text))
                                          : table.Set(name, TextOf(value, text));
}

uint64_t StoreFields(CommandContext& context, ValueEdit& edit, size_t first) {
  const ArgSpan args = context.args;
  uint64_t added = 0;
  size_t i = first;
  if (edit.entry() == nullptr && args.size() > first + 2) {
    // A new hash is packed in one go, up to a field that comes twice or does not fit.
    ListpackBuilder elements;
    const auto max = static_cast<uint64_t>(std::max<int64_t>(context.limits().hash_max_listpack_entries, 0));
    for (; i < args.size() && added < max && ShortEnough(context.limits(), args[i].size(), args[i + 1].size()); i += 2) {
      const ListpackItem name(args[i]);
      const ListpackItem value(args[i + 1]);
      if (elements.listpack_bytes() + name.encoded_bytes() + value.encoded_bytes() > kPackedMaxBytes) break;
      const ListpackView view(elements.listpack());
      if (view.Find(view.begin(), name, 1) != view.end()) break;
      elements.Add(name);
      elements.Add(value);
      added++;
    }
    if (added > 0) edit.StorePacked(ValueType::kHash, Encoding::kPacked, elements.listpack());
  }
  for (; i < args.size(); i += 2) {
    added += StoreField(context, edit, args[i], ListpackItem(args[i + 1]), FieldDeadline::kDrop);
  }
  return added;
}

bool EraseField(ValueEdit& edit, std::string_view name) {
  const Entry* entry = edit.entry();
  if (entry == nullptr) return false;
  if (entry->encoding() == Encoding::kLarge) {
    const HashTable& table = entry->large_as<HashTable>();
    if (!table.fields().Contains(name, HashTrie::Hash(name))) return false;
    if (table.element_count() == 1) {
      edit.Remove();
    } else {
      edit.Mutable<HashTable>().Erase(name);
    }
    return true;
  }
  const ListpackView view(entry->packed());
  const ListpackView::Position at = view.Find(view.begin(), ListpackItem(name), 1);
  if (at == view.end()) return false;
  PackedEdit target(edit);
  if (view.count() == 2) {
    edit.Remove();
  } else {
    RemoveFromListpack(target, at, 2);
  }
  return true;
}

void FieldNames::Log(CommandContext& context, std::initializer_list<std::string_view> prefix) const {
  std::vector<std::string_view> command(prefix);
  command.insert(command.end(), names_.begin(), names_.end());
  context.LogAs(std::span<const std::string_view>(command));
}

}  // namespace cairn
