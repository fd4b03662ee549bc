// cairn-check: is a data directory sound, what is damaged, and what can be saved of it.
#include <gflags/gflags.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/check/check_report.h"
#include "tools/common/new_target.h"
#include "tools/common/progress_bar.h"
#include "tools/common/source_directory.h"
#include "tools/common/tool_main.h"

DEFINE_bool(live, false, "read beside a running server, without its lock");
DEFINE_bool(checksums_only, false, "do not decode values and records: checksums alone");
DEFINE_string(repair, "", "write what is readable into this new directory");
DEFINE_bool(cut, false, "with --repair: end at the first loss in the log, so that the result is a state that once was");

namespace cairn {
namespace {

constexpr ToolDescription kTool{
    .name = "cairn-check",
    .usage =
        "cairn-check [--live] [--json] DIRECTORY\n       cairn-check --repair NEWDIRECTORY [--cut] DIRECTORY\n\n"
        "Verifies every block, frame, segment and manifest of a data directory and says what is damaged, where, and what\n"
        "it held. Changes nothing. --repair writes all that is readable into a new directory and reports each loss.\n"
        "Exit code 0: nothing is wrong; 2: something is, be it only a torn tail that the next start cuts.",
    .flags_file = __FILE__};

Status Work(const std::vector<std::string>& arguments, ToolResult& result) {
  if (arguments.size() != 1) return Status::InvalidArgument("one data directory is needed; see --help");
  if (FLAGS_cut && FLAGS_repair.empty()) return Status::InvalidArgument("--cut belongs to --repair");
  if (FLAGS_live && !FLAGS_repair.empty()) return Status::InvalidArgument("--repair needs a directory that nobody uses");
  FileSystem& fs = RealFileSystem();
  if (const auto repaired = GivenFlag("repair")) CAIRN_RETURN_IF_ERROR(CheckNewTarget(fs, arguments[0], *repaired));
  CAIRN_ASSIGN_OR_RETURN(const auto source,
                         SourceDirectory::Open(fs, arguments[0], FLAGS_live ? SourceAccess::kLive : SourceAccess::kOffline));
  DirectorySurvey survey;
  {
    ProgressBar bar("cairn-check: reading");
    DirectorySurveyOptions options{.live = FLAGS_live, .decode_values = !FLAGS_checksums_only};
    options.progress = [&bar](uint64_t bytes) {
      bar.Update(bytes);
      return Status();
    };
    CAIRN_RETURN_IF_ERROR(SurveyDirectory(fs, source->path(), options, &survey));
  }
  ReportSurvey(survey, result);
  if (!survey.sound()) result.SetExitCode(ExitCode::kDamaged);
  if (FLAGS_repair.empty()) return Status();
  RepairReport repaired;
  CAIRN_RETURN_IF_ERROR(
      RepairDirectory(fs, source->path(), survey, {.new_directory = FLAGS_repair, .cut = FLAGS_cut}, &repaired));
  ReportRepair(repaired, FLAGS_repair, result);
  return Status();
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) { return cairn::RunTool(argc, argv, cairn::kTool, cairn::Work); }
