#include "server/commands/backup_commands.h"

#include <string>

#include "base/logger.h"
#include "base/numbers.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/command_context.h"
#include "engine/store.h"
#include "server/admin_worker.h"
#include "server/commands/registry.h"
#include "server/server.h"
#include "server/session.h"

namespace cairn {
namespace {

void LogBackup(const BackupRequest& request, const Result<BackupReport>& report) {
  if (!report.ok()) {
    LogF(LogLevel::kWarning, "Backup to %s failed: %s", request.directory.c_str(),
         std::string(report.status().message()).c_str());
    return;
  }
  LogF(LogLevel::kNotice, "Backup to %s at LSN %llu: %llu files, %llu of them shared, %llu bytes copied",
       request.directory.c_str(), static_cast<unsigned long long>(report->lsn), static_cast<unsigned long long>(report->files),
       static_cast<unsigned long long>(report->linked_files), static_cast<unsigned long long>(report->copied_bytes));
}

// BACKUP TO directory [INCREMENTAL FROM directory]
void BackupCommand(CommandContext& context) {
  const ArgSpan args = context.args;
  const bool incremental = args.size() == 6;
  if ((args.size() != 3 && !incremental) || !EqualsIgnoreCase(args[1], "to")) return context.SyntaxError();
  if (incremental && (!EqualsIgnoreCase(args[3], "incremental") || !EqualsIgnoreCase(args[4], "from")))
    return context.SyntaxError();
  if (!StoreReady(context)) return;
  BackupRequest request{.directory = std::string(args[2]), .incremental_from = incremental ? std::string(args[5]) : ""};
  if (incremental && request.incremental_from.empty()) return context.SyntaxError();
  Session& session = SessionOf(context);
  Server& server = session.server();
  session.Block();
  server.backup_worker().Run([&server, id = session.id(), request = std::move(request)] {
    const Result<BackupReport> report = server.store().Backup(request);
    LogBackup(request, report);
    server.PostToSession(id, [status = report.status()](Session& waiting) {
      waiting.Unblock([&](ReplySink& reply) {
        if (status.ok()) return reply.Ok();
        reply.Error("ERR " + std::string(status.message()));
      });
    });
  });
}

constexpr CommandRow kRows[] = {
    {.name = "backup",
     .arity = -3,
     .flags = kAdmin | kNoScript | kNoAsyncLoading | kNoMulti,
     .handler = BackupCommand,
     .summary = "Copies the data to a directory of the server's machine, as it is now, and checks the copy.",
     .since = "7.0.15",
     .group = "server",
     .complexity = "O(N) for N bytes of data, which are read once; other clients go on",
     .syntax = "TO directory [INCREMENTAL FROM directory]"},
};

}  // namespace

void RegisterBackupCommands(CommandTable& table) { table.Register(kRows); }

}  // namespace cairn
