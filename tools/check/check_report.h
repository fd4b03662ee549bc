// What cairn-check says: a survey and a repair, for people and as JSON.
#pragma once

#include "engine/directory_repair.h"
#include "engine/directory_survey.h"
#include "tools/common/tool_main.h"

namespace cairn {

void ReportSurvey(const DirectorySurvey& survey, ToolResult& result);
void ReportRepair(const RepairReport& repair, const std::string& new_directory, ToolResult& result);

}  // namespace cairn
