// Handlers of DEBUG's subcommands. Every one is called only where enable-debug-command allows it (debug_commands.cc).
#pragma once

namespace cairn {

class CommandContext;

// About keys and the data set (debug_keyspace.cc).
void DebugObject(CommandContext& context);
void DebugSkipChecksums(CommandContext& context);
void DebugDigest(CommandContext& context);
void DebugDigestValue(CommandContext& context);
void DebugPopulate(CommandContext& context);
void DebugHashTableStats(CommandContext& context);
void DebugReload(CommandContext& context);
void DebugLoadAof(CommandContext& context);

// About the server (debug_server.cc).
void DebugSleep(CommandContext& context);
void DebugSetActiveExpire(CommandContext& context);
void DebugProtocol(CommandContext& context);
void DebugError(CommandContext& context);
void DebugLog(CommandContext& context);
void DebugStringMatch(CommandContext& context);
void DebugConfigRewrite(CommandContext& context);
void DebugAccepted(CommandContext& context);  // knobs of Redis's own machinery, which tests turn

}  // namespace cairn
