// The container of DUMP's replies and RESTORE's arguments, as Redis has it:
//
//   RDB type 1 | value in RDB encoding | RDB version 2, little endian | CRC64 8, little endian, of all before it
//
// The versions are those of RDB files (snapshot/rdb_format.h). Pure functions but for the switch; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/keyspace/entry.h"
#include "engine/values/rope.h"

namespace cairn {

class RetainedValue;

// The payload of an entry's value.
std::string MakeDumpPayload(const Entry& entry);
// The same of a value that may be large, in pieces: its bytes are written once and never lie in one buffer.
Rope MakeDumpRope(const RetainedValue& value);
// The same of a value that is encoded already. Its version is Redis 7.0's whatever the type, which newer servers read too; Valkey's where
// only Valkey has the type.
std::string MakeDumpPayload(uint8_t rdb_type, std::string_view value);

// Takes a payload apart; false where its version is not known, or the checksum wrong. The view lies in `payload`. A type that means
// something else in Redis than in Valkey, whose meaning is the one known here, is given as one that nobody knows.
enum class DumpChecksum : uint8_t { kChecked, kIgnored };
bool OpenDumpPayload(std::string_view payload, uint8_t* rdb_type, std::string_view* value,
                     DumpChecksum checksum = DumpChecksum::kChecked);

// Lets OpenDumpPayload take wrong checksums, in the whole process: tests of damaged values (DEBUG SET-SKIP-CHECKSUM-VALIDATION).
void SkipDumpChecksums(bool skip);

}  // namespace cairn
