// What the keyspace's tests share: a scope with every shard locked, and a recount of memory.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/random.h"
#include "engine/keyspace/keyspace.h"
#include "engine/keyspace/shard.h"
#include "tests/support/test_seed.h"

namespace cairn {

// All shards locked for its lifetime, at a time that the test sets.
class AllLocked {
 public:
  explicit AllLocked(Keyspace& keyspace, int64_t now_ms = 1000) : keyspace_(keyspace) {
    scope.now_ms = now_ms;
    scope.wanted_events = UINT32_MAX;
    scope.locked_shards.set();
    keyspace_.LockShards(scope.locked_shards);
  }
  ~AllLocked() { keyspace_.UnlockShards(scope.locked_shards); }
  ChangeScope scope;

 private:
  Keyspace& keyspace_;
};

inline uint64_t RecountMemory(Keyspace& keyspace) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < kShardCount; i++) {
    Shard& shard = keyspace.shard(i);
    bytes += shard.watches.memory_bytes();
    for (const std::shared_ptr<Table>& table : shard.tables) {
      if (table == nullptr) continue;
      bytes += table->dictionary.memory_bytes() + table->expiry.memory_bytes() + table->inner_expiry.memory_bytes();
      HashPosition position;
      std::vector<Entry*> entries;
      while (table->dictionary.size() > 0 && table->dictionary.Gather(&position, &entries)) {
      }
      EXPECT_EQ(entries.size(), table->dictionary.size());
      uint64_t expiring = 0;
      for (const Entry* entry : entries) {
        bytes += entry->memory_bytes();
        expiring += entry->has_expiry();
      }
      EXPECT_EQ(expiring, table->expiry.size());
    }
  }
  return bytes;
}

inline std::string ValueOf(const Entry* entry) {
  std::string scratch;
  return std::string(StringView(entry).Flatten(&scratch));
}

}  // namespace cairn
