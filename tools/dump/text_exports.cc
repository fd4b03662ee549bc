// The exports that are made of a key's parts: commands and JSON lines.

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "base/resp_request.h"
#include "tools/common/json_text.h"
#include "tools/common/progress_bar.h"
#include "tools/dump/exporter.h"
#include "tools/dump/key_walk.h"

namespace cairn {
namespace {

constexpr size_t kElementsPerCommand = 64;  // as many as Redis writes into its AOF

class CommandWriter {
 public:
  explicit CommandWriter(OutputFile& out) : out_(out) {}

  Status Key(const KeyContent& content) {
    if (!selected_ || content.database != database_) {
      database_ = content.database;
      selected_ = true;
      Command({"SELECT", std::to_string(database_)});
    }
    const std::string expires_at_ms = std::to_string(content.expires_at_ms);
    switch (content.type) {
      case ValueType::kString:
        if (content.expires_at_ms >= 0) {
          Command({"SET", content.key, content.items[0], "PXAT", expires_at_ms});
        } else {
          Command({"SET", content.key, content.items[0]});
        }
        return out_.status();
      case ValueType::kList: Elements("RPUSH", content, 1); break;
      case ValueType::kSet: Elements("SADD", content, 1); break;
      case ValueType::kHash: Elements("HSET", content, 2); break;
      case ValueType::kSortedSet: Elements("ZADD", content, 2); break;
      case ValueType::kStream:
        Command({"RESTORE", content.key, content.expires_at_ms >= 0 ? expires_at_ms : "0", content.payload, "ABSTTL"});
        return out_.status();
    }
    for (const auto& [field, at_ms] : content.field_expiries) {
      Command({"HPEXPIREAT", content.key, std::to_string(at_ms), "FIELDS", "1", field});
    }
    if (content.expires_at_ms >= 0) Command({"PEXPIREAT", content.key, expires_at_ms});
    return out_.status();
  }
  uint64_t bytes() const { return bytes_; }

 private:
  void Command(std::initializer_list<std::string_view> args) { Put(EncodeRequest(args)); }
  void Put(const std::string& bytes) {
    bytes_ += bytes.size();
    out_.Write(bytes);
  }
  // A sorted set's scores stand before its members.
  void Elements(std::string_view name, const KeyContent& content, size_t each) {
    const size_t step = kElementsPerCommand * each;
    for (size_t at = 0; at < content.items.size(); at += step) {
      const size_t end = std::min(content.items.size(), at + step);
      std::string bytes;
      AppendRequestHeader(bytes, 2 + end - at);
      AppendBulk(bytes, name);
      AppendBulk(bytes, content.key);
      for (size_t i = at; i < end; i++) {
        const size_t swapped = content.type == ValueType::kSortedSet ? i ^ 1 : i;
        AppendBulk(bytes, content.items[swapped]);
      }
      Put(bytes);
    }
  }

  OutputFile& out_;
  bool selected_ = false;
  uint32_t database_ = 0;
  uint64_t bytes_ = 0;
};

nlohmann::json StreamEntries(const ReplyValue& entries) {
  nlohmann::json list = nlohmann::json::array();
  for (const ReplyValue& entry : entries.elements) {
    nlohmann::json fields = nlohmann::json::array();
    for (const ReplyValue& field : entry.elements[1].elements) fields.push_back(BytesToJson(field.text));
    list.push_back(nlohmann::json::array({entry.elements[0].text, fields}));
  }
  return list;
}

std::string JsonLine(const KeyContent& content) {
  nlohmann::ordered_json line;
  line["db"] = content.database;
  line["key"] = BytesToJson(content.key);
  line["type"] = TypeName(content.type);
  if (content.expires_at_ms >= 0) line["expires_at_ms"] = content.expires_at_ms;
  if (content.type == ValueType::kString) {
    line["value"] = BytesToJson(content.items[0]);
  } else if (content.type == ValueType::kStream) {
    line["entries"] = StreamEntries(content.entries);
    line["dump"] = {{"base64", EncodeBase64(content.payload)}};
  } else {
    const bool pairs = content.type == ValueType::kHash || content.type == ValueType::kSortedSet;
    nlohmann::json value = nlohmann::json::array();
    for (size_t i = 0; i < content.items.size(); i += pairs ? 2 : 1) {
      if (pairs) {
        value.push_back(nlohmann::json::array({BytesToJson(content.items[i]), BytesToJson(content.items[i + 1])}));
      } else {
        value.push_back(BytesToJson(content.items[i]));
      }
    }
    line["value"] = std::move(value);
  }
  if (!content.field_expiries.empty()) {
    nlohmann::json expiries = nlohmann::json::array();
    for (const auto& [field, at_ms] : content.field_expiries)
      expiries.push_back(nlohmann::json::array({BytesToJson(field), at_ms}));
    line["field_expires_at_ms"] = std::move(expiries);
  }
  return line.dump() + "\n";
}

}  // namespace

Result<ExportCounts> ExportCommands(Store& store, OutputFile& out, const KeyFilter& filter) {
  CommandWriter writer(out);
  ExportCounts counts;
  ProgressBar bar("writing commands");
  CAIRN_RETURN_IF_ERROR(WalkKeys(store, filter, [&](const KeyContent& content) {
    counts.keys++;
    bar.Update(writer.bytes());
    return writer.Key(content);
  }));
  counts.bytes = writer.bytes();
  return counts;
}

Result<ExportCounts> ExportJsonLines(Store& store, OutputFile& out, const KeyFilter& filter) {
  ExportCounts counts;
  ProgressBar bar("writing JSON lines");
  CAIRN_RETURN_IF_ERROR(WalkKeys(store, filter, [&](const KeyContent& content) {
    const std::string line = JsonLine(content);
    out.Write(line);
    counts.keys++;
    counts.bytes += line.size();
    bar.Update(counts.bytes);
    return out.status();
  }));
  return counts;
}

}  // namespace cairn
