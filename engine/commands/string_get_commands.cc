#include <algorithm>

#include "engine/commands/arg_reader.h"
#include "engine/commands/string_commands.h"
#include "engine/commands/string_support.h"

namespace cairn::string_commands {
namespace {

using Access = Keyspace::Access;

// A part of a rope from this size on is shared with the reply rather than copied.
constexpr uint64_t kSharedReplyBytes = 64 * 1024;

void ReplyRange(CommandContext& context, const StringView& value, uint64_t offset, uint64_t size_bytes) {
  if (value.rope() != nullptr && size_bytes >= kSharedReplyBytes) {
    return context.reply.BulkRope(value.rope()->Substr(offset, size_bytes));
  }
  std::string scratch;
  context.reply.Bulk(value.Range(offset, size_bytes, &scratch));
}

}  // namespace

void Get(CommandContext& context) {
  Entry* entry = nullptr;
  if (context.FindTyped(context.key(), ValueType::kString, Access::kRead, &entry)) ReplyString(context.reply, entry);
}

void GetEx(CommandContext& context) {
  ExpiryOption expiry;
  for (OptionReader options(context, 2); options.More();) {
    if (!TakeExpiry(options, ExpiryOption::kPersist, &expiry)) return context.SyntaxError();
  }
  const KeyRef& key = context.key();
  Entry* entry = nullptr;
  if (!context.FindTyped(key, ValueType::kString, Access::kRead, &entry)) return;
  if (entry == nullptr) return context.reply.Null();
  int64_t expiry_ms = -1;
  if (expiry.sets() && !ReadExpiry(context, expiry, &expiry_ms)) return;
  ReplyString(context.reply, entry);
  if (expiry.kind == ExpiryOption::kPersist && entry->has_expiry()) {
    context.keyspace.SetExpiry(context.scope, context.database(), key, -1);
    context.LogAs({"PERSIST", key.name});
    context.Event(kEventGeneric, "persist", key);
  } else if (expiry.absolute() && ExpiresAtOnce(context, expiry_ms)) {
    DeleteLogged(context, key);
  } else if (expiry.sets()) {
    context.keyspace.SetExpiry(context.scope, context.database(), key, expiry_ms);
    context.LogAs({"PEXPIREAT", key.name, std::to_string(expiry_ms)});
    context.Event(kEventGeneric, "expire", key);
  }
}

void GetDel(CommandContext& context) {
  Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kString, Access::kRead, &entry)) return;
  ReplyString(context.reply, entry);
  if (entry != nullptr) DeleteLogged(context, context.key());
}

void MGet(CommandContext& context) {
  context.reply.Array(context.keys().size());
  for (const KeyRef& key : context.keys()) {
    Entry* entry = context.Find(key, Access::kRead);
    if (entry != nullptr && entry->type() != ValueType::kString) entry = nullptr;
    ReplyString(context.reply, entry);
  }
}

void StrLen(CommandContext& context) {
  Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kString, Access::kRead, &entry)) return;
  context.reply.Integer(static_cast<int64_t>(StringView(entry).size()));
}

void GetRange(CommandContext& context) {
  int64_t start = 0, end = 0;
  if (!ReadInt(context, 2, &start) || !ReadInt(context, 3, &end)) return;
  Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kString, Access::kRead, &entry)) return;
  const StringView value(entry);
  const auto size = static_cast<int64_t>(value.size());
  if (start < 0 && end < 0 && start > end) return context.reply.Bulk({});
  if (start < 0) start = std::max<int64_t>(start + size, 0);
  if (end < 0) end = std::max<int64_t>(end + size, 0);
  end = std::min(end, size - 1);
  if (start > end) return context.reply.Bulk({});
  ReplyRange(context, value, static_cast<uint64_t>(start), static_cast<uint64_t>(end - start + 1));
}

void Digest(CommandContext& context) {
  Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kString, Access::kRead, &entry)) return;
  if (entry == nullptr) return context.reply.Null();
  char digits[kDigestChars];
  WriteDigest(StringView(entry), digits);
  context.reply.Bulk({digits, kDigestChars});
}

}  // namespace cairn::string_commands
