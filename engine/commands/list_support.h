// What the list handlers share: a list under change whatever its encoding, reading one, and replying with elements.
//
// Small lists are one listpack in their entry; a list that outgrows kPackedListMaxBytes becomes a ListValue and stays one. Called under
// the key's shard lock on the executing thread, like the handlers themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/commands/command_context.h"
#include "engine/keyspace/value_edit.h"
#include "engine/values/list_cursor.h"
#include "engine/values/list_value.h"

namespace cairn {

uint64_t ListLength(const Entry& entry);
// At the first element; lives as long as the entry stays as it is.
ListCursor OpenList(const Entry& entry);

void ReplyElement(ReplySink& reply, const ListElement& element);
// `count` elements from `first` on as an array, backwards if asked. The range exists.
void ReplyElements(ReplySink& reply, ListCursor cursor, uint64_t first, uint64_t count, bool backward = false);

// LEFT or RIGHT; a syntax error is answered otherwise.
bool ReadListEnd(CommandContext& context, size_t index, ListEnd* end);
inline std::string_view PushEvent(ListEnd end) { return end == ListEnd::kFront ? "lpush" : "rpush"; }
inline std::string_view PopEvent(ListEnd end) { return end == ListEnd::kFront ? "lpop" : "rpop"; }

// Redis's start and stop, which may be negative or beyond the ends, as what is there of a list of `length`; count 0 for nothing.
struct ListRange {
  uint64_t first = 0;
  uint64_t count = 0;
};
ListRange ClipListRange(int64_t start, int64_t stop, uint64_t length);

// A list that is changed. Views of its elements die with every change.
class ListEdit {
 public:
  ListEdit(CommandContext& context, const KeyRef& key) : context_(context), edit_(context.Edit(key)) {}

  // False for a key of another type, which was answered. Before anything else.
  bool Expect() { return context_.Expect(edit_, ValueType::kList); }
  bool exists() const { return edit_.entry() != nullptr; }
  // Only while the list exists:
  uint64_t length() const { return ListLength(*edit_.entry()); }
  ListCursor Open() const { return OpenList(*edit_.entry()); }

  // Pushes args[first...] in this order, each to this end; creates the list.
  void PushArgs(ListEnd end, size_t first);
  // One element, which is no view into this list; creates the list.
  void Push(ListEnd end, const ListItem& item);
  void Insert(uint64_t index, const ListItem& item);
  void Set(uint64_t index, const ListItem& item);
  // The key goes with its last element. The events are the caller's, "del" included (exists() is false then).
  void Remove(uint64_t first, uint64_t count);
  uint64_t RemoveEqual(const ListpackItem& item, uint64_t limit, ListEnd from);
  void Keep(const ListRange& range);
  // Null: packed.
  const ListValue* large() const { return packed() ? nullptr : &edit_.entry()->large_as<ListValue>(); }
  // Puts this in the place of a list that exists; empty: the key goes.
  void Replace(std::unique_ptr<ListValue> list);

 private:
  bool packed() const { return edit_.entry()->encoding() == Encoding::kPacked; }
  ListpackView view() const { return ListpackView(edit_.entry()->packed()); }
  // Whether a packed list may grow by so many bytes; a list that may not is a ListValue afterwards.
  bool StaysPacked(size_t more_bytes);

  CommandContext& context_;
  ValueEdit edit_;
};

// "del" for a list that its last element has left.
inline void EventIfEmptied(CommandContext& context, const ListEdit& list, const KeyRef& key) {
  if (!list.exists()) context.Event(kEventGeneric, "del", key);
}

// Pops `count` elements (at most what is there) with the events and the record, all but the reply.
void PopFromList(CommandContext& context, ListEdit& list, const KeyRef& key, ListEnd end, uint64_t count);

// --- what the blocking forms share with the others ---------------------------------------------------------------------------------

inline std::string_view PopName(ListEnd end) { return end == ListEnd::kFront ? "LPOP" : "RPOP"; }

// LMPOP's arguments.
struct MultiPop {
  size_t keys = 0;
  ListEnd end = ListEnd::kFront;
  int64_t count = 1;
};
// numkeys stands at args[at]; keys, end and options follow. Errors are answered.
bool ReadMultiPop(CommandContext& context, size_t at, MultiPop* pop);
// Pops from the first of the keys [first, end) that has a list, answers key and elements, and logs it. False where no key has one; true
// after an error too.
bool PopFromFirst(CommandContext& context, const MultiPop& pop, size_t first, size_t end);

inline std::string_view EndName(ListEnd end) { return end == ListEnd::kFront ? "LEFT" : "RIGHT"; }

// Moves an element from key(0)'s list to key(1)'s and answers it; nothing is answered where the source is absent.
enum class MoveResult : uint8_t { kNothing, kRefused, kMoved };
MoveResult MoveElement(CommandContext& context, ListEnd from, ListEnd to);

// LMOVEM's arguments: how many elements, and how they stand where they come to.
struct MultiMove {
  ListEnd from = ListEnd::kFront;
  ListEnd to = ListEnd::kFront;
  uint64_t count = 1;
  bool exactly = false;     // or none at all
  bool one_by_one = false;  // as if moved one after the other: between equal ends their order is turned round

  uint64_t least() const { return exactly ? count : 1; }
};
// [<COUNT | EXACTLY> n <OBO | BULK>] at args[at]. Errors are answered.
bool ReadHowMany(CommandContext& context, size_t at, MultiMove* move);
// Moves elements and answers them as they stand in key(1)'s list; nothing is answered where the source has too few. *moved: how many.
MoveResult MoveElements(CommandContext& context, const MultiMove& move, uint64_t* moved);

}  // namespace cairn
