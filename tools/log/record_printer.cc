#include "tools/log/record_printer.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/glob.h"
#include "base/numbers.h"
#include "base/resp_request.h"
#include "engine/commands/command_context.h"
#include "engine/point_in_time.h"
#include "tools/common/json_text.h"

namespace cairn {
namespace {

// As redis-cli prints strings.
std::string Quoted(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    if (c == '"' || c == '\\') {
      text += {'\\', c};
    } else if (c >= ' ' && c <= '~') {
      text += c;
    } else {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\x%02x", static_cast<unsigned char>(c));
      text += escaped;
    }
  }
  return text + "\"";
}

}  // namespace

RecordPrinter::RecordPrinter(RecordFilter filter, bool json, std::function<void(const std::string& line)> write)
    : filter_(std::move(filter)), json_(json), write_(std::move(write)) {
  RegisterEngineCommands(commands_);
}

Status RecordPrinter::Take(const LogFrame& frame) {
  past_the_end_ = frame.first_lsn >= filter_.until_lsn || frame.wall_us > filter_.until_us;
  if (past_the_end_) return Status();
  RequestReader reader(frame.payload);
  while (reader.Next()) {
    TakeRecord({frame.first_lsn + reader.request_offset(), frame.first_lsn + reader.offset(), frame.wall_us, reader.args()});
  }
  if (reader.status().ok()) return Status();
  return Status::Damaged("the log's unit at LSN " + std::to_string(frame.first_lsn) + ": " +
                         std::string(reader.status().message()));
}

void RecordPrinter::TakeRecord(const Record& record) {
  if (record.args.empty()) return;
  records_++;
  const std::string_view name = record.args[0];
  int64_t database;
  if (EqualsIgnoreCase(name, "select") && record.args.size() == 2 && ParseInt64(record.args[1], &database)) {
    database_ = static_cast<uint32_t>(database);
  }
  if (EqualsIgnoreCase(name, "multi")) transaction_lsn_ = record.lsn;
  const std::vector<std::string_view> keys = KeysOf(record);
  if (Passes(record, keys)) {
    printed_++;
    write_(json_ ? Json(record, keys) : Text(record));
  }
  if (EqualsIgnoreCase(name, "exec")) transaction_lsn_.reset();
}

std::vector<std::string_view> RecordPrinter::KeysOf(const Record& record) const {
  std::vector<std::string_view> keys;
  std::vector<int> indexes;
  const CommandRow* row = commands_.FindUnrenamed(record.args);
  if (row == nullptr || !CommandTable::KeyIndexes(*row, record.args, &indexes).ok()) return keys;
  for (const int index : indexes) keys.push_back(record.args[static_cast<size_t>(index)]);
  return keys;
}

bool RecordPrinter::Passes(const Record& record, const std::vector<std::string_view>& keys) const {
  if (record.lsn < filter_.from_lsn || record.lsn >= filter_.until_lsn) return false;
  if (record.wall_us < filter_.from_us || record.wall_us > filter_.until_us) return false;
  if (filter_.database && database_ != filter_.database) return false;
  const auto is_command = [&](const std::string& name) { return EqualsIgnoreCase(name, record.args[0]); };
  if (!filter_.commands.empty() && std::none_of(filter_.commands.begin(), filter_.commands.end(), is_command)) return false;
  const auto matches = [&](std::string_view key) { return GlobMatch(filter_.key_pattern, key); };
  return filter_.key_pattern.empty() || std::any_of(keys.begin(), keys.end(), matches);
}

std::string RecordPrinter::Text(const Record& record) const {
  const bool inside = transaction_lsn_ && *transaction_lsn_ != record.lsn && !EqualsIgnoreCase(record.args[0], "exec");
  std::string line = std::to_string(record.lsn) + " " + UtcText(static_cast<int64_t>(record.wall_us)) + " [" +
                     (database_ ? std::to_string(*database_) : "?") + "]" + (inside ? " |" : "");
  for (const std::string_view arg : record.args) line += " " + Quoted(arg);
  return line + "\n";
}

std::string RecordPrinter::Json(const Record& record, const std::vector<std::string_view>& keys) const {
  nlohmann::json json{{"lsn", record.lsn},
                      {"end_lsn", record.end_lsn},
                      {"time_us", record.wall_us},
                      {"time", UtcText(static_cast<int64_t>(record.wall_us))},
                      {"command", BytesToJson(record.args[0])},
                      {"args", nlohmann::json::array()},
                      {"keys", nlohmann::json::array()}};
  json["database"] = database_ ? nlohmann::json(*database_) : nlohmann::json();
  for (size_t i = 1; i < record.args.size(); i++) json["args"].push_back(BytesToJson(record.args[i]));
  for (const std::string_view key : keys) json["keys"].push_back(BytesToJson(key));
  if (transaction_lsn_) json["transaction"] = *transaction_lsn_;
  return json.dump() + "\n";
}

}  // namespace cairn
