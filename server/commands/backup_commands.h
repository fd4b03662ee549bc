// BACKUP: the command around Store::Backup.
#pragma once

namespace cairn {

class CommandTable;

void RegisterBackupCommands(CommandTable& table);

}  // namespace cairn
