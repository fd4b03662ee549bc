// What CONFIG SET changes while the server runs.
#include <cstdio>
#include <cstring>
#include <string>

#include "base/allocator.h"
#include "base/logger.h"
#include "base/numbers.h"
#include "engine/store_core.h"
#include "server/admin_worker.h"
#include "server/commands/registry.h"
#include "server/config/config.h"
#include "server/config/notify_flags.h"
#include "server/config/words.h"
#include "server/pubsub/hub.h"
#include "server/server.h"

namespace cairn {
namespace {

Status ApplyStoreOptions(Server& server) {
  if (server.loading()) return {};
  return server.store().UpdateOptions([&server](RuntimeOptions& options) {
    const RuntimeOptions before = options;
    options = server.config().MakeRuntimeOptions();
    options.active_expire = before.active_expire;                           // DEBUG SET-ACTIVE-EXPIRE, no directive
    if (ThisThreadHoldsShards()) options.append_only = before.append_only;  // see ApplyAppendOnly
  });
}

Status ApplyMemoryLimit(Server& server) {
  ApplyHugePages(server);
  return ApplyStoreOptions(server);
}

// Switching the log on or off waits for the log's thread and starts a snapshot: inside EXEC, with locks held, that is done afterwards.
Status ApplyAppendOnly(Server& server) {
  if (!ThisThreadHoldsShards()) {
    const Status status = ApplyStoreOptions(server);
    if (status.ok()) return {};
    LogF(LogLevel::kWarning, "appendonly: %s", std::string(status.message()).c_str());
    const bool on = server.config().Bool("appendonly");
    return Status(status.code(), std::string("Unable to turn ") + (on ? "on" : "off") + " AOF. " + std::string(status.message()));
  }
  server.admin_worker().Run([&server] {
    const Status status = server.config().InTurn([&server] { return ApplyStoreOptions(server); });
    if (!status.ok()) LogF(LogLevel::kWarning, "appendonly: %s", std::string(status.message()).c_str());
  });
  return {};
}

void ApplyNotify(Server& server) {
  const auto flags = ParseNotifyFlags(server.config().Text("notify-keyspace-events"));
  server.pubsub().SetNotifyFlags(flags.value_or(0));
}

// oom-score-adj: what the kernel adds to this process's badness. The first value of oom-score-adj-values is for a primary.
Status ApplyOomScore(Server& server) {
  constexpr const char* kPath = "/proc/self/oom_score_adj";
  const int64_t mode = server.config().Number("oom-score-adj");
  static std::atomic<int> original{INT32_MIN};  // the process has one, whoever runs servers in it
  if (mode == 0 && original.load() == INT32_MIN) return {};
  int current = 0;
  if (std::FILE* const file = std::fopen(kPath, "re")) {
    if (std::fscanf(file, "%d", &current) != 1) current = 0;
    std::fclose(file);
  } else {
    return mode == 0 ? Status() : Status::IoError("Failed to set current oom_score_adj. Check server logs.");
  }
  int unset = INT32_MIN;
  original.compare_exchange_strong(unset, current);
  int64_t wanted = original.load();
  int64_t value = 0;
  ParseInt64(SplitAtSpaces(server.config().Text("oom-score-adj-values"))[0], &value);
  if (mode == 1) wanted += value;
  if (mode == 2) wanted = value;
  wanted = wanted < -1000 ? -1000 : wanted > 1000 ? 1000 : wanted;
  std::FILE* const file = std::fopen(kPath, "we");
  const bool written = file != nullptr && std::fprintf(file, "%lld", static_cast<long long>(wanted)) > 0;
  const bool closed = file == nullptr || std::fclose(file) == 0;
  if (written && closed) {
    if (mode == 0) original.store(INT32_MIN);  // from now on it is the administrator's again
    return {};
  }
  LogF(LogLevel::kWarning, "Unable to write %s: %s", kPath, std::strerror(errno));
  return Status::IoError("Failed to set current oom_score_adj. Check server logs.");
}

void ApplyLogLevel(Server& server) { SetLogLevel(static_cast<LogLevel>(server.config().Number("loglevel"))); }

}  // namespace

// They make many keys cheaper to reach, but round memory up by tens of megabytes: too much for a small limit. While loading they are
// welcome whatever disable-thp says: memory is filled at once, and a fault for each small page is a third of the time.
void ApplyHugePages(Server& server) {
  constexpr int64_t kFromBytes = int64_t{1} << 30;
  const Config& config = server.config();
  const int64_t limit_bytes = config.Number("maxmemory");
  AllowHugePages((server.loading() || !config.Bool("disable-thp")) && (limit_bytes == 0 || limit_bytes >= kFromBytes));
}

void ConnectSettings(Server& server) {
  Config& config = server.config();
  config.OnChange({"appendonly"}, [&server] { return ApplyAppendOnly(server); });
  config.OnChange({"maxmemory"}, [&server] { return ApplyMemoryLimit(server); });
  config.OnChange({"appendfsync", "maxmemory-policy", "maxmemory-samples", "lfu-log-factor", "lfu-decay-time", "save",
                   "stop-writes-on-bgsave-error", "log-retention-hours", "log-retention-bytes", "auto-aof-rewrite-percentage",
                   "auto-aof-rewrite-min-size"},
                  [&server] { return ApplyStoreOptions(server); });
  config.OnChange(Config::ValueLimitDirectives(), [&server] { return ApplyStoreOptions(server); });
  config.OnChange({"notify-keyspace-events"}, [&server] {
    ApplyNotify(server);
    return Status();
  });
  config.OnChange({"loglevel"}, [&server] {
    ApplyLogLevel(server);
    return Status();
  });
  config.OnChange({"oom-score-adj", "oom-score-adj-values"}, [&server] { return ApplyOomScore(server); });
  ApplyNotify(server);
}

Status FinishSwitchingLog(Server& server) {
  CAIRN_RETURN_IF_ERROR(server.config().InTurn([&server] { return ApplyStoreOptions(server); }));
  return server.store().FinishEnablingLog();
}

void ApplySettings(Server& server) {
  const Status status = ApplyStoreOptions(server);
  if (!status.ok()) LogF(LogLevel::kWarning, "Settings changed while loading: %s", std::string(status.message()).c_str());
  ApplyHugePages(server);
  ApplyNotify(server);
  if (server.config().Number("oom-score-adj") != 0) (void)ApplyOomScore(server);
}

}  // namespace cairn
