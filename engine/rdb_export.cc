#include "engine/rdb_export.h"

#include <string_view>

#include "engine/codec/redis70_value.h"
#include "engine/keyspace/access_field.h"
#include "engine/snapshot_walk.h"

namespace cairn {
namespace {

constexpr std::string_view kRedisVersion = "7.0.15";  // whose file it is like
constexpr uint64_t kEncodedAtOnceBytes = uint64_t{1} << 20;

// Appends to the file what an encoder of a large value gives.
class RdbFileSink final : public RdbSink {
 public:
  explicit RdbFileSink(RdbWriter& writer) : writer_(writer) {}
  void Append(std::string_view bytes) override { writer_.AppendValue(bytes); }

 private:
  RdbWriter& writer_;
};

}  // namespace

RdbExport::RdbExport(StoreCore& core, SnapshotCut& cut, std::unique_ptr<RdbWriter> writer)
    : core_(core), cut_(cut), now_ms_(core.clock.WallMs()), writer_(std::move(writer)) {
  MutexLock lock(mutex_);
  WriteHeader();
}

void RdbExport::WriteHeader() {
  writer_->AddAux("redis-ver", kRedisVersion);
  writer_->AddAux("redis-bits", "64");
  writer_->AddAux("ctime", std::to_string(now_ms_ / 1000));
  writer_->AddAux("used-mem", std::to_string(core_.keyspace->memory_bytes()));
  writer_->AddAux("aof-base", "0");
  for (uint32_t i = 0; i < core_.keyspace->databases(); i++) {
    const uint64_t keys = core_.keyspace->Size(i);
    if (keys != 0) writer_->AddDatabaseSize(i, keys, core_.keyspace->ExpiringKeys(i));
  }
}

void RdbExport::Fail(const Status& status) {
  MutexLock lock(mutex_);
  if (failure_.ok()) failure_ = status;
  failed_.store(true, std::memory_order_relaxed);
}

void RdbExport::Work() {
  EntryBlock block;
  std::vector<LargeEntry> large;
  std::vector<Run> runs;
  while (!failed_.load(std::memory_order_relaxed)) {
    if (!cut_.NextBlock(&block, &large, RelieveFromBytes(core_))) break;
    UpdateHandOverGate(core_, cut_);
    Status status;
    if (core_.gate_has(kGateClosed)) status = Status::Unavailable("the store is closing");
    if (status.ok() && !block.empty()) {
      status = EncodeBlock(block, &runs);
      if (status.ok()) Append(runs);
    }
    for (const LargeEntry& entry : large) {
      if (status.ok()) status = WriteLarge(entry);
    }
    large.clear();
    if (!status.ok()) Fail(status);
  }
}

bool RdbExport::FillHead(const EntryHead& head, std::string_view key, RdbEntry* entry) const {
  *entry = {.database = head.database, .value_type = head.value_type, .key = key};
  if (head.has_expiry) {
    if (head.expiry_unix_ms <= now_ms_) return false;
    entry->expiry_unix_ms = head.expiry_unix_ms;
  }
  const EvictionPolicy policy = core_.keyspace->eviction_settings().policy;
  // As Redis: only where the policy looks at it.
  const bool lru = policy == EvictionPolicy::kAllKeysLru || policy == EvictionPolicy::kVolatileLru;
  if (head.access_kind == AccessKind::kLru && lru) entry->idle_s = LruIdleMs(head.access, now_ms_) / 1000;
  if (head.access_kind == AccessKind::kLfu) entry->frequency = static_cast<int32_t>(head.access & 0xFF);
  return true;
}

Result<bool> RdbExport::Convert(RdbEntry* entry, std::string* scratch) {
  if (!NeedsRedis70Form(entry->value_type)) return true;
  const Status status = ToRedis70Form(entry->value, now_ms_, &entry->value_type, scratch);
  if (status.code() == StatusCode::kNotFound) return false;
  CAIRN_RETURN_IF_ERROR(status);
  converted_.fetch_add(1, std::memory_order_relaxed);
  entry->value = *scratch;
  return true;
}

Status RdbExport::EncodeBlock(const EntryBlock& block, std::vector<Run>* runs) {
  runs->clear();
  std::string scratch;
  EntryReader reader(block.raw(), block.entry_count());
  for (EntryView view; reader.Next(&view);) {
    RdbEntry entry;
    if (!FillHead(view.head, view.key, &entry)) continue;
    entry.value = view.value;
    CAIRN_ASSIGN_OR_RETURN(const bool left, Convert(&entry, &scratch));
    if (!left) continue;
    if (runs->empty() || runs->back().database != entry.database) {
      runs->push_back({entry.database, {}});
      runs->back().bytes.reserve(block.raw_bytes() + block.raw_bytes() / 4);
    }
    AppendRdbEntryHead(&runs->back().bytes, entry);
    runs->back().bytes.append(entry.value);
  }
  return reader.status();
}

void RdbExport::Append(const std::vector<Run>& runs) {
  MutexLock lock(mutex_);
  for (const Run& run : runs) writer_->AddEncoded(run.database, run.bytes);
  if (!writer_->status().ok()) failed_.store(true, std::memory_order_relaxed);
}

Status RdbExport::WriteLarge(const LargeEntry& large) {
  RdbEntry entry;
  if (!FillHead(large.head, large.key, &entry)) return Status();
  const bool converts = NeedsRedis70Form(entry.value_type);
  if (converts || !large.value.MayExceed(kEncodedAtOnceBytes)) {
    std::string bytes, scratch;
    StringRdbSink sink(&bytes);
    large.value.Encode(sink);
    entry.value = bytes;
    CAIRN_ASSIGN_OR_RETURN(const bool left, Convert(&entry, &scratch));
    if (!left) return Status();
    MutexLock lock(mutex_);
    writer_->AddEntry(entry);
    return writer_->status();
  }
  MutexLock lock(mutex_);
  writer_->BeginEntry(entry);
  RdbFileSink sink(*writer_);
  large.value.Encode(sink);
  return writer_->status();
}

Status RdbExport::Finish() {
  MutexLock lock(mutex_);
  if (failure_.ok()) return writer_->Finish();
  writer_.reset();
  return failure_;
}

}  // namespace cairn
