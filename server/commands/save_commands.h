// Handlers of the commands that make snapshots and wait for durability. None of them holds a network thread while it waits.
#pragma once

namespace cairn {

class CommandContext;

void Save(CommandContext& context);
void BgSave(CommandContext& context);
void BgRewriteAof(CommandContext& context);
void LastSave(CommandContext& context);
void Wait(CommandContext& context);
void WaitAof(CommandContext& context);

}  // namespace cairn
