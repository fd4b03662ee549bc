// Which key goes when memory is short: Redis's policies over the whole keyspace, by sampling.
//
// LRU and LFU: each call samples a few entries of a random place, chosen in proportion to the number of keys, keeps the best
// candidates seen so far in a pool of 16, and takes the best that is still there. allkeys-random and volatile-random take a
// random key; volatile-ttl takes the key that expires first, exactly.
//
// Locks: none may be held. EvictOne takes one shard's lock at a time; its own lock is never held while the commit function runs.
// Threads: any number; they share the pool.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/thread_annotations.h"
#include "engine/keyspace/keyspace.h"

namespace cairn {

struct Table;

class Evictor {
 public:
  static constexpr size_t kPoolSize = 16;

  explicit Evictor(Keyspace& keyspace);
  // For tests.
  Evictor(Keyspace& keyspace, uint64_t seed);

  // Deletes one key by Keyspace::eviction_settings(). `scope` is cleared but for what the caller set in it (now_ms,
  // wanted_events); locked_shards becomes the victim's shard. The DEL is recorded and the event "evicted" noted, then `commit` is
  // called with the shard still locked: it logs the unit. False where the policy evicts nothing or no key is left that it may
  // evict.
  bool EvictOne(ChangeScope& scope, const std::function<void(ChangeScope&)>& commit);

 private:
  struct Candidate {
    uint64_t score = 0;  // higher goes first
    uint32_t shard = 0;
    uint32_t database = 0;
    std::string key;
  };
  using Commit = std::function<void(ChangeScope&)>;
  // The shard with the key that expires first, and when that is: INT64_MAX where none does.
  uint32_t EarliestShard(int64_t* earliest_ms);
  bool EvictEarliest(ChangeScope& scope, const Commit& commit);
  // Settles late items at the front of the locked shard's expiry index; whether there were any.
  bool SettleFirst(Shard& shard, Table& table, uint32_t database);
  bool EvictRandom(ChangeScope& scope, const EvictionSettings& settings, const Commit& commit);
  bool EvictBest(ChangeScope& scope, const EvictionSettings& settings, const Commit& commit);
  // Deletes the entry of a locked shard and commits.
  void Evict(ChangeScope& scope, Shard& shard, uint32_t database, const Entry& entry, const Commit& commit);
  // Takes the pool's best candidate, sampling first; false where no key may be evicted.
  bool TakeCandidate(int64_t now_ms, const EvictionSettings& settings, Candidate* candidate) CAIRN_REQUIRES(mutex_);
  void SamplePlace(int64_t now_ms, const EvictionSettings& settings) CAIRN_REQUIRES(mutex_);
  void Offer(uint64_t score, uint32_t shard, uint32_t database, std::string_view key) CAIRN_REQUIRES(mutex_);
  // A shard and database in proportion to their keys (those with an expiry only); false where there are none.
  bool PickTable(bool volatile_only, uint32_t* shard, uint32_t* database) CAIRN_REQUIRES(mutex_);
  uint64_t CountTables(bool volatile_only) CAIRN_REQUIRES(mutex_);

  Keyspace& keyspace_;
  Mutex mutex_;
  Random random_ CAIRN_GUARDED_BY(mutex_);
  std::vector<Candidate> pool_ CAIRN_GUARDED_BY(mutex_);  // ascending scores
  EvictionPolicy pool_policy_ CAIRN_GUARDED_BY(mutex_){};
  // Keys up to and including each (shard, database), as they were some picks ago.
  std::vector<uint64_t> cumulative_ CAIRN_GUARDED_BY(mutex_);
  bool counted_volatile_ CAIRN_GUARDED_BY(mutex_) = false;
  uint32_t picks_left_ CAIRN_GUARDED_BY(mutex_) = 0;
  std::vector<Entry*> sampled_ CAIRN_GUARDED_BY(mutex_);
};

}  // namespace cairn
