#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/commands/stream_commands.h"
#include "engine/commands/stream_support.h"

namespace cairn::stream_commands {
namespace {

using Access = Keyspace::Access;

constexpr uint64_t kBlockedCount = 1000;  // of entries for a command that waited and has no COUNT

struct ReadOptions {
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

bool GroupOptionMisused(CommandContext& context, const ReadOptions& parsed, std::string_view option) {
  if (parsed.group_read) return false;
  std::string text = "ERR The ";
  text.append(option).append(" option is only supported by XREADGROUP. You called XREAD instead.");
  context.reply.Error(text);
  return true;
}

// STREAMS key ... id ...
bool ReadStreamsOption(CommandContext& context, size_t first, ReadOptions* parsed) {
  parsed->first_key = first;
  const size_t arguments = context.args.size() - first;
  if (arguments % 2 != 0) {
    context.reply.Error("ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.");
    return false;
  }
  parsed->keys = arguments / 2;
  return true;
}

bool ReadPositive(CommandContext& context, size_t index, std::string_view option, int64_t* value) {
  if (!ReadInt(context, index, value)) return false;
  if (*value > 0) return true;
  context.reply.Error("ERR " + std::string(option) + " must be a positive integer");
  return false;
}

bool ReadReadOptions(CommandContext& context, ReadOptions* parsed) {
  for (OptionReader options(context, 1); options.More() && parsed->first_key == 0;) {
    std::string_view text;
    size_t index = 0;
    if (options.Take("block", &text, &index)) {
      if (!ReadTimeoutMs(context, index, &parsed->timeout_ms)) return false;
      parsed->blocks = true;
    } else if (options.Take("count", &text, &index)) {
      if (!ReadInt(context, index, &parsed->count)) return false;
      parsed->count = std::max<int64_t>(parsed->count, 0);
    } else if (options.Take("maxcount", &text, &index)) {
      if (!ReadPositive(context, index, "MAXCOUNT", &parsed->max_count)) return false;
    } else if (options.Take("maxsize", &text, &index)) {
      if (!ReadPositive(context, index, "MAXSIZE", &parsed->max_bytes)) return false;
    } else if (options.Take("streams", &text, &index)) {
      if (!ReadStreamsOption(context, index, parsed)) return false;
    } else if (options.index() + 2 < context.args.size() && EqualsIgnoreCase(options.peek(), "group")) {
      if (GroupOptionMisused(context, *parsed, "GROUP")) return false;
      options.Take("group", &parsed->group, &index);
      parsed->consumer = options.peek();
      options.Take(options.peek());
    } else if (options.Take("noack")) {
      if (GroupOptionMisused(context, *parsed, "NOACK")) return false;
      parsed->no_ack = true;
    } else if (options.Take("claim", &text, &index)) {
      if (GroupOptionMisused(context, *parsed, "CLAIM")) return false;
      if (!ReadInt(context, index, &parsed->min_idle_ms, "ERR min-idle-time is not an integer")) return false;
      if (parsed->min_idle_ms < 0) return context.reply.Error("ERR min-idle-time must be a positive integer"), false;
      parsed->claims = true;
    } else {
      return context.SyntaxError(), false;
    }
  }
  if (parsed->first_key == 0) return context.SyntaxError(), false;
  if (parsed->max_count > 0 && parsed->count > parsed->max_count) {
    context.reply.Error("ERR MAXCOUNT must be greater than or equal to COUNT");
    return false;
  }
  if (parsed->group_read && parsed->group.data() == nullptr) {
    context.reply.Error("ERR Missing GROUP option for XREADGROUP");
    return false;
  }
  return true;
}

// The reply's head for so many streams, and that of each.
void ReplyStreamsHead(ReplySink& reply, size_t streams) {
  if (reply.protocol() == 2) {
    reply.Array(streams);
  } else {
    reply.Map(streams);
  }
}
void ReplyStreamHead(ReplySink& reply, std::string_view key) {
  if (reply.protocol() == 2) reply.Array(2);
  reply.Bulk(key);
}

// What MAXCOUNT and MAXSIZE leave for further entries. The first one is always answered, and the one that passes the size is the last.
class ReplyBudget {
 public:
  explicit ReplyBudget(const ReadOptions& parsed)
      : entries_left_(parsed.max_count > 0 ? static_cast<uint64_t>(parsed.max_count) : UINT64_MAX),
        max_bytes_(parsed.max_bytes > 0 ? static_cast<uint64_t>(parsed.max_bytes) : UINT64_MAX),
        entry_extra_bytes_(parsed.claims ? 2 * HeadBytes(0) : 0) {}  // CLAIM adds two numbers to each

  bool limited() const { return entries_left_ != UINT64_MAX || max_bytes_ != UINT64_MAX; }
  bool More() const { return entries_left_ > 0 && (bytes_ == 0 || bytes_ < max_bytes_); }
  // An entry that is answered, or none where it is gone.
  void Add(StreamCursor entry) {
    entries_left_--;
    bytes_ += entry.Next() ? EntryBytes(entry) + entry_extra_bytes_ : HeadBytes(0);
  }
  // How many of the stream's first `count` entries from `start` on are answered.
  uint64_t Take(const Stream& stream, const StreamId& start, uint64_t count) {
    count = std::min(count, entries_left_);
    uint64_t taken = count;
    if (max_bytes_ != UINT64_MAX) {
      StreamCursor entry(stream, start, kStreamIdMax);
      for (taken = 0; taken < count && (bytes_ == 0 || bytes_ < max_bytes_); taken++)
        bytes_ += entry.Next() ? EntryBytes(entry) + entry_extra_bytes_ : 0;
    }
    entries_left_ -= limited() ? taken : 0;
    return taken;
  }

 private:
  static uint64_t HeadBytes(uint64_t number) { return 3 + std::to_string(number).size(); }  // of "*1\r\n", ":1\r\n"...
  static uint64_t BulkBytes(uint64_t size) { return HeadBytes(size) + size + 2; }
  static uint64_t EntryBytes(StreamCursor& entry) {
    const uint32_t fields = entry.field_count();
    uint64_t bytes = HeadBytes(2) + BulkBytes(StreamIdText(entry.id()).view().size()) + HeadBytes(uint64_t{fields} * 2);
    for (uint32_t i = 0; i < fields; i++) {
      std::string_view name, value;
      entry.ReadField(&name, &value);
      bytes += BulkBytes(name.size()) + BulkBytes(value.size());
    }
    return bytes;
  }

  uint64_t entries_left_;
  const uint64_t max_bytes_, entry_extra_bytes_;
  uint64_t bytes_ = 0;  // of the entries so far
};

// After nothing was found: waits where the command may, otherwise answers as after a timeout. `args`: to be run then.
void WaitOrEnd(CommandContext& context, const ReadOptions& parsed, ArgSpan args) {
  if (!parsed.blocks || !context.may_block()) return context.reply.NullArray();
  context.Block({.wanted = ValueType::kStream, .timeout_ms = parsed.timeout_ms, .wake_on_gone = parsed.group_read, .args = args});
}

}  // namespace

// Keys and ids share the arguments behind STREAMS; where these are malformed there are no keys, and the handler says what is wrong.
Status ReadKeys(ArgSpan args, std::vector<int>* key_indexes) {
  const bool group_read = EqualsIgnoreCase(args[0], "xreadgroup");
  for (size_t i = 1; i < args.size(); i++) {
    const std::string_view option = args[i];
    if (EqualsIgnoreCase(option, "streams")) {
      const size_t arguments = args.size() - i - 1;
      if (arguments % 2 != 0) return Status();
      for (size_t key = i + 1; key <= i + arguments / 2; key++) key_indexes->push_back(static_cast<int>(key));
      return Status();
    }
    if (EqualsIgnoreCase(option, "block") || EqualsIgnoreCase(option, "count") || EqualsIgnoreCase(option, "maxcount") ||
        EqualsIgnoreCase(option, "maxsize") || (group_read && EqualsIgnoreCase(option, "claim"))) {
      i++;
    } else if (EqualsIgnoreCase(option, "group")) {
      i += 2;
    } else if (!EqualsIgnoreCase(option, "noack")) {
      return Status();
    }
  }
  return Status();
}

// --- XREAD -------------------------------------------------------------------------------------------------------------------------

namespace {

struct ReadRange {
  const Stream* stream = nullptr;
  StreamId after;
  uint64_t count = 0;  // of entries to answer

  void Reply(ReplySink& reply, std::string_view key) const {
    ReplyStreamHead(reply, key);
    StreamId start = after;
    start.Increment();
    ReplyEntries(reply, *stream, start, kStreamIdMax, count, false);
  }
};

bool ReadAfterId(CommandContext& context, const ReadOptions& parsed, size_t key, const Stream* stream, StreamId* after) {
  const std::string_view text = parsed.id(context, key);
  if (text == "$" || text == "+") {
    *after = stream == nullptr ? StreamId{} : stream->last_id;
    if (text == "+" && stream != nullptr && stream->element_count() > 0) {  // the last entry is the first one behind it
      *after = stream->LastLiveId();
      after->Decrement();
    }
    return true;
  }
  if (text == ">") {
    context.reply.Error("ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.");
    return false;
  }
  return ReadStreamId(context, parsed.first_key + parsed.keys + key, after);
}

// The command with "$" and "+" replaced by what they meant when it was called.
void WaitForNews(CommandContext& context, const ReadOptions& parsed, const std::vector<ReadRange>& ranges) {
  std::vector<std::string_view> args(context.args.begin(), context.args.end());
  std::vector<StreamIdText> texts;
  texts.reserve(ranges.size());
  for (size_t i = 0; i < ranges.size(); i++) {
    if (parsed.id(context, i) != "$" && parsed.id(context, i) != "+") continue;
    texts.emplace_back(ranges[i].after);
    args[parsed.first_key + parsed.keys + i] = texts.back().view();
  }
  WaitOrEnd(context, parsed, texts.empty() ? ArgSpan() : ArgSpan(args));
}

// Many entries: from the streams as they are now, when the locks are released.
void ReplyLater(CommandContext& context, const ReadOptions& parsed, const std::vector<ReadRange>& ranges, uint64_t entries) {
  struct Kept {
    std::string key;
    std::unique_ptr<LargeValue> stream;
    ReadRange range;
  };
  const auto kept = std::make_shared<std::vector<Kept>>();
  for (size_t i = 0; i < parsed.keys; i++) {
    if (ranges[i].count == 0) continue;
    kept->push_back({std::string(parsed.key(context, i)), ranges[i].stream->Share(), ranges[i]});
    kept->back().range.stream = static_cast<const Stream*>(kept->back().stream.get());
  }
  context.Defer(entries, [kept](ReplySink& reply) {
    ReplyStreamsHead(reply, kept->size());
    for (const Kept& part : *kept) part.range.Reply(reply, part.key);
  });
}

}  // namespace

void XRead(CommandContext& context) {
  ReadOptions parsed;
  if (!ReadReadOptions(context, &parsed)) return;
  std::vector<ReadRange> ranges(parsed.keys);
  ReplyBudget budget(parsed);
  size_t found = 0;
  for (size_t i = 0; i < parsed.keys; i++) {
    if (!context.LooksAt(i)) continue;
    const Entry* entry = nullptr;
    if (!context.FindTyped(context.key(i), ValueType::kStream, Access::kRead, &entry)) return;
    ReadRange& range = ranges[i];
    range.stream = entry == nullptr ? nullptr : StreamOf(entry);
    if (!ReadAfterId(context, parsed, i, range.stream, &range.after)) return;
    StreamId start = range.after;
    if (range.stream == nullptr || !start.Increment()) continue;
    const uint64_t there = std::min(range.stream->CountBetween(start, kStreamIdMax), parsed.limit(context));
    range.count = budget.Take(*range.stream, start, there);
    found += range.count > 0 ? 1 : 0;
  }
  if (found == 0) return WaitForNews(context, parsed, ranges);
  uint64_t entries = 0;
  for (const ReadRange& range : ranges) entries += range.count;
  if (entries >= kLongReplyEntries) return ReplyLater(context, parsed, ranges, entries);
  ReplyStreamsHead(context.reply, found);
  for (size_t i = 0; i < parsed.keys; i++) {
    if (ranges[i].count > 0) ranges[i].Reply(context.reply, parsed.key(context, i));
  }
}

// --- XREADGROUP --------------------------------------------------------------------------------------------------------------------

namespace {

// What one key has for the consumer.
struct GroupRead {
  bool served = false;
  bool history = false;  // its own pending entries behind `after`
  StreamId after;
  std::vector<PendingEntry> claimed;    // idle ones, the longest first
  int64_t claimable_at_ms = INT64_MAX;  // when the next one will have been idle for long enough
  uint64_t count = 0;                   // of new entries, or of its own where `history`
};

// Finds pending entries that have been idle for long enough and are still in the stream, and when the next one will have been.
void FindIdle(const CommandContext& context, const ReadOptions& parsed, const Stream& stream, const StreamGroup& group,
              GroupRead* read) {
  std::vector<PendingEntry>& idle = read->claimed;
  for (auto at = group.pending().First(); at.valid(); at.Next()) {
    int64_t claimable_at_ms = INT64_MAX;
    if (IsIdle(context, *at, parsed.min_idle_ms)) {
      idle.push_back(*at);
    } else if (!__builtin_add_overflow(at->delivery_ms, parsed.min_idle_ms, &claimable_at_ms)) {
      read->claimable_at_ms = std::min(read->claimable_at_ms, claimable_at_ms);
    }
  }
  std::stable_sort(idle.begin(), idle.end(), [](const auto& a, const auto& b) { return a.delivery_ms < b.delivery_ms; });
  size_t kept = 0;
  for (size_t i = 0; i < idle.size() && kept < parsed.limit(context); i++) {
    if (stream.Contains(idle[i].id)) idle[kept++] = idle[i];
  }
  idle.resize(kept);
}

// Whether the key and its group are there; otherwise the error is answered.
bool FindGroupOf(CommandContext& context, const ReadOptions& parsed, size_t key, const Stream** stream,
                 const StreamGroup** group) {
  const Entry* entry = context.Find(context.key(key), Access::kRead);
  const bool fits = entry == nullptr || entry->type() == ValueType::kStream;
  if (context.serving() && (entry == nullptr || !fits)) {
    context.reply.Error("UNBLOCKED the stream key no longer exists");
    return false;
  }
  if (!fits) return context.WrongType(), false;
  *stream = entry == nullptr ? nullptr : StreamOf(entry);
  *group = *stream == nullptr ? nullptr : (*stream)->FindGroup(parsed.group);
  if (*group != nullptr) return true;
  if (context.serving()) {
    context.reply.Error("NOGROUP the consumer group this client was blocked on no longer exists");
  } else {
    NoGroup(context, parsed.key(context, key), parsed.group, " in XREADGROUP with GROUP option");
  }
  return false;
}

// How many of the consumer's own pending entries behind read->after are answered.
void LookAtHistory(const CommandContext& context, const ReadOptions& parsed, const Stream& stream, const StreamGroup& group,
                   ReplyBudget* budget, GroupRead* read) {
  read->history = read->served = true;
  read->count = parsed.limit(context);
  if (!budget->limited()) return;
  const uint64_t most = std::exchange(read->count, 0);
  read->served = budget->More();
  const StreamConsumer* const consumer = group.FindConsumer(parsed.consumer);
  StreamId start = read->after;
  if (consumer == nullptr || !start.Increment()) return;
  for (auto at = consumer->pending().LowerBound(start); at.valid() && read->count < most && budget->More(); at.Next()) {
    budget->Add(StreamCursor(stream, at->id, at->id));
    read->count++;
  }
}

// What the key's group has; what an earlier one of the same keys (`before`) takes is not there any more.
bool LookAtGroup(CommandContext& context, const ReadOptions& parsed, size_t key, std::span<const GroupRead> before,
                 ReplyBudget* budget, GroupRead* read) {
  const Stream* stream = nullptr;
  const StreamGroup* group = nullptr;
  if (!FindGroupOf(context, parsed, key, &stream, &group)) return false;
  const std::string_view id = parsed.id(context, key);
  if (id == "$") {
    context.reply.Error(
        "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a "
        "proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.");
    return false;
  }
  if (id != ">") {
    if (!ReadStreamId(context, parsed.first_key + parsed.keys + key, &read->after)) return false;
    LookAtHistory(context, parsed, *stream, *group, budget, read);
    return true;
  }
  if (parsed.claims) FindIdle(context, parsed, *stream, *group, read);
  StreamId start = group->last_id;
  uint64_t there = start.Increment() ? stream->CountBetween(start, kStreamIdMax) : 0;
  for (size_t i = 0; i < before.size(); i++) {
    if (!before[i].history && parsed.key(context, i) == parsed.key(context, key)) there -= before[i].count;
  }
  const uint64_t left = parsed.limit(context) - read->claimed.size();
  if (budget->limited()) {
    size_t claimed = 0;
    for (; claimed < read->claimed.size() && budget->More(); claimed++)
      budget->Add(StreamCursor(*stream, read->claimed[claimed].id, read->claimed[claimed].id));
    read->claimed.resize(claimed);
  }
  read->count = budget->Take(*stream, start, std::min(there, left));
  read->served = !read->claimed.empty() || read->count > 0;
  return true;
}

// One stream's part of the command under way.
class GroupReader {
 public:
  GroupReader(CommandContext& context, const ReadOptions& parsed, size_t key)
      : context_(context),
        parsed_(parsed),
        key_(context.key(key)),
        edit_(context.Edit(key_)),
        stream_(edit_.Mutable<Stream>()),
        group_(*stream_.MutableGroup(parsed.group)),
        slot_(TouchConsumer(context, key_, group_, parsed.consumer, context.now_ms(), &created_)),
        log_(context, key_.name, group_) {}

  void Serve(const GroupRead& read) {
    ReplyStreamHead(context_.reply, key_.name);
    if (read.history) {
      ServeHistory(read.after, read.count);
    } else {
      context_.reply.Array(read.claimed.size() + read.count);
      for (const PendingEntry& entry : read.claimed) Claim(entry);
      log_.Flush();
      if (read.count > 0) ServeNews(read.count);
    }
    log_.Flush();
    if (created_ && !log_.any()) {
      context_.LogAs({"XGROUP", "CREATECONSUMER", key_.name, group_.name(), parsed_.consumer});
    }
    if (!read.history && read.count > 0) LogGroupPosition(context_, key_.name, group_);
  }

 private:
  void Deliver(PendingEntry entry, int64_t delivery_count) {
    entry.delivery_ms = context_.now_ms();
    entry.delivery_count = delivery_count;
    entry.consumer = slot_;
    group_.Deliver(entry);
    group_.SetActive(slot_, context_.now_ms());
    log_.Add(entry);
  }
  static int64_t OneMore(int64_t count) { return count == INT64_MAX ? count : count + 1; }

  // An entry with how long it was idle and how often it was delivered before, which CLAIM adds.
  void Reply(StreamCursor& entry, int64_t idle_ms, int64_t delivery_count) {
    context_.reply.Array(parsed_.claims ? 4 : 2);
    ReplyStreamId(context_.reply, entry.id());
    ReplyFields(context_.reply, entry);
    if (!parsed_.claims) return;
    context_.reply.Integer(idle_ms);
    context_.reply.Integer(delivery_count);
  }

  void Claim(const PendingEntry& pending) {
    StreamCursor entry(stream_, pending.id, pending.id);
    CAIRN_CHECK(entry.Next());
    Reply(entry, IdleMs(context_, pending.delivered_ms()), pending.delivery_count);
    Deliver(pending, OneMore(pending.delivery_count));
  }

  void ServeNews(uint64_t count) {
    StreamId start = group_.last_id;
    start.Increment();
    StreamCursor entry(stream_, start, kStreamIdMax);
    for (; count > 0; count--) {
      CAIRN_CHECK(entry.Next());
      const StreamId id = entry.id();
      if (group_.entries_read != kEntriesReadUnknown && !stream_.HasDeletedFrom(id)) {
        group_.entries_read = static_cast<int64_t>(static_cast<uint64_t>(group_.entries_read) + 1);  // XGROUP may set any number
      } else if (stream_.entries_added != 0) {
        group_.entries_read = stream_.CountUpTo(id);
      }
      group_.last_id = id;
      Reply(entry, 0, 0);
      if (!parsed_.no_ack) Deliver({.id = id}, 1);
    }
  }

  // The consumer's own pending entries: each is delivered once more, unless it is no longer in the stream.
  void ServeHistory(StreamId start, uint64_t count) {
    std::vector<StreamId> ids;
    if (start.Increment()) {
      auto at = group_.consumer(slot_).pending().LowerBound(start);
      for (; at.valid() && ids.size() < count; at.Next()) ids.push_back(at->id);
    }
    context_.reply.Array(ids.size());
    for (const StreamId& id : ids) {
      StreamCursor entry(stream_, id, id);
      if (entry.Next()) {
        ReplyEntry(context_.reply, entry);
        const PendingEntry pending = *group_.pending().Find(id);
        Deliver(pending, OneMore(pending.delivery_count));
      } else {
        context_.reply.Array(2);
        ReplyStreamId(context_.reply, id);
        context_.reply.NullArray();
      }
    }
  }

  CommandContext& context_;
  const ReadOptions& parsed_;
  const KeyRef& key_;
  ValueEdit edit_;
  Stream& stream_;
  StreamGroup& group_;
  bool created_ = false;
  const ConsumerSlot slot_;
  PendingLog log_;
};

}  // namespace

void XReadGroup(CommandContext& context) {
  ReadOptions parsed{.group_read = true};
  if (!ReadReadOptions(context, &parsed)) return;
  std::vector<GroupRead> reads(parsed.keys);
  ReplyBudget budget(parsed);
  size_t served = 0;
  for (size_t i = 0; i < parsed.keys; i++) {
    if (!context.LooksAt(i)) continue;
    if (!LookAtGroup(context, parsed, i, std::span(reads).first(i), &budget, &reads[i])) return;
    served += reads[i].served ? 1 : 0;
  }
  if (served == 0) {
    for (size_t i = 0; i < parsed.keys && parsed.blocks && context.may_block(); i++) {
      if (reads[i].claimable_at_ms != INT64_MAX) context.LookAgain(i, reads[i].claimable_at_ms);
    }
    return WaitOrEnd(context, parsed, {});
  }
  context.LogNothing();  // what changes is logged as it happens
  ReplyStreamsHead(context.reply, served);
  for (size_t i = 0; i < parsed.keys; i++) {
    if (reads[i].served) GroupReader(context, parsed, i).Serve(reads[i]);
  }
}

}  // namespace cairn::stream_commands
