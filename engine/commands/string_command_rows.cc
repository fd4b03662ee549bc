#include "engine/commands/string_commands.h"

namespace cairn {
namespace {

using namespace string_commands;

constexpr KeyRange kReadKey{1, 1, 1, kKeyRead};
constexpr KeyRange kMetadataKey{1, 1, 1, kKeyRead | kKeyForMetadata};
constexpr KeyRange kOverwrittenKey{1, 1, 1, kKeyWrite};
constexpr KeyRange kInsertedKey{1, 1, 1, kKeyWrite | kKeyForInsert};
constexpr KeyRange kUpdatedKey{1, 1, 1, kKeyReadWrite | kKeyForAccess | kKeyForUpdate};
constexpr uint32_t kFastWrite = kWrite | kFast;
constexpr uint32_t kGrowing = kWrite | kDenyOom;
constexpr uint32_t kFastGrowing = kWrite | kDenyOom | kFast;

// Storing.
constexpr CommandRow kStoreRows[] = {
    {.name = "set", .arity = -3, .flags = kGrowing | kVariableFlags, .categories = kAclString,
     .keys = {1, 1, 1, kKeyReadWrite | kKeyForAccess | kKeyForUpdate}, .handler = Set,
     .summary = "Stores a string under a key, replacing a value of any type, under a condition and with an expiry if asked.",
     .since = "1.0.0", .group = "string", .complexity = "O(1)",
     .syntax = "key value [NX | XX | IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest] [GET] "
               "[EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
     .key_access = SetKeyAccess},
    {.name = "setnx", .arity = 3, .flags = kFastGrowing, .categories = kAclString, .keys = kInsertedKey, .handler = SetNx,
     .summary = "Stores a string under a key that does not exist yet.", .since = "1.0.0", .group = "string", .complexity = "O(1)",
     .syntax = "key value"},
    {.name = "setex", .arity = 4, .flags = kGrowing, .categories = kAclString, .keys = kOverwrittenKey, .handler = SetEx,
     .summary = "Stores a string and its time to live in seconds.", .since = "2.0.0", .group = "string", .complexity = "O(1)",
     .syntax = "key seconds value"},
    {.name = "psetex", .arity = 4, .flags = kGrowing, .categories = kAclString, .keys = kOverwrittenKey, .handler = PSetEx,
     .summary = "Stores a string and its time to live in milliseconds.", .since = "2.6.0", .group = "string", .complexity = "O(1)",
     .syntax = "key milliseconds value"},
    {.name = "getset", .arity = 3, .flags = kFastGrowing, .categories = kAclString, .keys = kUpdatedKey, .handler = GetSet,
     .summary = "Stores a string and answers the one it replaces.", .since = "1.0.0", .group = "string", .complexity = "O(1)",
     .syntax = "key value", .deprecated_since = "6.2.0", .replaced_by = "`SET` with the `!GET` argument"},
    {.name = "mset", .arity = -3, .flags = kGrowing, .categories = kAclString, .keys = {1, -1, 2, kKeyWrite}, .handler = MSet,
     .summary = "Stores several strings at once.", .since = "1.0.1", .group = "string", .complexity = "O(N) for N keys",
     .syntax = "key value [key value ...]", .tips = "request_policy:multi_shard response_policy:all_succeeded"},
    {.name = "msetnx", .arity = -3, .flags = kGrowing, .categories = kAclString,
     .keys = {1, -1, 2, kKeyWrite | kKeyForInsert}, .handler = MSetNx,
     .summary = "Stores several strings at once if none of the keys exists.", .since = "1.0.1", .group = "string",
     .complexity = "O(N) for N keys", .syntax = "key value [key value ...]",
     .tips = "request_policy:multi_shard response_policy:agg_min"},
    {.name = "msetex", .arity = -4, .flags = kGrowing | kMovableKeys, .categories = kAclString,
     .keys = {0, 0, 0, kKeyWrite}, .handler = MSetEx,
     .summary = "Stores several strings at once, under a condition and with one expiry for all if asked.", .since = "8.4.0",
     .group = "string", .complexity = "O(N) for N keys",
     .syntax = "numkeys key value [key value ...] [NX | XX] "
               "[EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
     .get_keys = MSetExKeys},
    {.name = "delex", .arity = -2, .flags = kFastWrite, .categories = kAclString,
     .keys = {1, 1, 1, kKeyRemove | kKeyForDelete}, .handler = DelEx,
     .summary = "Removes a key, if asked only when its string compares as told.", .since = "8.4.0", .group = "string",
     .complexity = "O(1), O(N) where a string of N bytes is compared",
     .syntax = "key [IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest]"},
};

// Reading.
constexpr CommandRow kReadRows[] = {
    {.name = "get", .arity = 2, .flags = kReadOnly | kFast, .categories = kAclString, .keys = kReadKey, .handler = Get,
     .summary = "Answers the string of a key.", .since = "1.0.0", .group = "string", .complexity = "O(1)", .syntax = "key"},
    {.name = "getex", .arity = -2, .flags = kFastWrite, .categories = kAclString, .keys = kUpdatedKey, .handler = GetEx,
     .summary = "Answers the string of a key and sets or removes its expiry.", .since = "6.2.0", .group = "string",
     .complexity = "O(1)",
     .syntax = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]"},
    {.name = "getdel", .arity = 2, .flags = kFastWrite, .categories = kAclString,
     .keys = {1, 1, 1, kKeyReadWrite | kKeyForAccess | kKeyForDelete}, .handler = GetDel,
     .summary = "Answers the string of a key and removes the key.", .since = "6.2.0", .group = "string", .complexity = "O(1)",
     .syntax = "key"},
    {.name = "mget", .arity = -2, .flags = kReadOnly | kFast, .categories = kAclString, .keys = {1, -1, 1, kKeyRead},
     .handler = MGet, .summary = "Answers the strings of several keys.", .since = "1.0.0", .group = "string",
     .complexity = "O(N) for N keys", .syntax = "key [key ...]", .tips = "request_policy:multi_shard"},
    {.name = "strlen", .arity = 2, .flags = kReadOnly | kFast, .categories = kAclString, .keys = kMetadataKey, .handler = StrLen,
     .summary = "Answers how many bytes a string has.", .since = "2.2.0", .group = "string", .complexity = "O(1)",
     .syntax = "key"},
    {.name = "getrange", .arity = 4, .flags = kReadOnly, .categories = kAclString, .keys = kReadKey, .handler = GetRange,
     .summary = "Answers a part of a string, by its first and last byte.", .since = "2.4.0", .group = "string",
     .complexity = "O(N) for a part of N bytes", .syntax = "key start end"},
    {.name = "substr", .arity = 4, .flags = kReadOnly, .categories = kAclString, .keys = kReadKey, .handler = GetRange,
     .summary = "Answers a part of a string, by its first and last byte.", .since = "1.0.0", .group = "string",
     .complexity = "O(N) for a part of N bytes", .syntax = "key start end", .deprecated_since = "2.0.0",
     .replaced_by = "`GETRANGE`"},
    {.name = "digest", .arity = 2, .flags = kReadOnly | kFast, .categories = kAclString, .keys = kReadKey, .handler = Digest,
     .summary = "Answers the XXH3 hash of a string in hexadecimal.", .since = "8.4.0", .group = "string",
     .complexity = "O(N) for a string of N bytes", .syntax = "key"},
    {.name = "lcs", .arity = -3, .flags = kReadOnly, .categories = kAclString, .keys = {1, 2, 1, kKeyRead}, .handler = Lcs,
     .summary = "Finds the longest common subsequence of two strings.", .since = "7.0.0", .group = "string",
     .complexity = "O(N*M) for strings of N and M bytes", .syntax = "key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]"},
};

// Changing in place.
constexpr CommandRow kChangeRows[] = {
    {.name = "incr", .arity = 2, .flags = kFastGrowing, .categories = kAclString, .keys = kUpdatedKey, .handler = Incr,
     .summary = "Adds one to the integer of a key; an absent key counts as 0.", .since = "1.0.0", .group = "string",
     .complexity = "O(1)", .syntax = "key"},
    {.name = "decr", .arity = 2, .flags = kFastGrowing, .categories = kAclString, .keys = kUpdatedKey, .handler = Decr,
     .summary = "Takes one from the integer of a key; an absent key counts as 0.", .since = "1.0.0", .group = "string",
     .complexity = "O(1)", .syntax = "key"},
    {.name = "incrby", .arity = 3, .flags = kFastGrowing, .categories = kAclString, .keys = kUpdatedKey, .handler = IncrBy,
     .summary = "Adds an integer to the integer of a key; an absent key counts as 0.", .since = "1.0.0", .group = "string",
     .complexity = "O(1)", .syntax = "key increment"},
    {.name = "decrby", .arity = 3, .flags = kFastGrowing, .categories = kAclString, .keys = kUpdatedKey, .handler = DecrBy,
     .summary = "Takes an integer from the integer of a key; an absent key counts as 0.", .since = "1.0.0", .group = "string",
     .complexity = "O(1)", .syntax = "key decrement"},
    {.name = "incrbyfloat", .arity = 3, .flags = kFastGrowing, .categories = kAclString, .keys = kUpdatedKey,
     .handler = IncrByFloat, .summary = "Adds a number with a fraction to the number of a key; an absent key counts as 0.",
     .since = "2.6.0", .group = "string", .complexity = "O(1)", .syntax = "key increment"},
    {.name = "append", .arity = 3, .flags = kFastGrowing, .categories = kAclString,
     .keys = {1, 1, 1, kKeyReadWrite | kKeyForInsert}, .handler = Append,
     .summary = "Appends bytes to a string; an absent key counts as empty.", .since = "2.0.0", .group = "string",
     .complexity = "O(N) for N bytes appended", .syntax = "key value"},
    {.name = "setrange", .arity = 4, .flags = kGrowing, .categories = kAclString, .keys = {1, 1, 1, kKeyReadWrite | kKeyForUpdate},
     .handler = SetRange, .summary = "Writes bytes into a string at an offset, filling a gap with zero bytes.", .since = "2.2.0",
     .group = "string", .complexity = "O(N) for N bytes written, and the gap", .syntax = "key offset value"},
};

}  // namespace

void RegisterStringCommands(CommandTable& table) {
  table.Register(kStoreRows);
  table.Register(kReadRows);
  table.Register(kChangeRows);
}

}  // namespace cairn
