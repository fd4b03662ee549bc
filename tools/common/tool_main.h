// What every tool's main does around its work: flags, --help and --version, where messages go, the result, the exit code.
//
// Standard output carries the tool's data and, with --json, one JSON object with the result, as its last line. Where the data itself
// goes to standard output (-), the result goes to standard error. Messages, warnings of the libraries and the progress bar go to standard
// error.
// Threads: main's only.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "tools/common/exit_code.h"

namespace cairn {

struct ToolDescription {
  const char* name;        // "cairn-dump"
  const char* usage;       // the lines after "Usage: " and what the tool does; flags are listed by --help on their own
  const char* flags_file;  // __FILE__ of the main that defines the tool's flags
};

// What a tool has to say at its end. Filled while it works; the tool's function returns the Status.
class ToolResult {
 public:
  ToolResult();
  ~ToolResult();
  nlohmann::json& json() { return *json_; }              // an object; for --json
  void Line(std::string text) { text_ += text + "\n"; }  // for people: printed without --json, unless --quiet
  // The data goes to standard output: the result must not.
  void KeepOffStdout() { stdout_taken_ = true; }
  // Ends with this code although the work was done (cairn-check found damage).
  void SetExitCode(ExitCode code) { exit_code_ = code; }

 private:
  friend int RunTool(int, char**, const ToolDescription&,
                     const std::function<Status(const std::vector<std::string>&, ToolResult&)>&);
  int End(const char* name, const Status& status);
  std::unique_ptr<nlohmann::json> json_;
  std::string text_;
  bool stdout_taken_ = false;
  ExitCode exit_code_ = ExitCode::kOk;
};

// Parses the flags (--name value, --name=value; they may stand anywhere), calls `work` with what else is there, reports, and returns what
// main returns.
int RunTool(int argc, char** argv, const ToolDescription& tool,
            const std::function<Status(const std::vector<std::string>& arguments, ToolResult& result)>& work);

// What a text flag of the tool was given, be it empty text; nothing where it was not given.
std::optional<std::string> GivenFlag(const char* name);

// The flags that all tools have.
bool JsonWanted();   // --json
bool QuietWanted();  // --quiet

}  // namespace cairn
