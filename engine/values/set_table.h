// A large set: a HashTrie whose records are the members' bytes. Shared, copied on write and freed as large_value.h says.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/allocator.h"
#include "engine/values/hash_trie.h"
#include "engine/values/large_value.h"

namespace cairn {

class SetTable final : public LargeValue {
 public:
  SetTable() : members_(RecordForm::kKeyOnly) {}

  std::unique_ptr<LargeValue> Share() const override { return std::unique_ptr<LargeValue>(new SetTable(members_.Share())); }
  bool SameAs(const LargeValue& other) const override { return members_.SameAs(static_cast<const SetTable&>(other).members_); }
  uint64_t element_count() const override { return members_.size(); }
  uint64_t memory_bytes() const override { return AllocationSizeOf<SetTable>() + members_.memory_bytes(); }
  bool FreeStep(size_t max_nodes) override { return members_.FreeStep(max_nodes); }

  // Of a member, for the functions that want it.
  static uint64_t Hash(std::string_view member) { return HashTrie::Hash(member); }
  bool Contains(std::string_view member, uint64_t hash) const { return members_.Contains(member, hash); }
  bool Add(std::string_view member, uint64_t hash) { return members_.Insert(member, hash, {{member}}); }  // false: it was there
  bool Add(std::string_view member) { return Add(member, Hash(member)); }
  bool Remove(std::string_view member, uint64_t hash) { return members_.Erase(member, hash); }  // false: it was not there

  // visit(std::string_view) -> bool with every member, until it returns false; whether all were visited. Views live until the next
  // change.
  template <typename Visit>
  bool ForEach(Visit&& visit) const {
    std::string_view member;
    for (HashTrie::Walk walk(members_); walk.Next(&member);) {
      if (!visit(member)) return false;
    }
    return true;
  }
  // One step of SSCAN; see HashTrie::Scan.
  uint64_t Scan(uint64_t cursor, size_t count, std::vector<std::string_view>* out) const {
    return members_.Scan(cursor, count, out);
  }
  // Any member, each equally likely; the set is not empty.
  std::string_view Draw(Random& random) const { return members_.RandomPayload(random); }

 private:
  explicit SetTable(HashTrie members) : members_(std::move(members)) {}

  HashTrie members_;
};

}  // namespace cairn
