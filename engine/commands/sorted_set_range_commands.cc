#include <algorithm>
#include <string>
#include <vector>

#include "engine/commands/apart.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/sorted_set_commands.h"
#include "engine/commands/sorted_set_support.h"

namespace cairn::sorted_set_commands {
namespace {

// What a command's name fixes; the options of ZRANGE and ZRANGESTORE say the rest.
struct RangeForm {
  RangeKind kind = RangeKind::kRank;
  bool reverse = false;
  bool kind_given = false;     // by the name
  bool reverse_given = false;  // by the name
};

struct RangeRequest {
  SortedSetRange range;
  RangeKind kind = RangeKind::kRank;
  bool reverse = false;
  bool with_scores = false;
  int64_t offset = 0;
  int64_t limit = -1;  // < 0: none
};

// The range that begins at args[first], and the options behind it.
bool ReadRequest(CommandContext& context, size_t first, RangeForm form, bool may_have_scores, RangeRequest* request) {
  std::string_view unused;
  size_t at = 0;
  for (OptionReader options(context, first + 2); options.More();) {
    if (may_have_scores && options.Take("withscores")) {
      request->with_scores = true;
    } else if (options.index() + 2 < context.args.size() && options.Take("limit", &unused, &at)) {
      if (!ReadInt(context, at, &request->offset) || !ReadInt(context, at + 1, &request->limit)) return false;
      options.Skip();
    } else if (!form.reverse_given && options.Take("rev")) {
      form.reverse = true;
      form.reverse_given = true;
    } else if (!form.kind_given && options.Take("bylex")) {
      form.kind = RangeKind::kMember;
      form.kind_given = true;
    } else if (!form.kind_given && options.Take("byscore")) {
      form.kind = RangeKind::kScore;
      form.kind_given = true;
    } else {
      context.SyntaxError();
      return false;
    }
  }
  if (request->limit != -1 && form.kind == RangeKind::kRank) {
    context.reply.Error("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
    return false;
  }
  if (request->with_scores && form.kind == RangeKind::kMember) {
    context.reply.Error("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
    return false;
  }
  request->kind = form.kind;
  request->reverse = form.reverse;
  return request->range.Read(context, first, form.kind, form.reverse);
}

// The ranks that the request is about, its LIMIT applied: ranges of ranks accept one without effect (a count of -1).
uint64_t Resolve(const RangeRequest& request, const SortedSetView& set, uint64_t* first) {
  uint64_t count = request.range.Resolve(set, request.reverse, first);
  if (request.kind == RangeKind::kRank) return count;
  if (request.offset < 0 || static_cast<uint64_t>(request.offset) >= count) {
    if (request.offset != 0) return 0;
  }
  const auto offset = static_cast<uint64_t>(request.offset);
  count -= offset;
  const uint64_t taken = request.limit < 0 ? count : std::min(count, static_cast<uint64_t>(request.limit));
  *first += request.reverse ? count - taken : offset;
  return taken;
}

SortedSetResult CopyOfRange(const SortedSetView& set, uint64_t first, uint64_t count, const ValueLimits& limits) {
  std::vector<SortedSetElement> elements;
  elements.reserve(count);
  std::string members;  // a cursor's member lives until it moves
  std::vector<size_t> ends;
  SortedSetView::Cursor at = set.At(first);
  for (uint64_t i = 0; i < count; i++, at.Next()) {
    members.append(at.member());
    ends.push_back(members.size());
    elements.push_back({at.score(), {}});
  }
  for (size_t i = 0, begin = 0; i < ends.size(); begin = ends[i++]) {
    elements[i].member = std::string_view(members).substr(begin, ends[i] - begin);
  }
  return SortedSetResult(limits, elements);
}

void Range(CommandContext& context, const RangeForm& form) {
  RangeRequest request;
  if (!ReadRequest(context, 2, form, true, &request)) return;
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kSortedSet, Keyspace::Access::kRead, &entry)) return;
  if (entry == nullptr) return context.reply.Array(0);
  const SortedSetView set = ViewOfSortedSet(entry);
  uint64_t first = 0;
  const uint64_t count = Resolve(request, set, &first);
  ReplyElementsLater(context, set, first, count, request.reverse, request.with_scores);
}

}  // namespace

void ZRange(CommandContext& context) { Range(context, {}); }
void ZRevRange(CommandContext& context) { Range(context, {RangeKind::kRank, true, true, true}); }
void ZRangeByScore(CommandContext& context) { Range(context, {RangeKind::kScore, false, true, true}); }
void ZRevRangeByScore(CommandContext& context) { Range(context, {RangeKind::kScore, true, true, true}); }
void ZRangeByLex(CommandContext& context) { Range(context, {RangeKind::kMember, false, true, true}); }
void ZRevRangeByLex(CommandContext& context) { Range(context, {RangeKind::kMember, true, true, true}); }

void ZRangeStore(CommandContext& context) {
  RangeRequest request;
  if (!ReadRequest(context, 3, {}, false, &request)) return;
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(1), ValueType::kSortedSet, Keyspace::Access::kRead, &entry)) return;
  uint64_t first = 0;
  const uint64_t count = entry == nullptr ? 0 : Resolve(request, ViewOfSortedSet(entry), &first);
  std::optional<SortedSetResult> stored = ComputeApart<SortedSetResult>(
      context, {KeptValue(entry)}, count, [first, count, &limits = context.limits()](std::span<const KeptValue> source) {
        return CopyOfRange(source[0].sorted_set(), first, count, limits);
      });
  if (stored.has_value()) StoreSortedSet(context, context.key(0), *stored, "zrangestore");
}

}  // namespace cairn::sorted_set_commands
