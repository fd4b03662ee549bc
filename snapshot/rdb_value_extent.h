// Where an encoded value ends. An RDB file does not say how long its values are: only their structure tells, which is all that is
// looked at here. Whether a value means anything is for its decoder.
//
// Pure; any thread. Reads nothing beyond the bytes that are given, and takes time in proportion to the number of parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cairn {

// Walks over encoded parts. After the first that is cut off or malformed every call returns false.
class RdbCursor {
 public:
  RdbCursor(const char* at, const char* end) : at_(at), end_(end) {}
  explicit RdbCursor(std::string_view bytes) : RdbCursor(bytes.data(), bytes.data() + bytes.size()) {}

  const char* at() const { return at_; }
  // Malformed whatever follows; otherwise a failure means that bytes are missing.
  bool malformed() const { return malformed_; }
  // How many bytes, at least, from the beginning of the cursor's bytes are needed to get on. After a failure that is not malformed.
  uint64_t needed_bytes(const char* begin) const {
    const auto given = static_cast<uint64_t>(end_ - begin);
    return missing_ < UINT64_MAX - given ? given + missing_ : UINT64_MAX;
  }

  bool Skip(uint64_t bytes);
  bool Byte(uint8_t* byte);
  bool Length(uint64_t* length);
  bool SkipLength();
  bool SkipString();
  // All bytes of a value of the type; malformed for types that are not known, and for modules' of the older form.
  bool SkipValue(uint8_t value_type);
  // A module's parts, with the mark of their end.
  bool SkipModuleParts();

 private:
  bool SkipStrings(uint64_t each);  // a count, and so many strings for each
  bool SkipSortedSet(bool text_scores);
  bool SkipQuicklist();
  bool SkipHashWithDeadlines();
  bool SkipHash2();
  bool SkipIds();
  bool SkipStream(uint8_t value_type);
  bool SkipStreamGroup(uint8_t value_type);
  bool SkipProducers(uint8_t value_type);
  bool Short(uint64_t bytes);
  bool Malformed();

  const char* at_;
  const char* end_;
  uint64_t missing_ = 0;
  bool malformed_ = false;
};

// Whether SkipValue knows the type: those of Redis 8.8 but arrays and modules' older one, Valkey 9's, and Cairn's own.
bool IsRdbValueType(uint8_t value_type);

}  // namespace cairn
