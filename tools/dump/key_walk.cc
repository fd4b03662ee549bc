#include "tools/dump/key_walk.h"

#include <algorithm>

#include "base/numbers.h"
#include "engine/keyspace/keyspace.h"

namespace cairn {
namespace {

// The largest collections are read in such steps where the command allows it.
constexpr size_t kFieldsAtOnce = 512;

struct KeyName {
  std::string name;
  ValueType type;
  int64_t expires_at_ms;
};

class Walker {
 public:
  Walker(Store& store, const std::function<Status(const KeyContent&)>& visit) : store_(store), visit_(visit) {}

  Status Visit(uint32_t database, KeyName key) {
    client_.database = database;
    KeyContent content{.database = database, .key = std::move(key.name), .type = key.type, .expires_at_ms = key.expires_at_ms};
    CAIRN_RETURN_IF_ERROR(Read(content));
    return visit_(content);
  }

 private:
  Status Read(KeyContent& content) {
    const std::string& key = content.key;
    switch (content.type) {
      case ValueType::kString: return Items({"GET", key}, content);
      case ValueType::kList: return Items({"LRANGE", key, "0", "-1"}, content);
      case ValueType::kSet: return Items({"SMEMBERS", key}, content);
      case ValueType::kSortedSet: return Items({"ZRANGE", key, "0", "-1", "WITHSCORES"}, content);
      case ValueType::kHash: CAIRN_RETURN_IF_ERROR(Items({"HGETALL", key}, content)); return FieldExpiries(content);
      case ValueType::kStream: {
        CAIRN_ASSIGN_OR_RETURN(content.entries, Run({"XRANGE", key, "-", "+"}));
        CAIRN_ASSIGN_OR_RETURN(ReplyValue payload, Run({"DUMP", key}));
        content.payload = std::move(payload.text);
        return Status();
      }
    }
    return Status::Internal("a value of no known type");
  }

  Result<ReplyValue> Run(const std::vector<std::string_view>& args) {
    ReplyValue reply = store_.Run(client_, args, Store::Durability::kDoNotAwait);
    if (reply.is_error()) return Status::Internal(std::string(args[0]) + ": " + reply.text);
    return reply;
  }

  Status Items(const std::vector<std::string_view>& args, KeyContent& content) {
    CAIRN_ASSIGN_OR_RETURN(ReplyValue reply, Run(args));
    if (reply.kind != ReplyValue::Kind::kArray) {
      content.items.push_back(std::move(reply.text));
      return Status();
    }
    content.items.reserve(reply.elements.size());
    for (ReplyValue& element : reply.elements) content.items.push_back(std::move(element.text));
    return Status();
  }

  Status FieldExpiries(KeyContent& content) {
    for (size_t at = 0; at < content.items.size(); at += 2 * kFieldsAtOnce) {
      const size_t fields = std::min(kFieldsAtOnce, (content.items.size() - at) / 2);
      const std::string count = std::to_string(fields);
      std::vector<std::string_view> args = {"HPEXPIRETIME", content.key, "FIELDS", count};
      for (size_t i = 0; i < fields; i++) args.push_back(content.items[at + 2 * i]);
      CAIRN_ASSIGN_OR_RETURN(const ReplyValue reply, Run(args));
      for (size_t i = 0; i < reply.elements.size(); i++) {
        if (reply.elements[i].integer >= 0)
          content.field_expiries.emplace_back(content.items[at + 2 * i], reply.elements[i].integer);
      }
    }
    return Status();
  }

  Store& store_;
  const std::function<Status(const KeyContent&)>& visit_;
  Client client_;
};

}  // namespace

Status WalkKeys(Store& store, const KeyFilter& filter, const std::function<Status(const KeyContent&)>& visit) {
  Walker walker(store, visit);
  for (uint32_t database = 0; database < store.keyspace().databases(); database++) {
    if (!filter.TakesDatabase(database)) continue;
    std::vector<KeyName> keys;
    store.ForEachKey(database, [&](std::string_view key, const Entry& entry) {
      if (filter.Takes(key, entry)) keys.push_back({std::string(key), entry.type(), entry.has_expiry() ? entry.expiry_ms() : -1});
    });
    for (KeyName& key : keys) CAIRN_RETURN_IF_ERROR(walker.Visit(database, std::move(key)));
  }
  return Status();
}

}  // namespace cairn
