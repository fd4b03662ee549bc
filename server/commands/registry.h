// The server's own commands: registration of their families, renames, and the settings that take effect when CONFIG SET changes them.
#pragma once

#include <functional>
#include <string_view>

#include "base/status.h"
#include "engine/commands/command_context.h"
#include "engine/commands/command_table.h"

namespace cairn {

class Config;
class Server;
class Session;

// Every family below, once, before the first command runs.
void RegisterServerCommands(CommandTable& table);

void RegisterConnectionCommands(CommandTable& table);  // PING, HELLO, AUTH, RESET...
void RegisterClientCommands(CommandTable& table);      // CLIENT
void RegisterPubSubCommands(CommandTable& table);      // PUBLISH, SUBSCRIBE, PUBSUB...
void RegisterConfigCommands(CommandTable& table);      // CONFIG
void RegisterAdminCommands(CommandTable& table);       // INFO, SAVE, SHUTDOWN, MONITOR, ROLE...
void RegisterDiagnosticCommands(CommandTable& table);  // SLOWLOG, LATENCY, MEMORY
void RegisterDebugCommands(CommandTable& table);       // DEBUG
void RegisterMigrateCommand(CommandTable& table);      // MIGRATE
void RegisterScriptingCommands(CommandTable& table);   // FUNCTION and SCRIPT: what clients ask without having any

// rename-command: after every registration. The Status is for the start's error message.
Status ApplyRenames(const Config& config, CommandTable& table);

// Connects directives to what they steer (the store's options, notifications, the log level...). Once, when the server's parts exist and
// before it listens; while loading a changed value is only kept. The network side's own (port, bind, maxclients) it connects itself.
void ConnectSettings(Server& server);
// Puts the current values into force: once the store is open, after loading() became false.
void ApplySettings(Server& server);
// Whether the system may use huge pages from now on, by maxmemory, disable-thp and whether the store is being loaded.
void ApplyHugePages(Server& server);
// What the settings say about the log, done to its end: a start would read the log, or there is to be none. Waits for the disk.
Status FinishSwitchingLog(Server& server);

// --- shared by the families -----------------------------------------------------------------------------------------------
// False, with "LOADING..." answered, while the data set is being loaded: for handlers that need the store.
bool StoreReady(CommandContext& context);
// Connected over the loopback address or a Unix socket.
bool IsLocalClient(const Session& session);
// True, with an error answered, where the handler runs inside EXEC and therefore must not wait for anything.
bool RefusedInTransaction(CommandContext& context);
// Blocks the session while the administrative worker does what waits for the disk or for others; then OK or the error is answered.
void AnswerLater(Session& session, std::function<Status()> work);
void ReplyStatus(ReplySink& reply, const Status& status);

}  // namespace cairn
