// INFO: Server, Clients, Memory, Persistence.
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "base/allocator.h"
#include "base/clock.h"
#include "engine/scrubber.h"
#include "server/commands/info_writer.h"
#include "server/config/config.h"
#include "server/server.h"
#include "server/stats.h"
#include "server/version.h"

namespace cairn {
namespace {

std::string SystemName() {
  utsname name{};
  if (::uname(&name) != 0) return "unknown";
  return std::string(name.sysname) + ' ' + name.release + ' ' + name.machine;
}

std::string Executable() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof(path));
  return size > 0 ? std::string(path, static_cast<size_t>(size)) : std::string();
}

uint64_t SystemMemoryBytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page_bytes = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page_bytes > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes) : 0;
}

double Ratio(uint64_t part, uint64_t whole) { return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole); }
int64_t Difference(uint64_t a, uint64_t b) { return static_cast<int64_t>(a) - static_cast<int64_t>(b); }

}  // namespace

void WriteServerSection(const InfoSource& source, InfoWriter& out) {
  const Config& config = source.server.config();
  const int64_t now_us = RealClock().WallUs();
  const int64_t uptime_s = std::max<int64_t>(0, now_us / 1'000'000 - source.server.started_unix_ms() / 1000);
  out.Section("Server");
  out.Add("redis_version", kRedisVersion);
  out.Add("cairn_version", kCairnVersion);
  out.Add("redis_git_sha1", "00000000");
  out.Add("redis_git_dirty", 0);
  out.Add("redis_build_id", "cairn");
  out.Add("redis_mode", "standalone");
  out.Add("os", SystemName());
  out.Add("arch_bits", 64);
  out.Add("monotonic_clock", "POSIX clock_gettime");
  out.Add("multiplexing_api", "epoll");
  out.Add("atomicvar_api", "c11-builtin");
  out.Add("gcc_version",
          std::to_string(__GNUC__) + '.' + std::to_string(__GNUC_MINOR__) + '.' + std::to_string(__GNUC_PATCHLEVEL__));
  out.Add("process_id", ::getpid());
  out.Add("process_supervised", "no");
  out.Add("run_id", source.server.run_id());
  out.Add("tcp_port", config.Number("port"));
  out.Add("server_time_usec", now_us);
  out.Add("uptime_in_seconds", uptime_s);
  out.Add("uptime_in_days", uptime_s / 86400);
  out.Add("hz", config.Number("hz"));
  out.Add("configured_hz", config.Number("hz"));
  out.Add("lru_clock", (now_us / 1'000'000) & 0xFFFFFF);
  out.Add("executable", Executable());
  out.Add("config_file", config.config_file());
  out.Add("io_threads_active", 0);
  out.Add("threads", source.server.threads().size());
}

void WriteClientsSection(const InfoSource& source, InfoWriter& out) {
  out.Section("Clients");
  out.Add("connected_clients", source.server.session_count());
  out.Add("cluster_connections", 0);
  out.Add("maxclients", source.server.config().Number("maxclients"));
  out.Add("client_recent_max_input_buffer", 0);
  out.Add("client_recent_max_output_buffer", 0);
  out.Add("blocked_clients", source.server.blocked_session_count());
  out.Add("tracking_clients", 0);
  out.Add("clients_in_timeout_table", 0);
  const Keyspace::WaitedKeys waited = source.loading ? Keyspace::WaitedKeys() : source.server.store().keyspace().waited_keys();
  out.Add("total_blocking_keys", waited.keys);
  out.Add("total_blocking_keys_on_nokey", waited.on_gone);
}

namespace {

void WriteAllocatorFields(const InfoSource& source, InfoWriter& out, const AllocatorStats& allocator, uint64_t resident) {
  const uint64_t used = source.store.used_memory_bytes;
  out.AddFixed("allocator_frag_ratio", Ratio(allocator.active_bytes, allocator.allocated_bytes));
  out.Add("allocator_frag_bytes", Difference(allocator.active_bytes, allocator.allocated_bytes));
  out.AddFixed("allocator_rss_ratio", Ratio(allocator.resident_bytes, allocator.active_bytes));
  out.Add("allocator_rss_bytes", Difference(allocator.resident_bytes, allocator.active_bytes));
  out.AddFixed("rss_overhead_ratio", Ratio(resident, allocator.resident_bytes));
  out.Add("rss_overhead_bytes", Difference(resident, allocator.resident_bytes));
  out.AddFixed("mem_fragmentation_ratio", Ratio(resident, used));
  out.Add("mem_fragmentation_bytes", Difference(resident, used));
}

void WriteScriptFields(InfoWriter& out) {
  out.Add("used_memory_lua", 0);
  out.Add("used_memory_vm_eval", 0);
  out.Add("used_memory_lua_human", "0B");
  out.Add("used_memory_scripts_eval", 0);
  out.Add("number_of_cached_scripts", 0);
  out.Add("number_of_functions", 0);
  out.Add("number_of_libraries", 0);
  out.Add("used_memory_vm_functions", 0);
  out.Add("used_memory_vm_total", 0);
  out.Add("used_memory_vm_total_human", "0B");
  out.Add("used_memory_functions", 0);
  out.AddBytes("used_memory_scripts", 0);
}

}  // namespace

void WriteMemorySection(const InfoSource& source, InfoWriter& out) {
  const StoreInfo& store = source.store;
  const AllocatorStats allocator = ReadAllocatorStats();
  const uint64_t resident = ResidentBytes();
  const uint64_t used = store.used_memory_bytes;
  const uint64_t peak = std::max(store.peak_memory_bytes, used);
  uint64_t data = 0, overhead = used, clients = 0;
  if (!source.loading) {
    uint64_t tables = 0;
    Keyspace& keyspace = source.server.store().keyspace();
    for (uint32_t i = 0; i < keyspace.databases(); i++) tables += keyspace.dictionary_bytes(i);
    const uint64_t keys = keyspace.memory_bytes();
    data = keys > tables ? keys - tables : 0;
    overhead = used > data ? used - data : 0;
    clients = used > keys ? used - keys : 0;
  }
  out.Section("Memory");
  out.AddBytes("used_memory", used);
  out.AddBytes("used_memory_rss", resident);
  out.AddBytes("used_memory_peak", peak);
  out.AddFixed("used_memory_peak_perc", Ratio(used, peak) * 100, "%");
  out.Add("used_memory_overhead", overhead);
  out.Add("used_memory_startup", 0);
  out.Add("used_memory_dataset", data);
  out.AddFixed("used_memory_dataset_perc", Ratio(data, used) * 100, "%");
  out.Add("allocator_allocated", allocator.allocated_bytes);
  out.Add("allocator_active", allocator.active_bytes);
  out.Add("allocator_resident", allocator.resident_bytes);
  out.AddBytes("total_system_memory", SystemMemoryBytes());
  WriteScriptFields(out);
  out.AddBytes("maxmemory", static_cast<uint64_t>(source.server.config().Number("maxmemory")));
  out.Add("maxmemory_policy", source.server.config().Print("maxmemory-policy"));
  WriteAllocatorFields(source, out, allocator, resident);
  out.Add("mem_not_counted_for_evict", store.log.buffer_bytes + store.snapshot_buffer_bytes);
  out.Add("mem_replication_backlog", 0);
  out.Add("mem_total_replication_buffers", 0);
  out.Add("mem_clients_slaves", 0);
  out.Add("mem_clients_normal", clients);
  out.Add("mem_cluster_links", 0);
  out.Add("mem_aof_buffer", store.log.buffer_bytes);
  out.Add("mem_snapshot_buffer", store.snapshot_buffer_bytes);
  out.Add("mem_allocator", AllocatorName());
  out.Add("active_defrag_running", 0);
  out.Add("lazyfree_pending_objects", store.lazy_free_pending);
  out.Add("lazyfreed_objects", store.lazy_freed);
}

namespace {

void WriteLogFields(const InfoSource& source, InfoWriter& out, const std::atomic<bool>& rewriting) {
  const StoreInfo& store = source.store;
  const ServerStats& stats = source.server.stats();
  const bool enabled = source.server.config().Bool("appendonly");
  const bool being_switched = !source.loading && enabled != store.log.enabled;
  const bool rewrite = rewriting.load(std::memory_order_relaxed) || store.log_awaits_snapshot || being_switched;
  out.Add("aof_enabled", enabled ? 1 : 0);
  out.Add("aof_rewrite_in_progress", rewrite ? 1 : 0);
  out.Add("aof_rewrite_scheduled", stats.rewrite_scheduled.load(std::memory_order_relaxed) ? 1 : 0);
  out.Add("aof_last_rewrite_time_sec", store.last_snapshot_duration_s);
  out.Add("aof_current_rewrite_time_sec", rewrite ? std::max<int64_t>(0, source.now_unix_s - store.snapshot_started_unix_s) : -1);
  out.Add("aof_last_bgrewrite_status", stats.last_rewrite_ok.load(std::memory_order_relaxed) ? "ok" : "err");
  out.Add("aof_rewrites", stats.rewrites.load(std::memory_order_relaxed));
  out.Add("aof_rewrites_consecutive_failures", stats.last_rewrite_ok.load(std::memory_order_relaxed) ? 0 : 1);
  out.Add("aof_last_write_status", store.log.refusing ? "err" : "ok");
  out.Add("aof_last_cow_size", 0);
  out.Add("module_fork_in_progress", 0);
  out.Add("module_fork_last_cow_size", 0);
  if (!store.log.enabled) return;
  out.Add("aof_current_size", store.log.bytes_on_disk);
  out.Add("aof_base_size", 0);
  out.Add("aof_pending_rewrite", 0);
  out.Add("aof_buffer_length", store.log.pending_bytes);
  out.Add("aof_pending_bio_fsync", 0);
  out.Add("aof_delayed_fsync", store.log.delayed_syncs);
  out.Add("log_first_lsn", store.log.first_lsn);
  out.Add("log_snapshots_kept", store.snapshots_kept);
  out.Add("log_restorable_from_lsn", store.restorable_from_lsn);
  out.Add("log_restorable_from_unix_ms", store.restorable_from_unix_ms);
  out.Add("log_end_lsn", store.log.end_lsn);
  out.Add("log_durable_lsn", store.log.durable_lsn);
  out.Add("log_synced_lsn", store.log.synced_lsn);
  out.Add("log_bytes_on_disk", store.log.bytes_on_disk);
  out.Add("log_segments", store.log.segments);
  out.Add("log_groups", store.log.groups);
  out.Add("log_syncs", store.log.syncs);
  out.Add("log_last_sync_usec", store.log.last_sync_us);
  out.Add("log_failures", store.log.failed_syncs);
}

void WriteLoadingFields(const InfoSource& source, InfoWriter& out) {
  const LoadingProgress progress = source.server.loading_progress();
  const int64_t elapsed_s = std::max<int64_t>(0, source.now_unix_s - progress.started_unix_s);
  const uint64_t left = progress.total_bytes > progress.done_bytes ? progress.total_bytes - progress.done_bytes : 0;
  out.Add("loading_start_time", progress.started_unix_s);
  out.Add("loading_total_bytes", progress.total_bytes);
  out.Add("loading_rdb_used_mem", 0);
  out.Add("loading_loaded_bytes", progress.done_bytes);
  out.AddFixed("loading_loaded_perc", Ratio(progress.done_bytes, progress.total_bytes) * 100);
  out.Add("loading_eta_seconds",
          elapsed_s == 0 ? 1 : static_cast<int64_t>(Ratio(left, progress.done_bytes + 1) * static_cast<double>(elapsed_s)));
  out.Add("loading_loaded_keys", progress.keys);
}

}  // namespace

namespace {

void WriteScrubFields(const Scrubber::Report& scrub, InfoWriter& out) {
  out.Add("scrub_in_progress", scrub.in_progress ? 1 : 0);
  out.Add("scrub_passes", scrub.passes);
  out.Add("scrub_last_time", scrub.last_unix_s);
  out.Add("scrub_checked_bytes", scrub.checked_bytes);
  out.Add("scrub_last_status", !scrub.faults.empty() ? "damaged" : !scrub.error.empty() ? "err" : "ok");
  out.Add("scrub_faults", scrub.faults.size());
  if (!scrub.faults.empty()) out.Add("scrub_first_fault", scrub.faults.front());
}

}  // namespace

void WritePersistenceSection(const InfoSource& source, InfoWriter& out) {
  const StoreInfo& store = source.store;
  const std::atomic<bool>& rewriting = source.server.stats().rewrite_in_progress;
  const bool saving = store.snapshot_in_progress && !rewriting.load(std::memory_order_relaxed);
  out.Section("Persistence");
  out.Add("loading", source.loading ? 1 : 0);
  out.Add("async_loading", 0);
  out.Add("current_cow_peak", store.snapshot_buffer_bytes);
  out.Add("current_cow_size", store.snapshot_buffer_bytes);
  out.Add("current_cow_size_age", 0);
  out.AddFixed("current_fork_perc", Ratio(store.snapshot_entries_done, store.snapshot_entries_total) * 100);
  out.Add("current_save_keys_processed", store.snapshot_in_progress ? store.snapshot_entries_done : 0);
  out.Add("current_save_keys_total", store.snapshot_in_progress ? store.snapshot_entries_total : 0);
  out.Add("rdb_changes_since_last_save", store.changes_since_snapshot);
  out.Add("rdb_bgsave_in_progress", saving ? 1 : 0);
  out.Add("rdb_last_save_time",
          store.last_snapshot_unix_s != 0 ? store.last_snapshot_unix_s : source.server.started_unix_ms() / 1000);
  out.Add("rdb_last_bgsave_status", store.last_snapshot_ok ? "ok" : "err");
  out.Add("rdb_last_bgsave_time_sec", store.last_snapshot_duration_s);
  out.Add("rdb_current_bgsave_time_sec", saving ? std::max<int64_t>(0, source.now_unix_s - store.snapshot_started_unix_s) : -1);
  out.Add("rdb_saves", store.snapshots_made);
  out.Add("rdb_last_cow_size", 0);
  out.Add("rdb_last_load_keys_expired", 0);
  out.Add("rdb_last_load_keys_loaded", store.loaded_keys);
  out.Add("backup_in_progress", store.backup_in_progress ? 1 : 0);
  out.Add("backup_last_status", store.last_backup_error.empty() ? "ok" : "err");
  out.Add("backup_last_lsn", store.last_backup_lsn);
  out.Add("backup_last_unix_ms", store.last_backup_unix_ms);
  WriteLogFields(source, out, rewriting);
  if (!source.loading) WriteScrubFields(source.server.scrubber().report(), out);
  out.Add("writes_refused", store.writes_refused ? 1 : 0);
  if (store.writes_refused) out.Add("writes_refused_reason", store.refusal_reason);
  if (source.loading) WriteLoadingFields(source, out);
}

}  // namespace cairn
