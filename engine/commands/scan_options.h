// The cursor and the options of SCAN, HSCAN, SSCAN and ZSCAN, read alike, and the reply that all four give.
//
// A collection's command reads its cursor first, then looks its key up (absent: ReplyNothingScanned), then reads its options: the
// order decides which error a client sees.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/glob.h"
#include "engine/commands/command_context.h"

namespace cairn {

struct ScanOptions {
  int64_t count = 10;  // at least 1
  std::string_view pattern = "*";
  std::string_view type;  // of a key; empty and not `typed`: any
  bool typed = false;
  bool no_values = false;  // or no scores: the names alone

  bool Matches(std::string_view name) const { return pattern == "*" || GlobMatch(pattern, name); }
};

// Which options a command knows beyond COUNT and MATCH.
enum ScanExtra : uint8_t { kScanPlain = 0, kScanType = 1, kScanNoValues = 2, kScanNoScores = 4 };

// args[index] as strtoul reads it, because clients get away with it: nothing is 0, and a sign may stand before. False where an
// error was answered.
bool ReadScanCursor(CommandContext& context, size_t index, uint64_t* cursor);
// The options from args[first] on; false where an error was answered.
bool ReadScanOptions(CommandContext& context, size_t first, ScanExtra extra, ScanOptions* options);

// The two-element reply's beginning: the next cursor, and the header of `elements` elements that the caller then writes.
void ReplyScanHeader(ReplySink& reply, uint64_t next_cursor, size_t elements);
inline void ReplyNothingScanned(ReplySink& reply) { ReplyScanHeader(reply, 0, 0); }

}  // namespace cairn
