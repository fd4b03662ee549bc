#include <algorithm>

#include "engine/commands/stream_commands.h"
#include "engine/commands/stream_support.h"

namespace cairn::stream_commands {
namespace {

struct ClaimOptions {
  int64_t min_idle_ms = 0;
  int64_t delivery_ms = -1;  // -1: not given
  int64_t retry_count = -1;  // -1: not given
  bool force = false, just_id = false;
  StreamId last_id;
  std::vector<StreamId> ids;
};

bool ReadClaimOptions(CommandContext& context, size_t first, ClaimOptions* parsed) {
  for (OptionReader options(context, first); options.More();) {
    std::string_view text;
    size_t index = 0;
    if (options.Take("force")) {
      parsed->force = true;
    } else if (options.Take("justid")) {
      parsed->just_id = true;
    } else if (options.Take("idle", &text, &index)) {
      if (!ReadInt(context, index, &parsed->delivery_ms, "ERR Invalid IDLE option argument for XCLAIM")) return false;
      if (__builtin_sub_overflow(context.now_ms(), parsed->delivery_ms, &parsed->delivery_ms)) parsed->delivery_ms = 0;
    } else if (options.Take("time", &text, &index)) {
      if (!ReadInt(context, index, &parsed->delivery_ms, "ERR Invalid TIME option argument for XCLAIM")) return false;
    } else if (options.Take("retrycount", &text, &index)) {
      if (!ReadInt(context, index, &parsed->retry_count, "ERR Invalid RETRYCOUNT option argument for XCLAIM")) return false;
    } else if (options.Take("lastid", &text, &index)) {
      if (!ReadStreamId(context, index, &parsed->last_id)) return false;
    } else {
      return UnrecognizedOption(context, "XCLAIM", options.peek()), false;
    }
  }
  // A time that cannot be is now: clients reckon with clocks of their own. What was logged stands as it is.
  const bool now = parsed->delivery_ms < 0 || (parsed->delivery_ms > context.now_ms() && !context.scope.replaying);
  if (now) parsed->delivery_ms = context.now_ms();
  return true;
}

// A claim under way. Nothing is touched before the first change.
class Claimer {
 public:
  Claimer(CommandContext& context, ValueEdit& edit, bool just_id) : context_(context), edit_(edit), just_id_(just_id) {}

  const Stream& stream() const { return *StreamOf(edit_.entry()); }
  const StreamGroup& view() const { return *stream().FindGroup(context_.args[2]); }
  StreamGroup& group() { return *edit_.MutableUnwatched<Stream>().MutableGroup(context_.args[2]); }

  // The entry is no longer in the stream, so it is no longer pending either.
  void Forget(const StreamId& id) {
    group().Acknowledge(id);
    forgotten_.push_back(id);
  }
  void Take(const StreamId& id, int64_t delivery_ms, int64_t delivery_count) {
    StreamGroup& changed = group();
    if (claimed_.empty()) {
      seen_ms_ = context_.scope.replaying ? delivery_ms : context_.now_ms();
      slot_ = TouchConsumer(context_, context_.key(), changed, context_.args[3], seen_ms_);
    }
    changed.Deliver({id, delivery_ms, delivery_count, slot_});
    changed.SetActive(slot_, seen_ms_);
    taken_.push_back({id, delivery_ms, delivery_count, slot_});
    claimed_.push_back(id);
  }
  const std::vector<StreamId>& forgotten() const { return forgotten_; }
  void ReplyClaimed() {
    context_.reply.Array(claimed_.size());
    for (const StreamId& id : claimed_) {
      if (just_id_) {
        ReplyStreamId(context_.reply, id);
      } else {
        ReplyEntry(context_.reply, stream(), id);
      }
    }
  }
  // True where what changed of the group, its last id included, is in a record.
  bool Log() {
    LogAcknowledged(context_, context_.args[1], view(), forgotten_);
    PendingLog log(context_, context_.args[1], view());
    for (const PendingEntry& entry : taken_) log.Add(entry);
    return log.any();
  }

 private:
  CommandContext& context_;
  ValueEdit& edit_;
  const bool just_id_;
  ConsumerSlot slot_ = kNoConsumer;
  int64_t seen_ms_ = 0;
  std::vector<StreamId> claimed_, forgotten_;
  std::vector<PendingEntry> taken_;
};

}  // namespace

void XClaim(CommandContext& context) {
  ValueEdit edit = EditAsRead(context);
  if (!context.Expect(edit, ValueType::kStream)) return;
  const Stream* const stream = StreamOf(edit.entry());
  if (stream == nullptr || stream->FindGroup(context.args[2]) == nullptr)
    return NoGroup(context, context.args[1], context.args[2]);
  ClaimOptions parsed;
  if (!ReadInt(context, 4, &parsed.min_idle_ms, "ERR Invalid min-idle-time argument for XCLAIM")) return;
  size_t options = 5;
  for (StreamId id; options < context.args.size() && ParseStreamId(context.args[options], 0, &id); options++)
    parsed.ids.push_back(id);
  if (!ReadClaimOptions(context, options, &parsed)) return;

  Claimer claimer(context, edit, parsed.just_id);
  const bool moves = parsed.last_id > claimer.view().last_id;
  if (moves) claimer.group().last_id = parsed.last_id;
  for (const StreamId& id : parsed.ids) {
    const PendingEntry* pending = claimer.view().pending().Find(id);
    if (!stream->Contains(id)) {
      if (pending != nullptr) claimer.Forget(id);
      continue;
    }
    if (pending == nullptr && !parsed.force) continue;
    if (pending != nullptr && !IsIdle(context, *pending, parsed.min_idle_ms)) continue;
    // What FORCE makes starts at one delivery, as if it had been read.
    int64_t count = pending != nullptr ? pending->delivery_count : 1;
    if (parsed.retry_count >= 0) {
      count = parsed.retry_count;
    } else if (!parsed.just_id && count != INT64_MAX) {
      count++;
    }
    claimer.Take(id, parsed.delivery_ms, count);
  }
  claimer.ReplyClaimed();
  context.LogNothing();
  if (!claimer.Log() && moves) LogGroupPosition(context, context.args[1], claimer.view());
}

void XAutoClaim(CommandContext& context) {
  constexpr int64_t kAttemptsFactor = 10, kCountMax = INT64_MAX / 16;
  int64_t min_idle_ms = 0, count = 100;
  StreamId start;
  bool just_id = false;
  ValueEdit edit = EditAsRead(context);
  if (!ReadInt(context, 4, &min_idle_ms, "ERR Invalid min-idle-time argument for XAUTOCLAIM")) return;
  if (!ReadRangeStart(context, 5, &start)) return;
  for (OptionReader options(context, 6); options.More();) {
    std::string_view text;
    size_t index = 0;
    if (options.Take("count", &text, &index)) {
      if (!ReadIntBetween(context, index, 1, kCountMax, &count, "ERR COUNT must be > 0")) return;
    } else if (options.Take("justid")) {
      just_id = true;
    } else {
      return context.SyntaxError();
    }
  }
  if (!context.Expect(edit, ValueType::kStream)) return;
  const Stream* const stream = StreamOf(edit.entry());
  if (stream == nullptr || stream->FindGroup(context.args[2]) == nullptr)
    return NoGroup(context, context.args[1], context.args[2]);

  // What is to be done is found first: a position in the tree does not outlive a change.
  std::vector<PendingEntry> found;
  auto at = stream->FindGroup(context.args[2])->pending().LowerBound(start);
  for (int64_t attempts = count * kAttemptsFactor; attempts > 0 && count > 0 && at.valid(); attempts--, at.Next()) {
    if (!IsIdle(context, *at, min_idle_ms) && stream->Contains(at->id)) continue;
    found.push_back(*at);
    count--;
  }
  const StreamId next = at.valid() ? at->id : StreamId{};
  Claimer claimer(context, edit, just_id);
  for (const PendingEntry& entry : found) {
    if (!stream->Contains(entry.id)) {
      claimer.Forget(entry.id);
    } else {
      const bool counts = !just_id && entry.delivery_count != INT64_MAX;
      claimer.Take(entry.id, context.now_ms(), entry.delivery_count + (counts ? 1 : 0));
    }
  }
  context.reply.Array(3);
  ReplyStreamId(context.reply, next);
  claimer.ReplyClaimed();
  context.reply.Array(claimer.forgotten().size());
  for (const StreamId& id : claimer.forgotten()) ReplyStreamId(context.reply, id);
  context.LogNothing();
  claimer.Log();
}

}  // namespace cairn::stream_commands
