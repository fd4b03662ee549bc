#include "engine/keyspace/waiters.h"

#include "engine/keyspace/keyspace_state.h"

namespace cairn {

WaiterList::iterator WaiterTable::Add(const std::shared_ptr<Waiter>& waiter, std::string_view name) {
  Queue& queue = queues_.try_emplace(std::string(name)).first->second;
  queue.needs |= waiter->needs;
  queue.with_destination += waiter->has_destination() ? 1 : 0;
  if (waiter->wake_on_gone && queue.wake_on_gone++ == 0) awaited_gone_++;
  return queue.waiters.insert(queue.waiters.end(), waiter);
}

void WaiterTable::Remove(std::string_view name, WaiterList::iterator place) {
  const auto at = queues_.find(name);
  Queue& queue = at->second;
  queue.with_destination -= (*place)->has_destination() ? 1 : 0;
  if ((*place)->wake_on_gone && --queue.wake_on_gone == 0) awaited_gone_--;
  queue.waiters.erase(place);
  if (queue.waiters.empty()) queues_.erase(at);
}

void Keyspace::AddWaiter(const std::shared_ptr<Waiter>& waiter) {
  CAIRN_CHECK(!waiter->registered);
  waiter->registered = true;
  for (size_t i = 0; i < waiter->waited_keys; i++) {
    const KeyRef& key = waiter->keys[i];
    Shard& shard = state_->shard(key.shard());
    // With the locks held nobody came in between: a key that is given twice has the waiter last in its queue.
    const WaiterTable::Queue* const queue = shard.waiters.Find(key.name);
    if (queue != nullptr && queue->waiters.back() == waiter) continue;
    waiter->places.push_back({i, shard.waiters.Add(waiter, key.name)});
    shard.ShowWaiters();
  }
  waiters_.fetch_add(1, std::memory_order_relaxed);
}

bool Keyspace::RemoveWaiter(Waiter& waiter) {
  if (!waiter.registered) return false;
  waiter.registered = false;
  for (const Waiter::Place& place : waiter.places) {
    const KeyRef& key = waiter.keys[place.key];
    Shard& shard = state_->shard(key.shard());
    shard.waiters.Remove(key.name, place.at);
    shard.ShowWaiters();
  }
  waiter.places.clear();
  waiters_.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

void Keyspace::SignalReady(ChangeScope& scope, uint32_t database, const KeyRef& key) {
  WaiterTable& waiters = state_->LockedShard(scope, key).waiters;
  if (!waiters.empty() && waiters.Find(key.name) != nullptr) scope.Ready(database, key.name);
}

}  // namespace cairn
