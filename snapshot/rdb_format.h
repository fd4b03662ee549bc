// Redis's RDB file, as far as its container goes: numbers of opcodes, and what belongs to one key. Values are opaque bytes here
// (engine/codec/value_codec.h understands them).
//
//   "REDIS" | four digits of the version | item* | 255 | CRC64 of all before it, 8 bytes, little endian (from version 5 on; 0: none)
//
//   item: 250 string string                  auxiliary field          253 4 bytes    the next key's expiry, Unix seconds
//         254 length                         database of what follows 252 8 bytes    the same in milliseconds
//         251 length length                  its keys, those expiring 248 length     the next key's idle time, seconds
//         244 length length length           a slot's, those expiring 249 1 byte     the next key's LFU counter
//         245 string                         function library         type key value a key; key is a string
//         247 id length* ... 0               a module's state
//
// Lengths and strings: rdb_string_decoder.h. Integers are little endian.
#pragma once

#include <cstdint>
#include <string_view>

namespace cairn {

inline constexpr std::string_view kRdbMagic = "REDIS";
inline constexpr size_t kRdbHeaderBytes = 9;
inline constexpr size_t kRdbChecksumBytes = 8;
inline constexpr uint32_t kRdbWrittenVersion = 10;  // Redis 7.0's
inline constexpr uint32_t kRdbNewestVersion = 12;   // Redis 7.4's and 8's: the newest whose container is known here
inline constexpr uint32_t kRdbFirstVersionWithChecksum = 5;

enum class RdbOpcode : uint8_t {
  kSlotInfo = 244,
  kFunction2 = 245,
  kFunctionPreview = 246,  // of release candidates of Redis 7.0
  kModuleAux = 247,
  kIdle = 248,
  kFrequency = 249,
  kAux = 250,
  kResizeDb = 251,
  kExpiryMs = 252,
  kExpirySeconds = 253,
  kSelectDb = 254,
  kEnd = 255,
};

// The type of a value that only its module understands, with and without marks of its parts.
inline constexpr uint8_t kRdbTypeModule = 6;
inline constexpr uint8_t kRdbTypeModule2 = 7;

// One key.
struct RdbEntry {
  uint32_t database = 0;
  uint8_t value_type = 0;
  int64_t expiry_unix_ms = -1;  // < 0: none
  int64_t idle_s = -1;          // since its last use; < 0: not said
  int32_t frequency = -1;       // the LFU counter, 0-255; < 0: not said
  std::string_view key;
  std::string_view value;  // encoded, as value_type says
};

}  // namespace cairn
