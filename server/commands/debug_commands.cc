// DEBUG: the rows, and who may use them.
#include "server/commands/debug_commands.h"

#include "engine/commands/command_help.h"
#include "server/commands/registry.h"
#include "server/config/config.h"
#include "server/server.h"
#include "server/session.h"

namespace cairn {
namespace {

template <CommandHandler kHandler>
void Guarded(CommandContext& context) {
  Session& session = SessionOf(context);
  if (Config::ProtectedAllowed(session.server().config().Number("enable-debug-command"), IsLocalClient(session)))
    return kHandler(context);
  context.reply.Error(
      "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local "
      "connection, "
      "otherwise you need to set this option in the configuration file, and then restart the server.");
}

constexpr uint32_t kDebug = kAdmin | kNoScript | kLoading | kStale | kProtected;
constexpr uint32_t kWholeKeyspace = kAdmin | kNoScript | kProtected | kReadOnly | kAllShards;

#define CAIRN_DEBUG_ROW(row_name, row_arity, row_flags, row_handler, row_syntax, row_summary)                          \
  {                                                                                                                    \
    .name = row_name, .arity = row_arity, .flags = row_flags, .handler = Guarded<row_handler>, .summary = row_summary, \
    .since = "1.0.0", .group = "server", .complexity = "Depends on subcommand.", .syntax = row_syntax                  \
  }

constexpr CommandRow kSubcommands[] = {
    CAIRN_DEBUG_ROW("change-repl-id", 2, kDebug, DebugAccepted, "", "Accepted; a timeline's id changes only as DESIGN says."),
    CAIRN_DEBUG_ROW("config-rewrite-force-all", 2, kDebug, DebugConfigRewrite, "", "As CONFIG REWRITE, with every directive."),
    CAIRN_DEBUG_ROW("dict-resizing", 3, kDebug, DebugAccepted, "<0 | 1>", "Accepted; tables grow without resizes here."),
    CAIRN_DEBUG_ROW("digest", 2, kWholeKeyspace, DebugDigest, "", "Answers a digest of the whole data set."),
    {.name = "digest-value",
     .arity = -3,
     .flags = kAdmin | kNoScript | kProtected | kReadOnly,
     .keys = {2, -1, 1, kKeyRead},
     .handler = Guarded<DebugDigestValue>,
     .summary = "Answers a digest of each key's value.",
     .since = "5.0.0",
     .group = "server",
     .complexity = "O(N) for N bytes",
     .syntax = "key [key ...]"},
    CAIRN_DEBUG_ROW("error", 3, kDebug, DebugError, "message", "Answers the message as an error."),
    {.name = "help",
     .arity = 2,
     .flags = kDebug,
     .handler = Guarded<ReplyHelp>,
     .summary = "Lists the subcommands.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(1)"},
    CAIRN_DEBUG_ROW("htstats", -3, kDebug, DebugHashTableStats, "db-index [FULL]", "Tells about a database's table."),
    CAIRN_DEBUG_ROW("loadaof", 2, kDebug | kNoMulti, DebugLoadAof, "", "Empties the memory and loads the data set from disk."),
    CAIRN_DEBUG_ROW("log", 3, kDebug, DebugLog, "message", "Writes the message into the server's log."),
    {.name = "object",
     .arity = 3,
     .flags = kAdmin | kNoScript | kProtected | kReadOnly,
     .keys = {2, 2, 1, kKeyRead | kKeyForMetadata},
     .handler = Guarded<DebugObject>,
     .summary = "Tells how a key's value is stored.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(1)",
     .syntax = "key"},
    CAIRN_DEBUG_ROW("pause-cron", 3, kDebug, DebugAccepted, "<0 | 1>", "Accepted; there is no cron here."),
    CAIRN_DEBUG_ROW("populate", -3, kAdmin | kNoScript | kProtected | kWrite | kAllShards, DebugPopulate, "count [prefix] [size]",
                    "Creates that many string keys."),
    CAIRN_DEBUG_ROW("protocol", 3, kDebug, DebugProtocol,
                    "<string | integer | double | bignum | null | array | set | map | attrib | push | verbatim | true | false>",
                    "Answers a value of the type."),
    CAIRN_DEBUG_ROW("quicklist-packed-threshold", 3, kDebug, DebugAccepted, "size",
                    "Accepted; lists are stored in another way here."),
    CAIRN_DEBUG_ROW("reload", -2, kDebug | kNoMulti, DebugReload, "[NOSAVE] [NOFLUSH] [MERGE]",
                    "Makes a snapshot, empties the memory and loads the data set from disk."),
    CAIRN_DEBUG_ROW("replybuffer", -3, kDebug, DebugAccepted, "<PEAK-RESET-TIME <NEVER | RESET | time> | RESIZING <0 | 1>>",
                    "Accepted; reply buffers are managed in another way here."),
    CAIRN_DEBUG_ROW("set-active-expire", 3, kDebug, DebugSetActiveExpire, "<0 | 1>",
                    "Whether expired keys are removed before anybody asks."),
    CAIRN_DEBUG_ROW("set-disable-deny-scripts", 3, kDebug, DebugAccepted, "<0 | 1>", "Accepted; there are no scripts yet."),
    CAIRN_DEBUG_ROW("set-skip-checksum-validation", 3, kDebug, DebugSkipChecksums, "<0 | 1>",
                    "Lets RESTORE take payloads with wrong checksums."),
    CAIRN_DEBUG_ROW("sleep", 3, kDebug, DebugSleep, "seconds", "Nobody is answered for that long."),
    CAIRN_DEBUG_ROW("stringmatch-len", 4, kDebug, DebugStringMatch, "length pattern",
                    "Matches the pattern against that many letters a."),
};

#undef CAIRN_DEBUG_ROW

constexpr CommandRow kRows[] = {
    {.name = "debug",
     .arity = -2,
     .flags = kDebug,
     .summary = "For those who test the server.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "Depends on subcommand.",
     .subcommands = kSubcommands},
};

}  // namespace

void RegisterDebugCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
