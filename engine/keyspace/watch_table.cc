#include "engine/keyspace/watch_table.h"

#include <algorithm>

#include "base/allocator.h"

namespace cairn {

uint64_t WatchTable::KeyBytes(const Key& key) {
  constexpr size_t kMapNodeBytes = sizeof(Key) + sizeof(std::vector<Watcher>) + 2 * sizeof(void*);
  return AllocationSize(kMapNodeBytes) + (key.name.size() > 15 ? AllocationSize(key.name.size() + 1) : 0);
}

bool WatchTable::Add(const std::shared_ptr<WatchState>& watch, uint32_t database, std::string_view name, bool expired) {
  const auto [at, inserted] = keys_.try_emplace(Key{database, std::string(name)});
  if (inserted) memory_bytes_ += KeyBytes(at->first);
  for (const Watcher& watcher : at->second) {
    if (watcher.watch == watch) return false;
  }
  at->second.push_back({watch, expired});
  memory_bytes_ += sizeof(Watcher);
  return true;
}

void WatchTable::Remove(const WatchState* watch, uint32_t database, std::string_view name) {
  const auto at = keys_.find(Key{database, std::string(name)});
  if (at == keys_.end()) return;
  memory_bytes_ -= sizeof(Watcher) * std::erase_if(at->second, [watch](const Watcher& w) { return w.watch.get() == watch; });
  if (at->second.empty()) {
    memory_bytes_ -= KeyBytes(at->first);
    keys_.erase(at);
  }
}

void WatchTable::KeyChanged(uint32_t database, std::string_view name, bool gone) {
  const auto at = keys_.find(Key{database, std::string(name)});
  if (at == keys_.end()) return;
  for (Watcher& watcher : at->second) {
    if (watcher.expired && gone) {
      watcher.expired = false;
    } else {
      watcher.watch->dirty.store(true, std::memory_order_relaxed);
    }
  }
}

void WatchTable::Replaced(std::vector<Watcher>& watchers, const Fate& fate) {
  for (Watcher& watcher : watchers) {
    if (watcher.expired && !fate.exists) {
      watcher.expired = false;
    } else if (watcher.expired && fate.is_expired) {
      continue;
    } else if (!watcher.expired && !fate.existed && fate.is_expired) {
      watcher.expired = true;
    } else {
      watcher.watch->dirty.store(true, std::memory_order_relaxed);
    }
  }
}

bool WatchTable::ExpiredWhenWatched(const WatchState* watch, uint32_t database, std::string_view name) const {
  const auto at = keys_.find(Key{database, std::string(name)});
  if (at == keys_.end()) return false;
  return std::any_of(at->second.begin(), at->second.end(),
                     [watch](const Watcher& w) { return w.watch.get() == watch && w.expired; });
}

}  // namespace cairn
