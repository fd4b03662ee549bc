#include "engine/store_core.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace cairn {
namespace {

constexpr std::string_view kMultiRecord = "*1\r\n$5\r\nMULTI\r\n";
constexpr std::string_view kExecRecord = "*1\r\n$4\r\nEXEC\r\n";

uint32_t WorkerThreads(uint32_t asked) {
  if (asked > 0) return asked;
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

bool& ThisThreadHoldsShards() {
  thread_local bool holds = false;
  return holds;
}

StoreCore::StoreCore(StoreOptions store_options, FileSystem& file_system, Clock& store_clock)
    : opened_with(std::move(store_options)),
      fs(file_system),
      clock(store_clock),
      worker_threads(WorkerThreads(opened_with.threads)),
      runtime_(opened_with.runtime) {
  memory.Configure(opened_with.runtime.maxmemory_bytes);
}

RuntimeOptions StoreCore::runtime() const {
  MutexLock lock(mutex);
  return runtime_;
}

void StoreCore::SetRuntime(const RuntimeOptions& options) {
  MutexLock lock(mutex);
  runtime_ = options;
}

void StoreCore::SetSnapshotError(std::string error) {
  {
    MutexLock lock(mutex);
    snapshot_error_ = std::move(error);
  }
  RefreshSnapshotGate();
}

void StoreCore::RefreshSnapshotGate() {
  MutexLock lock(mutex);
  const bool stops = !snapshot_error_.empty() && runtime_.stop_writes_on_snapshot_error && !runtime_.save_points.empty();
  SetGate(kGateSnapshotFailed, stops);
}

void StoreCore::NotifyProgress() {
  somebody_parked.store(false, std::memory_order_relaxed);
  MutexLock lock(listener_mutex_);
  progress_.NotifyAll();
  if (listener_) listener_();
}

void StoreCore::WaitForProgress(int64_t duration_us) {
  MutexLock lock(listener_mutex_);
  progress_.WaitFor(listener_mutex_, duration_us);
}

void StoreCore::SetProgressListener(std::function<void()> listener) {
  MutexLock lock(listener_mutex_);
  listener_ = std::move(listener);
}

void StoreCore::OnLogProgress() {
  const Admission admission = log->Admit(0);
  SetGate(kGateLogRefuses, admission == Admission::kRefused);
  if (gate_has(kGateMemoryFull)) WatchLogBuffers();
  NotifyProgress();
}

void StoreCore::WatchLogBuffers() {
  const uint64_t limit = memory.limit_bytes();
  const Lsn durable = log->durable_lsn();
  const Lsn end = log->end_lsn();
  const uint64_t pending = end > durable ? end - durable : 0;
  const bool corrected = limit >= MemoryLimit::kCorrectedFromBytes;
  // A sync is asked for early enough that writers seldom wait for it.
  if (corrected && pending > limit / 32 && !gate_has(kGateLogRefuses)) (void)log->RequestSync();
  SetGate(kGateMemoryFull, corrected && pending > limit / 12);
}

uint64_t StoreCore::HandOverLimitBytes() const {
  constexpr uint64_t kMost = 64ull << 20;
  constexpr uint64_t kLeast = 2ull << 20;
  const uint64_t limit = memory.limit_bytes();
  // A fortieth of the data: with blocks and compression buffers a snapshot stays below a twentieth.
  const uint64_t part = std::clamp(keyspace->memory_bytes() / 40, kLeast, kMost);
  return limit == 0 ? part : std::min(part, std::max(limit / 24, kLeast));
}

void StoreCore::RefreshPolicy() {
  MutexLock lock(mutex);  // or who looked first might store last
  replies_wait_for_disk.store(log->enabled() && log->policy() == FsyncPolicy::kAlways, std::memory_order_relaxed);
}

std::string StoreCore::RefusalText() const {
  if (std::string refusal = ReadRefusalText(); !refusal.empty()) return refusal;
  if (gate_has(kGateSnapshotFailed)) {
    MutexLock lock(mutex);
    return "MISCONF Cairn is configured to save snapshots, but the last one failed. Commands that may modify the data set are "
           "disabled "
           "until one succeeds (stop-writes-on-bgsave-error). The error: " +
           snapshot_error_;
  }
  return "";
}

std::string StoreCore::ReadRefusalText() const {
  if (gate_has(kGateIncomplete))
    return "ERR the data set could not be reloaded and is incomplete: restart the server (its log says why)";
  if (gate_has(kGateClosed)) return "ERR the store is closed";
  return gate_has(kGateLogRefuses) ? "MISCONF Errors writing to the AOF file: " + log->refusal_reason() : "";
}

void StoreCore::FillScope(ChangeScope& scope, int64_t now_ms) const {
  scope.now_ms = now_ms;
  scope.deletes_expired = !gate_has(kGateLogRefuses | kGateClosed | kGateExpiryHeld);
  ChangeListener* listener = change_listener.load(std::memory_order_relaxed);
  scope.wanted_events = listener != nullptr ? listener->wanted_classes() : 0;
}

Lsn StoreCore::CommitUnit(ChangeScope& scope, bool transaction) {
  Lsn lsn = 0;
  if (scope.records() > 0) {
    lsn = scope.counts_only ? log->Count(scope.counted_bytes()) : AppendUnit(scope, transaction);
    stripes.Raise(scope.touched_stripes(), lsn);
  } else if (!scope.touched_stripes().empty()) {
    lsn = stripes.Newest(scope.touched_stripes());
  }
  if (!scope.events().empty()) [[unlikely]] {
    ChangeListener* listener = change_listener.load(std::memory_order_relaxed);
    const bool wait = replies_wait_for_disk.load(std::memory_order_relaxed);  // as for replies
    if (listener != nullptr) listener->OnEvents(scope.events(), wait ? VisibleLsn(scope, lsn) : 0);
  }
  return lsn;
}

Lsn StoreCore::AppendUnit(ChangeScope& scope, bool transaction) {
  const bool wrap = transaction && scope.records() > 1;
  const auto pieces = scope.pieces();
  const bool plain = pieces.empty() || (pieces.size() == 1 && pieces[0].shared.size() == 0);
  if (plain && !wrap) return log->Append(scope.first_database(), scope.buffer(), scope.last_database());
  return AppendLarge(scope, wrap);
}

Lsn StoreCore::AppendLarge(ChangeScope& scope, bool wrap) {
  const std::string_view buffer = scope.buffer();
  std::vector<LogPiece> pieces;
  pieces.reserve(scope.pieces().size() + 2);
  if (wrap) pieces.push_back({kMultiRecord, {}});
  for (const UnitPiece& piece : scope.pieces()) {
    if (piece.shared.size() > 0) {
      pieces.push_back({piece.shared.view(), piece.shared});
    } else {
      pieces.push_back({buffer.substr(piece.begin, piece.end - piece.begin), {}});
    }
  }
  if (wrap) pieces.push_back({kExecRecord, {}});
  if (scope.first_database() == scope.last_database()) return log->Append(scope.first_database(), pieces);
  std::string whole;  // a transaction over several databases: rare, so it is copied
  for (const LogPiece& piece : pieces) whole += piece.bytes;
  return log->Append(scope.first_database(), whole, scope.last_database());
}

Lsn StoreCore::VisibleLsn(const ChangeScope& scope, Lsn unit_lsn) const {
  if (scope.reads_all()) return log->end_lsn();
  return std::max(unit_lsn, stripes.Newest(scope.read_stripes()));
}

}  // namespace cairn
