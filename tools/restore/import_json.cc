#include <nlohmann/json.hpp>

#include "engine/keyspace/keyspace.h"
#include "snapshot/rdb_reader.h"
#include "tools/common/json_text.h"
#include "tools/common/progress_bar.h"
#include "tools/restore/import.h"

namespace cairn {
namespace {

constexpr size_t kElementsPerCommand = 64;

// One line: the commands that make its key.
class LineImport {
 public:
  LineImport(const nlohmann::json& line, Store& store) : line_(line), store_(store) {}

  Status Run() {
    if (!line_.is_object() || !line_.contains("key") || !line_.contains("type")) return Status::Damaged("no key with a type");
    CAIRN_ASSIGN_OR_RETURN(key_, BytesFromJson(line_["key"]));
    CAIRN_ASSIGN_OR_RETURN(const int64_t database, Number("db", 0));
    if (database < 0 || database > UINT32_MAX) return Status::Damaged("no such database");
    if (database >= store_.keyspace().databases()) {
      return Status::InvalidArgument("database " + std::to_string(database) + " is used: give --databases " +
                                     std::to_string(database + 1) + " or more");
    }
    client_.database = static_cast<uint32_t>(database);
    if (store_.Run(client_, {"EXISTS", key_}).integer != 0)
      return Status::Damaged("the key " + QuotedKey(key_) + ": it is there twice");
    CAIRN_ASSIGN_OR_RETURN(expires_at_ms_, Number("expires_at_ms", -1));
    CAIRN_ASSIGN_OR_RETURN(const std::string type, BytesFromJson(line_["type"]));
    if (type == "stream") return Stream();
    if (!line_.contains("value")) return Status::Damaged("no value");
    if (type == "string") return String();
    if (type == "list") return Elements("RPUSH", false);
    if (type == "set") return Elements("SADD", false);
    if (type == "hash") return Elements("HSET", true);
    if (type == "zset") return Elements("ZADD", true);
    return Status::Damaged("there is no type '" + type + "'");
  }

 private:
  Status Apply(const std::vector<std::string_view>& args) {
    const ReplyValue reply = store_.Run(client_, args, Store::Durability::kDoNotAwait);
    return reply.is_error() ? Status::Damaged("the key " + QuotedKey(key_) + ": " + reply.text) : Status();
  }

  Result<int64_t> Number(const char* name, int64_t otherwise) {
    if (!line_.contains(name)) return otherwise;
    if (!line_[name].is_number_integer()) return Status::Damaged(std::string(name) + " is no number");
    return line_[name].get<int64_t>();
  }

  Status String() {
    CAIRN_ASSIGN_OR_RETURN(const std::string value, BytesFromJson(line_["value"]));
    std::vector<std::string_view> args = {"SET", key_, value};
    const std::string at_ms = std::to_string(expires_at_ms_);
    if (expires_at_ms_ >= 0) args.insert(args.end(), {"PXAT", at_ms});
    return Apply(args);
  }

  Status Stream() {
    if (!line_.contains("dump")) return Status::Damaged("a stream without its dump");
    CAIRN_ASSIGN_OR_RETURN(const std::string payload, BytesFromJson(line_["dump"]));
    const std::string at_ms = std::to_string(std::max<int64_t>(expires_at_ms_, 0));
    return Apply({"RESTORE", key_, at_ms, payload, "ABSTTL"});
  }

  // A sorted set's score stands before its member.
  Status Elements(std::string_view command, bool pairs) {
    const nlohmann::json& value = line_["value"];
    if (!value.is_array() || value.empty()) return Status::Damaged("the value is no list of elements");
    for (size_t at = 0; at < value.size(); at += kElementsPerCommand) {
      std::vector<std::string> items;
      for (size_t i = at; i < std::min(value.size(), at + kElementsPerCommand); i++) {
        if (pairs && (!value[i].is_array() || value[i].size() != 2)) return Status::Damaged("an element is no pair");
        for (size_t part = 0; part < (pairs ? 2u : 1u); part++) {
          const size_t chosen = command == "ZADD" ? 1 - part : part;
          CAIRN_ASSIGN_OR_RETURN(std::string bytes, BytesFromJson(pairs ? value[i][chosen] : value[i]));
          items.push_back(std::move(bytes));
        }
      }
      std::vector<std::string_view> args = {command, key_};
      args.insert(args.end(), items.begin(), items.end());
      CAIRN_RETURN_IF_ERROR(Apply(args));
    }
    CAIRN_RETURN_IF_ERROR(FieldExpiries());
    if (expires_at_ms_ < 0) return Status();
    return Apply({"PEXPIREAT", key_, std::to_string(expires_at_ms_)});
  }

  Status FieldExpiries() {
    if (!line_.contains("field_expires_at_ms")) return Status();
    const nlohmann::json& expiries = line_["field_expires_at_ms"];
    if (!expiries.is_array()) return Status::Damaged("field_expires_at_ms is no list");
    for (const nlohmann::json& expiry : expiries) {
      if (!expiry.is_array() || expiry.size() != 2 || !expiry[1].is_number_integer()) {
        return Status::Damaged("field_expires_at_ms holds no pair of a field and a time");
      }
      CAIRN_ASSIGN_OR_RETURN(const std::string field, BytesFromJson(expiry[0]));
      const std::string at_ms = std::to_string(expiry[1].get<int64_t>());
      CAIRN_RETURN_IF_ERROR(Apply({"HPEXPIREAT", key_, at_ms, "FIELDS", "1", field}));
    }
    return Status();
  }

  const nlohmann::json& line_;
  Store& store_;
  Client client_;
  std::string key_;
  int64_t expires_at_ms_ = -1;
};

}  // namespace

Status ImportJsonLines(const InputFile& input, Store& store, ImportCounts* counts) {
  InputWindow window(input);
  ProgressBar bar("reading " + input.name(), input.size_bytes());
  for (uint64_t number = 1;;) {
    const size_t end = window.bytes().find('\n');
    if (end == std::string_view::npos) {
      CAIRN_ASSIGN_OR_RETURN(const bool more, window.Grow());
      if (more) continue;
    }
    const std::string_view text = window.bytes().substr(0, end);
    if (!text.empty()) {
      const nlohmann::json line = nlohmann::json::parse(text, nullptr, false);
      const Status status = line.is_discarded() ? Status::Damaged("malformed JSON") : LineImport(line, store).Run();
      if (!status.ok()) {
        return Status(status.code(), input.name() + ", line " + std::to_string(number) + ": " + std::string(status.message()));
      }
      counts->keys++;
    }
    if (end == std::string_view::npos) return Status();
    window.Take(end + 1);
    bar.Update(window.offset());
    number++;
  }
}

}  // namespace cairn
