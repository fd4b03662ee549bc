// Directives of Redis 7.0 that Cairn takes so that existing files and tools work: their values are kept, shown and rewritten. Most steer
// nothing here because Cairn has no such mechanism or needs no such hint; names of Redis's files and min-replicas-to-write mean what they
// mean there, and io-threads is the number of network threads where `threads` is not given. Values that ask for behaviour Cairn lacks are
// refused.
#include <string>

#include "server/config/config.h"
#include "server/config/directive_rows.h"

namespace cairn {
namespace {

using rows::Bool;
using rows::Enum;
using rows::kIntMax;
using rows::kIntMin;
using rows::kLongMax;
using rows::Memory;
using rows::Number;
using rows::Text;

constexpr EnumName kSupervised[] = {{"upstart", 1}, {"systemd", 2}, {"auto", 3}, {"no", 0}};
constexpr EnumName kSyslogFacilities[] = {{"user", 1},    {"local0", 16}, {"local1", 17}, {"local2", 18}, {"local3", 19},
                                          {"local4", 20}, {"local5", 21}, {"local6", 22}, {"local7", 23}};
constexpr EnumName kDisklessLoad[] = {{"disabled", 0}, {"on-empty-db", 1}, {"swapdb", 2}};
constexpr EnumName kPubSubDefaults[] = {{"allchannels", 1}, {"resetchannels", 0}};
constexpr EnumName kSanitize[] = {{"no", 0}, {"yes", 1}, {"clients", 2}};
constexpr EnumName kEndpointTypes[] = {{"ip", 0}, {"hostname", 1}, {"unknown-endpoint", 2}};
constexpr EnumName kPropagationErrors[] = {{"ignore", 0}, {"panic", 1}, {"panic-on-replicas", 2}};

Status Unsupported(std::string_view what) {
  return Status::InvalidArgument(std::string(what) + " is not supported by this version of Cairn");
}

Status NoCluster(int64_t value) { return value ? Unsupported("cluster mode") : Status(); }
Status NoSyslog(int64_t value) { return value ? Unsupported("logging to syslog") : Status(); }
Status NoTls(int64_t value) { return value ? Unsupported("TLS") : Status(); }
Status NoSupervisor(int64_t value) {
  return value == 1 || value == 2 ? Unsupported("telling a supervisor that the server is ready") : Status();
}
Status NoAclFile(std::string_view text) { return text.empty() ? Status() : Unsupported("an ACL file"); }
Status NoTlsFile(std::string_view text) { return text.empty() ? Status() : Unsupported("TLS"); }

Status NoDefrag(int64_t value) {
  if (!value) return {};
  return Status::InvalidArgument("Active defragmentation cannot be enabled: Cairn's memory allocator offers no way to do it");
}

Status FileNameOnly(std::string_view name, std::string_view text, bool may_be_empty, std::string_view what) {
  if (text.empty() && !may_be_empty) return Status::InvalidArgument(std::string(name) + " can't be empty");
  if (text.find('/') != std::string_view::npos || text.find('\\') != std::string_view::npos) {
    return Status::InvalidArgument(std::string(name) + " can't be a path, just a " + std::string(what));
  }
  return {};
}
Status DbFilename(std::string_view text) { return FileNameOnly("dbfilename", text, true, "filename"); }
Status AppendFilename(std::string_view text) { return FileNameOnly("appendfilename", text, false, "filename"); }
Status AppendDirname(std::string_view text) { return FileNameOnly("appenddirname", text, false, "dirname"); }

constexpr int64_t kMb = 1024 * 1024;

void AppendEngineHints(std::vector<Directive>* table) {
  const Directive rows[] = {
      Bool("rdbchecksum", true, kImmutable),
      Bool("rdbcompression", true),
      Bool("rdb-del-sync-files", false),
      Bool("rdb-save-incremental-fsync", true),
      Bool("activerehashing", true),
      Bool("dynamic-hz", true),
      Number("hz", 10, 0, kIntMax),
      Bool("lazyfree-lazy-eviction", false),
      Bool("lazyfree-lazy-expire", false),
      Bool("lazyfree-lazy-server-del", false),
      Bool("lazyfree-lazy-user-del", false),
      Bool("lazyfree-lazy-user-flush", false),
      Bool("aof-rewrite-incremental-fsync", true),
      Bool("no-appendfsync-on-rewrite", false),
      Bool("aof-load-truncated", true),
      Bool("aof-use-rdb-preamble", true),
      Bool("aof-timestamp-enabled", false),
      Bool("aof-disable-auto-gc", false),
      Text("dbfilename", "dump.rdb", kProtectedConfig, DbFilename),
      Text("appendfilename", "appendonly.aof", kImmutable, AppendFilename),
      Text("appenddirname", "appendonlydir", kImmutable, AppendDirname),
      Bool("jemalloc-bg-thread", true),
      Bool("activedefrag", false, 0, {}, NoDefrag),
      Number("active-defrag-cycle-min", 1, 1, 99),
      Number("active-defrag-cycle-max", 25, 1, 99),
      Number("active-defrag-threshold-lower", 10, 0, 1000),
      Number("active-defrag-threshold-upper", 100, 0, 1000),
      Number("active-defrag-max-scan-fields", 1000, 1, kLongMax),
      Memory("active-defrag-ignore-bytes", 100 * kMb, 1),
      Number("active-expire-effort", 1, 1, 10),
      Number("maxmemory-eviction-tenacity", 10, 0, 100),
      Enum("sanitize-dump-payload", kSanitize, 0),
      Number("rdb-key-save-delay", 0, kIntMin, kIntMax, kHidden),
      Number("key-load-delay", 0, kIntMin, kIntMax, kHidden),
      Number("loading-process-events-interval-bytes", 2 * kMb, 1024, kIntMax, kHidden),
  };
  table->insert(table->end(), std::begin(rows), std::end(rows));
}

void AppendProcessHints(std::vector<Directive>* table) {
  const Directive rows[] = {
      Bool("always-show-logo", false, kImmutable),
      Bool("crash-log-enabled", true),
      Bool("crash-memcheck-enabled", true),
      Bool("use-exit-on-panic", false, kHidden),
      Bool("io-threads-do-reads", false, kImmutable),
      Number("io-threads", 1, 1, 128, kImmutable),
      Enum("supervised", kSupervised, 0, kImmutable, NoSupervisor),
      Bool("syslog-enabled", false, kImmutable, {}, NoSyslog),
      Text("syslog-ident", "redis", kImmutable),
      Enum("syslog-facility", kSyslogFacilities, 16, kImmutable),
      Text("server_cpulist", "", kImmutable | kNoneIfEmpty),
      Text("bio_cpulist", "", kImmutable | kNoneIfEmpty),
      Text("aof_rewrite_cpulist", "", kImmutable | kNoneIfEmpty),
      Text("bgsave_cpulist", "", kImmutable | kNoneIfEmpty),
      Text("ignore-warnings", ""),
      Text("bind-source-addr", "", kNoneIfEmpty),
      Number("socket-mark-id", 0, 0, 4294967295, kImmutable),
      Number("watchdog-period", 0, 0, kIntMax, kHidden),
      Number("busy-reply-threshold", 5000, 0, kLongMax, 0, "lua-time-limit"),
      Number("tracking-table-max-keys", 1000000, 0, kLongMax),
      Text("aclfile", "", kImmutable, NoAclFile),
      Number("acllog-max-len", 128, 0, kLongMax),
      Enum("acl-pubsub-default", kPubSubDefaults, 0),
      Enum("propagation-error-behavior", kPropagationErrors, 0),
      Number("tls-port", 0, 0, 65535, 0, {}, NoTls),
      Text("tls-cert-file", "", kNoneIfEmpty, NoTlsFile),
      Text("tls-key-file", "", kNoneIfEmpty, NoTlsFile),
      Text("tls-ca-cert-file", "", kNoneIfEmpty, NoTlsFile),
      Bool("tls-replication", false, 0, {}, NoTls),
      Bool("tls-cluster", false, 0, {}, NoTls),
  };
  table->insert(table->end(), std::begin(rows), std::end(rows));
}

void AppendReplicationHints(std::vector<Directive>* table) {
  const Directive rows[] = {
      Bool("repl-disable-tcp-nodelay", false),
      Bool("repl-diskless-sync", true),
      Number("repl-diskless-sync-delay", 5, 0, kIntMax),
      Number("repl-diskless-sync-max-replicas", 0, 0, kIntMax),
      Enum("repl-diskless-load", kDisklessLoad, 0, kDenyLoading),
      Number("repl-timeout", 60, 1, kIntMax),
      Number("repl-ping-replica-period", 10, 1, kIntMax, 0, "repl-ping-slave-period"),
      Memory("repl-backlog-size", kMb, 1),
      Number("repl-backlog-ttl", 3600, 0, kLongMax),
      Bool("replica-serve-stale-data", true, 0, "slave-serve-stale-data"),
      Bool("replica-read-only", true, 0, "slave-read-only"),
      Bool("replica-lazy-flush", false, 0, "slave-lazy-flush"),
      Bool("replica-ignore-maxmemory", true, 0, "slave-ignore-maxmemory"),
      Bool("replica-ignore-disk-write-errors", false),
      Bool("replica-announced", true),
      Number("replica-priority", 100, 0, kIntMax, 0, "slave-priority"),
      Number("replica-announce-port", 0, 0, 65535, 0, "slave-announce-port"),
      Text("replica-announce-ip", "", kNoneIfEmpty, nullptr, "slave-announce-ip"),
      Text("masteruser", "", kSensitive | kNoneIfEmpty),
      Text("masterauth", "", kSensitive | kNoneIfEmpty),
      Number("min-replicas-to-write", 0, 0, kIntMax, 0, "min-slaves-to-write"),
      Number("min-replicas-max-lag", 10, 0, kIntMax, 0, "min-slaves-max-lag"),
      Bool("cluster-enabled", false, kImmutable, {}, NoCluster),
      Text("cluster-config-file", "nodes.conf", kImmutable),
      Number("cluster-port", 0, 0, 65535, kImmutable),
      Number("cluster-node-timeout", 15000, 0, kLongMax),
      Number("cluster-replica-validity-factor", 10, 0, kIntMax, 0, "cluster-slave-validity-factor"),
      Number("cluster-migration-barrier", 1, 0, kIntMax),
      Bool("cluster-allow-replica-migration", true),
      Bool("cluster-require-full-coverage", true),
      Bool("cluster-replica-no-failover", false, 0, "cluster-slave-no-failover"),
      Bool("cluster-allow-reads-when-down", false),
      Bool("cluster-allow-pubsubshard-when-down", true),
      Text("cluster-announce-ip", "", kNoneIfEmpty),
      Text("cluster-announce-hostname", "", kNoneIfEmpty),
      Number("cluster-announce-port", 0, 0, 65535),
      Number("cluster-announce-bus-port", 0, 0, 65535),
      Number("cluster-announce-tls-port", 0, 0, 65535),
      Enum("cluster-preferred-endpoint-type", kEndpointTypes, 0),
      Memory("cluster-link-sendbuf-limit", 0, 0),
  };
  table->insert(table->end(), std::begin(rows), std::end(rows));
}

}  // namespace

void AppendCompatibleDirectives(std::vector<Directive>* table) {
  AppendEngineHints(table);
  AppendProcessHints(table);
  AppendReplicationHints(table);
}

}  // namespace cairn
