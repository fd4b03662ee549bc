#include "engine/commands/set_commands.h"

#include "engine/commands/change_count.h"
#include "engine/commands/scan_options.h"
#include "engine/commands/set_support.h"

namespace cairn {

void ReplyMembers(ReplySink& reply, const SetView& set) {
  reply.Set(set.count());
  set.ForEach([&](const SetMember& member) {
    ReplyMember(reply, member);
    return true;
  });
}

void StoreSet(ValueEdit& edit, MemorySet& set) {
  if (set.encoding() == Encoding::kLarge) {
    edit.StoreLarge(ValueType::kSet, set.TakeTable());
  } else {
    edit.StorePacked(ValueType::kSet, set.encoding(), set.packed());
  }
}

void StoreSetResult(CommandContext& context, const KeyRef& key, MemorySet& set, std::string_view event) {
  const uint64_t count = set.count();
  bool had_expiry = false;
  {
    ValueEdit edit = context.Edit(key);
    if (count > 0) {
      had_expiry = edit.entry() != nullptr && edit.entry()->has_expiry();
      StoreSet(edit, set);
      context.Event(kEventSet, event, key);
    } else if (edit.entry() != nullptr) {
      edit.Remove();
      context.Event(kEventGeneric, "del", key);
    }
  }
  if (had_expiry) context.keyspace.SetExpiry(context.scope, context.database(), key, -1);
  context.reply.Integer(static_cast<int64_t>(count));
}

namespace set_commands {
namespace {

// Takes members out, and the key with the last one; returns how many there were.
int64_t RemoveMembers(CommandContext& context, ValueEdit& edit, ArgSpan members) {
  EditedSet set(edit);
  SetEditor editor(set, context.limits());
  int64_t removed = 0;
  bool gone = false;
  for (const std::string_view member : members) {
    if (!editor.Remove(MemberOf(member))) continue;
    removed++;
    gone = editor.count() == 0;
    if (!gone) continue;
    edit.Remove();
    break;
  }
  CountElements(context, edit.key(), removed);
  if (removed > 0) context.Event(kEventSet, "srem", edit.key());
  if (gone) context.Event(kEventGeneric, "del", edit.key());
  return removed;
}

int64_t AddMembers(CommandContext& context, ValueEdit& edit, ArgSpan members) {
  EditedSet set(edit);
  int64_t added = 0;
  if (edit.entry() == nullptr) {
    if (members.size() > 1) {
      MemorySet built(context.limits());
      for (const std::string_view member : members) built.Add(MemberOf(member));
      added = static_cast<int64_t>(built.count());
      StoreSet(edit, built);
    } else {
      CreateSet(set, MemberOf(members[0]), context.limits());
      added = 1;
    }
  } else {
    SetEditor editor(set, context.limits());
    for (const std::string_view member : members) added += editor.Add(MemberOf(member)) ? 1 : 0;
  }
  CountElements(context, edit.key(), added);
  if (added > 0) context.Event(kEventSet, "sadd", edit.key());
  return added;
}

bool FindSet(CommandContext& context, SetView* set) {
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kSet, Keyspace::Access::kRead, &entry)) return false;
  *set = SetView(entry);
  return true;
}

}  // namespace

void SAdd(CommandContext& context) {
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kSet)) return;
  context.reply.Integer(AddMembers(context, edit, context.args.subspan(2)));
}

void SRem(CommandContext& context) {
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kSet)) return;
  context.reply.Integer(edit.entry() == nullptr ? 0 : RemoveMembers(context, edit, context.args.subspan(2)));
}

void SMove(CommandContext& context) {
  const KeyRef& to_key = context.key(1);
  const ArgSpan member = context.args.subspan(3, 1);
  ValueEdit from = context.Edit(context.key(0));
  if (from.entry() == nullptr) return context.reply.Integer(0);
  if (!context.Expect(from, ValueType::kSet)) return;
  if (context.key(0).name == to_key.name) {
    return context.reply.Integer(SetView(from.entry()).Contains(MemberOf(member[0])) ? 1 : 0);
  }
  ValueEdit to = context.Edit(to_key);
  if (!context.Expect(to, ValueType::kSet)) return;
  if (RemoveMembers(context, from, member) == 0) return context.reply.Integer(0);
  AddMembers(context, to, member);
  context.reply.Integer(1);
}

void SIsMember(CommandContext& context) {
  SetView set;
  if (!FindSet(context, &set)) return;
  context.reply.Integer(set.Contains(MemberOf(context.args[2])) ? 1 : 0);
}

void SMIsMember(CommandContext& context) {
  SetView set;
  if (!FindSet(context, &set)) return;
  const ArgSpan members = context.args.subspan(2);
  context.reply.Array(members.size());
  for (const std::string_view member : members) context.reply.Integer(set.Contains(MemberOf(member)) ? 1 : 0);
}

void SCard(CommandContext& context) {
  SetView set;
  if (FindSet(context, &set)) context.reply.Integer(static_cast<int64_t>(set.count()));
}

void SMembers(CommandContext& context) {
  SetView set;
  if (!FindSet(context, &set)) return;
  if (set.table() == nullptr) return ReplyMembers(context.reply, set);
  const std::shared_ptr<const LargeValue> shared = set.table()->Share();
  context.Defer(set.count(), [shared](ReplySink& reply) { ReplyMembers(reply, SetView(static_cast<const SetTable&>(*shared))); });
}

void SScan(CommandContext& context) {
  uint64_t cursor = 0;
  if (!ReadScanCursor(context, 2, &cursor)) return;
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kSet, Keyspace::Access::kRead, &entry)) return;
  if (entry == nullptr) return ReplyNothingScanned(context.reply);
  ScanOptions options;
  if (!ReadScanOptions(context, 3, kScanPlain, &options)) return;
  std::vector<SetMember> members;
  const auto visit = [&](const SetMember& member) {
    char buffer[kIntTextMaxBytes];
    if (options.Matches(member.Text(buffer))) members.push_back(member);
    return true;
  };
  const SetView set(entry);
  if (set.table() == nullptr) {
    set.ForEach(visit);  // small: all at once, as nothing of its order lasts
    cursor = 0;
  } else {
    std::vector<std::string_view> texts;
    cursor = set.table()->Scan(cursor, static_cast<uint64_t>(options.count), &texts);
    for (const std::string_view text : texts) visit(MemberOf(text));
  }
  ReplyScanHeader(context.reply, cursor, members.size());
  for (const SetMember& member : members) ReplyMember(context.reply, member);
}

}  // namespace set_commands
}  // namespace cairn
