// What XREAD and XREADGROUP share: their options, how much a reply may hold, the frame of their replies, and waiting.
// Called under the keys' shard locks on the executing thread, like the handlers themselves.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/commands/stream_support.h"

namespace cairn::stream_commands {

struct ReadOptions {
  static constexpr uint64_t kBlockedCount = 1000;  // of entries for a command that waited and has no COUNT

  bool group_read = false;  // XREADGROUP
  int64_t count = 0;        // of each stream's entries; 0: all
  int64_t max_count = 0;    // of all streams' entries; 0: any number
  int64_t max_bytes = 0;    // of the reply, after which no further entry begins; 0: any number
  bool blocks = false;
  int64_t timeout_ms = 0;
  bool no_ack = false;
  bool claims = false;
  int64_t min_idle_ms = 0;
  std::string_view group, consumer;
  size_t first_key = 0, keys = 0;

  uint64_t limit(const CommandContext& context) const {
    if (count > 0) return static_cast<uint64_t>(count);
    return context.serving() ? kBlockedCount : UINT64_MAX;
  }
  std::string_view id(const CommandContext& context, size_t key) const { return context.args[first_key + keys + key]; }
  std::string_view key(const CommandContext& context, size_t key) const { return context.args[first_key + key]; }
};

// Reads all arguments; errors are answered.
bool ReadReadOptions(CommandContext& context, ReadOptions* parsed);

// How a key is looked up: what a command that waited found or missed was counted when it was called.
inline Keyspace::Access LookupAccess(const CommandContext& context) {
  return context.serving() ? Keyspace::Access::kWrite : Keyspace::Access::kRead;
}
// After all ids were read: Redis looks up every key once more then, which shows in the statistics and in the events of missing ones.
void LookUpAgain(CommandContext& context, const ReadOptions& parsed);

// What MAXCOUNT and MAXSIZE leave for further entries. The first one is always answered, and the one that passes the size is the last.
class ReplyBudget {
 public:
  explicit ReplyBudget(const ReadOptions& parsed);

  bool limited() const { return limited_; }
  bool More() const { return entries_left_ > 0 && (bytes_ == 0 || bytes_ < max_bytes_); }
  // The next entry of `entries` is answered, or that there is none, where it is gone.
  void Add(StreamCursor& entries);
  // How many of the stream's first `count` entries from `start` on are answered.
  uint64_t Take(const Stream& stream, const StreamId& start, uint64_t count);

 private:
  const bool limited_;
  uint64_t entries_left_;
  const uint64_t max_bytes_, entry_extra_bytes_;
  uint64_t bytes_ = 0;  // of the entries so far
};

// The reply's head for so many streams, and that of each.
void ReplyStreamsHead(ReplySink& reply, size_t streams);
void ReplyStreamHead(ReplySink& reply, std::string_view key);

// After nothing was found: waits where the command may, otherwise answers as after a timeout. `args`: to be run then.
void WaitOrEnd(CommandContext& context, const ReadOptions& parsed, ArgSpan args);

}  // namespace cairn::stream_commands
