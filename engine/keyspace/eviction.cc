#include "engine/keyspace/eviction.h"

#include <algorithm>

#include "engine/keyspace/keyspace_state.h"
#include "engine/store_options.h"

namespace cairn {

namespace {

constexpr uint32_t kPicksPerCount = 64;     // how long the counted sizes are good enough
constexpr uint32_t kBucketsPerSample = 48;  // looked at in search of keys with an expiry
constexpr uint64_t kVolatileRare = 8;       // fewer than one key in so many has an expiry: sample the expiry index instead
constexpr int kTries = 128;                 // places that turn out empty, or candidates that are gone, before giving up
constexpr int kSettledPerLock = 64;         // late items of an expiry index, between two looks for the earliest key
static_assert(kTries > kPicksPerCount);

bool IsVolatile(EvictionPolicy policy) {
  return policy == EvictionPolicy::kVolatileLru || policy == EvictionPolicy::kVolatileLfu ||
         policy == EvictionPolicy::kVolatileRandom || policy == EvictionPolicy::kVolatileTtl;
}

uint64_t ScoreOf(const Entry& entry, int64_t now_ms, const AccessPolicy& policy) {
  return policy.lfu ? 255 - LfuCounter(entry.access(), now_ms, policy) : static_cast<uint64_t>(LruIdleMs(entry.access(), now_ms));
}

AccessPolicy PolicyOf(const EvictionSettings& settings) {
  const bool lfu = settings.policy == EvictionPolicy::kAllKeysLfu || settings.policy == EvictionPolicy::kVolatileLfu;
  return {lfu, settings.lfu_log_factor, settings.lfu_decay_minutes};
}

}  // namespace

Evictor::Evictor(Keyspace& keyspace) : Evictor(keyspace, SecureRandom64()) {}

Evictor::Evictor(Keyspace& keyspace, uint64_t seed) : keyspace_(keyspace), random_(seed) {}

bool Evictor::EvictOne(ChangeScope& scope, const Commit& commit) {
  const EvictionSettings settings = keyspace_.eviction_settings();
  switch (settings.policy) {
    case EvictionPolicy::kNoEviction: return false;
    case EvictionPolicy::kVolatileTtl: return EvictEarliest(scope, commit);
    case EvictionPolicy::kAllKeysRandom:
    case EvictionPolicy::kVolatileRandom: return EvictRandom(scope, settings, commit);
    case EvictionPolicy::kAllKeysLru:
    case EvictionPolicy::kAllKeysLfu:
    case EvictionPolicy::kVolatileLru:
    case EvictionPolicy::kVolatileLfu: break;
  }
  return EvictBest(scope, settings, commit);
}

void Evictor::Evict(ChangeScope& scope, Shard& shard, uint32_t database, const Entry& entry, const Commit& commit) {
  const int64_t now_ms = scope.now_ms;
  const uint32_t wanted_events = scope.wanted_events;
  scope.Clear();
  scope.now_ms = now_ms;
  scope.wanted_events = wanted_events;
  scope.locked_shards.set(shard.index);
  Keyspace::State& state = *keyspace_.state_;
  {
    Table& table = *shard.table(database);
    const KeyRef key = KeyRef::Of(entry.key());
    TableChange change(state, shard, table, database);
    const std::string_view args[] = {"DEL", key.name};
    scope.Record(database, args);
    scope.Event(kEventEvicted, "evicted", database, key.name);
    shard.evicted_keys.Add(1);
    state.Touched(scope, shard, database, key, true);
    state.RemoveEntry(table, key, table.dictionary.FindSlot(key));
  }
  commit(scope);
}

bool Evictor::SettleFirst(Shard& shard, Table& table, uint32_t database) {
  TableChange change(*keyspace_.state_, shard, table, database);
  bool settled = false;
  for (int i = 0; i < kSettledPerLock && Keyspace::State::SettleFirstExpiry(table); i++) settled = true;
  return settled;
}

uint32_t Evictor::EarliestShard(int64_t* earliest_ms) {
  uint32_t best = 0;
  for (uint32_t i = 0; i < kShardCount; i++) {
    Shard& shard = keyspace_.shard(i);
    // What is published may be the deadline of a hash's field, which makes no key one to evict.
    if (shard.next_expiry_ms.load(std::memory_order_relaxed) >= *earliest_ms) continue;
    SpinLockHolder hold(shard.lock);
    for (uint32_t database = 0; database < keyspace_.databases(); database++) {
      const Table* const table = shard.table(database);
      if (table == nullptr || table->expiry.size() == 0 || table->expiry.first_deadline_ms() >= *earliest_ms) continue;
      *earliest_ms = table->expiry.first_deadline_ms();
      best = i;
    }
  }
  return best;
}

bool Evictor::EvictEarliest(ChangeScope& scope, const Commit& commit) {
  for (int tries = 0; tries < kTries; tries++) {
    int64_t earliest_ms = INT64_MAX;
    const uint32_t best = EarliestShard(&earliest_ms);
    if (earliest_ms == INT64_MAX) return false;
    Shard& shard = keyspace_.shard(best);
    SpinLockHolder hold(shard.lock);
    for (uint32_t database = 0; database < keyspace_.databases(); database++) {
      Table* table = shard.table(database);
      if (table == nullptr || table->expiry.size() == 0 || table->expiry.first_deadline_ms() != earliest_ms) continue;
      if (SettleFirst(shard, *table, database)) {
        // Another shard's may be earlier now. Each item is settled once, so this ends.
        tries--;
        break;
      }
      Evict(scope, shard, database, *table->expiry.First(), commit);
      return true;
    }
  }
  return false;
}

bool Evictor::EvictRandom(ChangeScope& scope, const EvictionSettings& settings, const Commit& commit) {
  const bool volatile_only = IsVolatile(settings.policy);
  for (int tries = 0; tries < kTries; tries++) {
    uint32_t shard_index;
    uint32_t database;
    uint64_t roll;
    uint64_t seed;
    {
      MutexLock hold(mutex_);
      if (!PickTable(volatile_only, &shard_index, &database)) return false;
      roll = random_.Next();
      seed = random_.Next();
    }
    Shard& shard = keyspace_.shard(shard_index);
    SpinLockHolder hold(shard.lock);
    const Table* table = shard.table(database);
    if (table == nullptr) continue;
    const Entry* victim = nullptr;
    if (volatile_only) {
      Random random(seed);
      victim = table->expiry.Any(random);
    } else {
      std::vector<Entry*> entries;
      table->dictionary.Sample(roll, kSlotsPerBucket, false, 4, &entries);
      if (!entries.empty()) victim = entries[seed % entries.size()];
    }
    if (victim == nullptr) continue;
    Evict(scope, shard, database, *victim, commit);
    return true;
  }
  return false;
}

bool Evictor::EvictBest(ChangeScope& scope, const EvictionSettings& settings, const Commit& commit) {
  const bool volatile_only = IsVolatile(settings.policy);
  for (int tries = 0; tries < kTries; tries++) {
    Candidate candidate;
    {
      MutexLock hold(mutex_);
      if (!TakeCandidate(scope.now_ms, settings, &candidate)) return false;
    }
    Shard& shard = keyspace_.shard(candidate.shard);
    SpinLockHolder hold(shard.lock);
    const Table* table = shard.table(candidate.database);
    const Entry* entry = table == nullptr ? nullptr : table->dictionary.Find(KeyRef::Of(candidate.key));
    if (entry == nullptr || (volatile_only && !entry->has_expiry())) continue;
    // Used since it was sampled: no longer what it was taken for.
    if (ScoreOf(*entry, scope.now_ms, PolicyOf(settings)) < candidate.score) continue;
    Evict(scope, shard, candidate.database, *entry, commit);
    return true;
  }
  return false;
}

bool Evictor::TakeCandidate(int64_t now_ms, const EvictionSettings& settings, Candidate* candidate) {
  if (pool_policy_ != settings.policy) {
    pool_.clear();
    pool_policy_ = settings.policy;
    picks_left_ = 0;
  }
  for (int tries = 0; tries < kTries; tries++) {
    SamplePlace(now_ms, settings);
    if (pool_.empty()) {
      if (CountTables(IsVolatile(settings.policy)) == 0) return false;
      continue;
    }
    *candidate = std::move(pool_.back());
    pool_.pop_back();
    return true;
  }
  return false;
}

void Evictor::SamplePlace(int64_t now_ms, const EvictionSettings& settings) {
  const bool volatile_only = IsVolatile(settings.policy);
  const AccessPolicy policy = PolicyOf(settings);
  const size_t samples = static_cast<size_t>(std::clamp(settings.samples, 1, 64));
  uint32_t shard_index;
  uint32_t database;
  if (!PickTable(volatile_only, &shard_index, &database)) return;
  Shard& shard = keyspace_.shard(shard_index);
  SpinLockHolder hold(shard.lock);
  const Table* table = shard.table(database);
  if (table == nullptr) return;
  sampled_.clear();
  if (volatile_only && table->expiry.size() * kVolatileRare < table->dictionary.size()) {
    for (size_t i = 0; i < samples; i++) {
      if (Entry* entry = table->expiry.Any(random_)) sampled_.push_back(entry);
    }
  } else {
    table->dictionary.Sample(random_.Next(), samples, volatile_only, kBucketsPerSample, &sampled_);
  }
  for (const Entry* entry : sampled_) Offer(ScoreOf(*entry, now_ms, policy), shard_index, database, entry->key());
}

void Evictor::Offer(uint64_t score, uint32_t shard, uint32_t database, std::string_view key) {
  if (pool_.size() >= kPoolSize && score <= pool_.front().score) return;
  for (const Candidate& candidate : pool_) {
    if (candidate.shard == shard && candidate.database == database && candidate.key == key) return;
  }
  const auto at = std::upper_bound(pool_.begin(), pool_.end(), score, [](uint64_t s, const Candidate& c) { return s < c.score; });
  pool_.insert(at, Candidate{score, shard, database, std::string(key)});
  if (pool_.size() > kPoolSize) pool_.erase(pool_.begin());
}

uint64_t Evictor::CountTables(bool volatile_only) {
  cumulative_.clear();
  uint64_t sum = 0;
  for (uint32_t i = 0; i < kShardCount; i++) {
    for (const TableCounters& counters : keyspace_.shard(i).counters) {
      sum += volatile_only ? counters.expiring.Get() : counters.keys.Get();
      cumulative_.push_back(sum);
    }
  }
  picks_left_ = kPicksPerCount;
  counted_volatile_ = volatile_only;
  return sum;
}

bool Evictor::PickTable(bool volatile_only, uint32_t* shard, uint32_t* database) {
  if (picks_left_ == 0 || counted_volatile_ != volatile_only || cumulative_.back() == 0) CountTables(volatile_only);
  picks_left_--;
  const uint64_t sum = cumulative_.back();
  if (sum == 0) return false;
  const auto at = std::upper_bound(cumulative_.begin(), cumulative_.end(), random_.Uniform(sum));
  const uint32_t index = static_cast<uint32_t>(at - cumulative_.begin());
  *shard = index / keyspace_.databases();
  *database = index % keyspace_.databases();
  return true;
}

}  // namespace cairn
