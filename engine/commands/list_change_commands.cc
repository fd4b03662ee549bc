#include <algorithm>
#include <memory>
#include <string>

#include "engine/commands/apart.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/change_count.h"
#include "engine/commands/list_commands.h"
#include "engine/commands/list_support.h"

namespace cairn::list_commands {
namespace {

using ListChange = ApartChange<ListValue>;

void Push(CommandContext& context, ListEnd end, bool only_existing) {
  const KeyRef& key = context.key();
  ListEdit list(context, key);
  if (!list.Expect()) return;
  if (only_existing && !list.exists()) return context.reply.Integer(0);
  list.PushArgs(end, 2);
  CountElements(context, key, static_cast<int64_t>(context.args.size()) - 2);
  context.reply.Integer(static_cast<int64_t>(list.length()));
  context.Event(kEventList, PushEvent(end), key);
}

// --- the same changes on a share of a long list, see ChangeApart ---------------------------------------------------------------------

ListChange InsertAtPivot(const CommandContext& context, bool after) {
  const SharedBytes* const owner = context.source(4).owner;
  return [after, pivot = std::string(context.args[3]), value = owner != nullptr ? *owner : SharedBytes::Copy(context.args[4]),
          owned = owner != nullptr](const ListValue& list, int64_t* length) -> std::unique_ptr<ListValue> {
    *length = -1;
    ListCursor cursor(list);
    if (!cursor.FindForward(ListpackItem(pivot))) return nullptr;
    std::unique_ptr<ListValue> changed = list.ShareList();
    changed->Insert(cursor.index() + (after ? 1 : 0), ListItem(value.view(), owned ? &value : nullptr));
    *length = static_cast<int64_t>(changed->element_count());
    return changed;
  };
}

ListChange RemoveAllEqual(std::string_view text, uint64_t limit, ListEnd from) {
  return [text = std::string(text), limit, from](const ListValue& list, int64_t* removed) {
    std::unique_ptr<ListValue> changed = list.ShareList();
    const uint64_t start = from == ListEnd::kFront ? 0 : list.element_count() - 1;
    *removed = static_cast<int64_t>(changed->RemoveEqual(ListpackItem(text), limit, from, start));
    return *removed == 0 ? nullptr : std::move(changed);
  };
}

ListChange KeepRange(const ListRange& range) {
  return [range](const ListValue& list, int64_t* kept) {
    *kept = static_cast<int64_t>(range.count);
    return list.Slice(range.first, range.count);
  };
}

// Whether one is found within the first elements from this end.
bool IsNear(const ListEdit& list, const ListpackItem& item, ListEnd from) {
  ListCursor cursor = list.Open();
  if (from == ListEnd::kFront) return cursor.FindForward(item, kNearElements);
  cursor.Seek(list.length() - 1);
  return cursor.FindBackward(item, list.length() - kNearElements);
}

}  // namespace

void LPush(CommandContext& context) { Push(context, ListEnd::kFront, false); }
void RPush(CommandContext& context) { Push(context, ListEnd::kBack, false); }
void LPushX(CommandContext& context) { Push(context, ListEnd::kFront, true); }
void RPushX(CommandContext& context) { Push(context, ListEnd::kBack, true); }

void LInsert(CommandContext& context) {
  const bool after = EqualsIgnoreCase(context.args[2], "after");
  if (!after && !EqualsIgnoreCase(context.args[2], "before")) return context.SyntaxError();
  const KeyRef& key = context.key();
  ListEdit list(context, key);
  if (!list.Expect()) return;
  if (!list.exists()) return context.reply.Integer(0);
  const ListpackItem pivot(context.args[3]);
  ListCursor cursor = list.Open();
  bool found = cursor.FindForward(pivot, kNearElements);
  if (!found && list.length() > kNearElements) {
    int64_t length = 0;
    const Apart apart = ChangeApart(context, list, InsertAtPivot(context, after), &length);
    if (apart == Apart::kAsked) return;
    if (apart == Apart::kDone) {
      context.reply.Integer(length);
      if (length > 0) context.Event(kEventList, "linsert", key);
      return;
    }
    cursor = list.Open();
    found = cursor.FindForward(pivot);
  }
  if (!found) return context.reply.Integer(-1);
  list.Insert(cursor.index() + (after ? 1 : 0), ListItem(context.args[4], context.source(4).owner));
  context.reply.Integer(static_cast<int64_t>(list.length()));
  context.Event(kEventList, "linsert", key);
}

void LSet(CommandContext& context) {
  const KeyRef& key = context.key();
  ListEdit list(context, key);
  if (!list.Expect()) return;
  if (!list.exists()) return context.reply.Error("ERR no such key");
  int64_t index = 0;
  if (!ReadInt(context, 2, &index)) return;
  const auto length = static_cast<int64_t>(list.length());
  if (index < 0) index += length;
  if (index < 0 || index >= length) return context.reply.Error("ERR index out of range");
  list.Set(static_cast<uint64_t>(index), ListItem(context.args[3], context.source(3).owner));
  context.reply.Ok();
  context.Event(kEventList, "lset", key);
}

void LRem(CommandContext& context) {
  int64_t count = 0;
  if (!ReadInt(context, 2, &count)) return;
  const KeyRef& key = context.key();
  ListEdit list(context, key);
  if (!list.Expect()) return;
  if (!list.exists()) return context.reply.Integer(0);
  const uint64_t limit = count == 0 ? UINT64_MAX : count < 0 ? 0 - static_cast<uint64_t>(count) : static_cast<uint64_t>(count);
  const ListEnd from = count < 0 ? ListEnd::kBack : ListEnd::kFront;
  const ListpackItem item(context.args[3]);
  int64_t removed = 0;
  const bool near = list.length() <= kNearElements || (limit == 1 && IsNear(list, item, from));
  const Apart apart = near ? Apart::kHere : ChangeApart(context, list, RemoveAllEqual(context.args[3], limit, from), &removed);
  if (apart == Apart::kAsked) return;
  if (apart == Apart::kHere) removed = static_cast<int64_t>(list.RemoveEqual(item, limit, from));
  context.reply.Integer(removed);
  if (removed == 0) return;
  CountElements(context, key, removed);
  context.Event(kEventList, "lrem", key);
  EventIfEmptied(context, list, key);
}

void LTrim(CommandContext& context) {
  int64_t start = 0;
  int64_t stop = 0;
  if (!ReadInt(context, 2, &start) || !ReadInt(context, 3, &stop)) return;
  const KeyRef& key = context.key();
  ListEdit list(context, key);
  if (!list.Expect()) return;
  if (!list.exists()) return context.reply.Ok();
  const ListRange range = ClipListRange(start, stop, list.length());
  int64_t kept = 0;
  const auto removed = static_cast<int64_t>(list.length() - range.count);
  const bool quick = std::min(range.count, list.length() - range.count) <= kNearElements;
  const Apart apart = quick ? Apart::kHere : ChangeApart(context, list, KeepRange(range), &kept);
  if (apart == Apart::kAsked) return;
  if (apart == Apart::kHere) list.Keep(range);
  CountElements(context, key, removed);
  context.reply.Ok();
  context.Event(kEventList, "ltrim", key);
  EventIfEmptied(context, list, key);
}

}  // namespace cairn::list_commands
