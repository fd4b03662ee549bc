// cairn-dump DIR [flags]
#include <gflags/gflags.h>

#include <nlohmann/json.hpp>

#include "base/numbers.h"
#include "tools/common/loaded_store.h"
#include "tools/common/output_file.h"
#include "tools/common/point_argument.h"
#include "tools/common/source_directory.h"
#include "tools/common/tool_main.h"
#include "tools/dump/exporter.h"

DEFINE_string(out, "-", "the file to write; - for standard output");
DEFINE_string(format, "",
              "rdb, resp (commands for redis-cli --pipe) or json (JSON lines); by the file's name where it is not given");
DEFINE_bool(replace, false, "replace the file where it exists");
DEFINE_bool(live, false, "read beside a running server");
DEFINE_string(at, "", "the state at this time: 2026-11-23 10:15:00 (local; Z behind it: UTC), a Unix time in s or ms, or lsn:N");
DEFINE_string(at_lsn, "", "the state at this LSN");
DEFINE_string(match, "", "only keys that match one of these patterns, separated by spaces");
DEFINE_string(type, "", "only keys of these types, separated by commas: string, list, set, zset, hash, stream");
DEFINE_string(db, "", "only these databases, separated by commas");
DEFINE_uint32(databases, 16, "how many databases the data has at most");

namespace {

using cairn::Result;
using cairn::Status;

constexpr char kUsage[] =
    "cairn-dump DIR [--out FILE] [--format rdb|resp|json] [flags]\n"
    "       Writes what a data directory (or a backup) holds, as it is or was at some moment. DIR is only read.\n"
    "\n"
    "       cairn-dump /var/lib/cairn --out dump.rdb\n"
    "       cairn-dump /var/lib/cairn --live --format resp | redis-cli --pipe\n"
    "       cairn-dump /var/lib/cairn --live --match 'user:*' --format json --at '2026-11-23 10:15:00'";

std::vector<std::string> Split(const std::string& text, char at) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(at, begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

Result<cairn::KeyFilter> MakeFilter() {
  cairn::KeyFilter filter;
  filter.patterns = Split(FLAGS_match, ' ');
  filter.types = Split(FLAGS_type, ',');
  for (const std::string& type : filter.types) {
    if (type != "string" && type != "list" && type != "set" && type != "zset" && type != "hash" && type != "stream") {
      return Status::InvalidArgument("--type: there is no type '" + type + "'");
    }
  }
  for (const std::string& text : Split(FLAGS_db, ',')) {
    uint64_t number = 0;
    if (!cairn::ParseUint64(text, &number) || number >= FLAGS_databases) {
      return Status::InvalidArgument("--db: '" + text + "' is no database");
    }
    filter.databases.push_back(static_cast<uint32_t>(number));
  }
  return filter;
}

Result<std::string> Format() {
  std::string format = FLAGS_format;
  if (format.empty()) {
    const std::string& out = FLAGS_out;
    format = out.ends_with(".json") || out.ends_with(".jsonl") ? "json" : out.ends_with(".resp") ? "resp" : "rdb";
  }
  if (format == "rdb" || format == "resp" || format == "json") return format;
  return Status::InvalidArgument("--format: '" + format + "' is neither rdb, resp nor json");
}

Result<cairn::ExportCounts> Export(cairn::Store& store, cairn::FileSystem& fs, const std::string& format,
                                   const cairn::KeyFilter& filter) {
  if (format == "rdb") return cairn::ExportRdb(store, fs, FLAGS_out, filter);
  CAIRN_ASSIGN_OR_RETURN(const auto out, cairn::OutputFile::Create(fs, FLAGS_out, FLAGS_replace));
  auto counts = format == "json" ? cairn::ExportJsonLines(store, *out, filter) : cairn::ExportCommands(store, *out, filter);
  CAIRN_RETURN_IF_ERROR(counts.status());
  CAIRN_RETURN_IF_ERROR(out->Finish());
  return counts;
}

Status Dump(const std::vector<std::string>& arguments, cairn::ToolResult& result) {
  if (arguments.size() != 1) return Status::InvalidArgument("one data directory is needed; --help tells more");
  if (FLAGS_out == "-") result.KeepOffStdout();
  cairn::FileSystem& fs = cairn::RealFileSystem();
  CAIRN_ASSIGN_OR_RETURN(const cairn::KeyFilter filter, MakeFilter());
  CAIRN_ASSIGN_OR_RETURN(const std::string format, Format());
  CAIRN_ASSIGN_OR_RETURN(const cairn::PointInTime point, cairn::ParsePoint(cairn::GivenFlag("at"), cairn::GivenFlag("at_lsn")));
  CAIRN_RETURN_IF_ERROR(cairn::CheckNotThere(fs, FLAGS_out, FLAGS_replace));
  const auto access = FLAGS_live ? cairn::SourceAccess::kLive : cairn::SourceAccess::kOffline;
  CAIRN_ASSIGN_OR_RETURN(const auto source, cairn::SourceDirectory::Open(fs, arguments[0], access));
  CAIRN_ASSIGN_OR_RETURN(cairn::LoadedStore loaded, cairn::LoadStore(*source, point, FLAGS_databases));
  CAIRN_ASSIGN_OR_RETURN(const cairn::ExportCounts counts, Export(*loaded.store, fs, format, filter));
  result.json()["keys"] = counts.keys;
  result.json()["bytes"] = counts.bytes;
  result.json()["format"] = format;
  result.json()["lsn"] = loaded.state.lsn;
  result.json()["time"] = cairn::UtcText(loaded.state.unix_us);
  result.json()["torn_bytes"] = loaded.state.torn_bytes;
  result.Line(std::to_string(counts.keys) + " keys, " + std::to_string(counts.bytes) + " bytes of " + format + ", at LSN " +
              std::to_string(loaded.state.lsn));
  if (counts.converted != 0) {
    result.json()["converted"] = counts.converted;
    result.Line(std::to_string(counts.converted) +
                " values have lost what Redis 7.0 does not know: expiries of fields, idempotent producers");
  }
  return Status();
}

}  // namespace

int main(int argc, char** argv) { return cairn::RunTool(argc, argv, {"cairn-dump", kUsage, __FILE__}, Dump); }
