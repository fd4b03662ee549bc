// What background threads call: expiry and frees.
#include "engine/keyspace/keyspace_state.h"

namespace cairn {

int64_t Keyspace::NextExpiryMs() const {
  int64_t next_ms = INT64_MAX;
  for (uint32_t i = 0; i < kShardCount; i++) {
    next_ms = std::min(next_ms, state_->shard(i).next_expiry_ms.load(std::memory_order_relaxed));
  }
  state_->announced_expiry_ms.store(next_ms, std::memory_order_seq_cst);
  // A shard whose earliest expiry moved before the store above compared it with the older announcement and may have kept silent.
  for (uint32_t i = 0; i < kShardCount; i++) {
    next_ms = std::min(next_ms, state_->shard(i).next_expiry_ms.load(std::memory_order_seq_cst));
  }
  return next_ms;
}

void Keyspace::SetEarlierExpiryCallback(std::function<void(int64_t expiry_ms)> callback) {
  LockShards(AllShards());
  state_->earlier_expiry = std::move(callback);
  UnlockShards(AllShards());
}

size_t Keyspace::ExpireDue(ChangeScope& scope, uint32_t shard_index, size_t limit) {
  CAIRN_CHECK(scope.locked_shards[shard_index]);
  if (!scope.deletes_expired || scope.replaying) return 0;
  Shard& shard = state_->shard(shard_index);
  size_t done = 0;
  for (uint32_t database = 0; database < databases() && done < limit; database++) {
    Table* table = shard.table(database);
    if (table == nullptr || table->first_deadline_ms() > scope.now_ms) continue;
    TableChange change(*state_, shard, *table, database);
    for (; done < limit && table->expiry.first_deadline_ms() <= scope.now_ms; done++) {
      if (State::SettleFirstExpiry(*table)) continue;
      const KeyRef key = KeyRef::Of(table->expiry.First()->key());
      uint64_t* slot = table->dictionary.FindSlot(key);
      CAIRN_CHECK(slot != nullptr);
      state_->DeleteExpired(scope, shard, *table, database, key, slot);
    }
    while (done < limit && table->inner_expiry.first_deadline_ms() <= scope.now_ms) {
      const KeyRef key = KeyRef::Of(table->inner_expiry.First()->key());
      uint64_t* slot = table->dictionary.FindSlot(key);
      CAIRN_CHECK(slot != nullptr);
      done += state_->ExpireFields(scope, shard, *table, database, key, &slot, limit - done);
    }
  }
  return done;
}

void Keyspace::FreeLater(std::unique_ptr<LargeValue> value) {
  if (value != nullptr) state_->FreeLarge(value.release());
}

bool Keyspace::FreePending(int64_t budget_us) { return state_->pending.FreeFor(budget_us); }

uint64_t Keyspace::lazy_freed_objects() const { return state_->pending.freed_objects(); }

uint64_t Keyspace::pending_free_objects() const { return state_->pending.pending_objects(); }

}  // namespace cairn
