// The handlers of the stream family, for the rows in stream_command_rows.cc. What each does is said by its row's summary.
//
// What is logged says exactly what came of a command, in commands that Redis understands: XADD with its id, XTRIM with '=', deliveries
// and claims as XCLAIM ... TIME ... RETRYCOUNT ... FORCE JUSTID LASTID, a group's cursor as XGROUP SETID ... ENTRIESREAD.
#pragma once

#include <string_view>
#include <vector>

#include "engine/commands/command_context.h"

namespace cairn::stream_commands {

// stream_add_commands.cc
void XAdd(CommandContext& context);
void XTrim(CommandContext& context);

// stream_range_commands.cc
void XLen(CommandContext& context);
void XRange(CommandContext& context);
void XRevRange(CommandContext& context);
void XSetId(CommandContext& context);

// stream_delete_commands.cc
void XDel(CommandContext& context);
void XDelEx(CommandContext& context);
void XAckDel(CommandContext& context);

// stream_read_command.cc, stream_read_group_command.cc and what they share
void XRead(CommandContext& context);
void XReadGroup(CommandContext& context);
Status ReadKeys(ArgSpan args, std::vector<int>* key_indexes);

// stream_group_commands.cc
void XGroupCreate(CommandContext& context);
void XGroupSetId(CommandContext& context);
void XGroupDestroy(CommandContext& context);
void XGroupCreateConsumer(CommandContext& context);
void XGroupDelConsumer(CommandContext& context);
void XAck(CommandContext& context);
void XNack(CommandContext& context);

// stream_pending_command.cc
void XPending(CommandContext& context);

// stream_claim_commands.cc
void XClaim(CommandContext& context);
void XAutoClaim(CommandContext& context);

// stream_info_commands.cc
void XInfoStream(CommandContext& context);
void XInfoGroups(CommandContext& context);
void XInfoConsumers(CommandContext& context);

// stream_producer_commands.cc
void XCfgSet(CommandContext& context);
void XIdmpRecord(CommandContext& context);

}  // namespace cairn::stream_commands
