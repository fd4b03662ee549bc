// Redis's RDB file, as far as its container goes: numbers of opcodes, and what belongs to one key. Values are opaque bytes here
// (engine/codec/value_codec.h understands them).
//
//   "REDIS" and four digits of the version, or "VALKEY" and three | item* | 255 | CRC64 of all before it, 8 bytes, little endian
//   (from version 5 on; 0: none)
//
//   item: 250 string string                  auxiliary field          253 4 bytes    the next key's expiry, Unix seconds
//         254 length                         database of what follows 252 8 bytes    the same in milliseconds
//         251 length length                  its keys, those expiring 248 length     the next key's idle time, seconds
//         244 length length length           a slot's, those expiring 249 1 byte     the next key's LFU counter
//         245 string                         function library         type key value a key; key is a string
//         247 id length* ... 0               a module's state
//         243 length (4 bytes length* ... 0)*  what modules noted of the next key (Redis, from version 13 on)
//         243 string length (length length)*   slots that are on their way to the cluster node (Valkey)
//
// Valkey's versions are 80 and up, and were Redis's before: from there on each has numbers of its own, so that type 22 is one thing here
// and another there.
//
// Lengths and strings: rdb_string_decoder.h. Integers are little endian.
#pragma once

#include <cstdint>
#include <string_view>

namespace cairn {

inline constexpr std::string_view kRdbMagic = "REDIS";
inline constexpr std::string_view kRdbValkeyMagic = "VALKEY";
inline constexpr size_t kRdbHeaderBytes = 9;
inline constexpr size_t kRdbChecksumBytes = 8;
inline constexpr uint32_t kRdbWrittenVersion = 10;  // Redis 7.0's
inline constexpr uint32_t kRdbNewestVersion = 15;   // Redis 8.10's: the newest whose container is known here
inline constexpr uint32_t kRdbValkeyVersion = 80;   // Valkey 9's, likewise
inline constexpr uint32_t kRdbFirstVersionWithChecksum = 5;

// Whether a file that begins with `bytes`, kRdbHeaderBytes or all that it has, is an RDB file, as far as this tells.
inline bool BeginsRdbFile(std::string_view bytes) { return bytes.starts_with(kRdbMagic) || bytes.starts_with(kRdbValkeyMagic); }

enum class RdbOpcode : uint8_t {
  kKeyMeta = 243,  // kSlotImport in Valkey's files
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
// A hash with deadlines of fields as Valkey writes it. In Redis's files it is a release candidate's, which is not known here.
inline constexpr uint8_t kRdbTypeHash2 = 22;

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
