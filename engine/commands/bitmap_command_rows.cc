#include "engine/commands/bitmap_commands.h"

namespace cairn {
namespace {

using namespace bitmap_commands;

constexpr KeyRange kBitOpKeys[] = {{2, 2, 1, kKeyWrite | kKeyForUpdate}, {3, -1, 1, kKeyRead | kKeyForAccess}};

constexpr CommandRow kRows[] = {
    {.name = "setbit",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .categories = kAclBitmap,
     .keys = {1, 1, 1, kKeyReadWrite | kKeyForAccess | kKeyForUpdate},
     .handler = SetBit,
     .summary = "Sets or clears one bit of a string and answers what it was.",
     .since = "2.2.0",
     .group = "bitmap",
     .complexity = "O(1)",
     .syntax = "key offset value"},
    {.name = "getbit",
     .arity = 3,
     .flags = kReadOnly | kFast,
     .categories = kAclBitmap,
     .keys = {1, 1, 1, kKeyRead},
     .handler = GetBit,
     .summary = "Answers one bit of a string.",
     .since = "2.2.0",
     .group = "bitmap",
     .complexity = "O(1)",
     .syntax = "key offset"},
    {.name = "bitcount",
     .arity = -2,
     .flags = kReadOnly,
     .categories = kAclBitmap,
     .keys = {1, 1, 1, kKeyRead},
     .handler = BitCount,
     .summary = "Counts the bits that are set in a string or a part of it.",
     .since = "2.6.0",
     .group = "bitmap",
     .complexity = "O(N) for N bytes looked at",
     .syntax = "key [start end [BYTE | BIT]]"},
    {.name = "bitpos",
     .arity = -3,
     .flags = kReadOnly,
     .categories = kAclBitmap,
     .keys = {1, 1, 1, kKeyRead},
     .handler = BitPos,
     .summary = "Finds the first bit that is set or clear in a string or a part of it.",
     .since = "2.8.7",
     .group = "bitmap",
     .complexity = "O(N) for N bytes looked at",
     .syntax = "key bit [start [end [BYTE | BIT]]]"},
    {.name = "bitop",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .categories = kAclBitmap,
     .keys = {2, -1, 1, kKeyReadWrite},
     .handler = BitOp,
     .summary = "Combines strings bit by bit and stores the result.",
     .since = "2.6.0",
     .group = "bitmap",
     .complexity = "O(N) for N bytes of all strings",
     .syntax = "<AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE> destkey key [key ...]",
     .key_specs = kBitOpKeys},
    {.name = "bitfield",
     .arity = -2,
     .flags = kWrite | kDenyOom | kVariableFlags,
     .categories = kAclBitmap,
     .keys = {1, 1, 1, kKeyReadWrite | kKeyForAccess | kKeyForUpdate},
     .handler = BitField,
     .summary = "Reads and changes integers of any width at any bit of a string.",
     .since = "3.2.0",
     .group = "bitmap",
     .complexity = "O(1) for each operation",
     .syntax = "key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | "
               "INCRBY encoding offset increment> [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] "
               "<SET encoding offset value | INCRBY encoding offset increment> ...]]",
     .key_access = BitFieldKeyAccess},
    {.name = "bitfield_ro",
     .arity = -2,
     .flags = kReadOnly | kFast,
     .categories = kAclBitmap,
     .keys = {1, 1, 1, kKeyRead},
     .handler = BitFieldRo,
     .summary = "Reads integers of any width at any bit of a string.",
     .since = "6.0.0",
     .group = "bitmap",
     .complexity = "O(1) for each operation",
     .syntax = "key [GET encoding offset [GET encoding offset ...]]"},
};

}  // namespace

void RegisterBitmapCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
