// The server's own commands: registration of their families, renames, and the settings that take effect when CONFIG SET changes them.
#pragma once

#include "base/status.h"
#include "engine/commands/command_context.h"
#include "engine/commands/command_table.h"

namespace cairn {

class Config;
class Server;

// Every family below, once, before the first command runs.
void RegisterServerCommands(CommandTable& table);

void RegisterConnectionCommands(CommandTable& table);   // PING, HELLO, AUTH, RESET...
void RegisterClientCommands(CommandTable& table);       // CLIENT
void RegisterPubSubCommands(CommandTable& table);       // PUBLISH, SUBSCRIBE, PUBSUB...
void RegisterConfigCommands(CommandTable& table);       // CONFIG
void RegisterAdminCommands(CommandTable& table);        // INFO, SAVE, SHUTDOWN, MONITOR, ROLE...
void RegisterDiagnosticCommands(CommandTable& table);   // SLOWLOG, LATENCY, MEMORY
void RegisterDebugCommands(CommandTable& table);        // DEBUG
void RegisterScriptingCommands(CommandTable& table);    // FUNCTION and SCRIPT: what clients ask without having any

// rename-command: after every registration. The Status is for the start's error message.
Status ApplyRenames(const Config& config, CommandTable& table);

// Connects directives to what they steer: call it once the store is open and before CONFIG SET can run. Directives of the network side
// (port, bind, maxclients) are connected by the server itself.
void ConnectSettings(Server& server);

// --- shared by the families -----------------------------------------------------------------------------------------------
// HELP's reply: the header line for the command's name, `lines`, and HELP's own two lines.
void ReplyHelp(CommandContext& context, std::span<const std::string_view> lines);
// "ERR unknown subcommand or wrong number of arguments for 'x'. Try NAME HELP."
void ReplySubcommandError(CommandContext& context);
// "ERR LOADING..." where the data set is still being loaded: for handlers that need the store.
bool StoreReady(CommandContext& context);

}  // namespace cairn
