// Reading and changing hashes whatever their encoding: what the handlers of the hash family share.
//
// A field past its deadline is not there for any of these functions. Where expired fields may be deleted, who opens an edit has had
// those of its key deleted and logged; elsewhere they are passed over, except in replay, where nothing expires.
// Called under the key's shard lock on the executing thread; views live until the key's next change.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/commands/command_context.h"
#include "engine/values/hash_value.h"
#include "engine/values/listpack.h"

namespace cairn {

// The time by which fields are due for this execution.
inline int64_t FieldClock(const CommandContext& context) { return context.scope.replaying ? INT64_MIN : context.now_ms(); }

class HashView {
 public:
  // entry: a hash, or nullptr for an absent key, which reads as an empty hash.
  HashView(const CommandContext& context, const Entry* entry)
      : packed_(entry == nullptr || entry->encoding() == Encoding::kLarge ? kEmptyListpack : entry->packed()),
        table_(entry != nullptr && entry->encoding() == Encoding::kLarge ? &entry->large_as<HashTable>() : nullptr),
        now_ms_(FieldClock(context)) {}

  // A table that is held beyond its entry, at the time of who held it.
  HashView(const HashTable& table, int64_t now_ms) : packed_(kEmptyListpack), table_(&table), now_ms_(now_ms) {}

  uint64_t size() const { return table_ == nullptr ? packed_.count() / 2 : table_->element_count() - table_->CountDue(now_ms_); }
  // False where there is no such field. `deadline_ms` may be null.
  bool Find(std::string_view name, ListpackValue* value, int64_t* deadline_ms = nullptr) const;
  bool Contains(std::string_view name) const {
    ListpackValue value;
    return Find(name, &value);
  }
  // Answers with the field's value, sharing a long one, or null; whether there is one.
  bool Reply(ReplySink& reply, std::string_view name) const;

  // visit(const ListpackValue& name, const ListpackValue& value) for each field.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    if (table_ == nullptr) {
      for (ListpackView::Position at = packed_.begin(); at != packed_.end();) {
        const ListpackValue name = packed_.Read(&at);
        const ListpackValue value = packed_.Read(&at);
        visit(name, value);
      }
      return;
    }
    HashTrie::Walk walk(table_->fields());
    std::string_view payload;
    while (walk.Next(&payload)) {
      const HashField field = ReadHashField(payload);
      if (!field.Due(now_ms_)) visit(ListpackValue{field.name}, ListpackValue{field.value});
    }
  }

  const ListpackView& packed() const { return packed_; }  // only without table()
  const HashTable* table() const { return table_; }       // nullptr: the hash is packed
  int64_t now_ms() const { return now_ms_; }

 private:
  ListpackView packed_;
  const HashTable* table_;
  int64_t now_ms_;
};

inline void ReplyElement(ReplySink& reply, const ListpackValue& value) {
  char text[kIntTextMaxBytes];
  reply.Bulk(value.Text(text));
}

// --- changes of a key that is absent or a hash ------------------------------------------------------------------------------------

enum class FieldDeadline : uint8_t { kDrop, kKeep };

// Stores a field, creating the key, and drops or keeps its deadline; true where the field is new. No event.
bool StoreField(CommandContext& context, ValueEdit& edit, std::string_view name, const ListpackItem& value,
                FieldDeadline deadline);
// Stores fields from args[first] on (name, value, name, value...), dropping their deadlines; how many are new. No event.
uint64_t StoreFields(CommandContext& context, ValueEdit& edit, size_t first);
// Removes a field, and with the last one the key; false where the field is absent. No event.
bool EraseField(ValueEdit& edit, std::string_view name);
// The hash as a table, converted where it is packed. The key exists.
HashTable& TableForChange(ValueEdit& edit);

// Removes fields and logs that as one HDEL.
class FieldNames {
 public:
  void Add(std::string_view name) { names_.push_back(name); }
  bool empty() const { return names_.empty(); }
  size_t size() const { return names_.size(); }
  std::span<const std::string_view> names() const { return names_; }
  // Logs `prefix` and the names; what is logged is read at once.
  void Log(CommandContext& context, std::initializer_list<std::string_view> prefix) const;

 private:
  std::vector<std::string_view> names_;
};

}  // namespace cairn
