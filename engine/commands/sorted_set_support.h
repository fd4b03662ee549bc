// What the commands on sorted sets share: a set under change whatever its form, ranges as they are written in arguments, results
// that are stored or answered. GEO commands use it too.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/commands/command_context.h"
#include "engine/values/sorted_set.h"
#include "engine/values/sorted_set_view.h"

namespace cairn {

// The sorted set of an entry of that type; an empty one for null.
inline SortedSetView ViewOfSortedSet(const Entry* entry) {
  if (entry == nullptr) return SortedSetView();
  return entry->encoding() == Encoding::kLarge ? SortedSetView(entry->large_as<SortedSet>()) : SortedSetView(entry->packed());
}

// A key that holds a sorted set, or nothing yet, under change. Find() comes first; what it says holds for one change of that
// member. A packed set becomes large when it outgrows the limits; the key goes with its last element. Records, events and replies
// are the caller's.
class SortedSetEdit {
 public:
  // The edit's key is absent or a sorted set (CommandContext::Expect); both outlive this.
  SortedSetEdit(ValueEdit& edit, const ValueLimits& limits) : edit_(edit), limits_(limits) {}

  SortedSetView view() const { return ViewOfSortedSet(edit_.entry()); }
  bool Find(std::string_view member, double* score);
  void Insert(std::string_view member, double score);    // after Find said no; never NaN
  void SetScore(std::string_view member, double score);  // after Find said yes
  void Erase();                                          // after Find said yes
  // Removes `count` elements from this rank on, which are there.
  void RemoveRange(uint64_t first_rank, uint64_t count);
  // Null: packed, or absent.
  const SortedSet* large() const { return view().is_packed() ? nullptr : &view().large(); }
  // Puts this in the place of a set that exists; it is not empty.
  void Replace(std::unique_ptr<SortedSet> set) { edit_.StoreLarge(ValueType::kSortedSet, std::move(set)); }

 private:
  void InsertPacked(std::string_view member, double score);
  void MakeLarge();

  ValueEdit& edit_;
  const ValueLimits& limits_;
  ListpackView::Position packed_at_ = 0;
  SortedSet::Place place_;
};

// --- arguments -----------------------------------------------------------------------------------------------------------------
// A score; answers "ERR value is not a valid float" or `error`.
bool ReadScore(CommandContext& context, size_t index, double* score, std::string_view error = {});

enum class RangeKind : uint8_t { kRank, kScore, kMember };

// A range as two arguments say it, lower end first, to be resolved in a set.
class SortedSetRange {
 public:
  // Answers the error of the kind; `reverse`: the higher end of scores and members comes first.
  bool Read(CommandContext& context, size_t index, RangeKind kind, bool reverse);
  // The ranks of its elements, [*first, *first + result). Ranks count from the other end with `reverse`.
  uint64_t Resolve(const SortedSetView& set, bool reverse, uint64_t* first) const;

 private:
  struct End {
    std::string_view text;
    double score = 0;
    int infinite = 0;  // of members: "-" is -1, "+" is 1
    bool exclusive = false;
  };
  static bool ParseScoreEnd(std::string_view text, End* end);
  static bool ParseMemberEnd(std::string_view text, End* end);

  RangeKind kind_ = RangeKind::kRank;
  int64_t start_ = 0;
  int64_t stop_ = 0;
  End low_;
  End high_;
};

// The keys of "numkeys key [key ...]" whose count is args[index]; none where the count is no good, which the handler answers.
void NumberedKeys(ArgSpan args, size_t index, std::vector<int>* key_indexes);

// From how many elements on a reply is worth retaining its value.
inline constexpr uint64_t kLongReplyElements = 1000;

// --- results -------------------------------------------------------------------------------------------------------------------
struct SortedSetElement {
  double score;
  std::string_view member;
  bool operator<(const SortedSetElement& other) const {
    return score != other.score ? score < other.score : member < other.member;
  }
};

// A sorted set that is made beside the keyspace.
class SortedSetResult {
 public:
  // Of these elements, whose members differ; puts them in order.
  SortedSetResult(const ValueLimits& limits, std::vector<SortedSetElement>& elements);

  uint64_t count() const { return count_; }
  // Makes it the value of the edit's key; not empty.
  void Store(ValueEdit& edit);

 private:
  uint64_t count_;
  std::string packed_;
  std::unique_ptr<SortedSet> large_;
};

// Makes the result the key's value, whatever that was, without expiry; removes the key where it is empty. Answers how many elements there
// are; sends `event`, or "del".
void StoreSortedSet(CommandContext& context, const KeyRef& key, SortedSetResult& result, std::string_view event);

// `count` elements from this rank on, downwards with `reverse`; with scores flat in RESP2, as pairs in RESP3.
void ReplyElements(ReplySink& reply, const SortedSetView& set, uint64_t first, uint64_t count, bool reverse, bool with_scores);
// The same as the reply of a read, after the locks are released where it is long.
void ReplyElementsLater(CommandContext& context, const SortedSetView& set, uint64_t first, uint64_t count, bool reverse,
                        bool with_scores);
// The header of such a reply, and one element.
inline void ReplyElementsHeader(ReplySink& reply, uint64_t count, bool with_scores) {
  reply.Array(with_scores && reply.protocol() == 2 ? count * 2 : count);
}
inline void ReplyElement(ReplySink& reply, std::string_view member, double score, bool with_scores) {
  if (with_scores && reply.protocol() > 2) reply.Array(2);
  reply.Bulk(member);
  if (with_scores) reply.Double(score);
}

}  // namespace cairn
