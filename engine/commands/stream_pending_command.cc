#include <algorithm>

#include "engine/commands/stream_commands.h"
#include "engine/commands/stream_support.h"

namespace cairn::stream_commands {
namespace {

struct PendingQuery {
  StreamId start, end;
  int64_t count = 0;
  int64_t min_idle_ms = 0;
  size_t consumer_index = 0;  // in args; 0: of all
};

bool ReadQuery(CommandContext& context, PendingQuery* query) {
  size_t first = 3;
  if (EqualsIgnoreCase(context.args[3], "idle")) {
    if (!ReadInt(context, 4, &query->min_idle_ms)) return false;
    if (context.args.size() < 8) return context.SyntaxError(), false;
    first += 2;
  }
  if (!ReadInt(context, first + 2, &query->count)) return false;
  query->count = std::max<int64_t>(query->count, 0);
  if (!ReadRangeStart(context, first, &query->start) || !ReadRangeEnd(context, first + 1, &query->end)) return false;
  if (first + 3 < context.args.size()) query->consumer_index = first + 3;
  return true;
}

void ReplySummary(ReplySink& reply, const StreamGroup& group) {
  reply.Array(4);
  reply.Integer(static_cast<int64_t>(group.pending().size()));
  if (group.pending().empty()) {
    reply.Null();
    reply.Null();
    return reply.NullArray();
  }
  ReplyStreamId(reply, group.pending().First()->id);
  ReplyStreamId(reply, group.pending().Last().id);
  size_t busy = 0;
  for (const StreamConsumer* consumer : group.consumers()) busy += consumer->pending().empty() ? 0 : 1;
  reply.Array(busy);
  for (const StreamConsumer* consumer : group.consumers()) {
    if (consumer->pending().empty()) continue;
    reply.Array(2);
    reply.Bulk(consumer->name());
    char text[kIntTextMaxBytes];
    reply.Bulk({text, static_cast<size_t>(WriteUint(text, consumer->pending().size()) - text)});
  }
}

void ReplyPending(CommandContext& context, const StreamGroup& group, const PendingEntry& entry) {
  ReplySink& reply = context.reply;
  const bool owned = entry.consumer != kNoConsumer;
  reply.Array(4);
  ReplyStreamId(reply, entry.id);
  reply.Bulk(owned ? std::string_view(group.consumer(entry.consumer).name()) : std::string_view());
  reply.Integer(owned ? IdleMs(context, entry.delivery_ms) : -1);
  reply.Integer(entry.delivery_count);
}

void ReplyRange(CommandContext& context, const StreamGroup& group, const PendingQuery& query) {
  std::vector<const PendingEntry*> found;
  const auto take = [&](const PendingEntry& entry) {
    if (query.min_idle_ms == 0 || IsIdle(context, entry, query.min_idle_ms)) found.push_back(&entry);
    return static_cast<int64_t>(found.size()) < query.count;
  };
  const auto walk = [&](auto at, auto&& entry_of) {
    while (query.count > 0 && at.valid() && at->id <= query.end && take(entry_of(*at))) at.Next();
  };
  if (query.consumer_index != 0) {
    const StreamConsumer* consumer = group.FindConsumer(context.args[query.consumer_index]);
    if (consumer == nullptr) return context.reply.Array(0);
    walk(consumer->pending().LowerBound(query.start),
         [&](const PendingId& own) -> const PendingEntry& { return *group.pending().Find(own.id); });
  } else {
    walk(group.pending().LowerBound(query.start), [](const PendingEntry& entry) -> const PendingEntry& { return entry; });
  }
  context.reply.Array(found.size());
  for (const PendingEntry* entry : found) ReplyPending(context, group, *entry);
}

}  // namespace

void XPending(CommandContext& context) {
  const size_t count = context.args.size();
  if (count != 3 && (count < 6 || count > 9)) return context.SyntaxError();
  PendingQuery query;
  if (count > 3 && !ReadQuery(context, &query)) return;
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kStream, Keyspace::Access::kRead, &entry)) return;
  const StreamGroup* group = entry == nullptr ? nullptr : StreamOf(entry)->FindGroup(context.args[2]);
  if (group == nullptr) return NoGroup(context, context.args[1], context.args[2]);
  if (count == 3) return ReplySummary(context.reply, *group);
  ReplyRange(context, *group, query);
}

}  // namespace cairn::stream_commands
