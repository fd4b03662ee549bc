// The HELP subcommand of every command with subcommands, made from the rows' syntax and summaries.
#pragma once

#include "engine/commands/command_context.h"

namespace cairn {

// The handler of a row named "help" under a container: an array of simple strings in the shape of Redis's help.
void ReplyHelp(CommandContext& context);

}  // namespace cairn
