#include "engine/commands/string_support.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/numbers.h"
#include "base/status.h"

namespace cairn {
void ReplyString(ReplySink& reply, const Entry* entry) {
  if (entry == nullptr) return reply.Null();
  switch (entry->encoding()) {
    case Encoding::kEmbedded:
    case Encoding::kRaw: return reply.Bulk(entry->inline_value());
    case Encoding::kInt: {
      char text[kIntTextMaxBytes];
      const char* end = WriteInt(text, entry->int_value());
      return reply.Bulk({text, static_cast<size_t>(end - text)});
    }
    case Encoding::kRope: return reply.BulkRope(entry->rope());
    default: CAIRN_CHECK(false);  // no string
  }
}

bool StringEquals(const StringView& value, std::string_view bytes) {
  if (value.size() != bytes.size()) return false;
  bool equal = true;
  ForEachPiece(value, 0, bytes.size(), [&](std::string_view piece) {
    equal = piece == bytes.substr(0, piece.size());
    bytes.remove_prefix(piece.size());
    return equal;
  });
  return equal;
}

void WriteDigest(const StringView& value, char (&digits)[kDigestChars]) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  ForEachPiece(value, 0, value.size(), [&](std::string_view piece) {
    XXH3_64bits_update(&state, piece.data(), piece.size());
    return true;
  });
  const uint64_t hash = XXH3_64bits_digest(&state);
  for (size_t i = 0; i < kDigestChars; i++) digits[i] = "0123456789abcdef"[(hash >> (60 - 4 * i)) & 15];
}

bool CheckStringSize(CommandContext& context, uint64_t size, uint64_t more) {
  if (context.scope.replaying) return true;
  const auto limit = static_cast<uint64_t>(context.limits().proto_max_bulk_bytes);
  if (size <= limit && more <= limit - size) return true;
  context.reply.Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  return false;
}

void StoreString(CommandContext& context, const KeyRef& key, StringSource value, const Keyspace::SetOptions& options,
                 bool existed, std::string_view event) {
  context.keyspace.SetString(context.scope, context.database(), key, value, options);
  if (!existed) context.Event(kEventNew, "new", key);
  context.Event(kEventString, event, key);
}

void LogSet(CommandContext& context, const KeyRef& key, size_t value_index, const Keyspace::SetOptions& options) {
  const StringSource value = context.source(value_index);
  char text[kIntTextMaxBytes];
  std::string_view args[5] = {"SET", key.name, value.bytes};
  size_t count = 3;
  if (options.expiry_ms >= 0) {
    args[count++] = "PXAT";
    args[count++] = {text, static_cast<size_t>(WriteInt(text, options.expiry_ms) - text)};
  } else if (options.keep_expiry) {
    args[count++] = "KEEPTTL";
  }
  const std::span<const std::string_view> command(args, count);
  if (value.owner == nullptr) return context.LogAs(command);
  SharedBytes owners[5];
  owners[2] = *value.owner;
  context.LogAs(command, std::span<const SharedBytes>(owners, count));
}

void DeleteLogged(CommandContext& context, const KeyRef& key) {
  context.keyspace.Delete(context.scope, context.database(), key);
  context.LogAs({"DEL", key.name});
  context.Event(kEventGeneric, "del", key);
}

}  // namespace cairn
