#include "tools/common/tool_main.h"

#include <gflags/gflags.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/allocator.h"
#include "base/logger.h"
#include "server/version.h"

DEFINE_bool(json, false, "print the result, and errors, as one JSON object");
DEFINE_bool(quiet, false, "print nothing but errors");
DECLARE_bool(help);
DECLARE_bool(version);

namespace cairn {
namespace {

std::string FlagName(std::string name) {
  for (char& c : name) {
    if (c == '_') c = '-';
  }
  return "--" + name;
}

void PrintHelp(const ToolDescription& tool) {
  std::printf("Usage: %s\n\nFlags:\n", tool.usage);
  std::vector<gflags::CommandLineFlagInfo> flags;
  gflags::GetAllFlags(&flags);
  for (const gflags::CommandLineFlagInfo& flag : flags) {
    if (flag.filename != tool.flags_file && flag.filename != __FILE__) continue;
    const bool shows_default = flag.type != "bool" && !flag.default_value.empty();
    std::printf("  %-26s %s%s\n", (FlagName(flag.name) + (flag.type == "bool" ? "" : " VALUE")).c_str(), flag.description.c_str(),
                shows_default ? (" (default: " + flag.default_value + ")").c_str() : "");
  }
  std::printf("  %-26s print the version\n", "--version");
  std::printf(
      "\nExit codes: 0 done, 1 wrong flags or arguments, 2 damaged input, 3 written by a newer version, 4 directory in use,\n"
      "5 not found or outside of what is kept, 6 disk error or no space, 7 the target exists, 8 the server refused, 70 a bug.\n");
}

// Dashes are as good as underscores in a flag's name, as in the server's directives.
std::vector<std::string> WithUnderscores(int argc, char** argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  for (size_t i = 1; i < arguments.size(); i++) {
    std::string& argument = arguments[i];
    if (argument == "--") break;
    if (argument.size() < 3 || !argument.starts_with("--")) continue;
    for (size_t at = 2; at < argument.size() && argument[at] != '='; at++) {
      if (argument[at] == '-') argument[at] = '_';
    }
  }
  return arguments;
}

}  // namespace

ToolResult::ToolResult() : json_(std::make_unique<nlohmann::json>(nlohmann::json::object())) {}
ToolResult::~ToolResult() = default;

int ToolResult::End(const char* name, const Status& status) {
  const ExitCode code = status.ok() ? exit_code_ : ExitCodeOf(status);
  std::FILE* const out = stdout_taken_ ? stderr : stdout;
  if (FLAGS_json) {
    json()["ok"] = status.ok();
    json()["exit_code"] = static_cast<int>(code);
    if (!status.ok()) json()["error"] = {{"code", ExitCodeName(code)}, {"message", std::string(status.message())}};
    // File names and keys may be any bytes; what is not UTF-8 must not end the report.
    std::fprintf(out, "%s\n", json().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    if (!FLAGS_quiet) std::fputs(text_.c_str(), out);
    if (!status.ok()) std::fprintf(stderr, "%s: %s\n", name, std::string(status.message()).c_str());
  }
  if (std::fflush(stdout) != 0 && status.ok()) {
    std::fprintf(stderr, "%s: writing to standard output: %s\n", name, std::strerror(errno));
    return static_cast<int>(ExitCode::kIoError);
  }
  return static_cast<int>(code);
}

int RunTool(int argc, char** argv, const ToolDescription& tool,
            const std::function<Status(const std::vector<std::string>& arguments, ToolResult& result)>& work) {
  AbortOnOutOfMemory();
  gflags::SetVersionString(std::string(kCairnVersion));
  std::vector<std::string> words = WithUnderscores(argc, argv);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  int count = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  char** at = pointers.data();
  gflags::ParseCommandLineNonHelpFlags(&count, &at, true);  // ends the process with 1 where a flag is wrong
  if (FLAGS_version) {
    std::printf("%s %s\n", tool.name, kCairnVersion.data());
    return 0;
  }
  if (FLAGS_help || argc == 1) {
    PrintHelp(tool);
    return static_cast<int>(FLAGS_help ? ExitCode::kOk : ExitCode::kUsage);
  }
  SetLogSink([&tool](LogLevel level, std::string_view message) {
    if (level < LogLevel::kWarning) return;
    std::fprintf(stderr, "%s: %.*s\n", tool.name, static_cast<int>(message.size()), message.data());
  });
  ToolResult result;
  const Status status = work(std::vector<std::string>(at + 1, at + count), result);
  SetLogSink(nullptr);
  return result.End(tool.name, status);
}

std::optional<std::string> GivenFlag(const char* name) {
  const gflags::CommandLineFlagInfo flag = gflags::GetCommandLineFlagInfoOrDie(name);
  return flag.is_default ? std::nullopt : std::optional(flag.current_value);
}

bool JsonWanted() { return FLAGS_json; }
bool QuietWanted() { return FLAGS_quiet; }

}  // namespace cairn
