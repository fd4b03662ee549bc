// The directives that steer what Cairn does.
#include <string>

#include "engine/store_options.h"
#include "server/config/config.h"
#include "server/config/directive_rows.h"
#include "server/process_title.h"

namespace cairn {
namespace {

using rows::Bool;
using rows::Enum;
using rows::kIntMax;
using rows::kLongMax;
using rows::Memory;
using rows::Number;
using rows::Text;

constexpr EnumName kLogLevels[] = {{"debug", 0}, {"verbose", 1}, {"notice", 2}, {"warning", 3}};

constexpr int64_t PolicyNumber(EvictionPolicy policy) { return static_cast<int64_t>(policy); }
constexpr EnumName kPolicies[] = {
    {"volatile-lru", PolicyNumber(EvictionPolicy::kVolatileLru)},
    {"volatile-lfu", PolicyNumber(EvictionPolicy::kVolatileLfu)},
    {"volatile-random", PolicyNumber(EvictionPolicy::kVolatileRandom)},
    {"volatile-ttl", PolicyNumber(EvictionPolicy::kVolatileTtl)},
    {"allkeys-lru", PolicyNumber(EvictionPolicy::kAllKeysLru)},
    {"allkeys-lfu", PolicyNumber(EvictionPolicy::kAllKeysLfu)},
    {"allkeys-random", PolicyNumber(EvictionPolicy::kAllKeysRandom)},
    {"noeviction", PolicyNumber(EvictionPolicy::kNoEviction)},
};
constexpr EnumName kFsync[] = {
    {"everysec", static_cast<int64_t>(FsyncPolicy::kEverySecond)},
    {"always", static_cast<int64_t>(FsyncPolicy::kAlways)},
    {"no", static_cast<int64_t>(FsyncPolicy::kNo)},
};
constexpr EnumName kShutdownFlags[] = {
    {"default", 0}, {"save", kShutdownSave}, {"nosave", kShutdownNoSave}, {"now", kShutdownNow}, {"force", kShutdownForce}};
constexpr EnumName kProtectedActions[] = {{"no", kProtectedNo}, {"yes", kProtectedYes}, {"local", kProtectedLocal}};
constexpr EnumName kOomScoreModes[] = {{"no", 0}, {"yes", 1}, {"relative", 1}, {"absolute", 2}};

Status OneOfSaveAndNoSave(int64_t flags) {
  if ((flags & kShutdownSave) && (flags & kShutdownNoSave)) {
    return Status::InvalidArgument("shutdown options SAVE and NOSAVE can't be used simultaneously");
  }
  return {};
}

Status TitleTemplate(std::string_view text) {
  if (IsTitleTemplate(text)) return {};
  return Status::InvalidArgument("template format is invalid or contains unknown variables");
}

Directive FlagSet(std::string_view name, std::span<const EnumName> names, NumberCheck check) {
  Directive row = Enum(name, names, 0, kMultiArg, check);
  row.kind = DirectiveKind::kFlagSet;
  return row;
}

Directive Octal(std::string_view name, int64_t value, int64_t max, uint32_t flags) {
  Directive row = Number(name, value, 0, max, flags);
  row.form = NumberForm::kOctal;
  return row;
}

Directive MemoryOrPercent(std::string_view name, int64_t value) {
  Directive row = Number(name, value, -100, kLongMax);
  row.form = NumberForm::kMemoryOrPercent;
  return row;
}

constexpr int64_t kMb = 1024 * 1024;

}  // namespace

void AppendServerDirectives(std::vector<Directive>* table) {
  const Directive rows[] = {
      // Network
      Number("port", 6379, 0, 65535),
      Number("threads", 0, 0, 128, kOnlyAtStart),  // 0: one for each core
      Number("tcp-backlog", 511, 0, kIntMax, kImmutable),
      Number("tcp-keepalive", 300, 0, kIntMax),
      Number("timeout", 0, 0, kIntMax),
      Number("input-coalescing-us", 100, 0, 1000),
      Number("maxclients", 10000, 1, 4294967295),
      Bool("protected-mode", true),
      Text("unixsocket", "", kImmutable | kNoneIfEmpty),
      Octal("unixsocketperm", 0, 0777, kImmutable),
      Memory("client-query-buffer-limit", 1024 * kMb, kMb),
      MemoryOrPercent("maxmemory-clients", 0),
      Text("requirepass", "", kSensitive | kNoneIfEmpty),

      // Process
      Bool("daemonize", false, kImmutable),
      Text("pidfile", "", kImmutable | kNoneIfEmpty),
      Bool("set-proc-title", true, kImmutable),
      Text("proc-title-template", "{title} {listen-addr} {server-mode}", 0, TitleTemplate),
      Enum("loglevel", kLogLevels, 2),
      Text("logfile", "", kImmutable),
      Bool("disable-thp", true, kImmutable),
      Number("databases", 16, 1, kIntMax, kImmutable),
      Enum("oom-score-adj", kOomScoreModes, 0),
      Number("shutdown-timeout", 10, 0, kIntMax),
      FlagSet("shutdown-on-sigint", kShutdownFlags, OneOfSaveAndNoSave),
      FlagSet("shutdown-on-sigterm", kShutdownFlags, OneOfSaveAndNoSave),
      Enum("enable-protected-configs", kProtectedActions, kProtectedNo, kImmutable),
      Enum("enable-debug-command", kProtectedActions, kProtectedNo, kImmutable),
      Enum("enable-module-command", kProtectedActions, kProtectedNo, kImmutable),

      // Durability
      Bool("appendonly", true, kDenyLoading),
      Enum("appendfsync", kFsync, static_cast<int64_t>(FsyncPolicy::kAlways)),
      Number("auto-aof-rewrite-percentage", 100, 0, kIntMax),
      Memory("auto-aof-rewrite-min-size", 64 * kMb, 0),
      Number("log-retention-hours", 0, 0, 24 * 366 * 100),
      Memory("log-retention-bytes", 0, 0),
      Number("scrub-hours", 168, 0, 24 * 366),
      Bool("stop-writes-on-bgsave-error", true),

      // Memory
      Memory("maxmemory", 0, 0),
      Enum("maxmemory-policy", kPolicies, PolicyNumber(EvictionPolicy::kNoEviction)),
      Number("maxmemory-samples", 5, 1, kIntMax),
      Number("lfu-log-factor", 10, 0, kIntMax),
      Number("lfu-decay-time", 1, 0, kIntMax),

      // Watching
      Number("slowlog-log-slower-than", 10000, -1, kLongMax),
      Number("slowlog-max-len", 128, 0, kLongMax),
      Number("latency-monitor-threshold", 0, 0, kLongMax),
      Bool("latency-tracking", true),
  };
  table->insert(table->end(), std::begin(rows), std::end(rows));
}

}  // namespace cairn
