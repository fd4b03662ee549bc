// cairn-log: prints, follows and filters the log of a data directory.
#include <gflags/gflags.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "engine/data_directory.h"
#include "tools/common/point_argument.h"
#include "tools/common/source_directory.h"
#include "tools/common/tool_main.h"
#include "tools/log/record_printer.h"

DEFINE_bool(live, false, "read beside a running server, without its lock");
DEFINE_bool(follow, false, "go on printing what a running server adds, through rotation, until interrupted; implies --live");
DEFINE_string(key, "", "records with a key that matches this glob pattern");
DEFINE_string(command, "", "records of these commands, separated by commas");
DEFINE_int64(db, -1, "records of this database");
DEFINE_uint64(from_lsn, 0, "records that begin at this LSN or later");
DEFINE_uint64(to_lsn, UINT64_MAX, "records that begin before this LSN");
DEFINE_string(from_time, "", "records from this time on: 2026-11-23 10:15:00 (UTC), or as --at of cairn-restore takes it");
DEFINE_string(to_time, "", "records up to this time");

namespace cairn {
namespace {

constexpr auto kPollPause = std::chrono::milliseconds(100);
constexpr int kPauseForReading = 5;  // pauses are so many times as long as a look takes

constexpr ToolDescription kTool{
    .name = "cairn-log",
    .usage =
        "cairn-log [--follow] [--json] [filters] DIRECTORY\n\n"
        "Prints the records of the log, oldest first: LSN, time (UTC) of the commit, [database], command. Records inside a\n"
        "transaction are marked with |. With --json one object a record. Filters may be combined.",
    .flags_file = __FILE__};

volatile std::sig_atomic_t interrupted = 0;

Status ReadFilter(RecordFilter* filter) {
  filter->key_pattern = FLAGS_key;
  for (size_t at = 0; at < FLAGS_command.size();) {
    const size_t comma = std::min(FLAGS_command.find(',', at), FLAGS_command.size());
    if (comma > at) filter->commands.push_back(FLAGS_command.substr(at, comma - at));
    at = comma + 1;
  }
  if (FLAGS_db > UINT32_MAX) return Status::InvalidArgument("no database: " + std::to_string(FLAGS_db));
  if (FLAGS_db >= 0) filter->database = static_cast<uint32_t>(FLAGS_db);
  filter->from_lsn = FLAGS_from_lsn;
  filter->until_lsn = FLAGS_to_lsn;
  if (const auto from = GivenFlag("from_time")) {
    CAIRN_ASSIGN_OR_RETURN(const int64_t from_us, ParseTime(*from, Zone::kUtc));
    filter->from_us = static_cast<uint64_t>(from_us);
  }
  if (const auto until = GivenFlag("to_time")) {
    CAIRN_ASSIGN_OR_RETURN(const int64_t until_us, ParseTime(*until, Zone::kUtc));
    filter->until_us = static_cast<uint64_t>(until_us);
  }
  return Status();
}

Status PrintFrom(const SourceDirectory& source, RecordPrinter& printer, Lsn* at) {
  const Status ended = Status::Unavailable("past the filter");
  const auto take = [&](const LogFrame& frame) {
    CAIRN_RETURN_IF_ERROR(printer.Take(frame));
    *at = frame.first_lsn + frame.payload.size();
    return printer.past_the_end() ? ended : Status();
  };
  LogRecoveryResult found;
  const Status status = source.ReadLog(*at, take, &found);
  return printer.past_the_end() ? Status() : status;
}

// From the log's beginning, because only the records before one tell its database, and from there on in further calls. Nothing is
// printed, and *at is left alone, where there is no log.
Status Print(const SourceDirectory& source, RecordPrinter& printer, std::optional<Lsn>* at) {
  while (true) {
    const bool began = at->has_value();
    if (!began) {
      CAIRN_ASSIGN_OR_RETURN(*at, source.LogBegin());
    }
    if (!at->has_value()) return Status();
    const Lsn from = **at;
    Status status = PrintFrom(source, printer, &**at);
    if (status.ok() || began || **at != from) return status;
    // A server that runs may have dropped the first file between two looks.
    CAIRN_ASSIGN_OR_RETURN(const std::optional<Lsn> begin, source.LogBegin());
    if (begin.has_value() && *begin <= from) return status;
    at->reset();
  }
}

Status Follow(const SourceDirectory& source, RecordPrinter& printer) {
  std::optional<Lsn> at;
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  while (interrupted == 0 && !printer.past_the_end()) {
    const auto began = std::chrono::steady_clock::now();
    CAIRN_RETURN_IF_ERROR(Print(source, printer, &at));
    if (std::fflush(stdout) != 0) return Status::IoError("standard output is closed");
    const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    std::this_thread::sleep_for(std::max(kPollPause, taken * kPauseForReading));
  }
  return Status();
}

Status Work(const std::vector<std::string>& arguments, ToolResult& result) {
  if (arguments.size() != 1) return Status::InvalidArgument("one data directory is needed; see --help");
  RecordFilter filter;
  CAIRN_RETURN_IF_ERROR(ReadFilter(&filter));
  FileSystem& fs = RealFileSystem();
  const SourceAccess access = FLAGS_live || FLAGS_follow ? SourceAccess::kLive : SourceAccess::kOffline;
  CAIRN_ASSIGN_OR_RETURN(const auto source, SourceDirectory::Open(fs, arguments[0], access));
  std::optional<Lsn> at;
  RecordPrinter printer(std::move(filter), JsonWanted(), [](const std::string& line) { std::fputs(line.c_str(), stdout); });
  Status status = FLAGS_follow ? Follow(*source, printer) : Print(*source, printer, &at);
  if (status.ok() && !at.has_value() && !FLAGS_follow) return Status::NotFound(source->log_path() + " holds no log");
  result.json()["records"] = printer.records();
  result.json()["printed"] = printer.printed();
  return status;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) { return cairn::RunTool(argc, argv, cairn::kTool, cairn::Work); }
