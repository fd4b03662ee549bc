// The handlers of the string family, for the rows in string_command_rows.cc. What each does is said by its row's summary.
#pragma once

#include "engine/commands/command_context.h"

namespace cairn::string_commands {

// string_set_commands.cc: storing values
void Set(CommandContext& context);
void SetNx(CommandContext& context);
void SetEx(CommandContext& context);
void PSetEx(CommandContext& context);
void GetSet(CommandContext& context);
void MSet(CommandContext& context);
void MSetNx(CommandContext& context);
void MSetEx(CommandContext& context);
void DelEx(CommandContext& context);

// string_get_commands.cc: reading values
void Get(CommandContext& context);
void GetEx(CommandContext& context);
void GetDel(CommandContext& context);
void MGet(CommandContext& context);
void StrLen(CommandContext& context);
void GetRange(CommandContext& context);
void Digest(CommandContext& context);

// string_change_commands.cc: changing values in place
void Incr(CommandContext& context);
void Decr(CommandContext& context);
void IncrBy(CommandContext& context);
void DecrBy(CommandContext& context);
void IncrByFloat(CommandContext& context);
void Append(CommandContext& context);
void SetRange(CommandContext& context);

// string_increx_command.cc
void IncrEx(CommandContext& context);

// string_lcs_command.cc
void Lcs(CommandContext& context);

// --- for COMMAND GETKEYS and locking ---
Status MSetExKeys(ArgSpan args, std::vector<int>* key_indexes);
KeyAccess SetKeyAccess(ArgSpan args);    // with GET or a comparison the old value is read too
KeyAccess DelExKeyAccess(ArgSpan args);  // with a comparison as well

}  // namespace cairn::string_commands
