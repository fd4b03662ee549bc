#include "engine/values/hash_value.h"

#include "base/allocator.h"
#include "engine/values/listpack.h"

namespace cairn {

namespace {

// Room for the longest header: a varint of 10 bytes and a deadline.
using HeaderBytes = char[18];

std::string_view WriteHeader(HeaderBytes& to, std::string_view name, int64_t deadline_ms) {
  const bool has_deadline = deadline_ms != HashField::kNoDeadline;
  uint64_t coded = uint64_t{name.size()} << 1 | (has_deadline ? 1 : 0);
  char* at = to;
  for (; coded >= 0x80; coded >>= 7) *at++ = static_cast<char>(coded | 0x80);
  *at++ = static_cast<char>(coded);
  if (has_deadline) {
    std::memcpy(at, &deadline_ms, 8);
    at += 8;
  }
  return {to, static_cast<size_t>(at - to)};
}

}  // namespace

std::unique_ptr<HashTable> HashTable::FromPacked(std::string_view listpack) {
  auto table = std::make_unique<HashTable>();
  const ListpackView view(listpack);
  char name_text[kIntTextMaxBytes], value_text[kIntTextMaxBytes];
  for (ListpackView::Position at = view.begin(); at != view.end();) {
    const ListpackValue name = view.Read(&at);
    const ListpackValue value = view.Read(&at);
    table->Set(name.Text(name_text), value.Text(value_text));
  }
  return table;
}

std::unique_ptr<LargeValue> HashTable::Share() const {
  auto shared = std::make_unique<HashTable>(fields_.Share());
  if (deadlines_ != nullptr) {
    shared->deadlines_.reset(static_cast<SortedSet*>(deadlines_->Share().release()));
    shared->first_deadline_ms_ = first_deadline_ms_;
  }
  return shared;
}

uint64_t HashTable::memory_bytes() const {
  return AllocationSizeOf<HashTable>() + fields_.memory_bytes() + (deadlines_ != nullptr ? deadlines_->memory_bytes() : 0);
}

bool HashTable::FreeStep(size_t max_nodes) {
  if (fields_.FreeStep(max_nodes)) return true;
  return deadlines_ != nullptr && deadlines_->FreeStep(max_nodes);
}

bool HashTable::Find(std::string_view name, int64_t now_ms, HashField* field) const {
  const std::string_view payload = fields_.Find(name, HashTrie::Hash(name));
  if (payload.data() == nullptr) return false;
  *field = ReadHashField(payload);
  return !field->Due(now_ms);
}

uint64_t HashTable::CountDue(int64_t now_ms) const {
  if (deadlines_ == nullptr || now_ms < next_deadline_ms()) return 0;
  return deadlines_->CountBefore({static_cast<double>(now_ms), true, false, {}});
}

void HashTable::CollectDue(int64_t now_ms, size_t limit, std::vector<std::string>* names) const {
  if (deadlines_ == nullptr) return;
  SortedSet::Cursor at = deadlines_->At(0);
  for (; limit > 0 && at.valid() && at.score() <= static_cast<double>(now_ms); at.Next(), limit--) {
    names->emplace_back(at.member());
  }
}

void HashTable::IndexDeadline(std::string_view name, int64_t deadline_ms) {
  if (deadlines_ == nullptr) {
    if (deadline_ms == HashField::kNoDeadline) return;
    deadlines_ = std::make_unique<SortedSet>();
  }
  SortedSet::Place place;
  const bool found = deadlines_->Find(name, &place);
  if (deadline_ms == HashField::kNoDeadline) {
    if (found) deadlines_->Erase(&place);
    if (deadlines_->element_count() == 0) deadlines_.reset();
  } else if (found) {
    deadlines_->SetScore(&place, name, static_cast<double>(deadline_ms));
  } else {
    deadlines_->Insert(&place, name, static_cast<double>(deadline_ms));
  }
  first_deadline_ms_ = deadlines_ == nullptr ? INT64_MAX : static_cast<int64_t>(deadlines_->At(0).score());
}

bool HashTable::Set(std::string_view name, std::string_view value, int64_t deadline_ms) {
  HeaderBytes header;
  const bool added = fields_.Put(name, HashTrie::Hash(name), {{WriteHeader(header, name, deadline_ms), name, value}});
  if (deadline_ms != HashField::kNoDeadline || (!added && deadlines_ != nullptr)) IndexDeadline(name, deadline_ms);
  return added;
}

bool HashTable::SetKeepingDeadline(std::string_view name, std::string_view value) {
  int64_t deadline_ms = HashField::kNoDeadline;
  if (deadlines_ != nullptr) {
    const std::string_view payload = fields_.Find(name, HashTrie::Hash(name));
    if (payload.data() != nullptr) deadline_ms = ReadHashField(payload).deadline_ms;
  }
  HeaderBytes header;
  return fields_.Put(name, HashTrie::Hash(name), {{WriteHeader(header, name, deadline_ms), name, value}});
}

bool HashTable::SetDeadline(std::string_view name, int64_t deadline_ms) {
  const uint64_t hash = HashTrie::Hash(name);
  const std::string_view payload = fields_.Find(name, hash);
  if (payload.data() == nullptr) return false;
  const HashField field = ReadHashField(payload);
  if (field.deadline_ms == deadline_ms) return true;
  if (field.has_deadline() && deadline_ms != HashField::kNoDeadline) {
    const size_t header_size = ReadFieldHeader(payload.data()).header_size;
    std::memcpy(fields_.MutablePayload(name, hash) + header_size - 8, &deadline_ms, 8);
  } else {
    const std::string value(field.value);
    HeaderBytes header;
    fields_.Put(name, hash, {{WriteHeader(header, name, deadline_ms), name, value}});
  }
  IndexDeadline(name, deadline_ms);
  return true;
}

bool HashTable::Erase(std::string_view name) {
  if (!fields_.Erase(name, HashTrie::Hash(name))) return false;
  if (deadlines_ != nullptr) IndexDeadline(name, HashField::kNoDeadline);
  return true;
}

}  // namespace cairn
