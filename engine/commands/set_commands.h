// The handlers of sets, for the rows in set_command_rows.cc. What each does is said by its row's summary.
#pragma once

#include "engine/commands/command_context.h"

namespace cairn::set_commands {

// set_commands.cc: one set, member by member
void SAdd(CommandContext& context);
void SRem(CommandContext& context);
void SMove(CommandContext& context);
void SIsMember(CommandContext& context);
void SMIsMember(CommandContext& context);
void SCard(CommandContext& context);
void SMembers(CommandContext& context);
void SScan(CommandContext& context);

// set_random_commands.cc
void SPop(CommandContext& context);
void SRandMember(CommandContext& context);

// set_algebra_commands.cc: several sets
void SInter(CommandContext& context);
void SInterCard(CommandContext& context);
void SUnionCard(CommandContext& context);
void SDiffCard(CommandContext& context);
void SInterStore(CommandContext& context);
void SUnion(CommandContext& context);
void SUnionStore(CommandContext& context);
void SDiff(CommandContext& context);
void SDiffStore(CommandContext& context);

// The keys of SINTERCARD, SUNIONCARD and SDIFFCARD.
Status CardKeys(ArgSpan args, std::vector<int>* key_indexes);

}  // namespace cairn::set_commands
