// Arguments that are not to be seen by others: passwords in AUTH, HELLO ... AUTH, MIGRATE and in CONFIG SET of sensitive directives.
#pragma once

#include <string_view>
#include <vector>

#include "engine/commands/command_table.h"

namespace cairn {

// The arguments with secrets replaced by "(redacted)"; for MONITOR and the slow log. Views live as long as `args`.
std::vector<std::string_view> RedactedArguments(const CommandRow& row, ArgSpan args);

}  // namespace cairn
