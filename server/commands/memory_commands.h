// Handlers of MEMORY's subcommands.
#pragma once

namespace cairn {

class CommandContext;

void MemoryUsage(CommandContext& context);
void MemoryStats(CommandContext& context);
void MemoryDoctor(CommandContext& context);
void MemoryPurge(CommandContext& context);
void MemoryMallocStats(CommandContext& context);

}  // namespace cairn
