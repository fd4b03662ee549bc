#include "engine/snapshot_loader.h"

#include <algorithm>
#include <thread>

#include "engine/encoded_entry.h"

namespace cairn {
namespace {

constexpr int64_t kProgressEveryUs = 250'000;

}  // namespace

SnapshotLoader::SnapshotLoader(StoreCore& core, const SnapshotReader& reader, bool locks_held)
    : core_(core),
      reader_(reader),
      locks_held_(locks_held),
      now_ms_(core.clock.WallMs()),
      access_kind_(LoadedAccessKind(core.runtime().maxmemory_policy)) {}

Status SnapshotLoader::CheckShape() const {
  if (reader_.shard_count() != kShardCount) {
    return Status::NewerFormat("the snapshot at LSN " + std::to_string(reader_.lsn()) + " has " +
                               std::to_string(reader_.shard_count()) + " shards, this version reads " +
                               std::to_string(kShardCount));
  }
  for (const ShardCount& count : reader_.counts()) {
    if (count.database < core_.keyspace->databases()) continue;
    return Status::InvalidArgument("the snapshot uses database " + std::to_string(count.database) + ": start with --databases " +
                                   std::to_string(count.database + 1) + " or more");
  }
  return Status();
}

Status SnapshotLoader::Run(uint32_t threads, const std::function<void(uint64_t done_bytes, uint64_t keys)>& progress) {
  CAIRN_RETURN_IF_ERROR(CheckShape());
  for (size_t i = 0; i < reader_.block_count(); i++) {
    const BlockHeader& header = reader_.block(i).header;
    const bool wanted = header.kind == BlockKind::kEntries || (header.kind == BlockKind::kBigEntry && header.first());
    if (wanted) blocks_[header.shard].push_back(i);
  }
  std::vector<std::thread> workers;
  {
    MutexLock lock(mutex_);
    running_ = std::clamp(threads, 1u, kShardCount);
    for (uint32_t i = 0; i < running_; i++) workers.emplace_back([this] { Work(); });
    while (running_ > 0) {
      changed_.WaitFor(mutex_, kProgressEveryUs);
      mutex_.Unlock();
      if (progress) progress(done_bytes_.load(std::memory_order_relaxed), keys_.load(std::memory_order_relaxed));
      mutex_.Lock();
    }
  }
  for (std::thread& worker : workers) worker.join();
  MutexLock lock(mutex_);
  return failure_;
}

void SnapshotLoader::Fail(const Status& status) {
  MutexLock lock(mutex_);
  if (failure_.ok()) failure_ = status;
  failed_.store(true, std::memory_order_relaxed);
}

void SnapshotLoader::Work() {
  BlockBuffer buffer;
  while (!failed_.load(std::memory_order_relaxed)) {
    const uint32_t shard = next_shard_.fetch_add(1, std::memory_order_relaxed);
    if (shard >= kShardCount) break;
    const Status status = LoadShard(shard, buffer);
    if (!status.ok()) Fail(status);
  }
  MutexLock lock(mutex_);
  running_--;
  changed_.NotifyAll();
}

Status SnapshotLoader::LoadShard(uint32_t shard, BlockBuffer& buffer) {
  if (!locks_held_) core_.keyspace->LockShard(shard);
  for (const ShardCount& count : reader_.counts()) {
    if (count.shard == shard) core_.keyspace->Reserve(shard, count.database, count.entries);
  }
  Status status;
  for (const size_t block : blocks_[shard]) {
    if (failed_.load(std::memory_order_relaxed)) break;
    const BlockHeader& header = reader_.block(block).header;
    status = header.kind == BlockKind::kEntries ? LoadBlock(block, buffer) : LoadBigEntry(block);
    if (!status.ok()) break;
    done_bytes_.fetch_add(header.stored_bytes, std::memory_order_relaxed);
    keys_.fetch_add(header.entry_count, std::memory_order_relaxed);
  }
  if (!locks_held_) core_.keyspace->UnlockShard(shard);
  return status;
}

Status SnapshotLoader::LoadBlock(size_t block, BlockBuffer& buffer) {
  const BlockHeader& header = reader_.block(block).header;
  CAIRN_ASSIGN_OR_RETURN(const std::string_view bytes, reader_.ReadBlock(block, buffer));
  EntryReader entries(bytes, header.entry_count);
  for (EntryView entry; entries.Next(&entry);) {
    const Status loaded = LoadOne(entry.head, entry.key, entry.value, header.shard);
    if (!loaded.ok()) return reader_.Located(block, loaded);
  }
  return reader_.Located(block, entries.status());
}

Status SnapshotLoader::LoadBigEntry(size_t block) {
  CAIRN_ASSIGN_OR_RETURN(const auto big, reader_.OpenBigEntry(block));
  std::string value;
  value.reserve(big->value_bytes());
  while (true) {
    CAIRN_ASSIGN_OR_RETURN(const std::string_view part, big->NextPart());
    if (part.empty()) break;
    value += part;
  }
  return reader_.Located(block, LoadOne(big->head(), big->key(), value, reader_.block(block).header.shard));
}

Status SnapshotLoader::LoadOne(const EntryHead& head, std::string_view key, std::string_view value, uint32_t shard) {
  const KeyRef ref = KeyRef::Of(key);
  if (ref.shard() != shard) return Status::Damaged("a key lies in shard " + std::to_string(shard) + " that belongs elsewhere");
  const int64_t expiry_ms = head.has_expiry ? head.expiry_unix_ms : -1;
  const LoadedAttributes attributes{expiry_ms, head.access_kind == access_kind_, head.access};
  return LoadEncodedEntry(*core_.keyspace, head.database, ref, head.value_type, value, attributes, now_ms_);
}

}  // namespace cairn
