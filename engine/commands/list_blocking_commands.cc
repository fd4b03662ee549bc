#include "engine/commands/arg_reader.h"
#include "engine/commands/list_commands.h"
#include "engine/commands/list_support.h"

namespace cairn::list_commands {
namespace {

void BlockingPop(CommandContext& context, ListEnd end) {
  int64_t timeout_ms = 0;
  if (!ReadBlockTimeout(context, context.args.size() - 1, &timeout_ms)) return;
  for (size_t i = 0; i < context.keys().size(); i++) {
    if (!context.LooksAt(i)) continue;
    const KeyRef& key = context.key(i);
    ListEdit list(context, key);
    if (!list.Expect()) return;
    if (!list.exists()) continue;
    ListCursor cursor = list.Open();
    cursor.Seek(end == ListEnd::kFront ? 0 : list.length() - 1);
    context.reply.Array(2);
    context.reply.Bulk(key.name);
    ReplyElement(context.reply, cursor.Get());
    PopFromList(context, list, key, end, 1);
    context.LogAs({PopName(end), key.name});
    return;
  }
  if (!context.may_block()) return context.reply.NullArray();
  context.Block({.wanted = ValueType::kList, .timeout_ms = timeout_ms});
}

// False where there was nothing and the command waits, or has answered so.
bool BlockingMove(CommandContext& context, ListEnd from, ListEnd to, int64_t timeout_ms) {
  const MoveResult result = MoveElement(context, from, to);
  if (result != MoveResult::kNothing) return result == MoveResult::kMoved;
  if (context.may_block()) {
    context.Block({.wanted = ValueType::kList, .timeout_ms = timeout_ms, .waited_keys = 1});
  } else {
    context.reply.Null();
  }
  return false;
}

}  // namespace

void BlPop(CommandContext& context) { BlockingPop(context, ListEnd::kFront); }
void BrPop(CommandContext& context) { BlockingPop(context, ListEnd::kBack); }

void BlmPop(CommandContext& context) {
  MultiPop pop;
  int64_t timeout_ms = 0;
  if (!ReadMultiPop(context, 2, &pop) || !ReadBlockTimeout(context, 1, &timeout_ms)) return;
  const size_t first = context.serving() ? context.ready_key() : 0;
  const size_t end = context.serving() ? first + 1 : pop.keys;
  if (PopFromFirst(context, pop, first, end)) return;
  if (!context.may_block()) return context.reply.NullArray();
  context.Block({.wanted = ValueType::kList, .timeout_ms = timeout_ms});
}

void BlMove(CommandContext& context) {
  ListEnd from = ListEnd::kFront;
  ListEnd to = ListEnd::kFront;
  int64_t timeout_ms = 0;
  if (!ReadListEnd(context, 3, &from) || !ReadListEnd(context, 4, &to) || !ReadBlockTimeout(context, 5, &timeout_ms)) return;
  if (!BlockingMove(context, from, to, timeout_ms)) return;
  context.LogAs({"LMOVE", context.key(0).name, context.key(1).name, EndName(from), EndName(to)});
}

void BlMoveM(CommandContext& context) {
  MultiMove move;
  int64_t timeout_ms = 0;
  if (!ReadListEnd(context, 3, &move.from) || !ReadListEnd(context, 4, &move.to) || !ReadBlockTimeout(context, 5, &timeout_ms) ||
      !ReadHowMany(context, 6, &move)) {
    return;
  }
  uint64_t moved = 0;
  const MoveResult result = MoveElements(context, move, &moved);
  if (result == MoveResult::kMoved) {
    char count[kIntTextMaxBytes];
    context.LogAs({"LMOVEM",
                   context.key(0).name,
                   context.key(1).name,
                   EndName(move.from),
                   EndName(move.to),
                   "EXACTLY",
                   {count, static_cast<size_t>(WriteUint(count, moved) - count)},
                   move.one_by_one ? "OBO" : "BULK"});
  } else if (result == MoveResult::kNothing) {
    if (!context.may_block()) return context.reply.NullArray();
    context.Block({.wanted = ValueType::kList, .timeout_ms = timeout_ms, .waited_keys = 1});
  }
}

void BrPopLPush(CommandContext& context) {
  int64_t timeout_ms = 0;
  if (!ReadBlockTimeout(context, 3, &timeout_ms)) return;
  if (!BlockingMove(context, ListEnd::kBack, ListEnd::kFront, timeout_ms)) return;
  context.LogAs({"RPOPLPUSH", context.key(0).name, context.key(1).name});
}

}  // namespace cairn::list_commands
