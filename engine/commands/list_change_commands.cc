#include "engine/commands/arg_reader.h"
#include "engine/commands/list_commands.h"
#include "engine/commands/list_support.h"

namespace cairn::list_commands {
namespace {

void Push(CommandContext& context, ListEnd end, bool only_existing) {
  const KeyRef& key = context.key();
  ListEdit list(context, key);
  if (!list.Expect()) return;
  if (only_existing && !list.exists()) return context.reply.Integer(0);
  list.PushArgs(end, 2);
  context.reply.Integer(static_cast<int64_t>(list.length()));
  context.Event(kEventList, PushEvent(end), key);
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
  ListCursor cursor = list.Open();
  if (!cursor.FindForward(ListpackItem(context.args[3]))) return context.reply.Integer(-1);
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
  const uint64_t removed = list.RemoveEqual(ListpackItem(context.args[3]), limit, count < 0 ? ListEnd::kBack : ListEnd::kFront);
  context.reply.Integer(static_cast<int64_t>(removed));
  if (removed == 0) return;
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
  context.reply.Ok();
  if (!list.exists()) return;
  list.Keep(ClipListRange(start, stop, list.length()));
  context.Event(kEventList, "ltrim", key);
  EventIfEmptied(context, list, key);
}

}  // namespace cairn::list_commands
