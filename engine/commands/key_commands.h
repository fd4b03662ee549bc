// The handlers of commands on keys of any type and on whole databases, for the rows in key_command_rows.cc and
// keyspace_command_rows.cc. What each does is said by its row's summary.
#pragma once

#include "engine/commands/command_context.h"

namespace cairn::key_commands {

// key_commands.cc: removing, asking, moving
void Del(CommandContext& context);
void Unlink(CommandContext& context);
void Exists(CommandContext& context);
void Touch(CommandContext& context);
void Type(CommandContext& context);
void Rename(CommandContext& context);
void RenameNx(CommandContext& context);
void Copy(CommandContext& context);
void Move(CommandContext& context);

// expiry_commands.cc
void Expire(CommandContext& context);
void PExpire(CommandContext& context);
void ExpireAt(CommandContext& context);
void PExpireAt(CommandContext& context);
void Ttl(CommandContext& context);
void PTtl(CommandContext& context);
void ExpireTime(CommandContext& context);
void PExpireTime(CommandContext& context);
void Persist(CommandContext& context);

// keyspace_commands.cc: whole databases
void Keys(CommandContext& context);
void Scan(CommandContext& context);
void RandomKey(CommandContext& context);
void DbSize(CommandContext& context);
void FlushDb(CommandContext& context);
void FlushAll(CommandContext& context);
void SwapDb(CommandContext& context);
void Select(CommandContext& context);

// dump_commands.cc
void Dump(CommandContext& context);
void Restore(CommandContext& context);

// object_commands.cc
void ObjectEncoding(CommandContext& context);
void ObjectFreq(CommandContext& context);
void ObjectIdleTime(CommandContext& context);
void ObjectRefCount(CommandContext& context);

}  // namespace cairn::key_commands
