#include "engine/commands/command_context.h"

namespace cairn {

void RegisterEngineCommands(CommandTable& table) {
  RegisterStringCommands(table);
  RegisterBitmapCommands(table);
  RegisterHyperLogLogCommands(table);
  RegisterListCommands(table);
  RegisterHashCommands(table);
  RegisterSetCommands(table);
  RegisterSortedSetCommands(table);
  RegisterGeoCommands(table);
  RegisterStreamCommands(table);
  RegisterKeyCommands(table);
  RegisterSortCommands(table);
  RegisterTransactionCommands(table);
  RegisterCommandCommands(table);
}

}  // namespace cairn
