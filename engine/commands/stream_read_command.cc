#include <memory>
#include <string>
#include <vector>

#include "engine/commands/stream_commands.h"
#include "engine/commands/stream_read_support.h"
#include "engine/commands/stream_support.h"

namespace cairn::stream_commands {
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
    if (!context.FindTyped(context.key(i), ValueType::kStream, LookupAccess(context), &entry)) return;
    ReadRange& range = ranges[i];
    range.stream = entry == nullptr ? nullptr : StreamOf(entry);
    if (!ReadAfterId(context, parsed, i, range.stream, &range.after)) return;
    StreamId start = range.after;
    if (range.stream == nullptr || !start.Increment()) continue;
    const uint64_t there = std::min(range.stream->CountBetween(start, kStreamIdMax), parsed.limit(context));
    range.count = budget.Take(*range.stream, start, there);
    found += range.count > 0 ? 1 : 0;
  }
  LookUpAgain(context, parsed);
  if (found == 0) return WaitForNews(context, parsed, ranges);
  uint64_t entries = 0;
  for (const ReadRange& range : ranges) entries += range.count;
  if (entries >= kLongReplyEntries) return ReplyLater(context, parsed, ranges, entries);
  ReplyStreamsHead(context.reply, found);
  for (size_t i = 0; i < parsed.keys; i++) {
    if (ranges[i].count > 0) ranges[i].Reply(context.reply, parsed.key(context, i));
  }
}

}  // namespace cairn::stream_commands
