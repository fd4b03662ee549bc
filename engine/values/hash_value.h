// A hash that is too large to be packed, or that has fields with an expiry: a HashTrie of fields, and, where there are deadlines, an
// ordered set of them. Small hashes are listpacks of field, value, field, value (listpack.h).
//
// Deadlines are Unix milliseconds below 2^46. A field past its deadline stays until somebody erases it; readers pass it over by the time
// that they pass in. Threads, sharing: as LargeValue.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/values/hash_trie.h"
#include "engine/values/large_value.h"
#include "engine/values/sorted_set.h"

namespace cairn {

struct HashField {
  static constexpr int64_t kNoDeadline = -1;
  std::string_view name, value;
  int64_t deadline_ms = kNoDeadline;

  bool has_deadline() const { return deadline_ms != kNoDeadline; }
  bool Due(int64_t now_ms) const { return has_deadline() && deadline_ms <= now_ms; }
};

// The field that a payload of the trie holds.
inline HashField ReadHashField(std::string_view payload) {
  const FieldHeader header = ReadFieldHeader(payload.data());
  HashField field;
  if (header.has_deadline) std::memcpy(&field.deadline_ms, payload.data() + header.header_size - 8, 8);
  field.name = payload.substr(header.header_size, header.field_size);
  field.value = payload.substr(header.header_size + header.field_size);
  return field;
}

class HashTable final : public LargeValue {
 public:
  static constexpr int64_t kMaxDeadlineMs = (int64_t{1} << 46) - 1;

  HashTable() : fields_(RecordForm::kField) {}
  explicit HashTable(HashTrie fields) : fields_(std::move(fields)) {}
  // The fields of a valid listpack, each once.
  static std::unique_ptr<HashTable> FromPacked(std::string_view listpack);

  std::unique_ptr<LargeValue> Share() const override;
  uint64_t element_count() const override { return fields_.size(); }  // those past their deadline included
  uint64_t memory_bytes() const override;
  bool FreeStep(size_t max_nodes) override;
  int64_t next_deadline_ms() const override { return first_deadline_ms_; }

  // --- reading ----------------------------------------------------------------------------------------------------------------
  const HashTrie& fields() const { return fields_; }
  // False where the field is absent, or due at `now_ms`.
  bool Find(std::string_view name, int64_t now_ms, HashField* field) const;
  // The buffer that holds a long value, to be shared rather than copied; empty where the value is not so long.
  SharedBytes FindOutside(std::string_view name) const { return fields_.FindOutside(name, HashTrie::Hash(name)); }
  bool has_deadlines() const { return deadlines_ != nullptr; }
  uint64_t CountDue(int64_t now_ms) const;
  // Up to `limit` fields that are due, the earliest first, as copies of their names.
  void CollectDue(int64_t now_ms, size_t limit, std::vector<std::string>* names) const;

  // --- changing; what is passed in must not lie in this value ---------------------------------------------------------------------
  // Stores a field with this deadline or none; true where it is new.
  bool Set(std::string_view name, std::string_view value, int64_t deadline_ms = HashField::kNoDeadline);
  // Stores a value under the field's deadline, if it has one; true where it is new.
  bool SetKeepingDeadline(std::string_view name, std::string_view value);
  // Gives a field another deadline, or none; false where the field is absent.
  bool SetDeadline(std::string_view name, int64_t deadline_ms);
  bool Erase(std::string_view name);  // false where it is absent

 private:
  void IndexDeadline(std::string_view name, int64_t deadline_ms);

  HashTrie fields_;
  std::unique_ptr<SortedSet> deadlines_;  // field names by deadline; null where no field has one
  int64_t first_deadline_ms_ = INT64_MAX;
};

}  // namespace cairn
