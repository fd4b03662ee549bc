#include <algorithm>
#include <utility>
#include <vector>

#include "engine/commands/stream_commands.h"
#include "engine/commands/stream_read_support.h"
#include "engine/commands/stream_support.h"

namespace cairn::stream_commands {
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

// Finds pending entries that have been idle for long enough and are still in the stream, and when the next one will have been (or may
// have been: then it is looked again). A reader that waits gets here whenever somebody touches the stream, mostly to find nothing.
void FindIdle(const CommandContext& context, const ReadOptions& parsed, const Stream& stream, const StreamGroup& group,
              GroupRead* read) {
  int64_t oldest_ms = group.oldest_delivery_ms();
  if (IdleMs(context, oldest_ms) < parsed.min_idle_ms && group.nacked_count() == 0) {
    if (__builtin_add_overflow(oldest_ms, parsed.min_idle_ms, &read->claimable_at_ms)) read->claimable_at_ms = INT64_MAX;
    return;
  }
  oldest_ms = INT64_MAX;
  std::vector<PendingEntry>& idle = read->claimed;
  for (auto at = group.pending().First(); at.valid(); at.Next()) {
    oldest_ms = std::min(oldest_ms, at->delivery_ms);
    int64_t claimable_at_ms = INT64_MAX;
    if (IsIdle(context, *at, parsed.min_idle_ms)) {
      idle.push_back(*at);
    } else if (!__builtin_add_overflow(at->delivery_ms, parsed.min_idle_ms, &claimable_at_ms)) {
      read->claimable_at_ms = std::min(read->claimable_at_ms, claimable_at_ms);
    }
  }
  group.NoteOldestDelivery(oldest_ms);
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
  const Entry* entry = context.Find(context.key(key), LookupAccess(context));
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
    StreamCursor entry(stream, at->id, at->id);
    budget->Add(entry);
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
    for (; claimed < read->claimed.size() && budget->More(); claimed++) {
      const StreamId& one = read->claimed[claimed].id;
      StreamCursor entry(*stream, one, one);
      budget->Add(entry);
    }
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
        stream_(edit_.MutableUnwatched<Stream>()),
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
  LookUpAgain(context, parsed);
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
