// The handlers of the HyperLogLog family, for the rows in hyperloglog_command_rows.cc. What each does is said by its row's summary.
// The values are strings (values/hyperloglog.h), so every string command works on them too.
#pragma once

#include "engine/commands/command_context.h"

namespace cairn::hyperloglog_commands {

void PfAdd(CommandContext& context);
void PfCount(CommandContext& context);
void PfMerge(CommandContext& context);
void PfDebug(CommandContext& context);
void PfSelfTest(CommandContext& context);

}  // namespace cairn::hyperloglog_commands
