#include "engine/keyspace/value_edit.h"

#include <cstring>

#include "base/status.h"
#include "engine/keyspace/keyspace_state.h"

namespace cairn {

ValueEdit::ValueEdit(Keyspace& keyspace, ChangeScope& scope, uint32_t database, const KeyRef& key, uint64_t* expired_changes)
    : state_(*keyspace.state_),
      scope_(scope),
      database_(database),
      key_(key),
      shard_(state_.LockedShard(scope, key)),
      table_(shard_.table(database)) {
  scope.Read(key);
  if (table_ == nullptr) return;
  slot_ = table_->dictionary.FindSlot(key);
  if (slot_ != nullptr && Keyspace::State::IsExpired(scope, *SlotEntry(*slot_))) [[unlikely]] {
    TableChange change(state_, shard_, *table_, database);
    state_.DeleteExpired(scope, shard_, *table_, database, key, slot_);
    slot_ = nullptr;
    ++*expired_changes;
  }
  if (slot_ != nullptr && Keyspace::State::HasDueFields(scope, *SlotEntry(*slot_))) [[unlikely]] {
    TableChange change(state_, shard_, *table_, database);
    const uint64_t before = scope.changes();
    slot_ = state_.SlotWithoutDueFields(scope, shard_, *table_, database, key, slot_, SIZE_MAX);
    *expired_changes += scope.changes() - before;
  }
  layout_ = table_->layout;
  if (slot_ != nullptr) state_.MarkAccess(shard_, SlotEntry(*slot_), scope.now_ms);
}

ValueEdit::~ValueEdit() { Settle(); }

uint64_t* ValueEdit::Slot() const {
  if (table_ == nullptr) return nullptr;
  if (layout_ != table_->layout) [[unlikely]] {
    slot_ = table_->dictionary.FindSlot(key_);
    layout_ = table_->layout;
  }
  return slot_;
}

Entry* ValueEdit::MutableEntry() const {
  uint64_t* slot = Slot();
  return slot == nullptr ? nullptr : SlotEntry(*slot);
}

const Entry* ValueEdit::entry() const { return MutableEntry(); }

void ValueEdit::Touch(bool gone) {
  if (touched_ && !gone) return;
  touched_ = true;
  state_.Touched(scope_, shard_, database_, key_, gone);
}

void ValueEdit::TouchUnwatched() {
  if (touched_ || touched_unwatched_) return;
  touched_unwatched_ = true;
  Keyspace::State::TouchedUnwatched(scope_, shard_, database_, key_);
}

Entry* ValueEdit::NewEntry(ValueType type, Encoding encoding, size_t inline_bytes) {
  const Entry* old = entry();
  const uint32_t access = old != nullptr ? old->access() : InitialAccess(scope_.now_ms, state_.access_policy());
  const EntryCodec::ValueShape shape{encoding, static_cast<uint32_t>(inline_bytes), 0};
  return EntryCodec::New(key_.name, type, shape, old != nullptr && old->has_expiry() ? old->expiry_ms() : -1, access);
}

void ValueEdit::Install(Entry* entry) {
  Touch(false);
  if (table_ == nullptr) table_ = &state_.MakeTable(shard_, database_);
  TableChange change(state_, shard_, *table_, database_);
  uint64_t* slot = Slot();
  if (slot == nullptr) {
    state_.InsertEntry(*table_, key_, entry);
    scope_.Event(kEventNew, "new", database_, key_.name);
    return;
  }
  Entry* old = SlotEntry(*slot);
  Rope* old_rope = old->encoding() == Encoding::kRope ? EntryCodec::MutableRope(old) : nullptr;
  LargeValue* old_large = old->encoding() == Encoding::kLarge ? EntryCodec::MutableLarge(old) : nullptr;
  state_.ReplaceEntry(*table_, key_, slot, entry);
  if (old_rope != nullptr) state_.FreeRope(old_rope);
  if (old_large != nullptr) state_.FreeLarge(old_large);
}

void ValueEdit::StorePacked(ValueType type, Encoding encoding, std::string_view bytes) {
  CAIRN_CHECK(bytes.size() <= kPackedMaxBytes);
  Settle();
  Entry* replacement = NewEntry(type, encoding, bytes.size());
  if (!bytes.empty()) std::memcpy(EntryCodec::MutablePayload(replacement), bytes.data(), bytes.size());
  Install(replacement);
}

void ValueEdit::StoreLarge(ValueType type, std::unique_ptr<LargeValue> large) {
  Settle();
  Entry* replacement = NewEntry(type, Encoding::kLarge, 0);
  EntryCodec::SetLarge(replacement, std::move(large));
  Install(replacement);
}

void ValueEdit::Splice(size_t offset, size_t remove_bytes, std::string_view insert) {
  Entry* entry = MutableEntry();
  const std::string_view old = entry->packed();
  CAIRN_CHECK(offset + remove_bytes <= old.size());
  const size_t size = old.size() - remove_bytes + insert.size();
  CAIRN_CHECK(size <= kPackedMaxBytes);
  const size_t tail = offset + remove_bytes;
  const EntryCodec::ValueShape shape{entry->encoding(), static_cast<uint32_t>(size), 0};
  const size_t allocated = EntryCodec::AllocatedBytes(EntryCodec::SizeBytes(entry->key().size(), entry->has_expiry(), shape));
  if (allocated == EntryCodec::AllocatedBytes(*entry)) {
    Touch(false);
    table_->dictionary.BeforeChange(key_, slot_);
    char* bytes = EntryCodec::MutablePayload(entry);
    std::memmove(bytes + offset + insert.size(), bytes + tail, old.size() - tail);
    if (!insert.empty()) std::memcpy(bytes + offset, insert.data(), insert.size());
    EntryCodec::SetShape(entry, entry->type(), shape);
    return;
  }
  Entry* replacement = NewEntry(entry->type(), entry->encoding(), size);
  char* bytes = EntryCodec::MutablePayload(replacement);
  std::memcpy(bytes, old.data(), offset);
  if (!insert.empty()) std::memcpy(bytes + offset, insert.data(), insert.size());
  std::memcpy(bytes + offset + insert.size(), old.data() + tail, old.size() - tail);
  Install(replacement);
}

char* ValueEdit::MutablePacked() {
  Entry* entry = MutableEntry();
  Touch(false);
  table_->dictionary.BeforeChange(key_, slot_);
  return EntryCodec::MutablePayload(entry);
}

LargeValue& ValueEdit::MutableLarge() {
  if (changing_ != nullptr) return *changing_;
  Entry* entry = MutableEntry();
  CAIRN_CHECK(entry != nullptr && entry->encoding() == Encoding::kLarge);
  table_->dictionary.BeforeChange(key_, slot_);
  changing_ = EntryCodec::MutableLarge(entry);
  bytes_before_ = changing_->memory_bytes();
  deadline_before_ms_ = changing_->next_deadline_ms();
  return *changing_;
}

void ValueEdit::Settle() {
  if (changing_ == nullptr) return;
  TableChange change(state_, shard_, *table_, database_);
  table_->entry_bytes += changing_->memory_bytes() - bytes_before_;
  const int64_t deadline_ms = changing_->next_deadline_ms();
  if (deadline_ms != deadline_before_ms_) {
    const Entry* entry = MutableEntry();
    if (deadline_before_ms_ != INT64_MAX) table_->inner_expiry.Erase(deadline_before_ms_, entry);
    if (deadline_ms != INT64_MAX) table_->inner_expiry.Insert(deadline_ms, entry);
  }
  changing_ = nullptr;
}

void ValueEdit::Remove() {
  Settle();
  Touch(true);
  TableChange change(state_, shard_, *table_, database_);
  state_.RemoveEntry(*table_, key_, Slot());
  slot_ = nullptr;
  layout_ = table_->layout;
}

}  // namespace cairn
