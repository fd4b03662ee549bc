// The handlers of the list family, for the rows in list_command_rows.cc. What each does is said by its row's summary.
#pragma once

#include "engine/commands/command_context.h"

namespace cairn::list_commands {

// list_change_commands.cc: pushing, and changes at any place
void LPush(CommandContext& context);
void RPush(CommandContext& context);
void LPushX(CommandContext& context);
void RPushX(CommandContext& context);
void LInsert(CommandContext& context);
void LSet(CommandContext& context);
void LRem(CommandContext& context);
void LTrim(CommandContext& context);

// list_read_commands.cc
void LLen(CommandContext& context);
void LIndex(CommandContext& context);
void LRange(CommandContext& context);
void LPos(CommandContext& context);

// list_pop_commands.cc: popping and moving
void LPop(CommandContext& context);
void RPop(CommandContext& context);
void LmPop(CommandContext& context);
void LMove(CommandContext& context);
void LMoveM(CommandContext& context);
void RPopLPush(CommandContext& context);

// list_blocking_commands.cc: the same, waiting where there is nothing
void BlPop(CommandContext& context);
void BrPop(CommandContext& context);
void BlmPop(CommandContext& context);
void BlMove(CommandContext& context);
void BlMoveM(CommandContext& context);
void BrPopLPush(CommandContext& context);

// --- for COMMAND GETKEYS and locking ---
Status LmPopKeys(ArgSpan args, std::vector<int>* key_indexes);
Status BlmPopKeys(ArgSpan args, std::vector<int>* key_indexes);

}  // namespace cairn::list_commands
