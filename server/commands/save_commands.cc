#include "server/commands/save_commands.h"

#include <limits>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/logger.h"
#include "engine/commands/arg_reader.h"
#include "engine/store_core.h"
#include "server/admin_worker.h"
#include "server/commands/registry.h"
#include "server/config/config.h"
#include "server/server.h"
#include "server/session.h"
#include "server/stats.h"
#include "wal/log_writer.h"

namespace cairn {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr std::string_view kInProgress = "ERR Background save already in progress";

void LogOutcome(const Status& status, const char* what) {
  if (status.ok()) {
    LogF(LogLevel::kNotice, "%s terminated with success", what);
  } else {
    LogF(LogLevel::kWarning, "%s failed: %s", what, std::string(status.message()).c_str());
  }
}

Status StartBackgroundSave(Server& server) {
  return server.store().StartSnapshot(false, [](const Status& status) { LogOutcome(status, "Background saving"); });
}

Status StartRewrite(Server& server) {
  ServerStats& stats = server.stats();
  stats.rewrite_in_progress.store(true, std::memory_order_relaxed);
  Status status = server.store().StartSnapshot(true, [&stats](const Status& done) {
    stats.rewrite_in_progress.store(false, std::memory_order_relaxed);
    stats.last_rewrite_ok.store(done.ok(), std::memory_order_relaxed);
    LogOutcome(done, "Background append only file rewriting");
  });
  if (status.ok()) {
    stats.rewrites.fetch_add(1, std::memory_order_relaxed);
  } else {
    stats.rewrite_in_progress.store(false, std::memory_order_relaxed);
  }
  return status;
}

// Starts `start` as soon as no snapshot is under way and, for callers inside EXEC, no lock is held.
void Schedule(Server& server, Status (*start)(Server&), std::atomic<bool>* scheduled) {
  if (scheduled != nullptr) scheduled->store(true, std::memory_order_relaxed);
  const auto begun = [&server, start] {
    if (server.store().Info().snapshot_in_progress) return false;
    const Status status = start(server);
    if (status.code() == StatusCode::kUnavailable && server.store().Info().snapshot_in_progress)
      return false;  // another was faster
    if (!status.ok()) LogF(LogLevel::kWarning, "Scheduled snapshot: %s", std::string(status.message()).c_str());
    return true;
  };
  server.waits().Await(kNever, begun, [scheduled](bool) {
    if (scheduled != nullptr) scheduled->store(false, std::memory_order_relaxed);
  });
}

}  // namespace

void Save(CommandContext& context) {
  if (!StoreReady(context)) return;
  Session& session = SessionOf(context);
  Server& server = session.server();
  const uint64_t id = session.id();
  session.Block();
  const auto answer = [&server, id](const Status& done) {
    server.PostToSession(id, [done](Session& waiting) {
      waiting.Unblock([&](ReplySink& reply) {
        if (done.ok()) return reply.Ok();
        reply.Error("ERR " + std::string(done.message()));
      });
    });
  };
  const Status status = server.store().StartSnapshot(false, answer, SnapshotPace::kFast);
  if (status.ok()) return;
  server.PostToSession(id, [status](Session& waiting) {
    waiting.Unblock([&](ReplySink& reply) {
      if (status.code() == StatusCode::kUnavailable) return reply.Error(kInProgress);
      reply.Error("ERR " + std::string(status.message()));
    });
  });
}

namespace {

// None of Cairn's own files ends so, and nothing hidden is written. A zero byte would end the name before its end.
bool IsExportName(std::string_view name) {
  return name.ends_with(".rdb") && !name.starts_with('.') &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

// BGSAVE RDB [filename]: Redis's file, for Redis.
void ExportRdb(CommandContext& context) {
  Server& server = SessionOf(context).server();
  const std::string name(context.args.size() > 2 ? context.args[2] : server.config().Text("dbfilename"));
  if (!IsExportName(name)) {
    return context.reply.Error(
        "ERR the file name must be a plain filename that ends in .rdb: the file is made in the data directory");
  }
  if (RefusedInTransaction(context)) return;
  const Status status = server.store().StartRdbExport(JoinPath(server.config().directory(), name));
  if (status.ok()) return context.reply.Simple("Background saving started");
  if (status.code() == StatusCode::kUnavailable) return context.reply.Error(kInProgress);
  context.reply.Error("ERR " + std::string(status.message()));
}

}  // namespace

void BgSave(CommandContext& context) {
  if (!StoreReady(context)) return;
  if (context.args.size() <= 3 && context.args.size() > 1 && EqualsIgnoreCase(context.args[1], "rdb")) return ExportRdb(context);
  const bool schedule = context.args.size() == 2 && EqualsIgnoreCase(context.args[1], "schedule");
  if (context.args.size() > 1 && !schedule) return context.SyntaxError();
  Server& server = SessionOf(context).server();
  const bool rewriting = server.stats().rewrite_in_progress.load(std::memory_order_relaxed);
  if (ThisThreadHoldsShards() || (rewriting && schedule)) {
    Schedule(server, StartBackgroundSave, nullptr);
    return context.reply.Simple("Background saving scheduled");
  }
  if (rewriting) {
    return context.reply.Error(
        "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE "
        "whenever "
        "possible.");
  }
  const Status status = StartBackgroundSave(server);
  if (status.ok()) return context.reply.Simple("Background saving started");
  if (status.code() == StatusCode::kUnavailable) return context.reply.Error(kInProgress);
  context.reply.Error("ERR " + std::string(status.message()));
}

void BgRewriteAof(CommandContext& context) {
  if (!StoreReady(context)) return;
  Server& server = SessionOf(context).server();
  ServerStats& stats = server.stats();
  if (stats.rewrite_in_progress.load(std::memory_order_relaxed)) {
    return context.reply.Error("ERR Background append only file rewriting already in progress");
  }
  if (!ThisThreadHoldsShards()) {
    const Status status = StartRewrite(server);
    if (status.ok()) return context.reply.Simple("Background append only file rewriting started");
    if (status.code() != StatusCode::kUnavailable) {
      LogF(LogLevel::kWarning, "BGREWRITEAOF: %s", std::string(status.message()).c_str());
      return context.reply.Error(
          "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.");
    }
  }
  if (!stats.rewrite_scheduled.load(std::memory_order_relaxed)) Schedule(server, StartRewrite, &stats.rewrite_scheduled);
  context.reply.Simple("Background append only file rewriting scheduled");
}

void LastSave(CommandContext& context) {
  Server& server = SessionOf(context).server();
  const int64_t made_s = server.loading() ? 0 : server.store().Info().last_snapshot_unix_s;
  context.reply.Integer(made_s != 0 ? made_s : server.started_unix_ms() / 1000);
}

// --- WAIT, WAITAOF -------------------------------------------------------------------------------------------------------------

namespace {

// Ends a wait that was begun with Block(); from any thread.
void FinishWait(Server& server, uint64_t session_id, std::function<void(ReplySink&)> write) {
  server.PostToSession(session_id, [write = std::move(write)](Session& waiting) {
    waiting.on_client_unblock = nullptr;
    waiting.Unblock(write);
  });
}

// Blocks the session until `met`, a timeout (0: none) or CLIENT UNBLOCK; `answer(reply, met)` then writes the reply.
void BlockUntil(Session& session, int64_t timeout_ms, std::function<bool()> met, std::function<void(ReplySink&, bool)> answer) {
  Server& server = session.server();
  const uint64_t id = session.id();
  const int64_t now_ms = RealClock().MonotonicMs();
  const int64_t deadline_ms = timeout_ms == 0 || timeout_ms > kNever - now_ms ? kNever : now_ms + timeout_ms;
  session.Block();
  // Held by the session's callback alone: once it is gone the session is, and the condition with it.
  auto alive = std::make_shared<bool>(true);
  const uint64_t handle = server.waits().Await(
      deadline_ms, [watched = std::weak_ptr<bool>(alive), met = std::move(met)] { return watched.expired() || met(); },
      [&server, id, answer](bool is_met) {
        FinishWait(server, id, [answer, is_met](ReplySink& reply) { answer(reply, is_met); });
      });
  session.on_client_unblock = [&server, handle, answer, alive](Session& waiting, bool with_error) {
    if (!server.waits().Cancel(handle)) return;  // its answer is on the way
    waiting.Unblock([&](ReplySink& reply) {
      if (with_error) return reply.Error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
      answer(reply, false);
    });
  };
}

}  // namespace

// There are no replicas: the wait can only end by its timeout, unless nothing was asked for.
void Wait(CommandContext& context) {
  int64_t replicas = 0, timeout_ms = 0;
  if (!ReadInt(context, 1, &replicas) || !ReadTimeoutMs(context, 2, &timeout_ms)) return;
  if (replicas <= 0 || ThisThreadHoldsShards()) return context.reply.Integer(0);
  BlockUntil(
      SessionOf(context), timeout_ms, [] { return false; }, [](ReplySink& reply, bool) { reply.Integer(0); });
}

void WaitAof(CommandContext& context) {
  int64_t local = 0, replicas = 0, timeout_ms = 0;
  if (!ReadIntBetween(context, 1, 0, 1, &local)) return;
  if (!ReadIntBetween(context, 2, 0, std::numeric_limits<int64_t>::max(), &replicas)) return;
  if (!ReadTimeoutMs(context, 3, &timeout_ms) || !StoreReady(context)) return;
  Session& session = SessionOf(context);
  Store& store = session.server().store();
  // While the log is being switched on it may be off for a moment.
  const bool wanted = store.log().enabled() || session.server().config().Bool("appendonly") || store.Info().log_awaits_snapshot;
  if (local > 0 && !wanted) {
    return context.reply.Error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  }
  // Everything logged so far holds the connection's writes. Really synced, whatever the policy, and in a log that a start would read.
  const Lsn target = store.end_lsn();
  const auto synced = [&store, target] {
    return store.log().enabled() && store.log().stats().synced_lsn >= target && !store.Info().log_awaits_snapshot;
  };
  const auto answer = [synced](ReplySink& reply, bool) {
    reply.Array(2);
    reply.Integer(synced() ? 1 : 0);
    reply.Integer(0);
  };
  if (ThisThreadHoldsShards() || ((local == 0 || synced()) && replicas == 0)) return answer(context.reply, true);
  if (local > 0) (void)store.log().RequestSync();  // where the disk fails the wait ends by its timeout, and says 0
  BlockUntil(
      session, timeout_ms, [local, replicas, synced] { return replicas == 0 && (local == 0 || synced()); }, answer);
}

}  // namespace cairn
