#include "engine/commands/list_support.h"

#include <algorithm>

#include "engine/commands/arg_reader.h"
#include "engine/commands/change_count.h"
#include "engine/values/rope.h"

namespace cairn {

uint64_t ListLength(const Entry& entry) {
  return entry.encoding() == Encoding::kPacked ? ListpackView(entry.packed()).count() : entry.large().element_count();
}

ListCursor OpenList(const Entry& entry) {
  return entry.encoding() == Encoding::kPacked ? ListCursor(entry.packed()) : ListCursor(entry.large_as<ListValue>());
}

void ReplyElement(ReplySink& reply, const ListElement& element) {
  if (element.owner != nullptr && element.owner->size() > kInlineValueMaxBytes) return reply.BulkRope(Rope(*element.owner));
  char buffer[kIntTextMaxBytes];
  reply.Bulk(element.value.Text(buffer));
}

void ReplyElements(ReplySink& reply, ListCursor cursor, uint64_t first, uint64_t count, bool backward) {
  reply.Array(count);
  if (count == 0) return;
  cursor.Seek(backward ? first + count - 1 : first);
  if (backward) {
    for (; count > 0; count--) ReplyElement(reply, cursor.ReadBackward());
  } else {
    for (; count > 0; count--) ReplyElement(reply, cursor.ReadForward());
  }
}

bool ReadListEnd(CommandContext& context, size_t index, ListEnd* end) {
  if (EqualsIgnoreCase(context.args[index], "left")) {
    *end = ListEnd::kFront;
  } else if (EqualsIgnoreCase(context.args[index], "right")) {
    *end = ListEnd::kBack;
  } else {
    context.SyntaxError();
    return false;
  }
  return true;
}

ListRange ClipListRange(int64_t start, int64_t stop, uint64_t length) {
  const auto signed_length = static_cast<int64_t>(length);
  if (start < 0) start = std::max<int64_t>(start + signed_length, 0);
  if (stop < 0) stop += signed_length;
  stop = std::min(stop, signed_length - 1);
  if (start > stop) return {};
  return {static_cast<uint64_t>(start), static_cast<uint64_t>(stop - start + 1)};
}

bool ListEdit::StaysPacked(size_t more_bytes) {
  if (edit_.entry()->packed().size() + more_bytes <= kPackedListMaxBytes) [[likely]]
    return true;
  edit_.StoreLarge(ValueType::kList, ListValue::FromPacked(edit_.entry()->packed()));
  return false;
}

void ListEdit::PushArgs(ListEnd end, size_t first) {
  const ArgSpan args = context_.args.subspan(first);
  if (args.size() == 1) return Push(end, ListItem(args[0], context_.source(first).owner));
  size_t bytes = 0;
  for (const std::string_view arg : args) bytes += arg.size() + kListpackEmptyBytes;
  if (bytes <= kPackedListMaxBytes && (!exists() || packed())) {
    ListpackBuilder builder;
    for (size_t i = 0; i < args.size(); i++) builder.Add(args[end == ListEnd::kFront ? args.size() - 1 - i : i]);
    if (!exists()) return edit_.StorePacked(ValueType::kList, Encoding::kPacked, builder.listpack());
    if (StaysPacked(builder.elements().size())) {
      return InsertIntoListpack(edit_, end == ListEnd::kFront ? view().begin() : view().end(), builder);
    }
  }
  if (!exists()) edit_.StoreLarge(ValueType::kList, std::make_unique<ListValue>());
  if (packed()) edit_.StoreLarge(ValueType::kList, ListValue::FromPacked(edit_.entry()->packed()));
  auto& list = edit_.Mutable<ListValue>();
  for (size_t i = 0; i < args.size(); i++) list.Push(end, ListItem(args[i], context_.source(first + i).owner));
}

void ListEdit::Push(ListEnd end, const ListItem& item) {
  const size_t bytes = item.item.encoded_bytes();
  if (!exists()) {
    if (bytes + kListpackEmptyBytes > kPackedListMaxBytes) {
      auto list = std::make_unique<ListValue>();
      list->Push(end, item);
      return edit_.StoreLarge(ValueType::kList, std::move(list));
    }
    ListpackBuilder builder;
    builder.Add(item.item);
    return edit_.StorePacked(ValueType::kList, Encoding::kPacked, builder.listpack());
  }
  if (packed() && StaysPacked(bytes)) {
    ListpackBuilder builder;
    builder.Add(item.item);
    return InsertIntoListpack(edit_, end == ListEnd::kFront ? view().begin() : view().end(), builder);
  }
  edit_.Mutable<ListValue>().Push(end, item);
}

void ListEdit::Insert(uint64_t index, const ListItem& item) {
  if (packed() && StaysPacked(item.item.encoded_bytes())) {
    ListpackBuilder builder;
    builder.Add(item.item);
    return InsertIntoListpack(edit_, view().Seek(static_cast<int64_t>(index)), builder);
  }
  edit_.Mutable<ListValue>().Insert(index, item);
}

void ListEdit::Set(uint64_t index, const ListItem& item) {
  if (packed() && StaysPacked(item.item.encoded_bytes())) {
    ListpackBuilder builder;
    builder.Add(item.item);
    return ReplaceInListpack(edit_, view().Seek(static_cast<int64_t>(index)), builder);
  }
  edit_.Mutable<ListValue>().Set(index, item);
}

void ListEdit::Remove(uint64_t first, uint64_t count) {
  if (count == 0) return;
  if (count == length()) return edit_.Remove();
  if (!packed()) return edit_.Mutable<ListValue>().Remove(first, count);
  RemoveFromListpack(edit_, view().Seek(static_cast<int64_t>(first)), static_cast<uint32_t>(count));
}

uint64_t ListEdit::RemoveEqual(const ListpackItem& item, uint64_t limit, ListEnd from) {
  // Looked for before anything is changed: a list without the element is left alone, and not copied for a snapshot.
  ListCursor cursor = Open();
  const bool forward = from == ListEnd::kFront;
  if (!forward) cursor.Seek(cursor.element_count() - 1);
  if (!(forward ? cursor.FindForward(item) : cursor.FindBackward(item))) return 0;
  uint64_t removed = 0;
  if (!packed()) {
    const uint64_t start = cursor.index();
    auto& list = edit_.Mutable<ListValue>();
    removed = list.RemoveEqual(item, limit, from, start);
    if (list.element_count() == 0) edit_.Remove();
    return removed;
  }
  std::vector<uint32_t> found;
  const ListpackView before = view();
  for (uint32_t at = before.Find(before.begin(), item); at != before.end(); at = before.Find(before.Next(at), item)) {
    found.push_back(at);
  }
  removed = std::min<uint64_t>(found.size(), limit);
  if (from == ListEnd::kBack) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(removed));
  found.resize(removed);
  if (removed == length()) {
    edit_.Remove();
    return removed;
  }
  while (!found.empty()) {
    RemoveFromListpack(edit_, found.back());
    found.pop_back();
  }
  return removed;
}

void ListEdit::Keep(const ListRange& range) {
  if (range.count == 0) return edit_.Remove();
  const uint64_t before = length();
  if (range.count == before) return;
  // Where little stays, that becomes a new list, and the background frees the old one.
  if (!packed() && range.count <= before / 2) {
    return edit_.StoreLarge(ValueType::kList, edit_.entry()->large_as<ListValue>().Slice(range.first, range.count));
  }
  Remove(range.first + range.count, before - range.first - range.count);
  Remove(0, range.first);
}

void ListEdit::Replace(std::unique_ptr<ListValue> list) {
  if (list->element_count() == 0) return edit_.Remove();
  edit_.StoreLarge(ValueType::kList, std::move(list));
}

void PopFromList(CommandContext& context, ListEdit& list, const KeyRef& key, ListEnd end, uint64_t count) {
  list.Remove(end == ListEnd::kFront ? 0 : list.length() - count, count);
  CountElements(context, key, static_cast<int64_t>(count));
  context.Event(kEventList, PopEvent(end), key);
  EventIfEmptied(context, list, key);
}

bool ReadMultiPop(CommandContext& context, size_t at, MultiPop* pop) {
  int64_t keys = 0;
  if (!ReadIntBetween(context, at, 1, INT64_MAX, &keys, "ERR numkeys should be greater than 0")) return false;
  if (static_cast<uint64_t>(keys) >= context.args.size() - at - 1) {
    context.SyntaxError();
    return false;
  }
  pop->keys = static_cast<size_t>(keys);
  const size_t end_index = at + 1 + pop->keys;
  if (!ReadListEnd(context, end_index, &pop->end)) return false;
  bool counted = false;
  for (OptionReader reader(context, end_index + 1); reader.More();) {
    std::string_view value;
    size_t value_index = 0;
    if (counted || !reader.Take("count", &value, &value_index)) {
      context.SyntaxError();
      return false;
    }
    counted = true;
    if (!ReadIntBetween(context, value_index, 1, INT64_MAX, &pop->count, "ERR count should be greater than 0")) return false;
  }
  return true;
}

bool PopFromFirst(CommandContext& context, const MultiPop& pop, size_t first, size_t end) {
  for (size_t i = first; i < end; i++) {
    const KeyRef& key = context.key(i);
    ListEdit list(context, key);
    if (!list.Expect()) return true;
    if (!list.exists()) continue;
    const uint64_t length = list.length();
    const uint64_t popped = std::min(static_cast<uint64_t>(pop.count), length);
    context.reply.Array(2);
    context.reply.Bulk(key.name);
    ReplyElements(context.reply, list.Open(), pop.end == ListEnd::kFront ? 0 : length - popped, popped,
                  pop.end == ListEnd::kBack);
    PopFromList(context, list, key, pop.end, popped);
    char count[kIntTextMaxBytes];
    context.LogAs({PopName(pop.end), key.name, {count, static_cast<size_t>(WriteUint(count, popped) - count)}});
    return true;
  }
  return false;
}

namespace {

// Elements that outlive the list they stand in.
class KeptElements {
 public:
  KeptElements(ListCursor cursor, uint64_t first, uint64_t count) {
    kept_.reserve(count);
    cursor.Seek(first);
    for (; count > 0; count--) {
      const ListElement element = cursor.ReadForward();
      Kept& kept = kept_.emplace_back();
      if (element.owner != nullptr) {
        kept.owner = *element.owner;
      } else {
        element.value.AppendTo(&kept.text);
      }
    }
  }

  // Puts them to this end of the list, where they then stand in their order, or turned round.
  void PushTo(ListEdit& list, ListEnd end, bool reverse) const {
    const bool last_first = (end == ListEnd::kFront) != reverse;
    for (size_t i = 0; i < kept_.size(); i++) {
      const Kept& kept = kept_[last_first ? kept_.size() - 1 - i : i];
      list.Push(end, kept.owner.size() > 0 ? ListItem(kept.owner.view(), &kept.owner) : ListItem(kept.text));
    }
  }

 private:
  struct Kept {
    std::string text;
    SharedBytes owner;
  };
  std::vector<Kept> kept_;
};

// Within one list: elements are put where they go before they are taken from where they were, so that the list does not go meanwhile.
void MoveWithin(ListEdit& list, uint64_t first, uint64_t count, ListEnd to, bool reverse) {
  KeptElements(list.Open(), first, count).PushTo(list, to, reverse);
  list.Remove(to == ListEnd::kFront ? first + count : first, count);
}

}  // namespace

MoveResult MoveElement(CommandContext& context, ListEnd from, ListEnd to) {
  const KeyRef& source_key = context.key(0);
  const KeyRef& target_key = context.key(1);
  ListEdit source(context, source_key);
  if (!source.Expect()) return MoveResult::kRefused;
  if (!source.exists()) return MoveResult::kNothing;
  const uint64_t index = from == ListEnd::kFront ? 0 : source.length() - 1;
  ListCursor cursor = source.Open();
  cursor.Seek(index);
  const ListElement element = cursor.Get();
  if (source_key.name == target_key.name) {
    ReplyElement(context.reply, element);
    MoveWithin(source, index, 1, to, false);
    context.Event(kEventList, PushEvent(to), source_key);
    context.Event(kEventList, PopEvent(from), source_key);
    return MoveResult::kMoved;
  }
  {
    ListEdit target(context, target_key);
    if (!target.Expect()) return MoveResult::kRefused;
    ReplyElement(context.reply, element);
    target.Push(to, ListItem(ListpackItem(element.value), element.owner));
    context.Event(kEventList, PushEvent(to), target_key);
  }
  PopFromList(context, source, source_key, from, 1);
  return MoveResult::kMoved;
}

bool ReadHowMany(CommandContext& context, size_t at, MultiMove* move) {
  constexpr size_t kArguments = 3;
  const size_t arguments = context.args.size() - at;
  if (arguments == 0) return true;
  move->exactly = EqualsIgnoreCase(context.args[at], "exactly");
  if (arguments != kArguments || (!move->exactly && !EqualsIgnoreCase(context.args[at], "count")))
    return context.SyntaxError(), false;
  int64_t count = 0;
  if (!ReadIntBetween(context, at + 1, 1, INT64_MAX, &count, "ERR count should be greater than 0")) return false;
  move->count = static_cast<uint64_t>(count);
  move->one_by_one = EqualsIgnoreCase(context.args[at + 2], "obo");
  if (!move->one_by_one && !EqualsIgnoreCase(context.args[at + 2], "bulk")) return context.SyntaxError(), false;
  return true;
}

MoveResult MoveElements(CommandContext& context, const MultiMove& move, uint64_t* moved) {
  const KeyRef& source_key = context.key(0);
  const KeyRef& target_key = context.key(1);
  ListEdit source(context, source_key);
  if (!source.Expect()) return MoveResult::kRefused;
  const uint64_t length = source.exists() ? source.length() : 0;
  if (length < move.least()) return MoveResult::kNothing;
  const uint64_t count = *moved = std::min(move.count, length);
  const uint64_t first = move.from == ListEnd::kFront ? 0 : length - count;
  const bool reverse = move.one_by_one && move.from == move.to;
  if (source_key.name == target_key.name) {
    ReplyElements(context.reply, source.Open(), first, count, reverse);
    MoveWithin(source, first, count, move.to, reverse);
    context.Event(kEventList, PopEvent(move.from), source_key);
    context.Event(kEventList, PushEvent(move.to), source_key);
    return MoveResult::kMoved;
  }
  {
    ListEdit target(context, target_key);
    if (!target.Expect()) return MoveResult::kRefused;
    ReplyElements(context.reply, source.Open(), first, count, reverse);
    KeptElements(source.Open(), first, count).PushTo(target, move.to, reverse);
    context.Event(kEventList, PushEvent(move.to), target_key);
  }
  PopFromList(context, source, source_key, move.from, count);
  return MoveResult::kMoved;
}

}  // namespace cairn
