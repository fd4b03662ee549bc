// The handlers of the bitmap family, for the rows in bitmap_command_rows.cc. What each does is said by its row's summary.
// Bit 0 is the most significant bit of a string's first byte; bits beyond the end are 0.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/commands/command_context.h"

namespace cairn::bitmap_commands {

// bitmap_commands.cc
void SetBit(CommandContext& context);
void GetBit(CommandContext& context);
void BitCount(CommandContext& context);
void BitPos(CommandContext& context);

// bitop_command.cc
void BitOp(CommandContext& context);

// bitfield_command.cc
void BitField(CommandContext& context);
void BitFieldRo(CommandContext& context);

// --- shared by the family ---
// A bit offset: not negative and within the longest string (unless the log is replayed). "#N" means N times `field_bits` where that
// is not 0. Answers the error itself.
bool ReadBitOffset(CommandContext& context, std::string_view text, uint32_t field_bits, uint64_t* offset);
KeyAccess BitFieldKeyAccess(ArgSpan args);  // only GET subcommands: a read

// bit_scan.cc
uint64_t CountBits(std::string_view bytes);
// The position of the first bit with this value, or -1.
int64_t FirstBit(std::string_view bytes, bool bit);

}  // namespace cairn::bitmap_commands
