// cairn-restore SOURCE DIR [flags], cairn-restore SOURCE --to HOST:PORT [flags]
#include <gflags/gflags.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tools/common/loaded_store.h"
#include "tools/common/point_argument.h"
#include "tools/common/source_directory.h"
#include "tools/common/tool_main.h"
#include "tools/restore/import.h"
#include "tools/restore/redis_source.h"
#include "tools/restore/restore_target.h"
#include "tools/restore/send_store.h"

DEFINE_string(to, "", "restore through the running server at host:port instead of into a directory");
DEFINE_string(user, "", "the server's user, for --to");
DEFINE_string(password, "", "the server's password, for --to; REDISCLI_AUTH in the environment is taken too");
DEFINE_bool(replace, false, "with --to: replace keys that are there already; otherwise the first one ends the restore");
DEFINE_bool(live, false, "read SOURCE, a data directory, beside its running server");
DEFINE_string(at, "", "the state at this time: 2026-11-23 10:15:00 (local; Z behind it: UTC), a Unix time in s or ms, or lsn:N");
DEFINE_string(at_lsn, "", "the state at this LSN");
DEFINE_uint32(databases, 16, "how many databases the data has at most");

namespace {

using cairn::ImportCounts;
using cairn::ImportOptions;
using cairn::Result;
using cairn::Status;

constexpr char kUsage[] =
    "cairn-restore SOURCE DIR [flags]\n"
    "       cairn-restore SOURCE --to HOST:PORT [flags]\n"
    "       Makes a new data directory, whole or not at all, or fills a running server. SOURCE is only read. It is a data "
    "directory\n"
    "       or a backup (--at and --at-lsn go back in its time), the directory of a Redis server or its appendonlydir, an RDB "
    "file,\n"
    "       RESP commands (an AOF file too) or JSON lines as cairn-dump writes them, or - for any of these files on standard "
    "input.\n"
    "\n"
    "       cairn-restore /backup/monday /var/lib/cairn\n"
    "       cairn-restore /var/lib/cairn /tmp/before --live --at '2026-11-23 10:15:00'\n"
    "       cairn-restore /var/lib/redis /var/lib/cairn\n"
    "       cairn-restore dump.rdb --to localhost:6379";

struct Arguments {
  std::string source, directory;  // the latter empty with --to
  cairn::PointInTime point;
};

Result<Arguments> ReadArguments(const std::vector<std::string>& words) {
  if (words.size() != (FLAGS_to.empty() ? 2u : 1u)) {
    return Status::InvalidArgument(FLAGS_to.empty() ? "SOURCE and DIR are needed; --help tells more"
                                                    : "with --to only SOURCE is needed; --help tells more");
  }
  Arguments arguments{.source = words[0], .directory = FLAGS_to.empty() ? words[1] : ""};
  CAIRN_ASSIGN_OR_RETURN(arguments.point, cairn::ParsePoint(FLAGS_at, FLAGS_at_lsn));
  if (FLAGS_replace && FLAGS_to.empty()) return Status::InvalidArgument("--replace is for --to: a directory is made new");
  return arguments;
}

Result<std::unique_ptr<cairn::RestoreTarget>> OpenServer() {
  CAIRN_ASSIGN_OR_RETURN(cairn::ServerAddress address, cairn::ParseAddress(FLAGS_to));
  address.user = FLAGS_user;
  address.password = FLAGS_password;
  const char* const from_environment = std::getenv("REDISCLI_AUTH");
  if (address.password.empty() && from_environment != nullptr) address.password = from_environment;
  return cairn::ConnectTarget(address);
}

// A new directory that is what `fill` makes of it, and nothing else.
Status MakeDirectory(const Arguments& arguments, std::function<Status(cairn::StoreCore&)> fill, ImportCounts* counts) {
  CAIRN_ASSIGN_OR_RETURN(const auto target, cairn::MakeDirectoryTarget(cairn::RealFileSystem(), arguments.directory,
                                                                       FLAGS_databases, std::move(fill), &counts->keys));
  return target->Finish();
}

// A data directory: its state at the point becomes the new directory's snapshot, or is sent.
Status RestoreDirectory(const Arguments& arguments, cairn::ToolResult& result, ImportCounts* counts) {
  const auto access = FLAGS_live ? cairn::SourceAccess::kLive : cairn::SourceAccess::kOffline;
  CAIRN_ASSIGN_OR_RETURN(const auto source, cairn::SourceDirectory::Open(cairn::RealFileSystem(), arguments.source, access));
  cairn::LoadedState state;
  if (!FLAGS_to.empty()) {
    CAIRN_ASSIGN_OR_RETURN(const auto target, OpenServer());
    CAIRN_ASSIGN_OR_RETURN(cairn::LoadedStore loaded, cairn::LoadStore(*source, arguments.point, FLAGS_databases));
    CAIRN_RETURN_IF_ERROR(cairn::SendStore(*loaded.store, ImportOptions{FLAGS_replace}, *target, counts));
    CAIRN_RETURN_IF_ERROR(target->Finish());
    state = loaded.state;
  } else {
    CAIRN_ASSIGN_OR_RETURN(const cairn::Manifest manifest, source->ReadManifest());
    CAIRN_ASSIGN_OR_RETURN(const cairn::ResolvedPoint point, cairn::ResolveIn(*source, manifest, arguments.point));
    CAIRN_RETURN_IF_ERROR(MakeDirectory(arguments, cairn::FillFrom(*source, manifest, point, &state), counts));
  }
  result.json()["lsn"] = state.lsn;
  result.json()["time"] = cairn::UtcText(state.unix_us);
  result.Line("The state at LSN " + std::to_string(state.lsn) + ", " + cairn::UtcText(state.unix_us));
  return Status();
}

Status ExpectOneState(const Arguments& arguments) {
  if (arguments.point.kind == cairn::PointInTime::Kind::kEnd && !FLAGS_live) return Status();
  return Status::InvalidArgument("--at, --at-lsn and --live are for Cairn's data directories: other sources have one state only");
}

// What Redis left in a directory.
Status RestoreRedisDirectory(const Arguments& arguments, const cairn::RedisDirectory& source, cairn::ToolResult& result,
                             ImportCounts* counts) {
  CAIRN_RETURN_IF_ERROR(ExpectOneState(arguments));
  std::string imported;
  if (FLAGS_to.empty()) {
    CAIRN_RETURN_IF_ERROR(MakeDirectory(arguments, cairn::FillFromRedis(source, &imported), counts));
  } else {
    CAIRN_ASSIGN_OR_RETURN(const auto target, OpenServer());
    cairn::StoreOptions options = cairn::ToolStoreOptions(FLAGS_databases);
    options.in_memory_only = true;
    options.fill = cairn::FillFromRedis(source, &imported);
    CAIRN_ASSIGN_OR_RETURN(const auto store, cairn::Store::Open(std::move(options)));
    CAIRN_RETURN_IF_ERROR(cairn::SendStore(*store, ImportOptions{FLAGS_replace}, *target, counts));
    CAIRN_RETURN_IF_ERROR(target->Finish());
  }
  result.json()["imported"] = imported;
  result.Line("Redis's " + imported + " of " + source.path);
  return Status();
}

// An RDB file for a new directory is loaded as a server would load it, by all threads; for a server it is sent as it is read.
Status RestoreRdbFile(const Arguments& arguments, const cairn::InputFile& input, ImportCounts* counts) {
  cairn::FileSystem& fs = cairn::RealFileSystem();
  if (!FLAGS_to.empty()) {
    CAIRN_ASSIGN_OR_RETURN(const auto target, OpenServer());
    CAIRN_RETURN_IF_ERROR(ImportRdb(fs, input, ImportOptions{FLAGS_replace}, *target, counts));
    return target->Finish();
  }
  uint64_t end_offset = 0;
  CAIRN_ASSIGN_OR_RETURN(const auto target, cairn::MakeDirectoryTarget(fs, arguments.directory, FLAGS_databases,
                                                                       cairn::FillFromRdb(input, &end_offset), &counts->keys));
  if (end_offset < input.size_bytes()) CAIRN_RETURN_IF_ERROR(ImportCommands(input, end_offset, *target, counts));
  return target->Finish();
}

Status RestoreFile(const Arguments& arguments, ImportCounts* counts) {
  CAIRN_RETURN_IF_ERROR(ExpectOneState(arguments));
  cairn::FileSystem& fs = cairn::RealFileSystem();
  CAIRN_ASSIGN_OR_RETURN(const auto input, cairn::InputFile::Open(fs, arguments.source));
  CAIRN_ASSIGN_OR_RETURN(const cairn::InputKind kind, cairn::KindOf(*input));
  if (kind == cairn::InputKind::kRdb) return RestoreRdbFile(arguments, *input, counts);
  CAIRN_ASSIGN_OR_RETURN(const auto target,
                         FLAGS_to.empty() ? cairn::MakeDirectoryTarget(fs, arguments.directory, FLAGS_databases) : OpenServer());
  CAIRN_RETURN_IF_ERROR(kind == cairn::InputKind::kCommands
                            ? ImportCommands(*input, 0, *target, counts)
                            : ImportJsonLines(*input, ImportOptions{FLAGS_replace}, *target, counts));
  return target->Finish();
}

Status RestoreSource(const Arguments& arguments, cairn::ToolResult& result, ImportCounts* counts) {
  cairn::FileSystem& fs = cairn::RealFileSystem();
  if (arguments.source == "-" || !fs.ListDirectory(arguments.source).ok()) return RestoreFile(arguments, counts);
  CAIRN_ASSIGN_OR_RETURN(const auto of_redis, cairn::FindRedisFiles(fs, arguments.source));
  return of_redis ? RestoreRedisDirectory(arguments, *of_redis, result, counts) : RestoreDirectory(arguments, result, counts);
}

Status Restore(const std::vector<std::string>& words, cairn::ToolResult& result) {
  CAIRN_ASSIGN_OR_RETURN(const Arguments arguments, ReadArguments(words));
  ImportCounts counts;
  CAIRN_RETURN_IF_ERROR(RestoreSource(arguments, result, &counts));
  result.json()["keys"] = counts.keys;
  result.json()["commands"] = counts.commands;
  const std::string where = FLAGS_to.empty() ? arguments.directory : FLAGS_to;
  result.Line(std::to_string(counts.keys) + " keys and " + std::to_string(counts.commands) + " commands restored to " + where);
  return Status();
}

}  // namespace

int main(int argc, char** argv) { return cairn::RunTool(argc, argv, {"cairn-restore", kUsage, __FILE__}, Restore); }
