// DEBUG DIGEST and DIGEST-VALUE: what a data set is, in 40 hex digits; the same numbers as Redis gives for the same data, whatever the
// order in which keys lie, and the same after a reload.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace cairn {

class Entry;
class HashTable;
class SortedSet;
class Stream;

class KeyspaceDigest {
 public:
  // Order matters for what is mixed, not for what is xored.
  void Mix(std::string_view bytes);
  void Xor(std::string_view bytes);           // the bytes' hash
  void Combine(const KeyspaceDigest& other);  // as Xor of the other's 20 bytes
  // The entry's type, value and whether it expires.
  void AddValue(const Entry& entry);
  std::string Hex() const;

 private:
  void AddEntries(const Stream& stream);
  // Two texts that belong together, in whatever order the pairs come.
  void CombinePair(std::string_view first, std::string_view second);
  void AddList(const Entry& entry);
  void AddSet(const Entry& entry);
  void AddPairs(const Entry& entry);  // a packed hash or sorted set
  void AddSortedSet(const SortedSet& set);
  void AddFields(const HashTable& table);
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  std::array<uint8_t, 20> bytes_{};
};

}  // namespace cairn
