// INFO: Stats, Replication, CPU, Modules, Commandstats, Errorstats, Latencystats, Cluster, Keyspace.
#include <sys/resource.h>

#include <cstdio>
#include <map>

#include "base/clock.h"
#include "engine/store_core.h"
#include "server/commands/info_writer.h"
#include "server/config/config.h"
#include "server/config/words.h"
#include "server/migrator.h"
#include "server/pubsub/hub.h"
#include "server/server.h"
#include "server/stats.h"

namespace cairn {
namespace {

// Command and error names come from rename-command and from clients: what would break INFO's lines is made harmless.
std::string SafeName(std::string_view name) {
  std::string safe(name);
  for (char& c : safe) {
    if (c == '#' || c == ':' || c == '\r' || c == '\n' || c == '\0') c = '_';
  }
  return safe;
}

}  // namespace

void WriteStatsSection(const InfoSource& source, InfoWriter& out) {
  const ServerStats& stats = source.server.stats();
  const PubSubHub& hub = source.server.pubsub();
  const StoreInfo& store = source.store;
  out.Section("Stats");
  out.Add("total_connections_received", stats.Total(Counter::kConnections));
  out.Add("total_commands_processed", stats.Total(Counter::kCommands));
  out.Add("instantaneous_ops_per_sec", static_cast<int64_t>(stats.PerSecond(ServerStats::Rate::kOperations)));
  out.Add("total_net_input_bytes", stats.Total(Counter::kNetInputBytes));
  out.Add("total_net_output_bytes", stats.Total(Counter::kNetOutputBytes));
  out.Add("total_net_repl_input_bytes", 0);
  out.Add("total_net_repl_output_bytes", 0);
  out.AddFixed("instantaneous_input_kbps", stats.PerSecond(ServerStats::Rate::kInputBytes) / 1024);
  out.AddFixed("instantaneous_output_kbps", stats.PerSecond(ServerStats::Rate::kOutputBytes) / 1024);
  out.AddFixed("instantaneous_input_repl_kbps", 0);
  out.AddFixed("instantaneous_output_repl_kbps", 0);
  out.Add("rejected_connections", stats.Total(Counter::kRejectedConnections));
  out.Add("sync_full", 0);
  out.Add("sync_partial_ok", 0);
  out.Add("sync_partial_err", 0);
  out.Add("expired_subkeys", store.expired_fields);
  out.Add("expired_keys", store.expired_keys);
  out.AddFixed("expired_stale_perc", 0);
  out.Add("expired_time_cap_reached_count", 0);
  out.Add("expire_cycle_cpu_milliseconds", 0);
  out.Add("evicted_keys", store.evicted_keys);
  out.Add("evicted_clients", stats.Total(Counter::kEvictedClients));
  out.Add("total_eviction_exceeded_time", store.total_eviction_exceeded_ms);
  out.Add("current_eviction_exceeded_time", 0);
  out.Add("keyspace_hits", store.keyspace_hits);
  out.Add("keyspace_misses", store.keyspace_misses);
  out.Add("pubsub_channels", hub.channel_count());
  out.Add("pubsub_patterns", hub.pattern_count());
  out.Add("pubsubshard_channels", hub.shard_channel_count());
  out.Add("latest_fork_usec", 0);
  out.Add("total_forks", 0);
  out.Add("migrate_cached_sockets", source.server.migrator().cached_connections());
  out.Add("slave_expires_tracked_keys", 0);
  for (const char* const name :
       {"active_defrag_hits", "active_defrag_misses", "active_defrag_key_hits", "active_defrag_key_misses",
        "total_active_defrag_time", "current_active_defrag_time", "tracking_total_keys", "tracking_total_items",
        "tracking_total_prefixes", "unexpected_error_replies"}) {
    out.Add(name, 0);
  }
  out.Add("total_error_replies", stats.Total(Counter::kErrorReplies));
  out.Add("dump_payload_sanitizations", 0);
  out.Add("total_reads_processed", stats.Total(Counter::kReadsProcessed));
  out.Add("total_writes_processed", stats.Total(Counter::kWritesProcessed));
  out.Add("io_threaded_reads_processed", 0);
  out.Add("io_threaded_writes_processed", 0);
  out.Add("reply_buffer_shrinks", 0);
  out.Add("reply_buffer_expands", 0);
  out.Add("client_query_buffer_limit_disconnections", stats.Total(Counter::kQueryBufferLimitDisconnections));
  out.Add("client_output_buffer_limit_disconnections", stats.Total(Counter::kOutputBufferLimitDisconnections));
}

void WriteReplicationSection(const InfoSource& source, InfoWriter& out) {
  const StoreInfo& store = source.store;
  const Lsn offset = store.log.end_lsn > store.timeline_base ? store.log.end_lsn - store.timeline_base : 0;
  out.Section("Replication");
  out.Add("role", "master");
  out.Add("connected_slaves", 0);
  out.Add("master_failover_state", "no-failover");
  out.Add("master_replid", store.timeline_id.empty() ? source.server.run_id() : store.timeline_id);
  out.Add("master_replid2", "0000000000000000000000000000000000000000");
  out.Add("master_repl_offset", offset);
  out.Add("second_repl_offset", -1);
  out.Add("repl_backlog_active", 0);
  out.Add("repl_backlog_size", source.server.config().Number("repl-backlog-size"));
  out.Add("repl_backlog_first_byte_offset", 0);
  out.Add("repl_backlog_histlen", 0);
}

void WriteCpuSection(const InfoSource&, InfoWriter& out) {
  const auto add = [&out](std::string_view name, const timeval& time) {
    char text[64];
    std::snprintf(text, sizeof(text), "%lld.%06lld", static_cast<long long>(time.tv_sec), static_cast<long long>(time.tv_usec));
    out.Add(name, text);
  };
  rusage own{}, children{}, thread{};
  ::getrusage(RUSAGE_SELF, &own);
  ::getrusage(RUSAGE_CHILDREN, &children);
  ::getrusage(RUSAGE_THREAD, &thread);
  out.Section("CPU");
  add("used_cpu_sys", own.ru_stime);
  add("used_cpu_user", own.ru_utime);
  add("used_cpu_sys_children", children.ru_stime);
  add("used_cpu_user_children", children.ru_utime);
  add("used_cpu_sys_main_thread", thread.ru_stime);
  add("used_cpu_user_main_thread", thread.ru_utime);
}

void WriteModulesSection(const InfoSource&, InfoWriter& out) { out.Section("Modules"); }

void WriteCommandStatsSection(const InfoSource& source, InfoWriter& out) {
  out.Section("Commandstats");
  for (const auto& [name, totals] : source.server.stats().CommandsByName()) {
    if (totals.calls + totals.rejected + totals.failed == 0) continue;
    char text[256];
    const double per_call = totals.calls == 0 ? 0 : static_cast<double>(totals.usec) / static_cast<double>(totals.calls);
    std::snprintf(text, sizeof(text), "calls=%llu,usec=%llu,usec_per_call=%.2f,rejected_calls=%llu,failed_calls=%llu",
                  static_cast<unsigned long long>(totals.calls), static_cast<unsigned long long>(totals.usec), per_call,
                  static_cast<unsigned long long>(totals.rejected), static_cast<unsigned long long>(totals.failed));
    out.Add("cmdstat_" + SafeName(name), text);
  }
}

void WriteErrorStatsSection(const InfoSource& source, InfoWriter& out) {
  out.Section("Errorstats");
  for (const auto& [code, count] : source.server.stats().Errors()) {
    out.Add("errorstat_" + SafeName(code), "count=" + std::to_string(count));
  }
}

void WriteLatencyStatsSection(const InfoSource& source, InfoWriter& out) {
  out.Section("Latencystats");
  if (!source.server.config().Bool("latency-tracking")) return;
  const std::vector<std::string> percentiles = SplitAtSpaces(source.server.config().Text("latency-tracking-info-percentiles"));
  for (const auto& [name, totals] : source.server.stats().CommandsByName()) {
    if (totals.latency.total() == 0) continue;
    std::string text;
    for (const std::string& percentile : percentiles) {
      double value = 0;
      if (!ParseDouble(percentile, &value)) continue;  // the empty list
      char number[64];
      std::snprintf(number, sizeof(number), "%s%s=%.3f", text.empty() ? "p" : ",p", percentile.c_str(),
                    static_cast<double>(totals.latency.PercentileNs(value)) / 1000);
      text += number;
    }
    out.Add("latency_percentiles_usec_" + SafeName(name), text);
  }
}

void WriteClusterSection(const InfoSource&, InfoWriter& out) {
  out.Section("Cluster");
  out.Add("cluster_enabled", 0);
}

void WriteKeyspaceSection(const InfoSource& source, InfoWriter& out) {
  out.Section("Keyspace");
  if (source.loading) return;
  const Keyspace& keyspace = source.server.store().keyspace();
  for (uint32_t i = 0; i < keyspace.databases(); i++) {
    const uint64_t keys = keyspace.Size(i);
    if (keys == 0) continue;
    // Inside EXEC the shards' locks may be this thread's own already: no look at them then.
    const int64_t ttl_ms = ThisThreadHoldsShards() ? 0 : keyspace.AverageTtlMs(i, RealClock().WallMs());
    std::string text = "keys=" + std::to_string(keys) + ",expires=" + std::to_string(keyspace.ExpiringKeys(i)) +
                       ",avg_ttl=" + std::to_string(ttl_ms < 0 ? 0 : ttl_ms);
    // Of a later Redis than INFO says this is: who reads it may drop a line with more than that one prints.
    const uint64_t with_expiring_fields = keyspace.KeysWithExpiringFields(i);
    if (with_expiring_fields > 0) text += ",subexpiry=" + std::to_string(with_expiring_fields);
    out.Add("db" + std::to_string(i), text);
  }
}

}  // namespace cairn
