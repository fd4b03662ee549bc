#include "engine/commands/sorted_set_support.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>

#include "engine/commands/arg_reader.h"

namespace cairn {

bool ReadScore(CommandContext& context, size_t index, double* score, std::string_view error) {
  if (ParseDouble(context.args[index], score)) [[likely]]
    return true;
  context.reply.Error(error.empty() ? "ERR value is not a valid float" : error);
  return false;
}

// --- ranges --------------------------------------------------------------------------------------------------------------------

// As strtod reads it, which clients rely on: nothing is 0, too large is infinite.
bool SortedSetRange::ParseScoreEnd(std::string_view text, End* end) {
  end->exclusive = !text.empty() && text[0] == '(';
  if (end->exclusive) text.remove_prefix(1);
  if (ParseDouble(text, &end->score)) return true;
  const std::string terminated(text);
  char* stop = nullptr;
  end->score = std::strtod(terminated.c_str(), &stop);
  return stop == terminated.c_str() + terminated.size() && !std::isnan(end->score);
}

bool SortedSetRange::ParseMemberEnd(std::string_view text, End* end) {
  if (text == "-" || text == "+") {
    end->infinite = text == "-" ? -1 : 1;
    return true;
  }
  if (text.empty() || (text[0] != '(' && text[0] != '[')) return false;
  end->exclusive = text[0] == '(';
  end->text = text.substr(1);
  return true;
}

bool SortedSetRange::Read(CommandContext& context, size_t index, RangeKind kind, bool reverse) {
  kind_ = kind;
  if (kind == RangeKind::kRank) return ReadInt(context, index, &start_) && ReadInt(context, index + 1, &stop_);
  const std::string_view low = context.args[reverse ? index + 1 : index];
  const std::string_view high = context.args[reverse ? index : index + 1];
  if (kind == RangeKind::kScore) {
    if (ParseScoreEnd(low, &low_) && ParseScoreEnd(high, &high_)) return true;
    context.reply.Error("ERR min or max is not a float");
    return false;
  }
  if (ParseMemberEnd(low, &low_) && ParseMemberEnd(high, &high_)) return true;
  context.reply.Error("ERR min or max not valid string range item");
  return false;
}

uint64_t SortedSetRange::Resolve(const SortedSetView& set, bool reverse, uint64_t* first) const {
  const uint64_t size = set.size();
  *first = 0;
  if (size == 0) return 0;
  uint64_t end = 0;
  if (kind_ == RangeKind::kRank) {
    const auto length = static_cast<int64_t>(size);
    const int64_t start = std::max<int64_t>(start_ < 0 ? length + start_ : start_, 0);
    const int64_t stop = std::min<int64_t>(stop_ < 0 ? length + stop_ : stop_, length - 1);
    if (start > stop) return 0;
    const auto count = static_cast<uint64_t>(stop - start + 1);
    *first = static_cast<uint64_t>(start);
    if (reverse) *first = size - *first - count;
    return count;
  }
  if (kind_ == RangeKind::kScore) {
    *first = set.CountBefore({low_.score, low_.exclusive, false, {}});
    if (*first == size) return 0;
    end = set.CountBefore({high_.score, !high_.exclusive, false, {}});
  } else {
    *first = low_.infinite != 0 ? (low_.infinite < 0 ? 0 : size) : set.CountBeforeMember(low_.text, low_.exclusive);
    end = high_.infinite != 0 ? (high_.infinite < 0 ? 0 : size) : set.CountBeforeMember(high_.text, !high_.exclusive);
  }
  return end > *first ? end - *first : 0;
}

void NumberedKeys(ArgSpan args, size_t index, std::vector<int>* key_indexes) {
  int64_t count = 0;
  if (!ParseInt64(args[index], &count) || count < 1 || static_cast<uint64_t>(count) > args.size() - index - 1) return;
  for (size_t i = 1; i <= static_cast<size_t>(count); i++) key_indexes->push_back(static_cast<int>(index + i));
}

// --- replies -------------------------------------------------------------------------------------------------------------------

void ReplyElements(ReplySink& reply, const SortedSetView& set, uint64_t first, uint64_t count, bool reverse, bool with_scores) {
  ReplyElementsHeader(reply, count, with_scores);
  if (count == 0) return;
  SortedSetView::Cursor at = set.At(reverse ? first + count - 1 : first);
  for (uint64_t i = 0; i < count; i++) {
    ReplyElement(reply, at.member(), at.score(), with_scores);
    if (i + 1 == count) break;
    if (reverse) {
      at.Prev();
    } else {
      at.Next();
    }
  }
}

void ReplyElementsLater(CommandContext& context, const SortedSetView& set, uint64_t first, uint64_t count, bool reverse,
                        bool with_scores) {
  if (set.is_packed() || count < kLongReplyElements) {
    return ReplyElements(context.reply, set, first, count, reverse, with_scores);
  }
  const std::shared_ptr<LargeValue> retained = set.large().Share();
  context.Defer(count, [=](ReplySink& reply) {
    ReplyElements(reply, SortedSetView(static_cast<const SortedSet&>(*retained)), first, count, reverse, with_scores);
  });
}

}  // namespace cairn
