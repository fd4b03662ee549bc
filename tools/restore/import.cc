#include "tools/restore/import.h"

#include "base/clock.h"
#include "base/logger.h"
#include "base/numbers.h"
#include "base/resp_request.h"
#include "engine/codec/dump_payload.h"
#include "snapshot/rdb_reader.h"
#include "tools/common/progress_bar.h"

namespace cairn {
namespace {

Status RestoreKey(const RdbEntry& entry, const ImportOptions& options, RestoreTarget& target) {
  const std::string payload = MakeDumpPayload(entry.value_type, entry.value);
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
  return target.Run(entry.database, args);
}

Status At(const InputFile& input, uint64_t offset, const Status& problem) {
  return Status(problem.code() == StatusCode::kInvalidArgument ? StatusCode::kDamaged : problem.code(),
                input.name() + " at byte " + std::to_string(offset) + ": " + std::string(problem.message()));
}

// A stream of commands, applied one by one.
class CommandImport {
 public:
  CommandImport(RestoreTarget& target, ImportCounts* counts) : target_(target), counts_(counts) {}

  Status Apply(const std::vector<std::string_view>& args) {
    if (args.empty()) return Status();
    if (EqualsIgnoreCase(args[0], "select")) {
      uint64_t number = 0;
      if (args.size() != 2 || !ParseUint64(args[1], &number) || number > UINT32_MAX) return Status::Damaged("malformed SELECT");
      database_ = static_cast<uint32_t>(number);
      return Status();
    }
    // Replies are not looked at one by one, so a transaction is no more than its commands here.
    if (args.size() == 1 && (EqualsIgnoreCase(args[0], "multi") || EqualsIgnoreCase(args[0], "exec"))) return Status();
    counts_->commands++;
    return target_.Run(database_, args);
  }

 private:
  RestoreTarget& target_;
  ImportCounts* const counts_;
  uint32_t database_ = 0;
};

}  // namespace

Result<InputKind> KindOf(const InputFile& input) {
  char first[kRdbHeaderBytes] = {};
  CAIRN_ASSIGN_OR_RETURN(const size_t got, input.file().Read(0, sizeof(first), first));
  if (got == 0 || first[0] == '*' || first[0] == '#') return InputKind::kCommands;
  if (BeginsRdbFile({first, got})) return InputKind::kRdb;
  if (first[0] == '{') return InputKind::kJsonLines;
  return Status::Damaged(input.name() + " is neither an RDB file nor RESP commands nor JSON lines");
}

void WarnOfWhatIsLeftOut(const RdbReader& reader, const std::string& file) {
  if (!reader.functions().empty()) {
    LogF(LogLevel::kWarning, "%zu function libraries of %s were left out: this version has no functions",
         reader.functions().size(), file.c_str());
  }
  for (const std::string& module : reader.skipped_modules()) {
    LogF(LogLevel::kWarning, "The state of the module type %s in %s was left out", module.c_str(), file.c_str());
  }
}

Status ImportRdb(FileSystem& fs, const InputFile& input, const ImportOptions& options, RestoreTarget& target,
                 ImportCounts* counts) {
  CAIRN_ASSIGN_OR_RETURN(const auto reader, RdbReader::Open(fs, input.path()));
  ProgressBar bar("reading " + input.name(), reader->size_bytes());
  const int64_t now_ms = RealClock().WallMs();
  for (RdbBatch batch;;) {
    CAIRN_RETURN_IF_ERROR(reader->Next(&batch));
    if (batch.entries.empty()) break;
    for (const RdbEntry& entry : batch.entries) {
      if (entry.expiry_unix_ms >= 0 && entry.expiry_unix_ms <= now_ms) continue;  // as Redis does
      counts->keys++;
      const Status status = RestoreKey(entry, options, target);
      if (!status.ok()) return At(input, batch.OffsetOf(entry), status);
    }
    bar.Update(reader->offset());
  }
  WarnOfWhatIsLeftOut(*reader, input.name());
  if (reader->offset() < reader->size_bytes()) return ImportCommands(input, reader->offset(), target, counts);
  return Status();
}

Status ImportCommands(const InputFile& input, uint64_t offset, RestoreTarget& target, ImportCounts* counts) {
  CommandImport import(target, counts);
  InputWindow window(input, offset);
  ProgressBar bar("reading " + input.name(), input.size_bytes());
  while (true) {
    bar.Update(window.offset());
    // Lines of a timestamp stand between commands.
    if (window.bytes().starts_with('#')) {
      const size_t end = window.bytes().find('\n');
      if (end != std::string_view::npos) {
        window.Take(end + 1);
        continue;
      }
    } else if (!window.bytes().empty()) {
      RequestReader reader(window.bytes());
      size_t applied = 0;
      while (reader.Next()) {
        const Status status = import.Apply(reader.args());
        if (!status.ok()) return At(input, window.offset() + reader.request_offset(), status);
        applied = reader.offset();
      }
      const bool comment = window.bytes().substr(applied).starts_with('#');
      if (!reader.status().ok() && !reader.incomplete() && !comment) return At(input, window.offset(), reader.status());
      window.Take(applied);
      if (applied > 0) continue;
    }
    CAIRN_ASSIGN_OR_RETURN(const bool more, window.Grow());
    if (more) continue;
    if (window.bytes().empty()) return Status();
    return Status::Damaged(input.name() + " ends within a command that begins at byte " + std::to_string(window.offset()));
  }
}

}  // namespace cairn
