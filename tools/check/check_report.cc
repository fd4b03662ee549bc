#include "tools/check/check_report.h"

#include <nlohmann/json.hpp>

namespace cairn {
namespace {

const char* KindName(DirectoryFault::Kind kind) {
  switch (kind) {
    case DirectoryFault::Kind::kDamaged: return "damaged";
    case DirectoryFault::Kind::kMissing: return "missing";
    case DirectoryFault::Kind::kTornTail: return "torn tail";
    case DirectoryFault::Kind::kForeign: return "foreign";
  }
  return "damaged";
}

std::string LsnRange(Lsn from, Lsn until) {
  if (until == UINT64_MAX) return "LSN " + std::to_string(from) + " to the end";
  return "LSN " + std::to_string(from) + " to " + std::to_string(until);
}

std::string TextOf(const DirectoryFault& fault) {
  std::string text = std::string(KindName(fault.kind)) + ": " + fault.file;
  if (fault.bytes > 0) text += " at offset " + std::to_string(fault.offset) + ", " + std::to_string(fault.bytes) + " bytes";
  text += ": " + fault.what;
  if (fault.until_lsn > fault.from_lsn) {
    text += "; lost: " + LsnRange(fault.from_lsn, fault.until_lsn);
  } else if (fault.loses) {
    text += fault.entries > 0 ? "; lost: " + std::to_string(fault.entries) + " keys" : "; lost: an unknown number of keys";
  } else {
    text += "; nothing is lost";
  }
  if (!fault.holds.empty()) text += "; it seems to have held: " + fault.holds;
  return text;
}

nlohmann::json JsonOf(const DirectoryFault& fault) {
  nlohmann::json json{{"kind", KindName(fault.kind)}, {"file", fault.file}, {"offset", fault.offset},
                      {"bytes", fault.bytes},         {"what", fault.what}, {"loses", fault.loses}};
  if (fault.until_lsn > fault.from_lsn) {
    json["from_lsn"] = fault.from_lsn;
    json["until_lsn"] = fault.until_lsn == UINT64_MAX ? nlohmann::json() : nlohmann::json(fault.until_lsn);
  }
  if (fault.entries > 0) json["lost_keys"] = fault.entries;
  if (!fault.holds.empty()) json["holds"] = fault.holds;
  return json;
}

void ReportParts(const DirectorySurvey& survey, ToolResult& result) {
  nlohmann::json& json = result.json();
  json["snapshots"] = nlohmann::json::array();
  for (const DirectorySurvey::Snapshot& snapshot : survey.snapshots) {
    json["snapshots"].push_back({{"path", snapshot.path},
                                 {"lsn", snapshot.info.lsn},
                                 {"current", snapshot.current},
                                 {"keys", snapshot.survey.entries},
                                 {"blocks", snapshot.survey.blocks},
                                 {"bytes", snapshot.survey.size_bytes}});
    result.Line("snapshot " + snapshot.path + (snapshot.current ? "" : " (older)") + ": LSN " +
                std::to_string(snapshot.info.lsn) + ", " + std::to_string(snapshot.survey.entries) + " keys in " +
                std::to_string(snapshot.survey.blocks) + " blocks");
  }
  json["segments"] = nlohmann::json::array();
  for (const SegmentSurvey& segment : survey.log.segments) {
    json["segments"].push_back({{"path", segment.path},
                                {"first_lsn", segment.header.first_lsn},
                                {"end_lsn", segment.end_lsn},
                                {"frames", segment.frames},
                                {"bytes", segment.file_bytes}});
    result.Line("segment " + segment.path + ": " + LsnRange(segment.header.first_lsn, segment.end_lsn) + ", " +
                std::to_string(segment.frames) + " frames");
  }
  if (!survey.has_log) return;
  json["log"] = {{"first_lsn", survey.log.first_lsn},
                 {"end_lsn", survey.log.end_lsn},
                 {"records", survey.log_records},
                 {"clean_end", survey.log.clean_end}};
  result.Line("log: " + LsnRange(survey.log.first_lsn, survey.log.end_lsn) + ", " + std::to_string(survey.log_records) +
              " records, " + (survey.log.clean_end ? "ended cleanly" : "no clean end (a server runs, or it ended in a crash)"));
}

}  // namespace

void ReportSurvey(const DirectorySurvey& survey, ToolResult& result) {
  ReportParts(survey, result);
  result.json()["checked_bytes"] = survey.checked_bytes;
  result.json()["notes"] = survey.notes;
  for (const std::string& note : survey.notes) result.Line("note: " + note);
  result.json()["faults"] = nlohmann::json::array();
  for (const DirectoryFault& fault : survey.faults) {
    result.json()["faults"].push_back(JsonOf(fault));
    result.Line(TextOf(fault));
  }
  std::string verdict = survey.sound() ? "nothing is wrong" : std::to_string(survey.faults.size()) + " faults";
  if (!survey.sound() && survey.only_torn()) verdict = "a torn tail, as a crash leaves it: the next start cuts it";
  result.Line(verdict);
}

void ReportRepair(const RepairReport& repair, const std::string& new_directory, ToolResult& result) {
  result.json()["repair"] = {{"directory", new_directory}, {"snapshot_lsn", repair.snapshot_lsn}, {"end_lsn", repair.end_lsn},
                             {"keys", repair.keys},        {"records", repair.records},           {"losses", repair.losses}};
  for (const std::string& loss : repair.losses) result.Line("lost: " + loss);
  result.Line(new_directory + ": " + std::to_string(repair.keys) + " keys, from the snapshot at LSN " +
              std::to_string(repair.snapshot_lsn) + " and " + std::to_string(repair.records) + " records of the log up to LSN " +
              std::to_string(repair.end_lsn));
}

}  // namespace cairn
