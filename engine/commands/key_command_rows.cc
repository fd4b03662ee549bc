#include "engine/commands/command_help.h"
#include "engine/commands/key_commands.h"

namespace cairn {
namespace {

using namespace key_commands;

constexpr KeyAccess kMetadata = kKeyRead | kKeyForMetadata;
constexpr KeyAccess kTaken = kKeyReadWrite | kKeyForAccess | kKeyForDelete;
constexpr std::string_view kSumTips = "request_policy:multi_shard response_policy:agg_sum";
constexpr KeyRange kRemovedKeys{1, -1, 1, kKeyRemove | kKeyForDelete};
constexpr KeyRange kRenameKeys[] = {{1, 1, 1, kTaken}, {2, 2, 1, kKeyWrite | kKeyForUpdate}};
constexpr KeyRange kRenameNxKeys[] = {{1, 1, 1, kTaken}, {2, 2, 1, kKeyWrite | kKeyForInsert}};
constexpr KeyRange kCopyKeys[] = {{1, 1, 1, kKeyRead | kKeyForAccess}, {2, 2, 1, kKeyWrite | kKeyForUpdate}};

constexpr CommandRow kKeyRows[] = {
    {.name = "del", .arity = -2, .flags = kWrite, .categories = kAclKeyspace, .keys = kRemovedKeys, .handler = Del,
     .summary = "Removes keys and answers how many there were.", .since = "1.0.0", .group = "generic",
     .complexity = "O(N) for N keys; large values are freed in the background", .syntax = "key [key ...]", .tips = kSumTips},
    {.name = "unlink", .arity = -2, .flags = kWrite | kFast, .categories = kAclKeyspace, .keys = kRemovedKeys, .handler = Unlink,
     .summary = "Removes keys like DEL.", .since = "4.0.0", .group = "generic",
     .complexity = "O(N) for N keys; large values are freed in the background", .syntax = "key [key ...]", .tips = kSumTips},
    {.name = "exists", .arity = -2, .flags = kReadOnly | kFast, .categories = kAclKeyspace, .keys = {1, -1, 1, kMetadata},
     .handler = Exists, .summary = "Answers how many of the keys exist.", .since = "1.0.0", .group = "generic",
     .complexity = "O(N) for N keys", .syntax = "key [key ...]", .tips = kSumTips},
    {.name = "touch", .arity = -2, .flags = kReadOnly | kFast | kTouchesAlways, .categories = kAclKeyspace, .keys = {1, -1, 1, kMetadata},
     .handler = Touch, .summary = "Marks keys as just used and answers how many of them exist.", .since = "3.2.1",
     .group = "generic", .complexity = "O(N) for N keys", .syntax = "key [key ...]", .tips = kSumTips},
    {.name = "type", .arity = 2, .flags = kReadOnly | kFast, .categories = kAclKeyspace, .keys = {1, 1, 1, kMetadata},
     .handler = Type, .summary = "Answers the type of a key's value.", .since = "1.0.0", .group = "generic", .complexity = "O(1)",
     .syntax = "key"},
    {.name = "rename", .arity = 3, .flags = kWrite, .categories = kAclKeyspace, .keys = {1, 2, 1, kKeyReadWrite},
     .handler = Rename, .summary = "Gives a key another name, replacing what has it.", .since = "1.0.0", .group = "generic",
     .complexity = "O(1)", .syntax = "key newkey", .key_specs = kRenameKeys},
    {.name = "renamenx", .arity = 3, .flags = kWrite | kFast, .categories = kAclKeyspace, .keys = {1, 2, 1, kKeyReadWrite},
     .handler = RenameNx, .summary = "Gives a key another name that is free.", .since = "1.0.0", .group = "generic",
     .complexity = "O(1)", .syntax = "key newkey", .key_specs = kRenameNxKeys},
    {.name = "copy", .arity = -3, .flags = kWrite | kDenyOom, .categories = kAclKeyspace, .keys = {1, 2, 1, kKeyReadWrite},
     .handler = Copy, .summary = "Copies a key's value and expiry to another key.", .since = "6.2.0", .group = "generic",
     .complexity = "O(1) for large values, whose bytes are shared", .syntax = "source destination [DB destination-db] [REPLACE]",
     .key_specs = kCopyKeys},
    {.name = "move", .arity = 3, .flags = kWrite | kFast, .categories = kAclKeyspace,
     .keys = {1, 1, 1, kKeyReadWrite | kKeyForAccess | kKeyForUpdate}, .handler = Move,
     .summary = "Moves a key to another database where its name is free.", .since = "1.0.0", .group = "generic",
     .complexity = "O(1)", .syntax = "key db"},
};

constexpr KeyRange kExpiringKey{1, 1, 1, kKeyReadWrite | kKeyForUpdate};
constexpr KeyRange kReadKey{1, 1, 1, kKeyRead | kKeyForAccess};

constexpr CommandRow kExpiryRows[] = {
    {.name = "expire", .arity = -3, .flags = kWrite | kFast, .categories = kAclKeyspace, .keys = kExpiringKey, .handler = Expire,
     .summary = "Sets a key's time to live in seconds.", .since = "1.0.0", .group = "generic", .complexity = "O(log N) for N expiring keys",
     .syntax = "key seconds [NX | XX | GT | LT]"},
    {.name = "pexpire", .arity = -3, .flags = kWrite | kFast, .categories = kAclKeyspace, .keys = kExpiringKey, .handler = PExpire,
     .summary = "Sets a key's time to live in milliseconds.", .since = "2.6.0", .group = "generic",
     .complexity = "O(log N) for N expiring keys", .syntax = "key milliseconds [NX | XX | GT | LT]"},
    {.name = "expireat", .arity = -3, .flags = kWrite | kFast, .categories = kAclKeyspace, .keys = kExpiringKey,
     .handler = ExpireAt, .summary = "Sets the Unix time in seconds at which a key expires.", .since = "1.2.0",
     .group = "generic", .complexity = "O(log N) for N expiring keys", .syntax = "key unix-time-seconds [NX | XX | GT | LT]"},
    {.name = "pexpireat", .arity = -3, .flags = kWrite | kFast, .categories = kAclKeyspace, .keys = kExpiringKey,
     .handler = PExpireAt, .summary = "Sets the Unix time in milliseconds at which a key expires.", .since = "2.6.0",
     .group = "generic", .complexity = "O(log N) for N expiring keys", .syntax = "key unix-time-milliseconds [NX | XX | GT | LT]"},
    {.name = "ttl", .arity = 2, .flags = kReadOnly | kFast, .categories = kAclKeyspace, .keys = kReadKey, .handler = Ttl,
     .summary = "Answers a key's time to live in seconds.", .since = "1.0.0", .group = "generic", .complexity = "O(1)",
     .syntax = "key", .tips = "nondeterministic_output"},
    {.name = "pttl", .arity = 2, .flags = kReadOnly | kFast, .categories = kAclKeyspace, .keys = kReadKey, .handler = PTtl,
     .summary = "Answers a key's time to live in milliseconds.", .since = "2.6.0", .group = "generic", .complexity = "O(1)",
     .syntax = "key", .tips = "nondeterministic_output"},
    {.name = "expiretime", .arity = 2, .flags = kReadOnly | kFast, .categories = kAclKeyspace, .keys = kReadKey,
     .handler = ExpireTime, .summary = "Answers the Unix time in seconds at which a key expires.", .since = "7.0.0",
     .group = "generic", .complexity = "O(1)", .syntax = "key"},
    {.name = "pexpiretime", .arity = 2, .flags = kReadOnly | kFast, .categories = kAclKeyspace, .keys = kReadKey,
     .handler = PExpireTime, .summary = "Answers the Unix time in milliseconds at which a key expires.", .since = "7.0.0",
     .group = "generic", .complexity = "O(1)", .syntax = "key"},
    {.name = "persist", .arity = 2, .flags = kWrite | kFast, .categories = kAclKeyspace, .keys = kExpiringKey, .handler = Persist,
     .summary = "Removes a key's expiry.", .since = "2.2.0", .group = "generic", .complexity = "O(log N) for N expiring keys",
     .syntax = "key"},
};

constexpr KeyRange kObjectKey{2, 2, 1, kMetadata};

constexpr CommandRow kObjectRows[] = {
    {.name = "encoding", .arity = 3, .flags = kReadOnly, .categories = kAclKeyspace, .keys = kObjectKey,
     .handler = ObjectEncoding, .summary = "Answers how a key's value is stored.", .since = "2.2.3", .group = "generic",
     .complexity = "O(1)", .syntax = "key", .tips = "nondeterministic_output"},
    {.name = "freq", .arity = 3, .flags = kReadOnly, .categories = kAclKeyspace, .keys = kObjectKey, .handler = ObjectFreq,
     .summary = "Answers how often a key was used lately, on a logarithmic scale; under LFU policies only.", .since = "4.0.0",
     .group = "generic", .complexity = "O(1)", .syntax = "key", .tips = "nondeterministic_output"},
    {.name = "idletime", .arity = 3, .flags = kReadOnly, .categories = kAclKeyspace, .keys = kObjectKey,
     .handler = ObjectIdleTime, .summary = "Answers the seconds since a key was last used; not under LFU policies.",
     .since = "2.2.3", .group = "generic", .complexity = "O(1)", .syntax = "key", .tips = "nondeterministic_output"},
    {.name = "refcount", .arity = 3, .flags = kReadOnly, .categories = kAclKeyspace, .keys = kObjectKey,
     .handler = ObjectRefCount, .summary = "Answers how many references there are to a key's value.", .since = "2.2.3",
     .group = "generic", .complexity = "O(1)", .syntax = "key", .tips = "nondeterministic_output"},
    {.name = "help", .arity = 2, .flags = kLoading | kStale, .categories = kAclKeyspace, .handler = ReplyHelp,
     .summary = "Lists the subcommands.", .since = "6.2.0", .group = "generic", .complexity = "O(1)"},
};

constexpr CommandRow kObjectContainer[] = {
    {.name = "object", .arity = -2, .summary = "Looks into how a key's value is stored.", .since = "2.2.3", .group = "generic",
     .complexity = "That of the subcommand", .subcommands = kObjectRows},
};

constexpr std::string_view kEverywhereTips = "request_policy:all_shards response_policy:all_succeeded";

constexpr CommandRow kKeyspaceRows[] = {
    {.name = "keys", .arity = 2, .flags = kReadOnly, .categories = kAclKeyspace | kAclDangerous, .handler = Keys,
     .summary = "Answers the keys whose names match a pattern.", .since = "1.0.0", .group = "generic",
     .complexity = "O(N) for N keys in the database", .syntax = "pattern",
     .tips = "request_policy:all_shards nondeterministic_output_order"},
    {.name = "scan", .arity = -2, .flags = kReadOnly, .categories = kAclKeyspace, .handler = Scan,
     .summary = "Walks the keys of the database, some in each call.", .since = "2.8.0", .group = "generic",
     .complexity = "O(1) a call, O(N) for a walk over N keys", .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]",
     .tips = "nondeterministic_output request_policy:special"},
    {.name = "randomkey", .arity = 1, .flags = kReadOnly, .categories = kAclKeyspace, .handler = RandomKey,
     .summary = "Answers some key of the database.", .since = "1.0.0", .group = "generic", .complexity = "O(1)",
     .tips = "request_policy:all_shards nondeterministic_output"},
    {.name = "dbsize", .arity = 1, .flags = kReadOnly | kFast, .categories = kAclKeyspace, .handler = DbSize,
     .summary = "Answers how many keys the database has.", .since = "1.0.0", .group = "server", .complexity = "O(1)",
     .tips = "request_policy:all_shards response_policy:agg_sum"},
    {.name = "flushdb", .arity = -1, .flags = kWrite | kAllShards, .categories = kAclKeyspace | kAclDangerous,
     .handler = FlushDb, .summary = "Removes all keys of the database.", .since = "1.0.0", .group = "server",
     .complexity = "O(1); O(N) for N keys with SYNC", .syntax = "[ASYNC | SYNC]", .tips = kEverywhereTips},
    {.name = "flushall", .arity = -1, .flags = kWrite | kAllShards, .categories = kAclKeyspace | kAclDangerous,
     .handler = FlushAll, .summary = "Removes all keys of all databases.", .since = "1.0.0", .group = "server",
     .complexity = "O(1); O(N) for N keys with SYNC", .syntax = "[ASYNC | SYNC]", .tips = kEverywhereTips},
    {.name = "swapdb", .arity = 3, .flags = kWrite | kFast | kAllShards, .categories = kAclKeyspace | kAclDangerous,
     .handler = SwapDb, .summary = "Swaps the contents of two databases.", .since = "4.0.0", .group = "server",
     .complexity = "O(N) for N keys watched in both", .syntax = "index1 index2"},
    {.name = "select", .arity = 2, .flags = kLoading | kStale | kFast, .categories = kAclConnection, .handler = Select,
     .summary = "Makes another database the client's.", .since = "1.0.0", .group = "connection", .complexity = "O(1)",
     .syntax = "index"},
};

}  // namespace

void RegisterKeyCommands(CommandTable& table) {
  table.Register(kKeyRows);
  table.Register(kExpiryRows);
  table.Register(kObjectContainer);
  table.Register(kKeyspaceRows);
}

}  // namespace cairn
