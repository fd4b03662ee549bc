// Changing string values in place where the allocation has room, and in a new entry where not.
#include <cstring>

#include "base/numbers.h"
#include "engine/keyspace/keyspace_state.h"
#include "engine/values/large_value.h"
#include "engine/values/rope.h"

namespace cairn {

namespace {

bool FitsInPlace(const Entry& entry, const EntryCodec::ValueShape& shape) {
  return EntryCodec::AllocatedBytes(EntryCodec::SizeBytes(entry.key().size(), entry.has_expiry(), shape)) ==
         EntryCodec::AllocatedBytes(entry);
}

// The entry's bytes where they are one piece: inline, or an integer printed to `scratch` (kIntTextMaxBytes).
std::string_view InlineText(const Entry& entry, char* scratch) {
  if (entry.encoding() != Encoding::kInt) return entry.inline_value();
  return {scratch, static_cast<size_t>(WriteInt(scratch, entry.int_value()) - scratch)};
}

EntryCodec::ValueShape RawShape(uint64_t size) {
  if (size > kInlineValueMaxBytes) return {Encoding::kRope, 0, 0};
  return {Encoding::kRaw, static_cast<uint32_t>(size), 0};
}

}  // namespace

Entry* Keyspace::SetString(ChangeScope& scope, uint32_t database, const KeyRef& key, StringSource value,
                           const SetOptions& options) {
  Shard& shard = state_->LockedShard(scope, key);
  Table& table = state_->MakeTable(shard, database);
  TableChange change(*state_, shard, table, database);
  uint64_t* slot = state_->SlotForChange(scope, shard, table, database, key);
  state_->Touched(scope, shard, database, key, false);
  EntryCodec::ValueShape shape = EntryCodec::ShapeOf(value.bytes, options.raw);
  if (options.text && shape.encoding == Encoding::kInt)
    shape = {Encoding::kEmbedded, static_cast<uint32_t>(value.bytes.size()), 0};
  if (slot == nullptr) {
    const uint32_t access = InitialAccess(scope.now_ms, state_->access_policy());
    Entry* entry = EntryCodec::New(key.name, ValueType::kString, shape, options.expiry_ms, access);
    EntryCodec::WriteValue(entry, value);
    state_->InsertEntry(table, key, entry);
    return entry;
  }
  Entry* entry = SlotEntry(*slot);
  state_->MarkAccess(shard, entry, scope.now_ms);
  const int64_t old_expiry_ms = entry->has_expiry() ? entry->expiry_ms() : -1;
  const int64_t expiry_ms = options.expiry_ms < 0 && options.keep_expiry ? old_expiry_ms : options.expiry_ms;
  if (entry->type() != ValueType::kString) [[unlikely]]
    return state_->ReplaceValue(table, key, slot, expiry_ms, value, shape);
  Rope* old_rope = entry->encoding() == Encoding::kRope ? EntryCodec::MutableRope(entry) : nullptr;
  const uint64_t old_rope_bytes = old_rope == nullptr ? 0 : old_rope->memory_bytes();
  if ((expiry_ms >= 0) == entry->has_expiry() && FitsInPlace(*entry, shape)) {
    table.dictionary.BeforeChange(key, slot);
    if (expiry_ms != old_expiry_ms) State::MoveExpiry(table, entry, expiry_ms);
    EntryCodec::SetShape(entry, ValueType::kString, shape);
    EntryCodec::WriteValue(entry, value);
    if (old_rope_bytes != 0) table.entry_bytes -= old_rope_bytes;
    if (shape.encoding == Encoding::kRope) table.entry_bytes += entry->rope().memory_bytes();
  } else {
    // The new entry is complete before the old one goes: the value may lie in it.
    Entry* replacement = EntryCodec::New(key.name, ValueType::kString, shape, expiry_ms, entry->access());
    EntryCodec::WriteValue(replacement, value);
    state_->ReplaceEntry(table, key, slot, replacement);
    entry = replacement;
  }
  if (old_rope != nullptr) state_->FreeRope(old_rope);
  return entry;
}

Entry* Keyspace::AppendString(ChangeScope& scope, uint32_t database, const KeyRef& key, std::string_view bytes) {
  Shard& shard = state_->LockedShard(scope, key);
  Table& table = state_->MakeTable(shard, database);
  uint64_t* slot;
  {
    TableChange change(*state_, shard, table, database);
    slot = state_->SlotForChange(scope, shard, table, database, key);
    if (slot != nullptr) {
      state_->Touched(scope, shard, database, key, false);
      return state_->WriteInto(table, key, slot, state_->StringSize(*SlotEntry(*slot)), bytes);
    }
  }
  return SetString(scope, database, key, {bytes}, {});
}

Entry* Keyspace::OverwriteString(ChangeScope& scope, uint32_t database, const KeyRef& key, uint64_t offset,
                                 std::string_view bytes) {
  Shard& shard = state_->LockedShard(scope, key);
  Table& table = state_->MakeTable(shard, database);
  TableChange change(*state_, shard, table, database);
  uint64_t* slot = state_->SlotForChange(scope, shard, table, database, key);
  state_->Touched(scope, shard, database, key, false);
  if (slot == nullptr) {
    const uint32_t access = InitialAccess(scope.now_ms, state_->access_policy());
    Entry* empty = EntryCodec::New(key.name, ValueType::kString, RawShape(0), -1, access);
    state_->InsertEntry(table, key, empty);
    slot = table.dictionary.FindSlot(key);
  }
  return state_->WriteInto(table, key, slot, offset, bytes);
}

Entry* Keyspace::State::ReplaceValue(Table& table, const KeyRef& key, uint64_t* slot, int64_t expiry_ms,
                                     const StringSource& value, const EntryCodec::ValueShape& shape) {
  Entry* entry = SlotEntry(*slot);
  LargeValue* old_large = entry->encoding() == Encoding::kLarge ? EntryCodec::MutableLarge(entry) : nullptr;
  Entry* replacement = EntryCodec::New(key.name, ValueType::kString, shape, expiry_ms, entry->access());
  EntryCodec::WriteValue(replacement, value);
  ReplaceEntry(table, key, slot, replacement);
  if (old_large != nullptr) FreeLarge(old_large);
  return replacement;
}

uint64_t Keyspace::State::StringSize(const Entry& entry) {
  switch (entry.encoding()) {
    case Encoding::kInt: return IntTextSize(entry.int_value());
    case Encoding::kRope: return entry.rope().size();
    default: break;
  }
  return entry.inline_value().size();
}

Entry* Keyspace::State::WriteInto(Table& table, const KeyRef& key, uint64_t* slot, uint64_t offset, std::string_view bytes) {
  Entry* entry = SlotEntry(*slot);
  table.dictionary.BeforeChange(key, slot);
  if (entry->encoding() == Encoding::kRope) {
    Rope* rope = EntryCodec::MutableRope(entry);
    table.entry_bytes -= rope->memory_bytes();
    rope->Overwrite(offset, bytes);
    table.entry_bytes += rope->memory_bytes();
    return entry;
  }
  char scratch[kIntTextMaxBytes];
  const std::string_view old = InlineText(*entry, scratch);
  const uint64_t size = std::max<uint64_t>(old.size(), offset + bytes.size());
  const EntryCodec::ValueShape shape = RawShape(size);
  Entry* target = entry;
  if (!FitsInPlace(*entry, shape) || shape.encoding == Encoding::kRope) {
    target =
        EntryCodec::New(entry->key(), ValueType::kString, shape, entry->has_expiry() ? entry->expiry_ms() : -1, entry->access());
  }
  if (shape.encoding == Encoding::kRope) {
    auto rope = std::make_unique<Rope>(Rope::Copy(old));
    rope->Overwrite(offset, bytes);
    EntryCodec::SetRope(target, std::move(rope));
  } else {
    if (target == entry) EntryCodec::SetShape(entry, ValueType::kString, shape);
    char* payload = EntryCodec::MutablePayload(target);
    if (payload != old.data() && !old.empty()) std::memcpy(payload, old.data(), old.size());
    if (offset > old.size()) std::memset(payload + old.size(), 0, offset - old.size());
    if (!bytes.empty()) std::memmove(payload + offset, bytes.data(), bytes.size());
  }
  if (target != entry) ReplaceEntry(table, key, slot, target);
  return target;
}

}  // namespace cairn
