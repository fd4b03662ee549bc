// Beginning and ending a snapshot's cut.
#include "engine/keyspace/keyspace_state.h"
#include "engine/keyspace/snapshot_cut.h"
#include "engine/store_options.h"

namespace cairn {

namespace {

// Access fields are worth their bytes only where somebody evicts by them.
AccessKind SavedAccessKind(EvictionPolicy policy) {
  switch (policy) {
    case EvictionPolicy::kAllKeysLru:
    case EvictionPolicy::kVolatileLru: return AccessKind::kLru;
    case EvictionPolicy::kAllKeysLfu:
    case EvictionPolicy::kVolatileLfu: return AccessKind::kLfu;
    case EvictionPolicy::kNoEviction:
    case EvictionPolicy::kAllKeysRandom:
    case EvictionPolicy::kVolatileRandom:
    case EvictionPolicy::kVolatileTtl: break;
  }
  return AccessKind::kNone;
}

}  // namespace

std::shared_ptr<SnapshotCut> Keyspace::MakeCut() {
  Shard* shards[kShardCount];
  for (uint32_t i = 0; i < kShardCount; i++) shards[i] = &state_->shard(i);
  return std::make_shared<SnapshotCut>(shards, databases(), SavedAccessKind(state_->policy.load(std::memory_order_relaxed)));
}

void Keyspace::BeginCut(SnapshotCut& cut) {
  CAIRN_CHECK(!state_->cut_active.exchange(true));
  cut.Pin(state_->epoch.fetch_add(1, std::memory_order_relaxed) + 1);
}

void Keyspace::EndCut(SnapshotCut& cut) {
  for (uint32_t i = 0; i < kShardCount; i++) {
    std::vector<std::shared_ptr<Table>> pinned;
    {
      SpinLockHolder hold(state_->shard(i).lock);
      pinned = cut.Unpin(i);
    }
    for (std::shared_ptr<Table>& table : pinned) state_->pending.Add(std::move(table));
  }
  state_->cut_active.store(false);
}

}  // namespace cairn
