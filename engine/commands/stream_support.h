// What the stream commands share: ids as clients write them, entries as they are answered, and what is logged of groups.
// Called under the key's shard lock on the executing thread, like the handlers themselves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/commands/arg_reader.h"
#include "engine/commands/command_context.h"
#include "engine/values/stream_value.h"

namespace cairn::stream_commands {

inline constexpr std::string_view kInvalidStreamId = "ERR Invalid stream ID specified as stream command argument";

// "ms-seq", or "ms", which gets `missing_seq`; with `seq_given` also "ms-*". False for anything else.
bool ParseStreamId(std::string_view text, uint64_t missing_seq, StreamId* id, bool* seq_given = nullptr);
// args[index] as such an id; answers the error otherwise.
bool ReadStreamId(CommandContext& context, size_t index, StreamId* id, uint64_t missing_seq = 0);
// The same for all arguments from `first` to before `end`.
bool ReadStreamIds(CommandContext& context, size_t first, size_t end, std::vector<StreamId>* ids);
// An end of a range: also "-", "+" and, exclusive, "(ms-seq". An incomplete start is at sequence number 0, an incomplete end at the last.
bool ReadRangeStart(CommandContext& context, size_t index, StreamId* start);
bool ReadRangeEnd(CommandContext& context, size_t index, StreamId* end);

// KEEPREF, DELREF or ACKED.
bool TakeReferences(OptionReader& options, StreamReferences* references);
// IDS numids id ... at args[index], which is "IDS"; *end is the index behind it. Answers the error otherwise.
struct IdsBlockErrors {
  std::string_view count = "ERR Number of IDs must be a positive integer";
  std::string_view mismatch = "ERR The `numids` parameter must match the number of arguments";
};
bool ReadIdsBlock(CommandContext& context, size_t index, size_t* end, std::vector<StreamId>* ids,
                  const IdsBlockErrors& errors = {});

// The stream of an entry, or nullptr for nullptr.
inline const Stream* StreamOf(const Entry* entry) { return entry == nullptr ? nullptr : &entry->large_as<Stream>(); }

// context.key() for a change, after it counted as read: XACK and the claims are reads to whoever counts lookups and hears of misses.
inline ValueEdit EditAsRead(CommandContext& context) {
  context.Find(context.key(), Keyspace::Access::kRead);
  return context.Edit(context.key());
}

inline void ReplyStreamId(ReplySink& reply, const StreamId& id) { reply.Bulk(StreamIdText(id).view()); }
// An array of the names and values of the entry that the cursor is at.
void ReplyFields(ReplySink& reply, StreamCursor& entry);
// The entry: its id and fields.
void ReplyEntry(ReplySink& reply, StreamCursor& entry);
// The entry with this id, which is there.
void ReplyEntry(ReplySink& reply, const Stream& stream, const StreamId& id);
// From so many entries on a reply is written after the locks are released.
inline constexpr uint64_t kLongReplyEntries = 1000;
// The first `count` entries of a range, or the last where `backwards`, as an array; `count` is at most how many there are.
void ReplyEntries(ReplySink& reply, const Stream& stream, const StreamId& start, const StreamId& end, uint64_t count,
                  bool backwards);

// A command to be logged, put together from pieces.
class LoggedCommand {
 public:
  LoggedCommand& Add(std::string_view arg) {  // must live until Log
    args_.push_back({arg, 0});
    return *this;
  }
  LoggedCommand& Add(const StreamId& id);
  LoggedCommand& Add(int64_t number);
  void Log(CommandContext& context);

 private:
  struct Arg {
    std::string_view given;  // data() null: it is in texts_, from `offset` on
    size_t offset, size = 0;
  };
  std::vector<Arg> args_;
  std::string texts_;
};

// Logs what entries are pending, to whom and since when, as XCLAIM: one for a run of entries with equal facts.
class PendingLog {
 public:
  PendingLog(CommandContext& context, std::string_view key, const StreamGroup& group)
      : context_(context), key_(key), group_(group) {}
  ~PendingLog() { Flush(); }
  PendingLog(const PendingLog&) = delete;
  PendingLog& operator=(const PendingLog&) = delete;

  void Add(const PendingEntry& entry);  // which has a consumer
  bool any() const { return any_; }
  void Flush();

 private:
  CommandContext& context_;
  const std::string_view key_;
  const StreamGroup& group_;
  PendingEntry first_;
  std::vector<StreamId> ids_;
  bool any_ = false;
};

// XGROUP SETID key group last-id ENTRIESREAD n.
void LogGroupPosition(CommandContext& context, std::string_view key, const StreamGroup& group);
// XACK key group id ...; nothing for no ids.
void LogAcknowledged(CommandContext& context, std::string_view key, const StreamGroup& group, const std::vector<StreamId>& ids);

// The consumer of this name, created with its event if it is new; *created, if given, says so. It was seen now.
ConsumerSlot TouchConsumer(CommandContext& context, const KeyRef& key, StreamGroup& group, std::string_view name, int64_t seen_ms,
                           bool* created = nullptr);

// How long ago that was: 0 where it is to come (the clock was set back, or the time is a restored value's), INT64_MAX at most.
int64_t IdleMs(const CommandContext& context, int64_t then_ms);
// Whether a pending entry may be claimed by who wants it idle for so long; one that was given back may be at once.
inline bool IsIdle(const CommandContext& context, const PendingEntry& entry, int64_t min_idle_ms) {
  return entry.consumer == kNoConsumer || IdleMs(context, entry.delivery_ms) >= min_idle_ms;
}

// "ERR Unrecognized XCLAIM option 'x'", with the command's name as given.
void UnrecognizedOption(CommandContext& context, std::string_view command, std::string_view option);
// "NOGROUP No such key 'k' or consumer group 'g'" and what follows.
void NoGroup(CommandContext& context, std::string_view key, std::string_view group, std::string_view more = {});

}  // namespace cairn::stream_commands
