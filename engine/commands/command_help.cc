#include "engine/commands/command_help.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/numbers.h"

namespace cairn {
namespace {

// Wraps a summary as Redis's help is wrapped, indented by four.
void AddSummary(std::string_view summary, std::vector<std::string>* lines) {
  constexpr size_t kLineChars = 76;
  while (!summary.empty()) {
    size_t end = summary.size();
    if (end > kLineChars) {
      end = summary.rfind(' ', kLineChars);
      if (end == std::string_view::npos) end = kLineChars;
    }
    lines->push_back("    " + std::string(summary.substr(0, end)));
    summary.remove_prefix(end);
    while (summary.starts_with(' ')) summary.remove_prefix(1);
  }
}

}  // namespace

void ReplyHelp(CommandContext& context) {
  const CommandRow& container = context.row.parent != nullptr ? *context.row.parent : context.row;
  std::vector<std::string> lines;
  lines.push_back(Upper(container.name) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  if (container.handler != nullptr) {
    lines.emplace_back("(no subcommand)");
    AddSummary(container.summary, &lines);
  }
  for (const CommandRow& row : container.subcommands) {
    if (row.name == "help") continue;
    lines.push_back(Upper(row.name) + (row.syntax.empty() ? "" : " ") + std::string(row.syntax));
    AddSummary(row.summary, &lines);
  }
  lines.emplace_back("HELP");
  lines.emplace_back("    Prints this help.");
  context.reply.Array(lines.size());
  for (const std::string& line : lines) context.reply.Simple(line);
}

}  // namespace cairn
