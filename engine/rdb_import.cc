#include "engine/rdb_import.h"

#include <algorithm>
#include <array>
#include <thread>

#include "base/logger.h"
#include "engine/encoded_entry.h"
#include "engine/keyspace/access_field.h"
#include "engine/keyspace/shard.h"

namespace cairn {
namespace {

constexpr int64_t kProgressEveryUs = 250'000;
constexpr uint64_t kEmptyKeysNamed = 10;
constexpr uint64_t kEntryLeastBytes = 3;  // type, key and value of one byte each
constexpr size_t kPrefetchAhead = 8;

}  // namespace

// One worker's memory: the batch's keys, hashed, and their order by shard.
struct RdbImport::Work {
  uint32_t first_shard = 0;  // workers begin at different ones, so that they seldom meet
  std::vector<KeyRef> keys;
  std::vector<uint32_t> order;
  std::array<uint32_t, kShardCount + 1> begins;
  Counts counts;
};

RdbImport::RdbImport(StoreCore& core, Options options)
    : core_(core),
      options_(options),
      now_ms_(core.clock.WallMs()),
      access_kind_(LoadedAccessKind(core.runtime().maxmemory_policy)) {}

Status RdbImport::Run(const std::string& path, const std::function<void(uint64_t done_bytes, uint64_t keys)>& progress) {
  path_ = path;
  {
    MutexLock lock(reader_mutex_);
    CAIRN_ASSIGN_OR_RETURN(reader_, RdbReader::Open(core_.fs, path));
  }
  std::vector<std::thread> workers;
  {
    MutexLock lock(mutex_);
    running_ = std::clamp(core_.worker_threads, 1u, kShardCount);
    const uint32_t count = running_;
    for (uint32_t i = 0; i < count; i++) workers.emplace_back([this, i] { WorkerMain(i); });
    while (running_ > 0) {
      changed_.WaitFor(mutex_, kProgressEveryUs);
      mutex_.Unlock();
      if (progress) progress(done_bytes_.load(std::memory_order_relaxed), done_keys_.load(std::memory_order_relaxed));
      mutex_.Lock();
    }
  }
  for (std::thread& worker : workers) worker.join();
  MutexLock lock(mutex_);
  return failure_;
}

void RdbImport::Fail(const Status& status) {
  MutexLock lock(mutex_);
  if (failure_.ok()) failure_ = status;
  failed_.store(true, std::memory_order_relaxed);
}

void RdbImport::WorkerMain(uint32_t number) {
  Work work;
  work.first_shard = number * kShardCount / std::clamp(core_.worker_threads, 1u, kShardCount);
  for (RdbBatch batch; NextBatch(&batch);) {
    const Status status = LoadBatch(batch, &work);
    if (!status.ok()) Fail(status);
  }
  MutexLock lock(mutex_);
  counts_.keys += work.counts.keys;
  counts_.expired_keys += work.counts.expired_keys;
  counts_.empty_keys += work.counts.empty_keys;
  running_--;
  changed_.NotifyAll();
}

bool RdbImport::NextBatch(RdbBatch* batch) {
  Status status;
  {
    MutexLock lock(reader_mutex_);
    if (ended_ || failed_.load(std::memory_order_relaxed)) return false;
    status = reader_->Next(batch);
    if (status.ok()) ReserveTables();
    done_bytes_.store(reader_->offset(), std::memory_order_relaxed);
    ended_ = batch->entries.empty();
  }
  if (!status.ok()) Fail(status);
  return status.ok() && !batch->entries.empty();
}

// Tables of the announced sizes, but no larger than the file's size allows: the numbers are only what somebody wrote.
void RdbImport::ReserveTables() {
  const uint64_t most = reader_->size_bytes() / kEntryLeastBytes;
  for (; reserved_ < reader_->database_sizes().size(); reserved_++) {
    const RdbReader::DatabaseSize& size = reader_->database_sizes()[reserved_];
    if (size.database >= core_.keyspace->databases() || core_.keyspace->Size(size.database) != 0) continue;
    for (uint32_t shard = 0; shard < kShardCount; shard++) {
      core_.keyspace->LockShard(shard);
      core_.keyspace->Reserve(shard, size.database, std::min(size.keys, most) / kShardCount);
      core_.keyspace->UnlockShard(shard);
    }
  }
}

Status RdbImport::LoadBatch(const RdbBatch& batch, Work* work) {
  const size_t count = batch.entries.size();
  work->keys.resize(count);
  work->order.resize(count);
  work->begins.fill(0);
  for (size_t i = 0; i < count; i++) {
    work->keys[i] = KeyRef::Of(batch.entries[i].key);
    work->begins[work->keys[i].shard() + 1]++;
  }
  for (uint32_t shard = 0; shard < kShardCount; shard++) work->begins[shard + 1] += work->begins[shard];
  std::array<uint32_t, kShardCount> next;
  std::copy_n(work->begins.begin(), kShardCount, next.begin());
  for (size_t i = 0; i < count; i++) work->order[next[work->keys[i].shard()]++] = static_cast<uint32_t>(i);
  for (uint32_t i = 0; i < kShardCount; i++) {
    const uint32_t shard = (work->first_shard + i) % kShardCount;
    if (work->begins[shard] == work->begins[shard + 1]) continue;
    if (failed_.load(std::memory_order_relaxed)) return Status();
    core_.keyspace->LockShard(shard);
    Status status = LoadShard(batch, shard, work);
    core_.keyspace->UnlockShard(shard);
    if (!status.ok()) return status;
  }
  done_keys_.fetch_add(count, std::memory_order_relaxed);
  return Status();
}

Status RdbImport::LoadShard(const RdbBatch& batch, uint32_t shard, Work* work) {
  const uint32_t end = work->begins[shard + 1];
  for (uint32_t i = work->begins[shard]; i < end; i++) {
    if (i + kPrefetchAhead < end) {
      const uint32_t ahead = work->order[i + kPrefetchAhead];
      const uint32_t database = batch.entries[ahead].database;
      const Table* table = database < core_.keyspace->databases() ? core_.keyspace->shard(shard).table(database) : nullptr;
      if (table != nullptr) table->dictionary.PrefetchBucket(work->keys[ahead].hash);
    }
    const uint32_t index = work->order[i];
    CAIRN_RETURN_IF_ERROR(LoadOne(batch, batch.entries[index], work->keys[index], work));
  }
  return Status();
}

LoadedAttributes RdbImport::AttributesOf(const RdbEntry& entry) const {
  LoadedAttributes attributes{.expiry_ms = entry.expiry_unix_ms};
  if (access_kind_ == AccessKind::kLfu && entry.frequency >= 0) {
    attributes.has_access = true;
    attributes.access = LfuMinutes(now_ms_) << 8 | static_cast<uint32_t>(entry.frequency);
  } else if (access_kind_ == AccessKind::kLru && entry.idle_s >= 0) {
    attributes.has_access = true;
    attributes.access = (LruClock(now_ms_) - static_cast<uint32_t>(std::min<int64_t>(entry.idle_s, kAccessMask))) & kAccessMask;
  }
  return attributes;
}

Status RdbImport::LoadOne(const RdbBatch& batch, const RdbEntry& entry, const KeyRef& key, Work* work) {
  const auto located = [&](StatusCode code, std::string_view what) {
    return Status(code, path_ + " at byte " + std::to_string(batch.OffsetOf(entry)) + ": the key " + QuotedKey(entry.key) + ": " +
                            std::string(what));
  };
  if (entry.database >= core_.keyspace->databases()) {
    return located(StatusCode::kInvalidArgument, "it is in database " + std::to_string(entry.database) +
                                                     ": start with --databases " + std::to_string(entry.database + 1) +
                                                     " or more");
  }
  if (!options_.keep_expired && entry.expiry_unix_ms >= 0 && entry.expiry_unix_ms < now_ms_) {
    work->counts.expired_keys++;
    return Status();
  }
  const Table* table = core_.keyspace->shard(key.shard()).table(entry.database);
  if (table != nullptr && table->dictionary.Find(key) != nullptr) return located(StatusCode::kDamaged, "it is there twice");
  const Status loaded =
      LoadEncodedEntry(*core_.keyspace, entry.database, key, entry.value_type, entry.value, AttributesOf(entry), now_ms_);
  if (loaded.ok()) {
    work->counts.keys++;
  } else if (loaded.code() == StatusCode::kNotFound) {
    // What old versions of Redis left behind by mistake.
    if (work->counts.empty_keys++ < kEmptyKeysNamed) {
      const std::string quoted = QuotedKey(entry.key);
      LogF(LogLevel::kWarning, "%s at byte %llu: skipping empty key: %s", path_.c_str(),
           static_cast<unsigned long long>(batch.OffsetOf(entry)), quoted.substr(1, quoted.size() - 2).c_str());
    }
  } else {
    return located(loaded.code(), loaded.message());
  }
  return Status();
}

void LogSkippedModules(const RdbReader& reader, const std::string& file) {
  for (const std::string& module : reader.skipped_modules()) {
    LogF(LogLevel::kWarning, "The state of the module type %s in %s was left out", module.c_str(), file.c_str());
  }
}

}  // namespace cairn
