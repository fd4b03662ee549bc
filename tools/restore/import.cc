#include "tools/restore/import.h"

#include "base/clock.h"
#include "base/logger.h"
#include "base/numbers.h"
#include "engine/aof_import.h"
#include "engine/aof_reader.h"
#include "engine/codec/dump_payload.h"
#include "engine/codec/redis70_value.h"
#include "engine/keyspace/keyspace.h"
#include "engine/rdb_import.h"
#include "snapshot/rdb_reader.h"
#include "tools/common/progress_bar.h"

namespace cairn {
namespace {

constexpr size_t kExpiredAtOnce = 1000;

std::string PlaceOf(const InputFile& input, uint64_t offset) { return input.name() + " at byte " + std::to_string(offset); }

// Keys whose time has come are kept until the last command was read, which may concern them.
void DropExpired(StoreCore& core) {
  const int64_t now_ms = core.clock.WallMs();
  for (uint32_t shard = 0; shard < kShardCount;) {
    ChangeScope scope;
    scope.counts_only = true;
    scope.now_ms = now_ms;
    scope.locked_shards.set(shard);
    core.keyspace->LockShard(shard);
    const bool more = core.keyspace->ExpireDue(scope, shard, kExpiredAtOnce) == kExpiredAtOnce;
    core.keyspace->UnlockShard(shard);
    if (!more) shard++;
  }
}

Status NothingWhole(const InputFile& input) {
  return Status::Damaged(input.name() + " ends within its first command or transaction: there is nothing to restore");
}

// A stream of commands, sent one by one.
class CommandSender {
 public:
  CommandSender(RestoreTarget& target, ImportCounts* counts) : target_(target), counts_(counts) {}

  Status Take(const std::vector<std::string_view>& args, uint64_t offset) {
    if (args.empty()) return Status();
    const bool alone = args.size() == 1;
    if (!in_transaction_ && alone && EqualsIgnoreCase(args[0], "multi")) {
      in_transaction_ = true;
      transaction_offset_ = offset;
      return Status();
    }
    // Replies are not looked at one by one, so a transaction that is whole is no more than its commands here.
    if (in_transaction_ && alone && EqualsIgnoreCase(args[0], "exec")) return SendHeld();
    if (!in_transaction_) return Send(args, offset);
    held_.push_back({std::vector<std::string>(args.begin(), args.end()), offset});
    return Status();
  }

  // Of what was not sent, because its transaction does not end.
  const uint64_t* unfinished() const { return in_transaction_ ? &transaction_offset_ : nullptr; }

 private:
  struct Held {
    std::vector<std::string> args;
    uint64_t offset;
  };

  Status SendHeld() {
    in_transaction_ = false;
    for (const Held& held : held_) {
      CAIRN_RETURN_IF_ERROR(Send(std::vector<std::string_view>(held.args.begin(), held.args.end()), held.offset));
    }
    held_.clear();
    return Status();
  }

  Status Send(const std::vector<std::string_view>& args, uint64_t offset) {
    if (EqualsIgnoreCase(args[0], "select")) {
      uint64_t number = 0;
      if (args.size() != 2 || !ParseUint64(args[1], &number) || number > UINT32_MAX) {
        return Status::Damaged("malformed SELECT at byte " + std::to_string(offset));
      }
      database_ = static_cast<uint32_t>(number);
      return Status();
    }
    counts_->commands++;
    return target_.Run(database_, args, offset);
  }

  RestoreTarget& target_;
  ImportCounts* const counts_;
  uint32_t database_ = 0;
  bool in_transaction_ = false;
  uint64_t transaction_offset_ = 0;
  std::vector<Held> held_;
};

// `from`: of the first byte that is not sent.
Status EndCommands(const InputFile& input, uint64_t from, ImportCounts* counts) {
  if (from == input.size_bytes()) return Status();
  if (counts->commands == 0 && counts->keys == 0) return NothingWhole(input);
  counts->cut_bytes = input.size_bytes() - from;
  LogF(LogLevel::kWarning, "%s: the last %llu bytes are an incomplete command or MULTI/EXEC transaction and are left out",
       PlaceOf(input, from).c_str(), static_cast<unsigned long long>(counts->cut_bytes));
  return Status();
}

}  // namespace

Result<InputKind> KindOf(const InputFile& input) {
  char first[kRdbHeaderBytes] = {};
  CAIRN_ASSIGN_OR_RETURN(const size_t got, input.file().Read(0, sizeof(first), first));
  if (got == 0 || first[0] == '*' || first[0] == '#') return InputKind::kCommands;
  if (BeginsRdbFile({first, got})) return InputKind::kRdb;
  if (first[0] == '{') return InputKind::kJsonLines;
  return Status::Damaged(input.name() + " is neither an RDB file nor RESP commands nor JSON lines");
}

std::function<Status(StoreCore&)> FillFromFile(const InputFile& input, ImportCounts* counts) {
  return [&input, counts](StoreCore& core) -> Status {
    ProgressBar bar("reading " + input.name(), input.size_bytes());
    AofFileCounts read;
    CAIRN_RETURN_IF_ERROR(ApplyAofFile(
        core, input.path(), {.may_be_truncated = true, .name = input.name()},
        [&bar](uint64_t done_bytes, uint64_t) { bar.Update(done_bytes); }, &read));
    if (read.cut_bytes == input.size_bytes() && read.cut_bytes != 0) return NothingWhole(input);
    DropExpired(core);
    LogFunctionsLeftOut(read.function_commands, input.name());
    counts->commands = read.commands;
    counts->cut_bytes = read.cut_bytes;
    return Status();
  };
}

Status SendKey(const RdbEntry& entry, uint64_t offset, const ImportOptions& options, RestoreTarget& target,
               ImportCounts* counts) {
  uint8_t type = entry.value_type;
  std::string converted;
  std::string_view value = entry.value;
  if (!target.Loads(type)) {
    const Status done = ToRedis70Form(entry.value, RealClock().WallMs(), &type, &converted);
    if (done.code() == StatusCode::kNotFound) return Status();  // all of its fields have expired
    if (!done.ok()) return Status(done.code(), "the key " + QuotedKey(entry.key) + ": " + std::string(done.message()));
    value = converted;
    counts->converted++;
  }
  counts->keys++;
  const std::string payload = MakeDumpPayload(type, value);
  const std::string expiry = std::to_string(entry.expiry_unix_ms < 0 ? 0 : entry.expiry_unix_ms);
  const std::string idle = std::to_string(entry.idle_s);
  const std::string frequency = std::to_string(entry.frequency);
  std::vector<std::string_view> args = {"RESTORE", entry.key, expiry, payload, "ABSTTL"};
  if (options.replace) args.push_back("REPLACE");
  if (entry.frequency >= 0) {
    args.insert(args.end(), {"FREQ", frequency});
  } else if (entry.idle_s >= 0) {
    args.insert(args.end(), {"IDLETIME", idle});
  }
  return target.Run(entry.database, args, offset);
}

Status SendRdb(FileSystem& fs, const InputFile& input, const ImportOptions& options, RestoreTarget& target,
               ImportCounts* counts) {
  CAIRN_ASSIGN_OR_RETURN(const auto reader, RdbReader::Open(fs, input.path()));
  ProgressBar bar("reading " + input.name(), reader->size_bytes());
  const int64_t now_ms = RealClock().WallMs();
  for (RdbBatch batch;;) {
    CAIRN_RETURN_IF_ERROR(reader->Next(&batch));
    if (batch.entries.empty()) break;
    for (const RdbEntry& entry : batch.entries) {
      if (entry.expiry_unix_ms >= 0 && entry.expiry_unix_ms <= now_ms) continue;  // as Redis does
      CAIRN_RETURN_IF_ERROR(SendKey(entry, batch.OffsetOf(entry), options, target, counts));
    }
    bar.Update(reader->offset());
  }
  LogFunctionsLeftOut(reader->functions().size(), input.name());
  LogSkippedModules(*reader, input.name());
  if (reader->offset() < reader->size_bytes()) return SendCommands(input, reader->offset(), target, counts);
  return Status();
}

Status SendCommands(const InputFile& input, uint64_t offset, RestoreTarget& target, ImportCounts* counts) {
  CommandSender sender(target, counts);
  InputWindow window(input, offset);
  ProgressBar bar("reading " + input.name(), input.size_bytes());
  while (true) {
    bar.Update(window.offset());
    AofReader reader(window.bytes());
    while (reader.Next()) CAIRN_RETURN_IF_ERROR(sender.Take(reader.args(), window.offset() + reader.command_offset()));
    if (reader.end() == AofReader::End::kMalformed) {
      return Status::Damaged(PlaceOf(input, window.offset() + reader.offset()) +
                             ": neither a command nor an annotation: " + std::string(reader.problem()));
    }
    window.Take(reader.offset());
    CAIRN_ASSIGN_OR_RETURN(const bool more, window.Grow());
    if (more) continue;
    return EndCommands(input, sender.unfinished() != nullptr ? *sender.unfinished() : window.offset(), counts);
  }
}

}  // namespace cairn
