#include "engine/log_replay.h"

#include <algorithm>

#include "base/numbers.h"
#include "base/resp_request.h"
#include "engine/commands/command_context.h"
#include "engine/keyspace/shard.h"
#include "engine/reply_value.h"

namespace cairn {
namespace {

constexpr size_t kBatchItems = 4096;
constexpr size_t kBatchBytes = size_t{4} << 20;  // of arguments, so that queued batches hold a bounded part of the log
constexpr size_t kQueuedBatches = 4;             // per worker
constexpr size_t kPreparedItems = 16;
constexpr uint32_t kNoWorker = UINT32_MAX;

}  // namespace

// One record. Its arguments lie in the batch, its bytes in the frame, which the batch keeps.
struct LogReplay::Item {
  const CommandRow* row = nullptr;
  uint32_t first_arg = 0;
  uint32_t arg_count = 0;
  uint32_t database = 0;
  uint16_t slot = 0;  // of its key, where it has exactly one
  bool one_key = false;
  uint64_t hash = 0;  // of that key
  Lsn lsn = 0;
};

struct LogReplay::Batch {
  std::vector<Item> items;
  std::vector<std::string_view> args;
  std::vector<SharedBytes> owners;
  size_t bytes = 0;
};

struct LogReplay::Worker {
  std::thread thread;
  ShardSet shards;
  std::unique_ptr<Batch> filling;  // by the reading thread
  Mutex mutex;
  CondVar changed;
  std::deque<std::unique_ptr<Batch>> queue CAIRN_GUARDED_BY(mutex);
  std::vector<std::unique_ptr<Batch>> spare CAIRN_GUARDED_BY(mutex);
  bool busy CAIRN_GUARDED_BY(mutex) = false;
  bool ends CAIRN_GUARDED_BY(mutex) = false;
};

// Executes records for one thread, with that thread's memory.
class LogReplay::Applier {
 public:
  // `shards`: those whose locks are held whenever Apply is called.
  Applier(StoreCore& core, const CommandRow* set_row, const ShardSet& shards) : core_(core), set_row_(set_row), shards_(shards) {
    ResetScope();
  }

  // Hashes the keys of some items and overlaps the cache misses of looking them up.
  void Prepare(std::span<Item> items, ArgSpan args) {
    for (Item& item : items) {
      if (!item.one_key) continue;
      item.hash = KeyRef::Hash(args[item.first_arg + static_cast<size_t>(item.row->keys.first)]);
      const Table* table = core_.keyspace->shard(item.slot % kShardCount).table(item.database);
      if (table != nullptr) table->dictionary.PrefetchBucket(item.hash);
    }
    for (const Item& item : items) {
      if (!item.one_key) continue;
      const Table* table = core_.keyspace->shard(item.slot % kShardCount).table(item.database);
      if (table != nullptr) table->dictionary.PrefetchEntry(item.hash);
    }
  }

  // An empty text, or what is wrong.
  std::string Apply(const Item& item, ArgSpan args) {
    keys_.clear();
    if (item.one_key) {
      keys_.push_back({args[item.row->keys.first], item.hash, item.slot});
      if (item.row == set_row_ && args.size() == 3) [[likely]] {
        SharedBytes owner;
        core_.keyspace->SetString(scope_, item.database, keys_[0], Source(args[2], &owner), {});
        ResetScope();
        return "";
      }
    } else {
      if (!CommandTable::KeyIndexes(*item.row, args, &indexes_).ok()) return "malformed arguments";
      for (const int index : indexes_) keys_.push_back(KeyRef::Of(args[index]));
    }
    client_.database = item.database;
    NullReplySink reply;
    CommandContext context(*item.row, args, Owners(args), keys_, client_, *core_.keyspace, scope_, core_.commands, reply);
    item.row->handler(context);
    ResetScope();
    owners_.clear();
    return reply.error_count() == 0 ? "" : reply.first_error();
  }

 private:
  void ResetScope() {
    scope_.Clear();
    scope_.replaying = true;
    scope_.locked_shards = shards_;
    scope_.now_ms = now_ms_;
  }
  static StringSource Source(std::string_view bytes, SharedBytes* owner) {
    if (bytes.size() <= kInlineValueMaxBytes) return {bytes, nullptr};
    *owner = SharedBytes::Copy(bytes);  // the frame's buffer holds more than this value
    return {owner->view(), owner};
  }
  std::span<const SharedBytes> Owners(ArgSpan args) {
    const bool large = std::any_of(args.begin(), args.end(), [](auto arg) { return arg.size() > kInlineValueMaxBytes; });
    if (!large) return {};
    for (const std::string_view arg : args) {
      owners_.push_back(arg.size() > kInlineValueMaxBytes ? SharedBytes::Copy(arg) : SharedBytes());
    }
    return owners_;
  }

  StoreCore& core_;
  const CommandRow* const set_row_;
  const ShardSet shards_;
  const int64_t now_ms_ = core_.clock.WallMs();  // keys count as used now
  ChangeScope scope_;
  Client client_;
  std::vector<KeyRef> keys_;
  std::vector<int> indexes_;
  std::vector<SharedBytes> owners_;
};

LogReplay::LogReplay(StoreCore& core, uint32_t threads, ReplayOptions options)
    : core_(core), options_(std::move(options)), set_row_(core.commands.FindByName("set")) {
  barrier_applier_ = std::make_unique<Applier>(core_, set_row_, AllShards());
  for (uint32_t i = 0; i < std::clamp(threads, 1u, kShardCount); i++) {
    workers_.push_back(std::make_unique<Worker>());
    workers_.back()->filling = std::make_unique<Batch>();
  }
  for (uint32_t shard = 0; shard < kShardCount; shard++) workers_[WorkerOf(shard)]->shards.set(shard);
  for (uint32_t i = 0; i < workers_.size(); i++) workers_[i]->thread = std::thread([this, i] { WorkerMain(i); });
}

LogReplay::~LogReplay() {
  for (auto& worker : workers_) {
    MutexLock lock(worker->mutex);
    worker->ends = true;
    worker->changed.NotifyAll();
  }
  for (auto& worker : workers_) worker->thread.join();
}

Status LogReplay::failure() {
  MutexLock lock(mutex_);
  return failure_;
}

Status LogReplay::OnFrame(const LogFrame& frame) {
  RequestReader reader(frame.payload);
  while (reader.Next()) {
    CAIRN_RETURN_IF_ERROR(OnCommand(reader.args(), frame.owner, frame.first_lsn + reader.request_offset()));
  }
  if (!reader.status().ok()) {
    return Status::Damaged("the log's unit at LSN " + std::to_string(frame.first_lsn) + ": " +
                           std::string(reader.status().message()));
  }
  return Status();
}

std::string LogReplay::PlaceOf(Lsn lsn) const {
  return options_.redis_file.empty() ? "the log at LSN " + std::to_string(lsn)
                                     : options_.redis_file + " at byte " + std::to_string(lsn);
}

uint64_t LogReplay::failed_records() const {
  MutexLock lock(mutex_);
  return failed_records_;
}

std::string LogReplay::first_failed_record() const {
  MutexLock lock(mutex_);
  return first_failed_record_;
}

Status LogReplay::Judge(const Item& item, const std::string& problem) {
  const std::string text = PlaceOf(item.lsn) + ": '" + std::string(item.row->name) + "' cannot be applied: " + problem;
  MutexLock lock(mutex_);
  if (options_.on_failure) {
    options_.on_failure(text);
    return Status();
  }
  if (!options_.redis_file.empty()) {
    if (failed_records_++ == 0) first_failed_record_ = text;
    return Status();
  }
  if (failure_.ok()) failure_ = Status::Damaged(text);
  failed_.store(true, std::memory_order_relaxed);
  return failure_;
}

Status LogReplay::Select(const std::vector<std::string_view>& args, Lsn lsn) {
  int64_t database = 0;
  if (args.size() != 2 || !ParseInt64(args[1], &database) || database < 0) {
    return Status::Damaged(PlaceOf(lsn) + ": malformed SELECT");
  }
  if (database >= core_.keyspace->databases()) {
    return Status::InvalidArgument(PlaceOf(lsn) + " uses database " + std::to_string(database) + ": start with --databases " +
                                   std::to_string(database + 1) + " or more");
  }
  database_ = static_cast<uint32_t>(database);
  return Status();
}

const CommandRow* LogReplay::FindRow(const std::vector<std::string_view>& args) {
  if (!args.empty() && args[0] == last_name_) [[likely]]
    return last_row_;
  const CommandRow* row = core_.commands.FindUnrenamed(args);
  if (row != nullptr && row->parent == nullptr && row->subcommands.empty()) {
    last_name_ = args[0];
    last_row_ = row;
  }
  return row;
}

Status LogReplay::OnCommand(const std::vector<std::string_view>& args, const SharedBytes& owner, Lsn lsn) {
  if (failed_.load(std::memory_order_relaxed)) return failure();
  records_++;
  const CommandRow* row = FindRow(args);
  if (row == nullptr || row->handler == nullptr) {
    if (args.size() == 2 && EqualsIgnoreCase(args[0], "select")) return Select(args, lsn);
    const std::string name(args.empty() ? "" : args[0].substr(0, 64));
    if (!options_.redis_file.empty()) {
      return Status::Damaged("Unknown command '" + name + "' reading the append only file " + PlaceOf(lsn));
    }
    return Status::Damaged("unknown command '" + name + "' in " + PlaceOf(lsn) +
                           ": it was written by a newer version, or by a server with further commands");
  }
  // Our own log holds what handlers took; another's file holds anything.
  if (!options_.redis_file.empty()) {
    const Status callable = CommandTable::CheckCall(row, args);
    if (!callable.ok()) return Status::Damaged(PlaceOf(lsn) + ": " + std::string(callable.message()));
    // What does not change the data is passed over, and so is what is the server's business.
    const bool changes = row->has(kWrite) && !row->has(kNotLogged) && !row->has(kAdmin);
    if (!changes) return row->name == "select" ? Select(args, lsn) : Status();
  }
  Item item{.row = row, .database = database_, .lsn = lsn};
  uint32_t worker = kNoWorker;
  if (row->keys.first > 0 && row->get_keys == nullptr && row->keys.last == row->keys.first) [[likely]] {
    if (static_cast<size_t>(row->keys.first) >= args.size()) return Status::Damaged("malformed record in " + PlaceOf(lsn));
    item.one_key = true;
    item.slot = KeySlot(args[row->keys.first]);
    worker = WorkerOf(item.slot % kShardCount);
  } else if (!row->NeedsAllShards(args)) {
    if (row->name == "select") return Select(args, lsn);
    if ((row->flags & (kWrite | kReadOnly)) == 0) return Status();  // MULTI, EXEC, PING...: no change
    if (!CommandTable::KeyIndexes(*row, args, &key_indexes_).ok()) {
      return Status::Damaged("malformed record in " + PlaceOf(lsn));
    }
    for (const int index : key_indexes_) {
      const uint32_t owner = WorkerOf(KeySlot(args[index]) % kShardCount);
      if (worker != kNoWorker && worker != owner) {
        worker = kNoWorker;
        break;
      }
      worker = owner;
    }
  }
  if (worker == kNoWorker) return ApplyBarrier(item, args);
  Enqueue(worker, item, args, owner);
  return Status();
}

void LogReplay::Enqueue(uint32_t worker, const Item& item, const std::vector<std::string_view>& args, const SharedBytes& owner) {
  Batch& batch = *workers_[worker]->filling;
  batch.items.push_back(item);
  batch.items.back().first_arg = static_cast<uint32_t>(batch.args.size());
  batch.items.back().arg_count = static_cast<uint32_t>(args.size());
  batch.args.insert(batch.args.end(), args.begin(), args.end());
  for (const std::string_view arg : args) batch.bytes += arg.size();
  if (batch.owners.empty() || batch.owners.back().view().data() != owner.view().data()) batch.owners.push_back(owner);
  if (batch.items.size() >= kBatchItems || batch.bytes >= kBatchBytes) Submit(worker);
}

void LogReplay::Submit(uint32_t number) {
  Worker& worker = *workers_[number];
  if (worker.filling->items.empty()) return;
  MutexLock lock(worker.mutex);
  while (worker.queue.size() >= kQueuedBatches) worker.changed.Wait(worker.mutex);
  worker.queue.push_back(std::move(worker.filling));
  if (worker.spare.empty()) {
    worker.filling = std::make_unique<Batch>();
  } else {
    worker.filling = std::move(worker.spare.back());
    worker.spare.pop_back();
  }
  worker.changed.NotifyAll();
}

void LogReplay::Drain() {
  for (uint32_t i = 0; i < workers_.size(); i++) Submit(i);
  for (auto& worker : workers_) {
    MutexLock lock(worker->mutex);
    while (worker->busy || !worker->queue.empty()) worker->changed.Wait(worker->mutex);
  }
}

Status LogReplay::ApplyBarrier(const Item& item, const std::vector<std::string_view>& args) {
  Drain();
  if (failed_.load(std::memory_order_relaxed)) return failure();
  CAIRN_CHECK(!item.one_key);
  if (!options_.locks_held) core_.keyspace->LockShards(AllShards());
  const std::string problem = barrier_applier_->Apply(item, args);
  if (!options_.locks_held) core_.keyspace->UnlockShards(AllShards());
  return problem.empty() ? Status() : Judge(item, problem);
}

Status LogReplay::Finish() {
  Drain();
  return failure();
}

void LogReplay::WorkerMain(uint32_t number) {
  Worker& self = *workers_[number];
  Applier applier(core_, set_row_, self.shards);
  while (true) {
    std::unique_ptr<Batch> batch;
    {
      MutexLock lock(self.mutex);
      self.busy = false;
      self.changed.NotifyAll();
      while (self.queue.empty() && !self.ends) self.changed.Wait(self.mutex);
      if (self.queue.empty()) return;
      batch = std::move(self.queue.front());
      self.queue.pop_front();
      self.busy = true;
      self.changed.NotifyAll();
    }
    if (!options_.locks_held) core_.keyspace->LockShards(self.shards);
    for (size_t i = 0; i < batch->items.size(); i++) {
      if (failed_.load(std::memory_order_relaxed)) break;
      const std::span<Item> ahead = std::span(batch->items).subspan(i);
      if (i % kPreparedItems == 0) applier.Prepare(ahead.first(std::min(kPreparedItems, ahead.size())), batch->args);
      const Item& item = batch->items[i];
      const std::string problem = applier.Apply(item, ArgSpan(batch->args).subspan(item.first_arg, item.arg_count));
      if (!problem.empty() && !Judge(item, problem).ok()) break;
    }
    if (!options_.locks_held) core_.keyspace->UnlockShards(self.shards);
    batch->items.clear();
    batch->args.clear();
    batch->owners.clear();
    batch->bytes = 0;
    MutexLock lock(self.mutex);
    self.spare.push_back(std::move(batch));
  }
}

}  // namespace cairn
