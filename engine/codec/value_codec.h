// Values of every type to and from Redis's RDB value encoding: where the types' own codecs (list_rdb.h, hash_rdb.h...) are chosen.
//
// An RDB type is one byte that stands before a value; kRdbType... are Redis's numbers. Encoding is a pure reading of the value, without
// locks for what was retained; decoding takes any bytes (see rdb_string_decoder.h). Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/codec/loaded_value.h"
#include "engine/codec/rdb_sink.h"
#include "engine/keyspace/entry.h"
#include "engine/values/rope.h"
#include "engine/values/value_limits.h"

namespace cairn {

inline constexpr uint8_t kRdbTypeSet = 2;
inline constexpr uint8_t kRdbTypeHash = 4;
inline constexpr uint8_t kRdbTypeSortedSet = 3;  // text scores
inline constexpr uint8_t kRdbTypeSortedSet2 = 5;
inline constexpr uint8_t kRdbTypeHashZipmap = 9;
inline constexpr uint8_t kRdbTypeIntSet = 11;
inline constexpr uint8_t kRdbTypeSortedSetZiplist = 12;
inline constexpr uint8_t kRdbTypeHashZiplist = 13;
inline constexpr uint8_t kRdbTypeStreamListpacks = 15;
inline constexpr uint8_t kRdbTypeHashListpack = 16;
inline constexpr uint8_t kRdbTypeSortedSetListpack = 17;
inline constexpr uint8_t kRdbTypeStreamListpacks2 = 19;
inline constexpr uint8_t kRdbTypeSetListpack = 20;
inline constexpr uint8_t kRdbTypeStreamListpacks3 = 21;
inline constexpr uint8_t kRdbTypeStreamListpacks4 = 26;
inline constexpr uint8_t kRdbTypeStreamListpacks5 = 27;

// A value's type as it is written.
uint8_t RdbTypeOf(const Entry& entry);
uint8_t RdbTypeOf(ValueType type, const LargeValue& large);

// An entry's whole value.
void EncodeValue(const Entry& entry, RdbSink& sink);
void EncodeLargeValue(ValueType type, const LargeValue& large, RdbSink& sink);
void AppendRdbValue(const Entry& entry, std::string* out);
// The value of an entry with inline bytes or a number as two parts: `*head` is made in `*scratch` or static, `*body` lies in the entry.
// Not for ropes and large values.
void EncodeInlineValue(const Entry& entry, std::string* scratch, std::string_view* head, std::string_view* body);

// A collection from its bytes, all of them; kNewerFormat for a type that is not known, kDamaged for malformed bytes, kNotFound for a
// collection without elements (loaded_value.h). Not for strings (rdb_string_decoder.h).
Status DecodeCollection(uint8_t rdb_type, std::string_view bytes, const ValueLimits& limits, LoadedValue* value);

// A rope or large value that is held beyond its entry, to be encoded without locks.
class RetainedValue {
 public:
  // Shares the value of an entry that has one of either; any other value is encoded at once.
  static RetainedValue Of(const Entry& entry);

  uint8_t rdb_type() const { return rdb_type_; }
  // What holding it costs while its entry goes on changing: a rope's bytes; of a large value, where changed nodes are copied as they
  // change, only its root.
  uint64_t held_bytes() const;
  // Whether the encoded value may be larger than `bytes`: a guess, never too small.
  bool MayExceed(uint64_t bytes) const;
  void Encode(RdbSink& sink) const;

 private:
  ValueType type_ = ValueType::kString;
  uint8_t rdb_type_ = kRdbTypeString;
  Rope rope_;
  std::unique_ptr<LargeValue> large_;
  std::string encoded_;
};

}  // namespace cairn
