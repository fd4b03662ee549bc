#include <algorithm>

#include "engine/commands/stream_commands.h"
#include "engine/commands/stream_support.h"

namespace cairn::stream_commands {
namespace {

// What XDELEX and XACKDEL answer of each id.
enum Outcome : int8_t { kAbsent = -1, kDeleted = 1, kReferenced = 2 };

bool DeleteEntry(Stream& stream, const StreamId& id) {
  if (!stream.Delete(id)) return false;
  stream.max_deleted_id = std::max(stream.max_deleted_id, id);
  return true;
}

void ReplyOutcomes(CommandContext& context, const std::vector<int8_t>& outcomes) {
  context.reply.Array(outcomes.size());
  for (const int8_t outcome : outcomes) context.reply.Integer(outcome);
}

// [KEEPREF | DELREF | ACKED] and IDS numids id ..., in any order.
bool ReadDeletion(CommandContext& context, size_t first, StreamReferences* references, std::vector<StreamId>* ids) {
  bool chosen = false;
  for (size_t i = first; i < context.args.size();) {
    OptionReader options(context, i);
    if (!chosen && TakeReferences(options, references)) {
      chosen = true;
      i++;
    } else if (ids->empty() && EqualsIgnoreCase(context.args[i], "ids")) {
      if (!ReadIdsBlock(context, i, &i, ids)) return false;
    } else {
      return context.SyntaxError(), false;
    }
  }
  if (ids->empty()) return context.SyntaxError(), false;
  return true;
}

}  // namespace

void XDel(CommandContext& context) {
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kStream)) return;
  if (edit.entry() == nullptr) return context.reply.Integer(0);
  std::vector<StreamId> ids;
  if (!ReadStreamIds(context, 2, context.args.size(), &ids)) return;
  const Stream& before = *StreamOf(edit.entry());
  int64_t deleted = 0;
  for (const StreamId& id : ids) {
    if (deleted == 0 && !before.Contains(id)) continue;
    deleted += DeleteEntry(edit.Mutable<Stream>(), id) ? 1 : 0;
  }
  if (deleted > 0) context.Event(kEventStream, "xdel", context.key());
  context.reply.Integer(deleted);
}

void XDelEx(CommandContext& context) {
  StreamReferences references = StreamReferences::kKeep;
  std::vector<StreamId> ids;
  if (!ReadDeletion(context, 2, &references, &ids)) return;
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kStream)) return;
  std::vector<int8_t> outcomes(ids.size(), kAbsent);
  bool deleted = false;
  for (size_t i = 0; edit.entry() != nullptr && i < ids.size(); i++) {
    const Stream& stream = *StreamOf(edit.entry());
    // References count, and go, although their entry be gone.
    if (references == StreamReferences::kAcked && stream.IsReferenced(ids[i])) {
      outcomes[i] = kReferenced;
      continue;
    }
    const bool there = stream.Contains(ids[i]);
    const bool drops = references == StreamReferences::kDelete && stream.IsPending(ids[i]);
    if (drops) edit.MutableUnwatched<Stream>().DropReferences(ids[i]);
    if (!there) continue;
    DeleteEntry(edit.Mutable<Stream>(), ids[i]);
    outcomes[i] = kDeleted;
    deleted = true;
  }
  if (deleted) context.Event(kEventStream, "xdel", context.key());
  ReplyOutcomes(context, outcomes);
}

void XAckDel(CommandContext& context) {
  StreamReferences references = StreamReferences::kKeep;
  std::vector<StreamId> ids;
  if (!ReadDeletion(context, 3, &references, &ids)) return;
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kStream)) return;
  std::vector<int8_t> outcomes(ids.size(), kAbsent);
  const bool has_group = edit.entry() != nullptr && StreamOf(edit.entry())->FindGroup(context.args[2]) != nullptr;
  bool deleted = false;
  for (size_t i = 0; has_group && i < ids.size(); i++) {
    const Stream& before = *StreamOf(edit.entry());
    const bool pending = before.FindGroup(context.args[2])->pending().Find(ids[i]) != nullptr;
    const bool drops = references == StreamReferences::kDelete && before.IsPending(ids[i]);
    if (!pending && !drops) continue;
    auto& stream = edit.MutableUnwatched<Stream>();
    if (pending) stream.MutableGroup(context.args[2])->Acknowledge(ids[i]);
    if (drops) stream.DropReferences(ids[i]);
    if (!pending) continue;
    if (references == StreamReferences::kAcked && stream.IsReferenced(ids[i])) {
      outcomes[i] = kReferenced;
      continue;
    }
    outcomes[i] = kDeleted;
    if (!stream.Contains(ids[i])) continue;
    deleted = DeleteEntry(edit.Mutable<Stream>(), ids[i]);
  }
  if (deleted) context.Event(kEventStream, "xdel", context.key());
  ReplyOutcomes(context, outcomes);
}

}  // namespace cairn::stream_commands
