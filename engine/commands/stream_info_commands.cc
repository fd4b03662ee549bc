#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "engine/commands/stream_commands.h"
#include "engine/commands/stream_producer_support.h"
#include "engine/commands/stream_support.h"

namespace cairn::stream_commands {
namespace {

// The stream, which must be there; null where the error was answered.
const Stream* Look(CommandContext& context) {
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kStream, Keyspace::Access::kRead, &entry)) return nullptr;
  if (entry != nullptr) return StreamOf(entry);
  context.reply.Error("ERR no such key");
  return nullptr;
}

class MapReply {
 public:
  MapReply(ReplySink& reply, size_t pairs) : reply_(reply) { reply.Map(pairs); }
  ReplySink& Key(std::string_view name) {
    reply_.Bulk(name);
    return reply_;
  }
  void Number(std::string_view name, uint64_t value) { Key(name).Integer(static_cast<int64_t>(value)); }
  void Id(std::string_view name, const StreamId& id) { ReplyStreamId(Key(name), id); }
  void Bulk(std::string_view name, std::string_view value) { Key(name).Bulk(value); }
  void EntriesRead(const StreamGroup& group) {
    if (group.entries_read == kEntriesReadUnknown) return Key("entries-read").Null();
    Key("entries-read").Integer(group.entries_read);
  }
  // How many entries the group has still to read, where that can be told.
  void Lag(const Stream& stream, const StreamGroup& group) {
    const auto added = static_cast<int64_t>(stream.entries_added);
    int64_t read = kEntriesReadUnknown;
    if (added == 0) {
      read = 0;
    } else if (group.entries_read != kEntriesReadUnknown && !stream.HasDeletedFrom(group.last_id)) {
      read = group.entries_read;
    } else {
      read = stream.CountUpTo(group.last_id);
    }
    if (read == kEntriesReadUnknown) return Key("lag").Null();
    Key("lag").Integer(added - read);
  }

 private:
  ReplySink& reply_;
};

void ReplyCounters(MapReply& map, const Stream& stream) {
  map.Number("length", stream.length());
  // Blocks stand for the nodes of Redis's radix tree: one key each, and the root.
  map.Number("radix-tree-keys", stream.block_count());
  map.Number("radix-tree-nodes", stream.block_count() + 1);
  map.Id("last-generated-id", stream.last_id);
  map.Id("max-deleted-entry-id", stream.max_deleted_id);
  map.Number("entries-added", stream.entries_added);
  map.Id("recorded-first-entry-id", stream.first_id());
}

bool HasProducers(const Stream& stream) { return stream.producers() != nullptr && stream.producers()->used(); }

constexpr size_t kProducerPairs = 6;
void ReplyProducers(MapReply& map, const StreamProducers& producers) {
  map.Number("idmp-duration", producers.duration_s());
  map.Number("idmp-maxsize", producers.max_size());
  map.Number("pids-tracked", producers.producers().size());
  map.Number("iids-tracked", producers.message_count());
  map.Number("iids-added", producers.added);
  map.Number("iids-duplicates", producers.duplicates);
}

void ReplyEdge(ReplySink& reply, const Stream& stream, bool last) {
  StreamCursor entry(stream, kStreamIdMin, kStreamIdMax, last);
  if (!entry.Next()) return reply.Null();
  ReplyEntry(reply, entry);
}

// There are readers that refuse, or count, fields which 7.0's reply does not have: newer ones are there where they say something.
void ReplyShort(ReplySink& reply, const Stream& stream) {
  const bool producers = stream.producers() != nullptr;
  MapReply map(reply, 10 + (producers ? kProducerPairs : 0));
  ReplyCounters(map, stream);
  if (producers) ReplyProducers(map, *stream.producers());
  map.Number("groups", stream.groups().size());
  ReplyEdge(map.Key("first-entry"), stream, false);
  ReplyEdge(map.Key("last-entry"), stream, true);
}

void ReplyGroupPending(ReplySink& reply, const StreamGroup& group, uint64_t count) {
  count = std::min(count, group.pending().size());
  reply.Array(count);
  for (auto at = group.pending().First(); count > 0; count--, at.Next()) {
    const bool owned = at->consumer != kNoConsumer;
    reply.Array(4);
    ReplyStreamId(reply, at->id);
    reply.Bulk(owned ? std::string_view(group.consumer(at->consumer).name()) : std::string_view());
    reply.Integer(at->delivered_ms());
    reply.Integer(at->delivery_count);
  }
}

void ReplyConsumer(ReplySink& reply, const StreamGroup& group, const StreamConsumer& consumer, uint64_t count) {
  MapReply map(reply, 4);
  map.Bulk("name", consumer.name());
  map.Number("seen-time", static_cast<uint64_t>(consumer.seen_ms()));
  map.Number("pel-count", consumer.pending().size());
  count = std::min(count, consumer.pending().size());
  map.Key("pending").Array(count);
  for (auto at = consumer.pending().First(); count > 0; count--, at.Next()) {
    const PendingEntry& pending = *group.pending().Find(at->id);
    reply.Array(3);
    ReplyStreamId(reply, pending.id);
    reply.Integer(pending.delivery_ms);
    reply.Integer(pending.delivery_count);
  }
}

void ReplyFull(ReplySink& reply, const Stream& stream, uint64_t count) {
  const bool producers = HasProducers(stream);
  MapReply map(reply, 9 + (producers ? kProducerPairs : 0));
  ReplyCounters(map, stream);
  if (producers) ReplyProducers(map, *stream.producers());
  map.Key("entries");
  ReplyEntries(reply, stream, kStreamIdMin, kStreamIdMax, std::min(count, stream.length()), false);
  map.Key("groups").Array(stream.groups().size());
  for (const StreamGroup* group : stream.groups()) {
    const bool nacked = group->nacked_count() != 0;
    MapReply of_group(reply, nacked ? 8 : 7);
    of_group.Bulk("name", group->name());
    of_group.Id("last-delivered-id", group->last_id);
    of_group.EntriesRead(*group);
    of_group.Lag(stream, *group);
    of_group.Number("pel-count", group->pending().size());
    if (nacked) of_group.Number("nacked-count", group->nacked_count());
    ReplyGroupPending(of_group.Key("pending"), *group, count);
    of_group.Key("consumers").Array(group->consumers().size());
    for (const StreamConsumer* consumer : group->consumers()) ReplyConsumer(reply, *group, *consumer, count);
  }
}

}  // namespace

void XInfoStream(CommandContext& context) {
  constexpr int64_t kUsualCount = 10;
  const Stream* const stream = Look(context);
  if (stream == nullptr) return;
  const size_t options = context.args.size() - 3;
  if (options == 0) return ReplyShort(context.reply, *stream);
  int64_t count = kUsualCount;
  if ((options != 1 && options != 3) || !EqualsIgnoreCase(context.args[3], "full")) return context.SubcommandSyntaxError();
  if (options == 3) {
    if (!EqualsIgnoreCase(context.args[4], "count")) return context.SubcommandSyntaxError();
    if (!ReadInt(context, 5, &count)) return;
    if (count < 0) count = kUsualCount;
  }
  const uint64_t most = count == 0 ? UINT64_MAX : static_cast<uint64_t>(count);
  uint64_t elements = std::min(most, stream->length());
  for (const StreamGroup* group : stream->groups()) elements += 2 * std::min(most, group->pending().size());
  if (elements < kLongReplyEntries) return ReplyFull(context.reply, *stream, most);
  std::shared_ptr<const LargeValue> shared = stream->Share();
  context.Defer(elements, [shared = std::move(shared), most](ReplySink& reply) {
    ReplyFull(reply, static_cast<const Stream&>(*shared), most);
  });
}

void XInfoGroups(CommandContext& context) {
  const Stream* const stream = Look(context);
  if (stream == nullptr) return;
  context.reply.Array(stream->groups().size());
  for (const StreamGroup* group : stream->groups()) {
    MapReply map(context.reply, 6);
    map.Bulk("name", group->name());
    map.Number("consumers", group->consumers().size());
    map.Number("pending", group->pending().size());
    map.Id("last-delivered-id", group->last_id);
    map.EntriesRead(*group);
    map.Lag(*stream, *group);
  }
}

void XInfoConsumers(CommandContext& context) {
  const Stream* const stream = Look(context);
  if (stream == nullptr) return;
  const StreamGroup* const group = stream->FindGroup(context.args[3]);
  if (group == nullptr) {
    std::string text = "NOGROUP No such consumer group '";
    text.append(context.args[3]).append("' for key name '").append(context.args[2]).append("'");
    return context.reply.Error(text);
  }
  context.reply.Array(group->consumers().size());
  for (const StreamConsumer* consumer : group->consumers()) {
    MapReply map(context.reply, 4);
    map.Bulk("name", consumer->name());
    map.Number("pending", consumer->pending().size());
    map.Number("idle", static_cast<uint64_t>(IdleMs(context, consumer->seen_ms())));
    const bool never = consumer->active_ms() == -1;
    map.Number("inactive", static_cast<uint64_t>(never ? -1 : IdleMs(context, consumer->active_ms())));
  }
}

}  // namespace cairn::stream_commands
