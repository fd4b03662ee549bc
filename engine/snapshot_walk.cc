#include "engine/snapshot_walk.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "engine/codec/rdb_value_encoder.h"

namespace cairn {
namespace {

constexpr uint32_t kWorkersMax = 2;
constexpr int kWorkerNice = 10;

void LowerThreadPriority() { (void)setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kWorkerNice); }

}  // namespace

Status SnapshotWalk::Run(uint32_t threads, bool yields) {
  // New threads, because a thread cannot raise its priority again.
  std::vector<std::thread> workers;
  for (uint32_t i = 0; i < std::clamp(threads, 1u, kWorkersMax); i++) {
    workers.emplace_back([this, yields] {
      if (yields) LowerThreadPriority();
      Work(yields);
    });
  }
  for (std::thread& worker : workers) worker.join();
  MutexLock lock(mutex_);
  return failure_;
}

void SnapshotWalk::Fail(const Status& status) {
  MutexLock lock(mutex_);
  if (failure_.ok()) failure_ = status;
  failed_.store(true, std::memory_order_relaxed);
}

void SnapshotWalk::UpdateGate() {
  const uint64_t handed_over = cut_.handed_over_bytes();
  const uint64_t limit = core_.HandOverLimitBytes();
  if (handed_over > limit) {
    core_.SetGate(kGateHandOverFull, true);
  } else if (handed_over < limit / 2 && core_.gate_has(kGateHandOverFull)) {
    core_.SetGate(kGateHandOverFull, false);
    core_.NotifyProgress();
  }
}

void SnapshotWalk::Work(bool yields) {
  EntryBlock block;
  std::vector<LargeEntry> large;
  while (!failed_.load(std::memory_order_relaxed) && cut_.NextBlock(&block, &large)) {
    UpdateGate();
    Status status;
    if (core_.gate_has(kGateClosed)) status = Status::Unavailable("the store is closing");
    if (status.ok() && !block.empty()) status = writer_.AddBlock(block);
    for (const LargeEntry& entry : large) {
      if (status.ok()) status = WriteLarge(entry);
    }
    large.clear();
    if (!status.ok()) Fail(status);
    if (yields) std::this_thread::yield();
  }
}

Status SnapshotWalk::WriteLarge(const LargeEntry& entry) {
  const std::string prefix = RdbLengthPrefix(entry.value.size());
  CAIRN_ASSIGN_OR_RETURN(const auto out, writer_.BeginBigEntry(static_cast<uint16_t>(entry.shard), entry.head, entry.key,
                                                               prefix.size() + entry.value.size()));
  CAIRN_RETURN_IF_ERROR(out->Append(prefix));
  for (const RopeSlice& slice : entry.value.slices()) CAIRN_RETURN_IF_ERROR(out->Append(slice.view()));
  return out->Finish();
}

}  // namespace cairn
