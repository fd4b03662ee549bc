#include "server/commands/registry.h"

#include "base/numbers.h"
#include "engine/store_core.h"
#include "server/admin_worker.h"
#include "server/commands/backup_commands.h"
#include "server/config/config.h"
#include "server/server.h"
#include "server/session.h"

namespace cairn {

void RegisterServerCommands(CommandTable& table) {
  RegisterConnectionCommands(table);
  RegisterClientCommands(table);
  RegisterPubSubCommands(table);
  RegisterConfigCommands(table);
  RegisterAdminCommands(table);
  RegisterDiagnosticCommands(table);
  RegisterDebugCommands(table);
  RegisterMigrateCommand(table);
  RegisterScriptingCommands(table);
  RegisterBackupCommands(table);
}

Status ApplyRenames(const Config& config, CommandTable& table) {
  for (const auto& [from, to] : config.renamed_commands()) {
    if (EqualsIgnoreCase(from, to) && table.FindByName(from) != nullptr) continue;
    const Status status = table.Rename(from, to);
    if (status.ok()) continue;
    const bool unknown = status.code() == StatusCode::kNotFound;
    return Status(status.code(), "rename-command " + from + " \"" + to + "\": " +
                                     (unknown ? "No such command in rename-command" : "Target command name already exists"));
  }
  return {};
}

bool StoreReady(CommandContext& context) {
  if (!SessionOf(context).server().loading()) return true;
  context.reply.Error(kLoadingError);
  return false;
}

bool IsLocalClient(const Session& session) {
  const std::string& address = session.info.address;
  return session.info.unix_socket || address.starts_with("127.") || address.starts_with("[::1]") || address.starts_with("::1");
}

void ReplyStatus(ReplySink& reply, const Status& status) { status.ok() ? reply.Ok() : reply.Error(status.message()); }

void AnswerLater(Session& session, std::function<Status()> work) {
  session.Block();
  Server& server = session.server();
  server.admin_worker().Run([&server, id = session.id(), work = std::move(work)] {
    server.PostToSession(
        id, [status = work()](Session& waiting) { waiting.Unblock([&](ReplySink& reply) { ReplyStatus(reply, status); }); });
  });
}

bool RefusedInTransaction(CommandContext& context) {
  if (!ThisThreadHoldsShards()) return false;
  context.reply.Error("ERR " + CommandTable::FullName(context.row) + " is not allowed inside a transaction");
  return true;
}

}  // namespace cairn
