#include <algorithm>

#include "base/allocator.h"
#include "engine/execution_scratch.h"
#include "engine/store_impl.h"

namespace cairn {

// As in Redis, the log's own buffers do not count against maxmemory: eviction would only make them grow.
uint64_t UsedMemoryBytes(const StoreCore& core) { return core.keyspace->memory_bytes() + core.memory.client_bytes(); }

StoreInfo Store::Impl::Info() const {
  StoreInfo info;
  checkpointer->FillInfo(info);
  info.log = core.log->stats();
  info.used_memory_bytes = UsedMemoryBytes(core);
  info.peak_memory_bytes = std::max(core.memory.peak_bytes(), info.used_memory_bytes);
  info.resident_bytes = ResidentBytes();
  const KeyspaceStats stats = core.keyspace->stats();
  info.evicted_keys = stats.evicted_keys;
  info.expired_keys = stats.expired_keys;
  info.expired_fields = stats.expired_fields;
  info.keyspace_hits = stats.hits;
  info.keyspace_misses = stats.misses;
  info.lazy_free_pending = core.keyspace->pending_free_objects();
  info.lazy_freed = core.keyspace->lazy_freed_objects();
  info.loaded_keys = loaded_keys_;
  info.loaded_log_bytes = loaded_log_bytes_;
  info.load_duration_us = load_duration_us_;
  info.load_report = load_report_;
  if (directory != nullptr) {
    const Manifest manifest = directory->manifest();
    if (!manifest.timelines.empty()) {
      info.timeline_id = manifest.timelines.back().id;
      info.timeline_base = static_cast<Lsn>(manifest.timelines.back().base);
    }
  }
  {
    MutexLock lock(backup_mutex_);
    info.backup_in_progress = backup_.running;
    info.last_backup_error = backup_.error;
    info.last_backup_lsn = backup_.last.lsn;
    info.last_backup_unix_ms = backup_.last.unix_ms;
  }
  info.total_eviction_exceeded_ms = background->eviction_exceeded_ms();
  info.incomplete = core.gate_has(kGateIncomplete);
  info.refusal_reason = core.RefusalText();
  info.writes_refused = !info.refusal_reason.empty();
  return info;
}

}  // namespace cairn
