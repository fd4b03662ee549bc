#include "engine/store.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "engine/execution_scratch.h"
#include "engine/store_impl.h"

namespace cairn {
namespace {

constexpr int64_t kParkedRetryUs = 1'000;

void Queue(Client& client, const CommandRow& row, ArgSpan args) {
  QueuedCommand command{.row = &row};
  for (const std::string_view arg : args) command.args.push_back(SharedBytes::Copy(arg));
  client.transaction.commands.push_back(std::move(command));
}

// Lets the calling thread wait for what its command waits for.
class CallerWait final : public WaitPort {
 public:
  void OnBlocked(const std::shared_ptr<Waiter>& waiter) override {
    waiter_ = waiter;
    waiter->done = [state = state_](std::shared_ptr<RecordingSink> reply, Lsn visible_lsn) {
      MutexLock lock(state->mutex);
      state->closed = reply == nullptr;
      state->reply = std::move(reply);
      state->visible_lsn = visible_lsn;
      state->served.NotifyAll();
    };
  }
  bool OnDeferred(uint64_t, std::function<void(ReplySink&)>&) override { return false; }

  // Until the command is served, or its time is up. Returns what the reply waits for.
  Lsn Await(Store& store, ReplySink& reply) {
    const int64_t begin_us = RealClock().MonotonicUs();
    const int64_t timeout_us = waiter_->timeout_ms > INT64_MAX / 2000 ? 0 : waiter_->timeout_ms * 1000;
    std::shared_ptr<RecordingSink> served = TakeUntil(timeout_us == 0 ? INT64_MAX : begin_us + timeout_us);
    if (served == nullptr && !store.CancelWait(*waiter_)) served = TakeUntil(INT64_MAX);
    MutexLock lock(state_->mutex);
    if (served != nullptr) {
      served->Replay(reply);
    } else if (state_->closed) {
      reply.Error("ERR the store is closed");
    } else {
      reply.NullArray();
    }
    return state_->visible_lsn;
  }

 private:
  struct State {
    Mutex mutex;
    CondVar served;
    std::shared_ptr<RecordingSink> reply CAIRN_GUARDED_BY(mutex);
    Lsn visible_lsn CAIRN_GUARDED_BY(mutex) = 0;
    bool closed CAIRN_GUARDED_BY(mutex) = false;
  };
  std::shared_ptr<RecordingSink> TakeUntil(int64_t deadline_us) {
    constexpr int64_t kLongestSleepUs = 60'000'000;
    MutexLock lock(state_->mutex);
    while (state_->reply == nullptr && !state_->closed) {
      const int64_t left_us = deadline_us - RealClock().MonotonicUs();
      if (left_us <= 0) break;
      state_->served.WaitFor(state_->mutex, std::min(left_us, kLongestSleepUs));
    }
    return state_->reply;
  }

  std::shared_ptr<Waiter> waiter_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

// The file system's functions say what happened and where; what to do depends on what the file is for.
Status WithAdvice(const Status& status) {
  const std::string what(status.message());
  switch (status.code()) {
    case StatusCode::kNoSpace: return Status::NoSpace(what + ": make room there and start again; what was stored is untouched");
    case StatusCode::kLocked: return Status::Locked(what + ": end that one first, or choose another directory");
    case StatusCode::kIoError: return Status::IoError(what + ": this process must be able to read and write the data directory");
    default: return status;
  }
}

}  // namespace

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
  const Status status = Close(false);
  if (!status.ok()) LogF(LogLevel::kWarning, "Closing the store: %s", std::string(status.message()).c_str());
}

Result<std::unique_ptr<Store>> Store::Open(StoreOptions options, const std::function<void(const Progress&)>& progress) {
  FileSystem& fs = options.file_system != nullptr ? *options.file_system : RealFileSystem();
  Clock& clock = options.clock != nullptr ? *options.clock : RealClock();
  // The program may go elsewhere; the store stays.
  if (options.file_system == nullptr) {
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(options.directory, error);
    if (!error) options.directory = absolute.string();
  }
  auto impl = std::make_unique<Impl>(std::move(options), fs, clock);
  if (const Status status = impl->Open(progress); !status.ok()) return WithAdvice(status);
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Outcome Store::Execute(Client& client, const Request& request, ReplySink& reply) {
  return impl_->executor->Execute(client, request, reply);
}

Outcome Store::ExecuteTransaction(Client& client, ReplySink& reply) { return impl_->executor->ExecuteTransaction(client, reply); }

bool Store::CancelWait(Waiter& waiter) { return impl_->executor->CancelWait(waiter); }

void Store::Unwatch(Client& client) { impl_->executor->Unwatch(client); }

void Store::Prefetch(std::span<const KeyRef> keys, uint32_t database) { impl_->executor->Prefetch(keys, database); }

std::string Store::RefusalOf(const CommandRow& row, bool queueing) { return impl_->executor->RefusalOf(row.flags, queueing); }

void Store::AddClientMemory(int64_t delta_bytes) { impl_->core.memory.AddClientBytes(delta_bytes); }

void Store::HoldExpiry(bool hold) { impl_->core.SetGate(kGateExpiryHeld, hold); }

ReplyValue Store::Run(Client& client, std::initializer_list<std::string_view> args, Durability wait) {
  return Run(client, std::span<const std::string_view>(args.begin(), args.size()), wait);
}

ReplyValue Store::Run(Client& client, std::span<const std::string_view> args, Durability wait) {
  ReplyValueSink sink;
  if (client.database >= impl_->core.opened_with.databases) {
    sink.Error("ERR DB index is out of range");
    return sink.Take();
  }
  const CommandRow* row = commands().Find(args);
  const Status callable = CommandTable::CheckCall(row, args);
  if (!callable.ok()) {
    client.transaction.aborted = client.transaction.open;
    sink.Error(callable.message());
    return sink.Take();
  }
  if (client.transaction.open && !row->has(kRunsUnqueued)) {
    const std::string refusal = RefusalOf(*row, true);
    if (!refusal.empty()) {
      client.transaction.aborted = true;
      sink.Error(refusal);
      return sink.Take();
    }
    Queue(client, *row, args);
    sink.Simple("QUEUED");
    return sink.Take();
  }
  std::vector<SharedBytes> owners;
  for (size_t i = 0; i < args.size(); i++) {
    if (args[i].size() <= kInlineValueMaxBytes) continue;
    owners.resize(args.size());
    owners[i] = SharedBytes::Copy(args[i]);
  }
  const bool is_exec = row->parent == nullptr && row->name == "exec";
  CallerWait port;
  auto* const own_port = std::exchange(client.wait_port, &port);
  Outcome outcome;
  while (true) {
    outcome = is_exec ? ExecuteTransaction(client, sink) : Execute(client, {.row = row, .args = args, .owners = owners}, sink);
    if (outcome.kind != Outcome::Kind::kParked) break;
    impl_->core.WaitForProgress(kParkedRetryUs);
  }
  client.wait_port = own_port;
  if (outcome.kind == Outcome::Kind::kBlocked) {
    outcome.visible_lsn = std::max(outcome.visible_lsn, port.Await(*this, sink));
    client.read_hashes.clear();
  }
  if (wait == Durability::kAwait && outcome.visible_lsn > durable_lsn()) {
    const Status durable = AwaitReply(client, outcome.visible_lsn);
    if (!durable.ok()) {
      (void)sink.Take();
      sink.Error("MISCONF Errors writing to the AOF file: " + std::string(durable.message()));
    }
  }
  return sink.Take();
}

Status Store::AwaitReply(const Client& client, Lsn visible_lsn) {
  while (true) {
    Status durable = WaitDurable(visible_lsn);
    if (durable.ok()) return durable;
    const ReadState state = StateOfReads(client.read_hashes, visible_lsn);
    if (state == ReadState::kDurable) return Status::Ok();
    if (state == ReadState::kUndurable) return durable;
    impl_->core.WaitForProgress(kParkedRetryUs);
  }
}

void Store::ForEachKey(uint32_t database, const std::function<void(std::string_view key, const Entry& entry)>& visit) {
  if (database >= impl_->core.opened_with.databases || impl_->core.gate_has(kGateClosed)) return;
  ScratchLease scratch;
  impl_->core.FillScope(scratch->scope, impl_->core.clock.WallMs());
  scratch->scope.deletes_expired = false;
  scratch->scope.locked_shards.reset();
  impl_->core.keyspace->ForEach(scratch->scope, database, [&](const Entry& entry) { visit(entry.key(), entry); });
}

Lsn Store::durable_lsn() const { return impl_->core.log->durable_lsn(); }

void Store::BeginBatch() { impl_->core.log->BeginBatch(); }

void Store::EndBatch() { impl_->core.log->EndBatch(); }

Lsn Store::end_lsn() const { return impl_->core.log->end_lsn(); }

Status Store::WaitDurable(Lsn lsn) { return impl_->core.log->WaitDurable(lsn); }

Store::ReadState Store::StateOfReads(std::span<const uint64_t> read_hashes, Lsn visible_lsn) {
  StoreCore& core = impl_->core;
  if (visible_lsn <= durable_lsn()) return ReadState::kDurable;
  if (read_hashes.empty() || core.log->Admit(0) != Admission::kRefused) return ReadState::kUndurable;
  const std::optional<bool> undurable = core.undurable_keys.HaveAny(read_hashes, visible_lsn, *core.log, core.commands);
  if (!undurable.has_value()) return ReadState::kUnknown;
  return *undurable ? ReadState::kUndurable : ReadState::kDurable;
}

void Store::SetProgressListener(std::function<void()> listener) { impl_->core.SetProgressListener(std::move(listener)); }

void Store::SetChangeListener(ChangeListener* listener) {
  impl_->core.change_listener.store(listener, std::memory_order_release);
  if (listener != nullptr) return;
  // Whoever still uses the old one holds a shard lock: once all were ours, nobody does.
  impl_->core.keyspace->LockShards(AllShards());
  impl_->core.keyspace->UnlockShards(AllShards());
}

Status Store::StartSnapshot(bool rotate_first, std::function<void(const Status&)> done, SnapshotPace pace) {
  return impl_->checkpointer->StartSnapshot(rotate_first, std::move(done), pace);
}

Status Store::StartRdbExport(std::string path, std::function<void(const Status&)> done) {
  return impl_->checkpointer->StartRdbExport(std::move(path), std::move(done));
}

Result<BackupReport> Store::Backup(const BackupRequest& request) { return impl_->Backup(request); }

Status Store::SaveAndWait() {
  if (ThisThreadHoldsShards()) return Status::Unavailable("a snapshot cannot be awaited inside a transaction");
  return impl_->checkpointer->SaveAndWait();
}

StoreOptions Store::options() const {
  StoreOptions options = impl_->core.opened_with;
  options.runtime = impl_->core.runtime();
  return options;
}

Status Store::UpdateOptions(const std::function<void(RuntimeOptions&)>& change) { return impl_->UpdateOptions(change); }

StoreInfo Store::Info() const { return impl_->Info(); }

Status Store::FinishEnablingLog() { return impl_->FinishEnablingLog(); }

Status Store::Reload(bool snapshot_first) {
  if (ThisThreadHoldsShards()) return Status::Unavailable("the data set cannot be reloaded inside a transaction");
  return impl_->Reload(snapshot_first);
}

Status Store::Close(bool snapshot) { return impl_->Close(snapshot); }

Keyspace& Store::keyspace() { return *impl_->core.keyspace; }

LogWriter& Store::log() { return *impl_->core.log; }

CommandTable& Store::commands() { return impl_->core.commands; }

}  // namespace cairn
