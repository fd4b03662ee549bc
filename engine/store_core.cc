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
  MutexLock lock(listener_mutex);
  progress_.NotifyAll();
  if (listener_) listener_();
}

void StoreCore::WaitForProgress(int64_t duration_us) {
  MutexLock lock(listener_mutex);
  progress_.WaitFor(listener_mutex, duration_us);
}

void StoreCore::SetProgressListener(std::function<void()> listener) {
  MutexLock lock(listener_mutex);
  listener_ = std::move(listener);
}

void StoreCore::OnLogProgress() {
  const Admission admission = log->Admit(0);
  SetGate(kGateLogRefuses, admission == Admission::kRefused);
  SetGate(kGateLogWaits, admission == Admission::kWait);
  NotifyProgress();
}

void StoreCore::RefreshPolicy() {
  replies_wait_for_disk.store(log->enabled() && log->policy() == FsyncPolicy::kAlways, std::memory_order_relaxed);
}

std::string StoreCore::RefusalText() const {
  const uint32_t bits = gate.load(std::memory_order_relaxed);
  if (bits & kGateClosed) return "ERR the store is closed";
  if (bits & kGateLogRefuses) return "MISCONF Errors writing to the AOF file: " + log->refusal_reason();
  if (bits & kGateSnapshotFailed) {
    MutexLock lock(mutex);
    return "MISCONF Cairn is configured to save snapshots, but the last one failed. Commands that may modify the data set are disabled "
           "until one succeeds (stop-writes-on-bgsave-error). The error: " + snapshot_error_;
  }
  return "";
}

void StoreCore::FillScope(ChangeScope& scope, int64_t now_ms) const {
  scope.now_ms = now_ms;
  scope.deletes_expired = !gate_has(kGateLogRefuses | kGateClosed);
  ChangeListener* listener = change_listener.load(std::memory_order_relaxed);
  scope.wanted_events = listener != nullptr ? listener->wanted_classes() : 0;
}

Lsn StoreCore::CommitUnit(ChangeScope& scope, bool transaction) {
  Lsn lsn = 0;
  if (scope.records() > 0) {
    const bool wrap = transaction && scope.records() > 1;
    const auto pieces = scope.pieces();
    const bool plain = pieces.empty() || (pieces.size() == 1 && pieces[0].shared.size() == 0);
    if (plain && !wrap) {
      lsn = log->Append(scope.first_database(), scope.buffer(), scope.last_database());
    } else {
      lsn = AppendLarge(scope, wrap);
    }
    stripes.Raise(scope.touched_stripes(), lsn);
  } else if (!scope.touched_stripes().empty()) {
    lsn = stripes.Newest(scope.touched_stripes());
  }
  if (!scope.events().empty()) [[unlikely]] {
    ChangeListener* listener = change_listener.load(std::memory_order_relaxed);
    if (listener != nullptr) listener->OnEvents(scope.events(), VisibleLsn(scope, lsn));
  }
  return lsn;
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
