#include "engine/aof_import.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/logger.h"
#include "base/numbers.h"
#include "engine/aof_reader.h"
#include "engine/log_replay.h"
#include "engine/rdb_import.h"

namespace cairn {
namespace {

constexpr uint64_t kChunkBytes = uint64_t{4} << 20;

class AofFile {
 public:
  AofFile(StoreCore& core, std::string path, const AofFileOptions& options,
          const std::function<void(uint64_t, uint64_t)>& progress, AofFileCounts* counts)
      : core_(core),
        path_(std::move(path)),
        name_(options.name.empty() ? path_ : options.name),
        options_(options),
        progress_(progress),
        counts_(counts) {}

  Status Apply() {
    CAIRN_ASSIGN_OR_RETURN(file_, core_.fs.OpenForReading(path_));
    CAIRN_ASSIGN_OR_RETURN(size_, file_->Size());
    char first[kRdbHeaderBytes];
    CAIRN_ASSIGN_OR_RETURN(const size_t got, file_->Read(0, sizeof(first), first));
    if (BeginsRdbFile({first, got})) CAIRN_RETURN_IF_ERROR(LoadRdb());
    if (offset_ == size_) return Status();
    replay_ = std::make_unique<LogReplay>(core_, core_.worker_threads, ReplayOptions{.redis_file = name_});
    CAIRN_RETURN_IF_ERROR(ApplyCommands());
    CAIRN_RETURN_IF_ERROR(replay_->Finish());
    counts_->failed_commands += replay_->failed_records();
    if (replay_->failed_records() != 0) {
      LogF(LogLevel::kWarning, "%llu commands of %s answered an error and changed nothing, as in Redis; the first: %s",
           static_cast<unsigned long long>(replay_->failed_records()), name_.c_str(), replay_->first_failed_record().c_str());
    }
    return Status();
  }

 private:
  Status LoadRdb() {
    RdbImport import(core_, {.keep_expired = true});
    CAIRN_RETURN_IF_ERROR(import.Run(path_, progress_));
    counts_->rdb_keys += import.counts().keys;
    counts_->function_commands += import.reader().functions().size();
    LogSkippedModules(import.reader(), name_);
    offset_ = import.reader().offset();
    return Status();
  }

  Status ApplyCommands() {
    SharedBytes buffer;
    std::string_view rest;  // read, but not whole
    uint64_t wanted = kChunkBytes;
    while (offset_ < size_) {
      const uint64_t size = std::min(std::max(wanted, kChunkBytes), size_ - offset_);
      SharedBytes next = SharedBytes::Allocate(size);
      if (!rest.empty()) std::memcpy(next.mutable_data(), rest.data(), rest.size());
      CAIRN_ASSIGN_OR_RETURN(const size_t got,
                             file_->Read(offset_ + rest.size(), size - rest.size(), next.mutable_data() + rest.size()));
      if (got != size - rest.size()) return Status::Damaged(name_ + " became shorter while it was read");
      buffer = std::move(next);
      size_t used = 0;
      CAIRN_RETURN_IF_ERROR(ApplyWhole(buffer, &used));
      if (used == 0 && size == size_ - offset_) return CutShort();
      wanted = used == 0 ? 2 * size : kChunkBytes;
      offset_ += used;
      rest = buffer.view().substr(used);
      if (progress_) progress_(offset_, 0);
    }
    return Status();
  }

  // Applies the commands and transactions that are whole in the buffer; *used becomes their bytes.
  Status ApplyWhole(const SharedBytes& buffer, size_t* used) {
    const std::string_view bytes = buffer.view();
    AofReader reader(bytes);
    bool in_transaction = false;
    while (reader.Next()) {
      const std::string_view name = reader.args()[0];
      if (!in_transaction && EqualsIgnoreCase(name, "multi")) {
        in_transaction = true;
        *used = reader.command_offset();
      } else if (in_transaction && EqualsIgnoreCase(name, "exec")) {
        in_transaction = false;
        CAIRN_RETURN_IF_ERROR(ApplyTransaction(buffer, *used, reader.offset()));
      } else if (!in_transaction) {
        CAIRN_RETURN_IF_ERROR(ApplyOne(reader.args(), buffer, offset_ + reader.command_offset()));
      }
      if (!in_transaction) *used = reader.offset();
    }
    // An annotation behind the last command is read, too.
    if (!in_transaction) *used = reader.offset();
    if (reader.end() != AofReader::End::kMalformed) return Status();
    return Status::Damaged("Bad file format reading the append only file " + name_ + " at byte " +
                           std::to_string(offset_ + reader.offset()) +
                           ": make a backup of it, then cut it with redis-check-aof --fix, or give another file");
  }

  Status ApplyTransaction(const SharedBytes& buffer, size_t begin, size_t end) {
    AofReader reader(buffer.view().substr(begin, end - begin));
    while (reader.Next()) {
      const std::string_view name = reader.args()[0];
      if (EqualsIgnoreCase(name, "multi") || EqualsIgnoreCase(name, "exec")) continue;
      CAIRN_RETURN_IF_ERROR(ApplyOne(reader.args(), buffer, offset_ + begin + reader.command_offset()));
    }
    return Status();
  }

  Status ApplyOne(const std::vector<std::string_view>& args, const SharedBytes& buffer, uint64_t offset) {
    if (EqualsIgnoreCase(args[0], "function") || EqualsIgnoreCase(args[0], "script")) {
      counts_->function_commands++;
      return Status();
    }
    for (const std::string_view script : {"eval", "evalsha"}) {
      if (!EqualsIgnoreCase(args[0], script)) continue;
      return Status::Damaged(name_ + " at byte " + std::to_string(offset) + ": '" + std::string(script) +
                             "' runs a script, and this version has no scripts: run BGREWRITEAOF in Redis first, after which the "
                             "append-only files hold what the scripts wrote");
    }
    if (!EqualsIgnoreCase(args[0], "select")) counts_->commands++;
    return replay_->OnCommand(args, buffer, offset);
  }

  Status CutShort() {
    const std::string place = name_ + " at byte " + std::to_string(offset_);
    if (!options_.may_be_truncated) {
      return Status::Damaged(
          "Unexpected end of file reading the append only file " + place +
          ": make a backup of it, then cut it with redis-check-aof --fix, or, if it is the last of the files, start "
          "with --aof-load-truncated yes");
    }
    counts_->cut_bytes = size_ - offset_;
    LogF(LogLevel::kWarning, "%s: the last %llu bytes are an incomplete command or MULTI/EXEC transaction and are left out",
         place.c_str(), static_cast<unsigned long long>(counts_->cut_bytes));
    return Status();
  }

  StoreCore& core_;
  const std::string path_, name_;
  const AofFileOptions options_;
  const std::function<void(uint64_t, uint64_t)>& progress_;
  AofFileCounts* const counts_;
  std::unique_ptr<RandomAccessFile> file_;
  uint64_t size_ = 0;
  uint64_t offset_ = 0;  // everything before it was applied
  std::unique_ptr<LogReplay> replay_;
};

}  // namespace

Status ApplyAofFile(StoreCore& core, const std::string& path, const AofFileOptions& options,
                    const std::function<void(uint64_t done_bytes, uint64_t keys)>& progress, AofFileCounts* counts) {
  return AofFile(core, path, options, progress, counts).Apply();
}

void LogFunctionsLeftOut(uint64_t function_commands, const std::string& source) {
  if (function_commands == 0) return;
  LogF(LogLevel::kWarning,
       "%llu function libraries or FUNCTION and SCRIPT commands of %s were left out: this version has no functions and scripts",
       static_cast<unsigned long long>(function_commands), source.c_str());
}

}  // namespace cairn
