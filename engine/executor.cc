#include "engine/executor.h"

#include <algorithm>
#include <memory>

#include "base/numbers.h"
#include "engine/commands/command_context.h"
#include "engine/execution_scratch.h"
#include "engine/keyspace/shard.h"
#include "engine/upcoming_shards.h"

namespace cairn {
namespace {

constexpr size_t kRecordOverheadBytes = 64;  // RESP headers and frame share of a record, for admission
constexpr size_t kReadsNotedMost = 256;      // a reply that shows more keys waits for their stripes

size_t EstimatedBytes(ArgSpan args) {
  size_t bytes = kRecordOverheadBytes;
  for (const std::string_view arg : args) bytes += arg.size() + 16;
  return bytes;
}

}  // namespace

Executor::Executor(StoreCore& core, std::function<bool()> evict)
    : core_(core),
      evict_(std::move(evict)),
      unwatch_row_(core.commands.FindByName("unwatch")),
      discard_row_(core.commands.FindByName("discard")) {}

Executor::Verdict Executor::CheckWrite(uint32_t flags, size_t bytes, std::string* error) {
  const uint32_t gate = core_.gate.load(std::memory_order_relaxed);
  if (gate & (kGateLogRefuses | kGateSnapshotFailed | kGateClosed)) [[unlikely]] {
    // The log may have recovered since it last said so.
    if (gate & kGateLogRefuses) core_.SetGate(kGateLogRefuses, core_.log->Admit(bytes) == Admission::kRefused);
    *error = core_.RefusalText();
    if (!error->empty()) return Verdict::kError;
  }
  if (core_.memory.limited() && core_.memory.MustMeasure()) [[unlikely]] {
    if (CheckMemory(flags, error) != Verdict::kRun) return Verdict::kError;
  }
  if (gate & (kGateHandOverFull | kGateMemoryFull)) [[unlikely]] {
    core_.somebody_parked.store(true, std::memory_order_relaxed);
    return Verdict::kPark;
  }
  const Admission admission = core_.log->Admit(bytes);
  if (admission == Admission::kAdmitted) [[likely]]
    return Verdict::kRun;
  if (admission == Admission::kWait) {
    core_.somebody_parked.store(true, std::memory_order_relaxed);
    return Verdict::kPark;
  }
  core_.SetGate(kGateLogRefuses, true);
  *error = core_.RefusalText();
  if (error->empty()) return Verdict::kPark;  // it recovered between the two questions
  return Verdict::kError;
}

bool Executor::OverMemoryLimit() {
  const uint64_t used = UsedMemoryBytes(core_);
  core_.memory.NoteMeasured(used);
  return used > core_.memory.effective_bytes();
}

Executor::Verdict Executor::CheckMemory(uint32_t flags, std::string* error) {
  if (!OverMemoryLimit()) return Verdict::kRun;
  const bool enough = !core_.gate_has(kGateLogRefuses) && evict_();
  if (enough || !(flags & kDenyOom)) return Verdict::kRun;
  *error = "OOM command not allowed when used memory > 'maxmemory'.";
  return Verdict::kError;
}

std::string Executor::RefusalOf(uint32_t flags, bool queueing) {
  std::string error;
  if (flags & kWrite) error = core_.RefusalText();
  if (!error.empty() || !core_.memory.limited()) return error;
  if ((flags & kDenyOom) || queueing) CheckMemory(kDenyOom, &error);
  return error;
}

bool Executor::MayNotRead(const CommandRow& row, std::span<const KeyRef> keys) const {
  // A write that found the gate open is late now, too: the log has its end.
  if (core_.gate_has(kGateClosed)) return !keys.empty() || row.has(kReadOnly) || row.has(kWrite);
  const Lsn durable = core_.log->durable_lsn();
  if (keys.empty()) return row.has(kReadOnly) && core_.log->end_lsn() > durable;
  return std::any_of(keys.begin(), keys.end(), [&](const KeyRef& key) {
    const Lsn lsn = core_.stripes.Get(key.stripe());
    if (lsn <= durable) return false;
    return core_.undurable_keys.HaveAny(std::span(&key.hash, 1), lsn, *core_.log, core_.commands).value_or(true);
  });
}

void Executor::RunHandler(const CommandRow& row, ArgSpan args, std::span<const SharedBytes> owners, std::span<const KeyRef> keys,
                          Client& client, ChangeScope& scope, ReplySink& reply, RunPorts ports) {
  const uint64_t changes_before = scope.changes();
  const uint32_t database = client.database;
  CommandContext context(row, args, owners, keys, client, *core_.keyspace, scope, core_.commands, reply, ports);
  row.handler(context);
  // A read may have deleted an expired key; that is recorded already.
  if (scope.changes() - context.expired_changes() == changes_before || context.log_decided() || !row.has(kWrite) ||
      row.has(kNotLogged))
    return;
  if (!core_.commands.has_renamed()) [[likely]] {
    scope.Record(database, args, owners);
    return;
  }
  const std::string_view name = row.parent != nullptr ? row.parent->name : row.name;
  std::vector<std::string_view> unrenamed(args.begin(), args.end());  // the log knows a command by its own name only
  unrenamed[0] = name;
  scope.Record(database, unrenamed, owners);
}

int64_t Executor::MemoryOf(std::span<const KeyRef> keys) const {
  const bool one = keys.size() == 1;
  return static_cast<int64_t>(one ? core_.keyspace->shard(keys[0].shard()).memory_bytes.Get() : core_.keyspace->memory_bytes());
}

Outcome Executor::Finished(Lsn visible) const {
  Outcome outcome;
  if (core_.replies_wait_for_disk.load(std::memory_order_relaxed) && visible > core_.log->durable_lsn())
    outcome.visible_lsn = visible;
  return outcome;
}

void Executor::NoteReads(Client& client, std::span<const KeyRef> keys) {
  client.read_hashes.clear();
  if (keys.size() > kReadsNotedMost) return;
  for (const KeyRef& key : keys) client.read_hashes.push_back(key.hash);
}

Lsn Executor::ExecuteLocked(Client& client, const Request& request, std::span<const KeyRef> keys, const ShardSet& shards,
                            ExecutionScratch& scratch, ReplySink& reply) {
  const CommandRow& row = *request.row;
  ChangeScope& scope = scratch.scope;
  ShardLocks locks(*core_.keyspace, shards);
  if (row.has(kWrite) && core_.keyspace->anybody_waits()) [[unlikely]]
    LockForWaiters(locks, keys);
  scope.locked_shards = locks.shards();
  scope.counts_only = locks.shards().any() && core_.log_off.load(std::memory_order_relaxed);
  bool may_read_undurable = !core_.gate_has(kGateLogRefuses | kGateClosed);
  if (!may_read_undurable && MayNotRead(row, keys)) [[unlikely]] {
    const std::string refusal = core_.ReadRefusalText();
    if (!refusal.empty()) {
      reply.Error(refusal);
      return 0;
    }
    may_read_undurable = true;  // the log recovered meanwhile: the reply waits for it, as ever
  }
  const bool measured = core_.memory.limited() && row.has(kWrite);
  const int64_t before = measured ? MemoryOf(keys) : 0;
  if (row.has(kBlocking)) [[unlikely]] {
    RunBlocking(client, request, keys, scratch, reply);
  } else {
    RunHandler(row, request.args, request.owners, keys, client, scope, reply,
               {.deferred = &scratch.deferred, .apart = request.apart, .ask_apart = &scratch.apart});
  }
  if (measured) [[unlikely]]
    core_.memory.NoteGrowth(std::max<int64_t>(0, MemoryOf(keys) - before));
  const Lsn visible = FinishUnit(scratch);
  // The keys were found durable one by one: their stripes, newer through other keys, would make the reply wait for the disk to heal.
  const bool known_durable = !may_read_undurable && !keys.empty() && row.has(kReadOnly) && !row.NeedsAllShards(request.args);
  return known_durable ? 0 : visible;
}

Outcome Executor::Execute(Client& client, const Request& request, ReplySink& reply) {
  const CommandRow& row = *request.row;
  if (row.has(kWrite)) {
    std::string error;
    const size_t bytes = core_.log->AdmitsAny() ? 0 : EstimatedBytes(request.args);
    const Verdict verdict = CheckWrite(row.flags, bytes, &error);
    if (verdict == Verdict::kPark) [[unlikely]]
      return {.kind = Outcome::Kind::kParked};
    if (verdict == Verdict::kError) [[unlikely]] {
      reply.Error(error);
      return {.refused = true};
    }
    core_.log->PrefetchForAppend();
  } else if (core_.memory.limited() && (row.has(kDenyOom) || core_.memory.MustMeasure())) {  // clients' buffers grow by reads too
    std::string error;
    if (CheckMemory(row.flags, &error) == Verdict::kError) {
      reply.Error(error);
      return {.refused = true};
    }
  }

  if (!request.keys.empty()) UpcomingShards::OfThread().Advance(core_);
  ScratchLease scratch;
  core_.FillScope(scratch->scope, request.now_ms != 0 ? request.now_ms : core_.clock.WallMs());
  std::span<const KeyRef> keys = request.keys;
  if (keys.empty() && (row.keys.first != 0 || row.get_keys != nullptr)) {
    const Status found = scratch->FindKeys(row, request.args);
    if (!found.ok()) [[unlikely]] {
      reply.Error(found.message());
      return {};
    }
    keys = scratch->keys;
  }
  ShardSet shards;
  if (row.NeedsAllShards(request.args)) {
    shards.set();
  } else {
    for (const KeyRef& key : keys) shards.set(key.shard());
  }
  const uint64_t errors_before = reply.error_count();
  const Lsn visible = ExecuteLocked(client, request, keys, shards, *scratch, reply);
  if (client.watch != nullptr && (&row == unwatch_row_ || &row == discard_row_) && reply.error_count() == errors_before)
    Unwatch(client);
  if (!scratch->left_ready.empty()) [[unlikely]]
    ServeKeys(std::move(scratch->left_ready));
  if (scratch->apart != nullptr) [[unlikely]]
    return WorkApart(client, request, std::move(scratch->apart), reply);
  Outcome outcome = Finished(visible);
  if (outcome.visible_lsn != 0) {
    const bool only_reads = row.has(kReadOnly) && !row.NeedsAllShards(request.args);
    NoteReads(client, only_reads ? keys : std::span<const KeyRef>());
  }
  if (scratch->blocked) [[unlikely]]
    outcome.kind = Outcome::Kind::kBlocked;
  if (scratch->deferred.produce != nullptr) [[unlikely]] {
    DeferredReply& deferred = scratch->deferred;
    if (client.wait_port != nullptr && client.wait_port->OnDeferred(deferred.elements, deferred.produce)) {
      outcome.kind = Outcome::Kind::kBlocked;
    } else {
      deferred.produce(reply);
    }
  }
  return outcome;
}

Outcome Executor::WorkApart(Client& client, const Request& request, const std::shared_ptr<ApartWork>& work, ReplySink& reply) {
  if (client.wait_port != nullptr && client.wait_port->OnApartWork(work)) return {.kind = Outcome::Kind::kApart};
  work->Run();
  Request again = request;
  again.apart = work.get();
  return Execute(client, again, reply);
}

void Executor::Unwatch(Client& client) {
  const std::shared_ptr<WatchState> watch = std::move(client.watch);
  client.watch.reset();
  if (watch == nullptr) return;
  for (const WatchState::Key& watched : watch->keys) {
    const KeyRef key = KeyRef::Of(watched.name);
    ShardSet shards;
    shards.set(key.shard());
    core_.keyspace->LockShards(shards);
    core_.keyspace->Unwatch(watch, watched.database, key);
    core_.keyspace->UnlockShards(shards);
  }
}

void Executor::Prefetch(std::span<const KeyRef> keys, uint32_t database) {
  UpcomingShards::OfThread().Set(keys);
  core_.keyspace->Prefetch(keys, database);
}

}  // namespace cairn
