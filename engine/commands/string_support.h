// What the handlers of strings and bitmaps share: replying with a value, storing one with its events, logging a SET.
// Called under the key's shard lock on the executing thread, like the handlers themselves.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/commands/command_context.h"
#include "engine/values/string_value.h"

namespace cairn {

// The string of an entry (null for an absent key) as the reply; a rope is shared, not copied.
void ReplyString(ReplySink& reply, const Entry* entry);

// Calls visit(std::string_view) -> bool with the bytes [offset, offset + size_bytes) of a value, clipped to it, in order and without
// copying, until it returns false.
template <typename Visit>
void ForEachPiece(const StringView& value, uint64_t offset, uint64_t size_bytes, Visit&& visit) {
  if (value.rope() == nullptr) {
    std::string scratch;
    const std::string_view bytes = value.Flatten(&scratch);
    if (offset < bytes.size()) visit(bytes.substr(offset, size_bytes));
    return;
  }
  for (const RopeSlice& slice : value.rope()->slices()) {
    if (size_bytes == 0) return;
    std::string_view piece = slice.view();
    if (offset >= piece.size()) {
      offset -= piece.size();
      continue;
    }
    piece = piece.substr(offset, size_bytes);
    offset = 0;
    size_bytes -= piece.size();
    if (!visit(piece)) return;
  }
}

// Whether a value is exactly these bytes.
bool StringEquals(const StringView& value, std::string_view bytes);

inline constexpr size_t kDigestChars = 16;
// XXH3 (64 bits) of a value as lower-case hexadecimal digits: DIGEST, IFDEQ, IFDNE.
void WriteDigest(const StringView& value, char (&digits)[kDigestChars]);

// Answers "ERR string exceeds maximum allowed size (proto-max-bulk-len)" where size + more is above the limit; true where it is not.
bool CheckStringSize(CommandContext& context, uint64_t size, uint64_t more);

// Stores a string with the events "new" (`existed` false) and `event`. Logs nothing.
void StoreString(CommandContext& context, const KeyRef& key, StringSource value, const Keyspace::SetOptions& options,
                 bool existed, std::string_view event);

// Logs SET key args[value_index] with the key's new expiry as PXAT (expiry_ms >= 0) or KEEPTTL.
void LogSet(CommandContext& context, const KeyRef& key, size_t value_index, const Keyspace::SetOptions& options);

// Removes an existing key, with the event "del", logged as DEL.
void DeleteLogged(CommandContext& context, const KeyRef& key);

// Whether a key that gets this expiry is gone at once: never in replay or where expired keys are hidden, because somebody else decides.
inline bool ExpiresAtOnce(const CommandContext& context, int64_t expiry_ms) {
  return expiry_ms <= context.now_ms() && context.scope.deletes_expired && !context.scope.replaying;
}

}  // namespace cairn
