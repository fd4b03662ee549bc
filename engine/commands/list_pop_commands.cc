#include <algorithm>
#include <vector>

#include "engine/commands/arg_reader.h"
#include "engine/commands/list_commands.h"
#include "engine/commands/list_support.h"

namespace cairn::list_commands {
namespace {

constexpr std::string_view kNotPositiveError = "ERR value is out of range, must be positive";

void Pop(CommandContext& context, ListEnd end) {
  const bool counted = context.args.size() == 3;
  if (context.args.size() > 3) return context.WrongArity();
  int64_t count = 1;
  if (counted && !ReadIntBetween(context, 2, 0, INT64_MAX, &count, kNotPositiveError)) return;
  const KeyRef& key = context.key();
  ListEdit list(context, key);
  if (!list.Expect()) return;
  if (!list.exists()) return counted ? context.reply.NullArray() : context.reply.Null();
  const uint64_t length = list.length();
  const uint64_t popped = std::min(static_cast<uint64_t>(count), length);
  ListCursor cursor = list.Open();
  if (counted) {
    ReplyElements(context.reply, cursor, end == ListEnd::kFront ? 0 : length - popped, popped, end == ListEnd::kBack);
    if (popped == 0) return;
  } else {
    cursor.Seek(end == ListEnd::kFront ? 0 : length - 1);
    ReplyElement(context.reply, cursor.Get());
  }
  PopFromList(context, list, key, end, popped);
}

Status MultiPopKeys(ArgSpan args, size_t at, std::vector<int>* key_indexes) {
  int64_t keys = 0;
  if (!ParseInt64(args[at], &keys) || keys <= 0) return Status::InvalidArgument("ERR numkeys should be greater than 0");
  if (static_cast<uint64_t>(keys) > args.size() - at - 1) return Status::InvalidArgument("ERR syntax error");
  for (int64_t i = 0; i < keys; i++) key_indexes->push_back(static_cast<int>(at) + 1 + static_cast<int>(i));
  return Status();
}

}  // namespace

void LPop(CommandContext& context) { Pop(context, ListEnd::kFront); }
void RPop(CommandContext& context) { Pop(context, ListEnd::kBack); }

// --- LMPOP -------------------------------------------------------------------------------------------------------------------------

void LmPop(CommandContext& context) {
  MultiPop pop;
  if (ReadMultiPop(context, 1, &pop) && !PopFromFirst(context, pop, 0, pop.keys)) context.reply.NullArray();
}

Status LmPopKeys(ArgSpan args, std::vector<int>* key_indexes) { return MultiPopKeys(args, 1, key_indexes); }
Status BlmPopKeys(ArgSpan args, std::vector<int>* key_indexes) { return MultiPopKeys(args, 2, key_indexes); }

// --- LMOVE -------------------------------------------------------------------------------------------------------------------------

void LMove(CommandContext& context) {
  ListEnd from = ListEnd::kFront;
  ListEnd to = ListEnd::kFront;
  if (!ReadListEnd(context, 3, &from) || !ReadListEnd(context, 4, &to)) return;
  if (MoveElement(context, from, to) == MoveResult::kNothing) context.reply.Null();
}

void LMoveM(CommandContext& context) {
  MultiMove move;
  uint64_t moved = 0;
  if (!ReadListEnd(context, 3, &move.from) || !ReadListEnd(context, 4, &move.to) || !ReadHowMany(context, 5, &move)) return;
  if (MoveElements(context, move, &moved) == MoveResult::kNothing) context.reply.NullArray();
}

void RPopLPush(CommandContext& context) {
  if (MoveElement(context, ListEnd::kBack, ListEnd::kFront) == MoveResult::kNothing) context.reply.Null();
}

}  // namespace cairn::list_commands
