#include <algorithm>
#include <memory>

#include "engine/commands/stream_commands.h"
#include "engine/commands/stream_support.h"

namespace cairn::stream_commands {
namespace {

using Access = Keyspace::Access;

void Range(CommandContext& context, bool backwards) {
  StreamId start, end;
  if (!ReadRangeStart(context, backwards ? 3 : 2, &start) || !ReadRangeEnd(context, backwards ? 2 : 3, &end)) return;
  int64_t count = INT64_MAX;
  for (OptionReader options(context, 4); options.More();) {
    std::string_view text;
    size_t index = 0;
    if (!options.Take("count", &text, &index)) return context.SyntaxError();
    if (!ReadInt(context, index, &count)) return;
    count = std::max<int64_t>(count, 0);
  }
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kStream, Access::kRead, &entry)) return;
  if (entry == nullptr) return context.reply.Array(0);
  if (count == 0) return context.reply.NullArray();
  const Stream& stream = *StreamOf(entry);
  const uint64_t found = std::min(stream.CountBetween(start, end), static_cast<uint64_t>(count));
  if (found < kLongReplyEntries) return ReplyEntries(context.reply, stream, start, end, found, backwards);
  context.Defer(found,
                [shared = std::shared_ptr<const LargeValue>(stream.Share()), start, end, found, backwards](ReplySink& reply) {
                  ReplyEntries(reply, static_cast<const Stream&>(*shared), start, end, found, backwards);
                });
}

}  // namespace

void XLen(CommandContext& context) {
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kStream, Access::kRead, &entry)) return;
  context.reply.Integer(entry == nullptr ? 0 : static_cast<int64_t>(StreamOf(entry)->length()));
}

void XRange(CommandContext& context) { Range(context, false); }
void XRevRange(CommandContext& context) { Range(context, true); }

void XSetId(CommandContext& context) {
  StreamId id, max_deleted;
  int64_t added = -1;
  if (!ReadStreamId(context, 2, &id)) return;
  for (OptionReader options(context, 3); options.More();) {
    std::string_view text;
    size_t index = 0;
    if (options.Take("entriesadded", &text, &index)) {
      if (!ReadInt(context, index, &added)) return;
      if (added < 0) return context.reply.Error("ERR entries_added must be positive");
    } else if (options.Take("maxdeletedid", &text, &index)) {
      if (!ReadStreamId(context, index, &max_deleted)) return;
      if (id < max_deleted) {
        return context.reply.Error("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
      }
    } else {
      return context.SyntaxError();
    }
  }
  ValueEdit edit = context.Edit(context.key());
  if (edit.entry() == nullptr) return context.reply.Error("ERR no such key");
  if (!context.Expect(edit, ValueType::kStream)) return;
  const Stream& before = *StreamOf(edit.entry());
  if (before.length() > 0 && id < before.LastLiveId()) {
    return context.reply.Error("ERR The ID specified in XSETID is smaller than the target stream top item");
  }
  if (before.length() > 0 && added != -1 && before.length() > static_cast<uint64_t>(added)) {
    return context.reply.Error("ERR The entries_added specified in XSETID is smaller than the target stream length");
  }
  auto& stream = edit.MutableUnwatched<Stream>();
  stream.last_id = id;
  if (added != -1) stream.entries_added = static_cast<uint64_t>(added);
  if (!max_deleted.zero()) stream.max_deleted_id = max_deleted;
  context.reply.Ok();
  context.Event(kEventStream, "xsetid", context.key());
}

}  // namespace cairn::stream_commands
