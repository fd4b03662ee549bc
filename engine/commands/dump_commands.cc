// DUMP and RESTORE: values as bytes that Redis understands too. What RESTORE gets may come from anybody.
#include "base/logger.h"
#include "engine/codec/dump_payload.h"
#include "engine/codec/value_codec.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/key_commands.h"
#include "engine/commands/string_support.h"
#include "engine/keyspace/access_field.h"
#include "engine/store_options.h"
#include "snapshot/rdb_string_decoder.h"

namespace cairn::key_commands {
namespace {

using Access = Keyspace::Access;

constexpr uint64_t kDumpedBytesPerElement = 32;  // that take about as long as an element of a long reply

struct RestoreOptions {
  bool replace = false, absolute = false;
  int64_t idle_s = -1, frequency = -1;  // < 0: not given
};

// A value taken out of its payload: a collection, or a string.
struct RestoredValue {
  bool is_string = false;
  LoadedValue collection;
  std::string text;
};

bool ReadRestoreOptions(CommandContext& context, RestoreOptions* restore) {
  for (OptionReader options(context, 4); options.More();) {
    std::string_view text;
    size_t index = 0;
    if (options.Take("replace")) {
      restore->replace = true;
    } else if (options.Take("absttl")) {
      restore->absolute = true;
    } else if (restore->frequency < 0 && options.Take("idletime", &text, &index)) {
      if (!ReadInt(context, index, &restore->idle_s)) return false;
      if (restore->idle_s >= 0) continue;
      context.reply.Error("ERR Invalid IDLETIME value, must be >= 0");
      return false;
    } else if (restore->idle_s < 0 && options.Take("freq", &text, &index)) {
      if (!ReadInt(context, index, &restore->frequency)) return false;
      if (restore->frequency >= 0 && restore->frequency <= 255) continue;
      context.reply.Error("ERR Invalid FREQ value, must be >= 0 and <= 255");
      return false;
    } else {
      context.SyntaxError();
      return false;
    }
  }
  return true;
}

Status DecodeRestored(const CommandContext& context, uint8_t rdb_type, std::string_view bytes, RestoredValue* value) {
  value->is_string = rdb_type == kRdbTypeString;
  if (!value->is_string) return DecodeCollection(rdb_type, bytes, context.limits(), &value->collection);
  RdbString decoded;
  std::string scratch;
  CAIRN_RETURN_IF_ERROR(DecodeRdbString(&bytes, &decoded, &scratch));
  if (!bytes.empty()) return Status::Damaged("bytes behind a value");
  value->text = decoded.is_int ? std::to_string(decoded.number) : std::string(decoded.bytes);
  return Status();
}

// What a payload of this RDB type holds, in the words of Redis's log.
const char* EncodingOf(uint8_t rdb_type) {
  switch (rdb_type) {
    case 9: return "Zipmap";
    case 10:
    case 14: return "Ziplist";
    case 11: return "Intset";
    case 12: return "Zset ziplist";
    case 13: return "Hash ziplist";
    case 15:
    case 19:
    case 21:
    case 26:
    case 27: return "Stream listpack";
    case 16: return "Hash listpack";
    case 17: return "Zset listpack";
    case 18: return "List listpack";
    case 20: return "Set listpack";
    default: return "Value";
  }
}

// The client is told as little as Redis tells; who runs the server may want to know more. Verbose, because strangers may send much.
void LogRefusal(const CommandContext& context, uint8_t rdb_type, const Status& why) {
  if (!LogEnabled(LogLevel::kVerbose)) return;
  LogF(LogLevel::kVerbose, "RESTORE refuses a payload of %zu bytes, RDB type %d: %s integrity check failed: %s",
       context.args[3].size(), rdb_type, EncodingOf(rdb_type), std::string(why.message()).c_str());
}

// The access field that an idle time or a frequency means under the policy, or the one that is there.
uint32_t RestoredAccess(const CommandContext& context, const RestoreOptions& restore, uint32_t access) {
  const EvictionPolicy policy = context.keyspace.eviction_settings().policy;
  const bool counts = policy == EvictionPolicy::kAllKeysLfu || policy == EvictionPolicy::kVolatileLfu;
  if (counts && restore.frequency >= 0) return LfuMinutes(context.now_ms()) << 8 | static_cast<uint32_t>(restore.frequency);
  if (!counts && restore.idle_s >= 0) {
    const int64_t idle_s = std::min<int64_t>(restore.idle_s, kAccessMask);
    return (LruClock(context.now_ms()) - static_cast<uint32_t>(idle_s)) & kAccessMask;
  }
  return access;
}

void StoreRestored(CommandContext& context, RestoredValue value, int64_t expiry_ms, const RestoreOptions& restore) {
  const KeyRef& key = context.key();
  Entry* entry = nullptr;
  if (value.is_string) {
    const SharedBytes owner = value.text.size() > kInlineValueMaxBytes ? SharedBytes::Copy(value.text) : SharedBytes();
    entry = context.keyspace.SetString(context.scope, context.database(), key, {value.text, owner.size() > 0 ? &owner : nullptr},
                                       {.expiry_ms = expiry_ms});
    context.Event(kEventNew, "new", key);
  } else {
    {
      ValueEdit edit = context.Edit(key);
      if (value.collection.encoding == Encoding::kLarge) {
        edit.StoreLarge(value.collection.type, std::move(value.collection.large));
      } else {
        edit.StorePacked(value.collection.type, value.collection.encoding, value.collection.packed);
      }
    }
    entry = context.keyspace.SetExpiry(context.scope, context.database(), key, expiry_ms);
  }
  entry->set_access(RestoredAccess(context, restore, entry->access()));
  context.Event(kEventGeneric, "restore", key);
}

}  // namespace

void Dump(CommandContext& context) {
  const Entry* entry = context.Find(context.key(), Access::kRead);
  if (entry == nullptr) return context.reply.Null();
  const bool may_be_large = entry->encoding() == Encoding::kRope || entry->encoding() == Encoding::kLarge;
  if (!may_be_large) return context.reply.Bulk(MakeDumpPayload(*entry));
  const auto value = std::make_shared<const RetainedValue>(RetainedValue::Of(*entry));
  const uint64_t work =
      entry->encoding() == Encoding::kRope ? entry->rope().size() / kDumpedBytesPerElement : entry->large().element_count();
  context.Defer(work, [value](ReplySink& reply) { reply.BulkRope(MakeDumpRope(*value)); });
}

void Restore(CommandContext& context) {
  RestoreOptions restore;
  if (!ReadRestoreOptions(context, &restore)) return;
  const KeyRef& key = context.key();
  const bool exists = context.Find(key, Access::kWrite) != nullptr;
  if (exists && !restore.replace) return context.reply.Error("BUSYKEY Target key name already exists.");
  int64_t ttl_ms = 0;
  if (!ReadInt(context, 2, &ttl_ms)) return;
  if (ttl_ms < 0) return context.reply.Error("ERR Invalid TTL value, must be >= 0");
  uint8_t rdb_type = 0;
  std::string_view bytes;
  // In replay the record's own checksum has been checked; the payload's may have been passed over when it came.
  const DumpChecksum checksum = context.scope.replaying ? DumpChecksum::kIgnored : DumpChecksum::kChecked;
  if (!OpenDumpPayload(context.args[3], &rdb_type, &bytes, checksum)) {
    return context.reply.Error("ERR DUMP payload version or checksum are wrong");
  }
  RestoredValue value;
  if (const Status decoded = DecodeRestored(context, rdb_type, bytes, &value); !decoded.ok()) {
    LogRefusal(context, rdb_type, decoded);
    return context.reply.Error("ERR Bad data format");
  }
  int64_t expiry_ms = ttl_ms == 0 ? -1 : ttl_ms;
  if (ttl_ms != 0 && !restore.absolute && __builtin_add_overflow(ttl_ms, context.now_ms(), &expiry_ms)) {
    return InvalidExpireTime(context);
  }
  if (expiry_ms >= 0 && ExpiresAtOnce(context, expiry_ms)) {
    if (exists) DeleteLogged(context, key);
    return context.reply.Ok();
  }
  if (exists) context.keyspace.Delete(context.scope, context.database(), key);
  StoreRestored(context, std::move(value), expiry_ms, restore);
  const std::string at = std::to_string(std::max<int64_t>(expiry_ms, 0));
  const std::string_view record[] = {"RESTORE", key.name, at, context.args[3], "REPLACE", "ABSTTL"};
  SharedBytes owners[std::size(record)];
  if (const SharedBytes* owner = context.source(3).owner) owners[3] = *owner;
  context.LogAs(record, owners);
  context.reply.Ok();
}

}  // namespace cairn::key_commands
