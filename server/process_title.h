// What ps shows for the server: its command line, overwritten with the text of `proc-title-template`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn {

class Config;

// The variables of a title, by name.
using TitleVariables = std::vector<std::pair<std::string_view, std::string>>;

// `text` with each {name} replaced; "{{" is a brace. None where a name is unknown or a brace is left open.
std::optional<std::string> ExpandTitle(std::string_view text, const TitleVariables& variables);
// Whether a template has no other variables than there are.
bool IsTitleTemplate(std::string_view text);

// Keeps the place of the arguments that the system shows. From main, before there are threads and before anybody keeps a pointer into
// the environment, which moves.
void InitProcessTitle(int argc, char** argv);
// Shows the title of this configuration, where `set-proc-title` allows it. After InitProcessTitle; otherwise nothing happens. One thread at
// a time.
void ShowProcessTitle(const Config& config);

}  // namespace cairn
