// cairn-restore SOURCE DIR [flags], cairn-restore SOURCE --to HOST:PORT [flags]
#include <gflags/gflags.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/logger.h"
#include "tools/common/loaded_store.h"
#include "tools/common/new_target.h"
#include "tools/common/point_argument.h"
#include "tools/common/source_directory.h"
#include "tools/common/tool_main.h"
#include "tools/restore/import.h"
#include "tools/restore/new_directory.h"
#include "tools/restore/redis_source.h"
#include "tools/restore/restore_target.h"
#include "tools/restore/send_store.h"

DEFINE_string(to, "", "restore through the running server at host:port instead of into a directory");
DEFINE_string(user, "", "the server's user, for --to");
DEFINE_string(password, "", "the server's password, for --to; REDISCLI_AUTH in the environment is taken too");
DEFINE_bool(
    replace, false,
    "with --to, but not for RESP commands: replace keys that are there already; otherwise the first one ends the restore");
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
  Arguments arguments{.source = words[0], .directory = FLAGS_to.empty() ? words[1] : "", .point = {}};
  CAIRN_ASSIGN_OR_RETURN(arguments.point, cairn::ParsePoint(cairn::GivenFlag("at"), cairn::GivenFlag("at_lsn")));
  if (FLAGS_replace && FLAGS_to.empty()) return Status::InvalidArgument("--replace is for --to: a directory is made new");
  if (FLAGS_to.empty()) {
    CAIRN_RETURN_IF_ERROR(cairn::CheckNewTarget(cairn::RealFileSystem(), arguments.source, arguments.directory));
  }
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
  cairn::StoreOptions options = cairn::ToolStoreOptions(FLAGS_databases);
  options.fill = std::move(fill);
  CAIRN_ASSIGN_OR_RETURN(const auto directory,
                         cairn::NewDirectory::Create(cairn::RealFileSystem(), arguments.directory, std::move(options)));
  counts->keys = directory->store().Info().loaded_keys;
  return directory->Publish();
}

Result<std::unique_ptr<cairn::Store>> StoreInMemory(std::function<Status(cairn::StoreCore&)> fill) {
  cairn::StoreOptions options = cairn::ToolStoreOptions(FLAGS_databases);
  options.in_memory_only = true;
  options.fill = std::move(fill);
  return cairn::Store::Open(std::move(options));
}

Status Send(cairn::Store& store, cairn::RestoreTarget& target, ImportCounts* counts) {
  CAIRN_RETURN_IF_ERROR(cairn::SendStore(store, ImportOptions{FLAGS_replace}, target, counts));
  return target.Finish();
}

// A data directory: its state at the point becomes the new directory's snapshot, or is sent.
Status RestoreDirectory(const Arguments& arguments, cairn::ToolResult& result, ImportCounts* counts) {
  const auto access = FLAGS_live ? cairn::SourceAccess::kLive : cairn::SourceAccess::kOffline;
  CAIRN_ASSIGN_OR_RETURN(const auto source, cairn::SourceDirectory::Open(cairn::RealFileSystem(), arguments.source, access));
  cairn::LoadedState state;
  if (!FLAGS_to.empty()) {
    CAIRN_ASSIGN_OR_RETURN(const auto target, OpenServer());
    CAIRN_ASSIGN_OR_RETURN(cairn::LoadedStore loaded, cairn::LoadStore(*source, arguments.point, FLAGS_databases));
    CAIRN_RETURN_IF_ERROR(Send(*loaded.store, *target, counts));
    state = loaded.state;
  } else {
    CAIRN_ASSIGN_OR_RETURN(const cairn::Manifest manifest, source->ReadManifest());
    CAIRN_ASSIGN_OR_RETURN(const cairn::ResolvedPoint point, cairn::ResolveIn(*source, manifest, arguments.point));
    CAIRN_RETURN_IF_ERROR(MakeDirectory(arguments, cairn::FillFrom(*source, manifest, point, &state), counts));
  }
  result.json()["lsn"] = state.lsn;
  result.json()["time"] = cairn::UtcText(state.unix_us);
  result.json()["torn_bytes"] = state.torn_bytes;
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
    CAIRN_ASSIGN_OR_RETURN(const auto store, StoreInMemory(cairn::FillFromRedis(source, &imported)));
    CAIRN_RETURN_IF_ERROR(Send(*store, *target, counts));
  }
  result.json()["imported"] = imported;
  result.Line("Redis's " + imported + " of " + source.path);
  return Status();
}

// Keys are made in a store, so that a server gets each of them as a whole.
Status RestoreJsonLines(const Arguments& arguments, const cairn::InputFile& input, ImportCounts* counts) {
  if (FLAGS_to.empty()) {
    CAIRN_ASSIGN_OR_RETURN(const auto directory, cairn::NewDirectory::Create(cairn::RealFileSystem(), arguments.directory,
                                                                             cairn::ToolStoreOptions(FLAGS_databases)));
    CAIRN_RETURN_IF_ERROR(ImportJsonLines(input, directory->store(), counts));
    return directory->Publish();
  }
  CAIRN_ASSIGN_OR_RETURN(const auto target, OpenServer());
  CAIRN_ASSIGN_OR_RETURN(const auto store, StoreInMemory({}));
  ImportCounts read;
  CAIRN_RETURN_IF_ERROR(ImportJsonLines(input, *store, &read));
  return Send(*store, *target, counts);
}

// An RDB file or commands. For a new directory they are loaded as a server would load them; to a server they are sent as they are read.
Status RestoreRedisFile(const Arguments& arguments, const cairn::InputFile& input, cairn::InputKind kind, ImportCounts* counts) {
  if (FLAGS_to.empty()) return MakeDirectory(arguments, cairn::FillFromFile(input, counts), counts);
  const bool is_rdb = kind == cairn::InputKind::kRdb;
  if (FLAGS_replace && !is_rdb) {
    return Status::InvalidArgument(
        "--replace does not go with RESP commands: they are sent as they are, and change keys that exist");
  }
  CAIRN_ASSIGN_OR_RETURN(const auto target, OpenServer());
  CAIRN_RETURN_IF_ERROR(is_rdb ? cairn::SendRdb(cairn::RealFileSystem(), input, ImportOptions{FLAGS_replace}, *target, counts)
                               : cairn::SendCommands(input, 0, *target, counts));
  return target->Finish();
}

Status RestoreFile(const Arguments& arguments, ImportCounts* counts) {
  CAIRN_RETURN_IF_ERROR(ExpectOneState(arguments));
  CAIRN_ASSIGN_OR_RETURN(const auto input, cairn::InputFile::Open(cairn::RealFileSystem(), arguments.source));
  CAIRN_ASSIGN_OR_RETURN(const cairn::InputKind kind, cairn::KindOf(*input));
  if (kind == cairn::InputKind::kJsonLines) return RestoreJsonLines(arguments, *input, counts);
  return RestoreRedisFile(arguments, *input, kind, counts);
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
  result.json()["cut_bytes"] = counts.cut_bytes;
  const std::string where = FLAGS_to.empty() ? arguments.directory : FLAGS_to;
  result.Line(std::to_string(counts.keys) + " keys and " + std::to_string(counts.commands) + " commands restored to " + where);
  if (counts.converted != 0) {
    result.json()["converted"] = counts.converted;
    cairn::LogF(cairn::LogLevel::kWarning,
                "%llu values have lost what the server does not know: expiries of fields, idempotent producers",
                static_cast<unsigned long long>(counts.converted));
  }
  return Status();
}

}  // namespace

int main(int argc, char** argv) { return cairn::RunTool(argc, argv, {"cairn-restore", kUsage, __FILE__}, Restore); }
