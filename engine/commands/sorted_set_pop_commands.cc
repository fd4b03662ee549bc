#include <algorithm>
#include <string>
#include <string_view>

#include "engine/commands/arg_reader.h"
#include "engine/commands/change_count.h"
#include "engine/commands/sorted_set_commands.h"
#include "engine/commands/sorted_set_support.h"

namespace cairn::sorted_set_commands {
namespace {

// Which end is popped, how many elements, and how the reply looks.
struct Pop {
  bool highest = false;
  uint64_t count = 1;
  bool named = false;         // the key's name comes first
  bool pairs = false;         // elements are pairs, not a flat row
  bool logs_its_form = true;  // as ZPOPMIN or ZPOPMAX, where the command's own words would not do
  bool log_count = true;      // with the count
};

void ReplyPopHeader(ReplySink& reply, const KeyRef& key, const Pop& pop, uint64_t count) {
  if (pop.named && pop.pairs) {
    reply.Array(2);
    reply.Bulk(key.name);
    reply.Array(count);
  } else if (pop.named) {
    reply.Array(2 * count + 1);
    reply.Bulk(key.name);
  } else {
    reply.Array(pop.pairs ? count : 2 * count);
  }
}

// Pops from the set, which is there.
void PopFrom(CommandContext& context, ValueEdit& edit, const Pop& pop) {
  const KeyRef& key = edit.key();
  SortedSetEdit set(edit, context.limits());
  const SortedSetView view = set.view();
  const uint64_t size = view.size();
  const uint64_t count = std::min(pop.count, size);
  ReplyPopHeader(context.reply, key, pop, count);
  SortedSetView::Cursor at = view.At(pop.highest ? size - 1 : 0);
  for (uint64_t i = 0; i < count; i++) {
    if (pop.pairs) context.reply.Array(2);
    context.reply.Bulk(at.member());
    context.reply.Double(at.score());
    if (pop.highest) {
      at.Prev();
    } else {
      at.Next();
    }
  }
  set.RemoveRange(pop.highest ? size - count : 0, count);
  CountElements(context, key, static_cast<int64_t>(count));
  const std::string_view name = pop.highest ? "zpopmax" : "zpopmin";
  context.Event(kEventSortedSet, name, key);
  if (edit.entry() == nullptr) context.Event(kEventGeneric, "del", key);
  if (!pop.logs_its_form) return;
  const std::string_view logged = pop.highest ? "ZPOPMAX" : "ZPOPMIN";
  if (!pop.log_count) return context.LogAs({logged, key.name});
  context.LogAs({logged, key.name, std::to_string(count)});
}

// Pops from the first of the keys that holds a set. False where none does, and nothing was answered.
bool PopFromFirst(CommandContext& context, size_t key_count, const Pop& pop) {
  for (size_t i = 0; i < key_count; i++) {
    if (!context.LooksAt(i)) continue;
    ValueEdit edit = context.Edit(context.key(i));
    if (!context.Expect(edit, ValueType::kSortedSet)) return true;
    if (edit.entry() == nullptr) continue;
    PopFrom(context, edit, pop);
    return true;
  }
  return false;
}

void PopOne(CommandContext& context, bool highest) {
  if (context.args.size() > 3) return context.SyntaxError();
  Pop pop;
  pop.highest = highest;
  pop.logs_its_form = false;
  if (context.args.size() == 3) {
    int64_t count = 0;
    constexpr std::string_view kNotPositive = "ERR value is out of range, must be positive";
    if (!ReadIntBetween(context, 2, 0, INT64_MAX, &count, kNotPositive)) return;
    pop.count = static_cast<uint64_t>(count);
    pop.pairs = context.reply.protocol() > 2;
  }
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kSortedSet)) return;
  if (edit.entry() == nullptr || pop.count == 0) return context.reply.Array(0);
  PopFrom(context, edit, pop);
}

// "numkeys key [key ...] MIN | MAX [COUNT count]" from args[index] on.
bool ReadMultiPop(CommandContext& context, size_t index, Pop* pop) {
  int64_t key_count = 0;
  if (!ReadIntBetween(context, index, 1, INT64_MAX, &key_count, "ERR numkeys should be greater than 0")) return false;
  const size_t rest = context.args.size() - index - 1;
  bool fits = static_cast<uint64_t>(key_count) < rest;
  const size_t where = index + 1 + static_cast<size_t>(fits ? key_count : 0);
  fits = fits && (EqualsIgnoreCase(context.args[where], "min") || EqualsIgnoreCase(context.args[where], "max"));
  if (!fits) {
    context.SyntaxError();
    return false;
  }
  pop->highest = EqualsIgnoreCase(context.args[where], "max");
  pop->named = true;
  pop->pairs = true;
  bool counted = false;
  std::string_view unused;
  size_t at = 0;
  for (OptionReader options(context, where + 1); options.More();) {
    if (counted || !options.Take("count", &unused, &at)) {
      context.SyntaxError();
      return false;
    }
    int64_t count = 0;
    if (!ReadIntBetween(context, at, 1, INT64_MAX, &count, "ERR count should be greater than 0")) return false;
    pop->count = static_cast<uint64_t>(count);
    counted = true;
  }
  return true;
}

// Waits where nothing was there and it may.
void PopOrBlock(CommandContext& context, size_t key_count, int64_t timeout_ms, const Pop& pop) {
  if (PopFromFirst(context, key_count, pop)) return;
  if (!context.may_block()) return context.reply.NullArray();
  BlockOptions wait;
  wait.wanted = ValueType::kSortedSet;
  wait.timeout_ms = timeout_ms;
  context.Block(wait);
}

void BlockingPopOne(CommandContext& context, bool highest) {
  int64_t timeout_ms = 0;
  if (!ReadBlockTimeout(context, context.args.size() - 1, &timeout_ms)) return;
  Pop pop;
  pop.highest = highest;
  pop.named = true;
  pop.log_count = false;
  PopOrBlock(context, context.keys().size(), timeout_ms, pop);
}

}  // namespace

void ZPopMin(CommandContext& context) { PopOne(context, false); }
void ZPopMax(CommandContext& context) { PopOne(context, true); }

void ZMPop(CommandContext& context) {
  Pop pop;
  if (!ReadMultiPop(context, 1, &pop)) return;
  if (!PopFromFirst(context, context.keys().size(), pop)) context.reply.NullArray();
}

void BZPopMin(CommandContext& context) { BlockingPopOne(context, false); }
void BZPopMax(CommandContext& context) { BlockingPopOne(context, true); }

void BZMPop(CommandContext& context) {
  Pop pop;
  if (!ReadMultiPop(context, 2, &pop)) return;
  int64_t timeout_ms = 0;
  if (!ReadBlockTimeout(context, 1, &timeout_ms)) return;
  PopOrBlock(context, context.keys().size(), timeout_ms, pop);
}

}  // namespace cairn::sorted_set_commands
