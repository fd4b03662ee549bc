// The handlers of the sorted set family, for the rows in sorted_set_read_rows.cc and sorted_set_change_rows.cc. What each does is
// said by its row's summary.
#pragma once

#include <vector>

#include "engine/commands/command_context.h"

namespace cairn {

// The two halves of RegisterSortedSetCommands.
void RegisterSortedSetReadCommands(CommandTable& table);
void RegisterSortedSetChangeCommands(CommandTable& table);

}  // namespace cairn

namespace cairn::sorted_set_commands {

// sorted_set_change_commands.cc
void ZAdd(CommandContext& context);
void ZIncrBy(CommandContext& context);
void ZRem(CommandContext& context);
void ZRemRangeByRank(CommandContext& context);
void ZRemRangeByScore(CommandContext& context);
void ZRemRangeByLex(CommandContext& context);

// sorted_set_read_commands.cc
void ZCard(CommandContext& context);
void ZCount(CommandContext& context);
void ZLexCount(CommandContext& context);
void ZScore(CommandContext& context);
void ZMScore(CommandContext& context);
void ZRank(CommandContext& context);
void ZRevRank(CommandContext& context);
void ZRandMember(CommandContext& context);
void ZScan(CommandContext& context);

// sorted_set_range_commands.cc
void ZRange(CommandContext& context);
void ZRangeStore(CommandContext& context);
void ZRevRange(CommandContext& context);
void ZRangeByScore(CommandContext& context);
void ZRevRangeByScore(CommandContext& context);
void ZRangeByLex(CommandContext& context);
void ZRevRangeByLex(CommandContext& context);

// sorted_set_algebra_commands.cc
void ZUnion(CommandContext& context);
void ZInter(CommandContext& context);
void ZDiff(CommandContext& context);
void ZUnionStore(CommandContext& context);
void ZInterStore(CommandContext& context);
void ZDiffStore(CommandContext& context);
void ZInterCard(CommandContext& context);

// sorted_set_pop_commands.cc
void ZPopMin(CommandContext& context);
void ZPopMax(CommandContext& context);
void ZMPop(CommandContext& context);
void BZPopMin(CommandContext& context);
void BZPopMax(CommandContext& context);
void BZMPop(CommandContext& context);

}  // namespace cairn::sorted_set_commands
