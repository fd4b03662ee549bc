// The handlers of the hash family, for the rows in hash_command_rows.cc and hash_expiry_rows.cc. What each does is said by its row's
// summary.
#pragma once

#include "engine/commands/command_context.h"

namespace cairn::hash_commands {

// hash_commands.cc
void HSet(CommandContext& context);
void HMSet(CommandContext& context);
void HSetNx(CommandContext& context);
void HDel(CommandContext& context);
void HIncrBy(CommandContext& context);
void HIncrByFloat(CommandContext& context);

// hash_read_commands.cc
void HGet(CommandContext& context);
void HMGet(CommandContext& context);
void HGetAll(CommandContext& context);
void HKeys(CommandContext& context);
void HVals(CommandContext& context);
void HLen(CommandContext& context);
void HStrLen(CommandContext& context);
void HExists(CommandContext& context);
void HRandField(CommandContext& context);
void HScan(CommandContext& context);

// hash_expiry_commands.cc
void HExpire(CommandContext& context);
void HPExpire(CommandContext& context);
void HExpireAt(CommandContext& context);
void HPExpireAt(CommandContext& context);
void HTtl(CommandContext& context);
void HPTtl(CommandContext& context);
void HExpireTime(CommandContext& context);
void HPExpireTime(CommandContext& context);
void HPersist(CommandContext& context);

// hash_field_commands.cc: several fields with an expiry at once
void HGetEx(CommandContext& context);
void HSetEx(CommandContext& context);
void HGetDel(CommandContext& context);

void RegisterExpiryCommands(CommandTable& table);  // of hash_expiry_rows.cc

}  // namespace cairn::hash_commands
