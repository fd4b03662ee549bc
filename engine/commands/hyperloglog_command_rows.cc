#include "engine/commands/hyperloglog_commands.h"

namespace cairn {
namespace {

constexpr KeySpec kMergeKeys[] = {{1, 1, 1, kKeyReadWrite | kKeyForAccess | kKeyForInsert}, {2, -1, 1, kKeyRead | kKeyForAccess}};

constexpr CommandRow kRows[] = {
    {.name = "pfadd",
     .arity = -2,
     .flags = kWrite | kDenyOom | kFast,
     .categories = kAclHyperLogLog,
     .keys = {1, 1, 1, kKeyReadWrite | kKeyForInsert},
     .handler = hyperloglog_commands::PfAdd,
     .summary = "Adds elements to a HyperLogLog and answers whether its estimate may have changed.",
     .since = "2.8.9",
     .group = "hyperloglog",
     .complexity = "O(1) for each element",
     .syntax = "key [element [element ...]]"},
    {.name = "pfcount",
     .arity = -2,
     .flags = kReadOnly | kMayReplicate,
     .categories = kAclHyperLogLog,
     .keys = {1, -1, 1, kKeyReadWrite | kKeyForAccess},
     .handler = hyperloglog_commands::PfCount,
     .summary = "Estimates how many distinct elements one HyperLogLog or the union of several has.",
     .since = "2.8.9",
     .group = "hyperloglog",
     .complexity = "O(1) for one key, O(N) with large constants for the union of N",
     .syntax = "key [key ...]"},
    {.name = "pfmerge",
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .categories = kAclHyperLogLog,
     .keys = {1, -1, 1, kKeyReadWrite | kKeyForAccess | kKeyForInsert},
     .handler = hyperloglog_commands::PfMerge,
     .summary = "Makes a HyperLogLog the union of itself and others.",
     .since = "2.8.9",
     .group = "hyperloglog",
     .complexity = "O(N) for N values, with large constants",
     .syntax = "destkey [sourcekey [sourcekey ...]]",
     .key_specs = kMergeKeys},
    {.name = "pfdebug",
     .arity = 3,
     .flags = kWrite | kDenyOom | kAdmin,
     .categories = kAclHyperLogLog,
     .keys = {2, 2, 1, kKeyReadWrite | kKeyForAccess},
     .handler = hyperloglog_commands::PfDebug,
     .summary = "Shows the inside of a HyperLogLog, or makes it dense.",
     .since = "2.8.9",
     .group = "hyperloglog",
     .complexity = "O(1): the number of registers is fixed",
     .syntax = "<GETREG | DECODE | ENCODING | TODENSE> key"},
    {.name = "pfselftest",
     .arity = 1,
     .flags = kAdmin,
     .categories = kAclHyperLogLog,
     .handler = hyperloglog_commands::PfSelfTest,
     .summary = "Tests the registers and the estimate of HyperLogLogs.",
     .since = "2.8.9",
     .group = "hyperloglog",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterHyperLogLogCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
