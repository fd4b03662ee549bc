// The container of DUMP's replies and RESTORE's arguments, as Redis has it:
//
//   RDB type 1 | value in RDB encoding | RDB version 2, little endian | CRC64 8, little endian, of all before it
//
// Pure functions but for the switch; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/keyspace/entry.h"

namespace cairn {

inline constexpr uint16_t kDumpRdbVersion = 10;        // what Redis 7.0 reads
inline constexpr uint16_t kDumpNewestRdbVersion = 15;  // up to Redis 8.10, as far as the types are known here
inline constexpr uint16_t kDumpValkeyRdbVersion = 80;  // Valkey 9, likewise

// The payload of an entry's value.
std::string MakeDumpPayload(const Entry& entry);

// Takes a payload apart; false where its version is not known, or the checksum wrong. The view lies in `payload`. A type that means
// something else in Redis than in Valkey, whose meaning is the one known here, is given as one that nobody knows.
bool OpenDumpPayload(std::string_view payload, uint8_t* rdb_type, std::string_view* value);

// Lets OpenDumpPayload take wrong checksums, in the whole process: tests of damaged values (DEBUG SET-SKIP-CHECKSUM-VALIDATION).
void SkipDumpChecksums(bool skip);

}  // namespace cairn
