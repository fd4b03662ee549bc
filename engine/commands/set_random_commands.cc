// Members drawn by chance, each with the same probability.
#include <algorithm>
#include <climits>
#include <unordered_set>

#include "base/random.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/change_count.h"
#include "engine/commands/set_commands.h"
#include "engine/commands/set_support.h"

namespace cairn::set_commands {
namespace {

constexpr size_t kMembersPerRecord = 512;

// Where more than one in so many members is wanted, walking the set costs less than drawing.
constexpr uint64_t kWalkFactor = 3;

// Visits `count` different members, fewer than the set has.
template <typename Visit>
void DrawDifferent(const SetView& set, uint64_t count, Visit&& visit) {
  Random& random = ThreadRandom();
  uint64_t left = set.count();
  if (count * kWalkFactor > left || set.table() == nullptr) {
    // Each member is taken with the chance that as many of those not yet seen are wanted.
    set.ForEach([&](const SetMember& member) {
      if (random.Uniform(left--) < count) {
        visit(member);
        count--;
      }
      return count > 0;
    });
    return;
  }
  // A member that was drawn before is known by where its bytes lie.
  std::unordered_set<const char*> drawn;
  drawn.reserve(count);
  while (drawn.size() < count) {
    const SetMember member = set.Draw(random);
    if (drawn.insert(member.bytes.data()).second) visit(member);
  }
}

void ReplyDifferent(ReplySink& reply, const SetView& set, uint64_t count) {
  if (count >= set.count()) {
    reply.Array(set.count());
    set.ForEach([&](const SetMember& member) {
      ReplyMember(reply, member);
      return true;
    });
    return;
  }
  reply.Array(count);
  DrawDifferent(set, count, [&](const SetMember& member) { ReplyMember(reply, member); });
}

void ReplyAny(ReplySink& reply, const SetView& set, uint64_t count) {
  Random& random = ThreadRandom();
  reply.Array(count);
  for (uint64_t i = 0; i < count && !reply.abandoned(); i++) ReplyMember(reply, set.Draw(random));
}

void SRandMemberCount(CommandContext& context) {
  int64_t count = 0;
  if (!ReadIntBetween(context, 2, -LONG_MAX, LONG_MAX, &count)) return;
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kSet, Keyspace::Access::kRead, &entry)) return;
  if (entry == nullptr || count == 0) return context.reply.Array(0);
  const SetView set(entry);
  const auto reply_with = [count](ReplySink& reply, const SetView& view) {
    if (count > 0) return ReplyDifferent(reply, view, static_cast<uint64_t>(count));
    ReplyAny(reply, view, static_cast<uint64_t>(-count));
  };
  if (set.table() == nullptr) return reply_with(context.reply, set);
  const uint64_t elements = count < 0 ? static_cast<uint64_t>(-count) : std::min(static_cast<uint64_t>(count), set.count());
  const std::shared_ptr<const LargeValue> shared = set.table()->Share();
  context.Defer(elements,
                [shared, reply_with](ReplySink& reply) { reply_with(reply, SetView(static_cast<const SetTable&>(*shared))); });
}

// Members as texts of their own: what they were read from is about to change.
std::vector<std::string> DrawTexts(const SetView& set, uint64_t count) {
  std::vector<std::string> texts;
  texts.reserve(count);
  DrawDifferent(set, count, [&](const SetMember& member) { member.AppendTo(&texts.emplace_back()); });
  return texts;
}

void LogRemoved(CommandContext& context, const std::vector<std::string>& members) {
  std::vector<std::string_view> record;
  for (size_t first = 0; first < members.size(); first += kMembersPerRecord) {
    record.assign({"SREM", context.key().name});
    const size_t end = std::min(members.size(), first + kMembersPerRecord);
    for (size_t i = first; i < end; i++) record.push_back(members[i]);
    context.LogAs(record);
  }
}

void SPopCount(CommandContext& context) {
  int64_t wanted = 0;
  if (!ReadIntBetween(context, 2, 0, LONG_MAX, &wanted, "ERR value is out of range, must be positive")) return;
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kSet)) return;
  if (edit.entry() == nullptr || wanted == 0) return context.reply.Set(0);
  const SetView set(edit.entry());
  const auto count = static_cast<uint64_t>(wanted);
  if (count >= set.count()) {
    ReplyMembers(context.reply, set);
    CountElements(context, context.key(), static_cast<int64_t>(set.count()));
    edit.Remove();
    context.Event(kEventSet, "spop", context.key());
    context.Event(kEventGeneric, "del", context.key());
    return context.LogAs({"DEL", context.key().name});
  }
  const std::vector<std::string> texts = DrawTexts(set, count);
  context.reply.Set(count);
  for (const std::string& text : texts) context.reply.Bulk(text);
  EditedSet edited(edit);
  SetEditor editor(edited, context.limits());
  for (const std::string& text : texts) CAIRN_CHECK(editor.Remove(MemberOf(text)));
  CountElements(context, context.key(), wanted);
  context.Event(kEventSet, "spop", context.key());
  LogRemoved(context, texts);
}

}  // namespace

void SPop(CommandContext& context) {
  if (context.args.size() > 3) return context.SyntaxError();
  if (context.args.size() == 3) return SPopCount(context);
  ValueEdit edit = context.Edit(context.key());
  if (edit.entry() == nullptr) return context.reply.Null();
  if (!context.Expect(edit, ValueType::kSet)) return;
  const SetView set(edit.entry());
  std::string member;
  set.Draw(ThreadRandom()).AppendTo(&member);
  EditedSet edited(edit);
  SetEditor editor(edited, context.limits());
  CAIRN_CHECK(editor.Remove(MemberOf(member)));
  context.Event(kEventSet, "spop", context.key());
  context.LogAs({"SREM", context.key().name, member});
  if (editor.count() == 0) {
    edit.Remove();
    context.Event(kEventGeneric, "del", context.key());
  }
  context.reply.Bulk(member);
}

void SRandMember(CommandContext& context) {
  if (context.args.size() > 3) return context.SyntaxError();
  if (context.args.size() == 3) return SRandMemberCount(context);
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kSet, Keyspace::Access::kRead, &entry)) return;
  if (entry == nullptr) return context.reply.Null();
  const SetView set(entry);
  ReplyMember(context.reply, set.Draw(ThreadRandom()));
}

}  // namespace cairn::set_commands
