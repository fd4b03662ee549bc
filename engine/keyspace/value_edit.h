// One key whose value a handler changes: looked up once, changed any number of times.
//
//   ValueEdit edit = context.Edit(key);
//   if (!context.Expect(edit, ValueType::kHash)) return;
//   if (edit.entry() == nullptr) edit.StorePacked(ValueType::kHash, Encoding::kPacked, bytes); else edit.Splice(...);
//
// The first change touches the key: its LSN stripe, its watchers, the counter of changes. Before anything changes, the entry is handed
// to a snapshot that is under way. Memory and counters are published with every change, and when the edit ends for what was changed
// through Mutable(). Records and events are the handler's, except "new" for a key that the edit creates.
//
// Used under the key's shard lock, on the executing thread. Edits of different keys may overlap; of one key there is one at a time,
// and nothing else changes that key meanwhile. entry() and everything reached through it live until the next change.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/keyspace/change_scope.h"
#include "engine/keyspace/entry.h"
#include "engine/keyspace/key_ref.h"
#include "engine/keyspace/keyspace.h"
#include "engine/values/large_value.h"

namespace cairn {

struct Table;

class ValueEdit {
 public:
  // Looks the key up as a write does; a key past its expiry is deleted first, with record and event, and counted in *expired_changes.
  // `key` outlives the edit.
  ValueEdit(Keyspace& keyspace, ChangeScope& scope, uint32_t database, const KeyRef& key, uint64_t* expired_changes);
  ~ValueEdit();
  ValueEdit(const ValueEdit&) = delete;
  ValueEdit& operator=(const ValueEdit&) = delete;

  const KeyRef& key() const { return key_; }
  const Entry* entry() const;  // nullptr: absent

  // Creates the key, or replaces its value, whatever it was; an expiry stays. At most kPackedMaxBytes; `bytes` may lie in the old value.
  void StorePacked(ValueType type, Encoding encoding, std::string_view bytes);
  void StoreLarge(ValueType type, std::unique_ptr<LargeValue> large);

  // Packed values: puts `insert` in the place of bytes [offset, offset + remove_bytes). The result is at most kPackedMaxBytes; `insert`
  // lies elsewhere. The entry may move.
  void Splice(size_t offset, size_t remove_bytes, std::string_view insert);
  // Packed values: the bytes for changes that keep their number; until the next change.
  char* MutablePacked();

  // kLarge: the tree for changes; until the next Store or Remove.
  template <typename T>
  T& Mutable() {
    Touch(false);
    return static_cast<T&>(MutableLarge());
  }
  // The same for changes that break no WATCH, which in Redis are those of what a stream's groups know; they touch everything else. Where
  // it comes to more, Mutable() touches the key again.
  template <typename T>
  T& MutableUnwatched() {
    TouchUnwatched();
    return static_cast<T&>(MutableLarge());
  }

  // The key goes, large values in the background.
  void Remove();

 private:
  LargeValue& MutableLarge();  // of a key that was touched
  uint64_t* Slot() const;
  Entry* MutableEntry() const;
  void Touch(bool gone);
  void TouchUnwatched();
  // Puts an entry with this shape in the place of the old one, or in place of none; the value's bytes are the caller's to write.
  Entry* NewEntry(ValueType type, Encoding encoding, size_t inline_bytes);
  void Install(Entry* entry);
  // Publishes what was changed through Mutable().
  void Settle();

  Keyspace::State& state_;
  ChangeScope& scope_;
  const uint32_t database_;
  const KeyRef& key_;
  Shard& shard_;
  Table* table_;  // nullptr while the database has no key in this shard
  mutable uint64_t* slot_ = nullptr;
  mutable uint64_t layout_ = 0;  // of the table, when slot_ was found
  bool touched_ = false;
  bool touched_unwatched_ = false;
  LargeValue* changing_ = nullptr;  // handed out by Mutable()
  uint64_t bytes_before_ = 0;
  int64_t deadline_before_ms_ = INT64_MAX;
};

}  // namespace cairn
