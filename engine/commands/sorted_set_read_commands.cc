#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/random.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/scan_options.h"
#include "engine/commands/sorted_set_commands.h"
#include "engine/commands/sorted_set_support.h"

namespace cairn::sorted_set_commands {
namespace {

bool FindSet(CommandContext& context, const Entry** entry) {
  return context.FindTyped(context.key(), ValueType::kSortedSet, Keyspace::Access::kRead, entry);
}

void CountRange(CommandContext& context, RangeKind kind) {
  SortedSetRange range;
  if (!range.Read(context, 2, kind, false)) return;
  const Entry* entry = nullptr;
  if (!FindSet(context, &entry)) return;
  uint64_t first = 0;
  context.reply.Integer(static_cast<int64_t>(range.Resolve(ViewOfSortedSet(entry), false, &first)));
}

void ReplyRank(CommandContext& context, bool reverse) {
  bool with_score = false;
  if (context.args.size() > 3) {
    if (context.args.size() > 4 || !EqualsIgnoreCase(context.args[3], "withscore")) return context.SyntaxError();
    with_score = true;
  }
  const Entry* entry = nullptr;
  if (!FindSet(context, &entry)) return;
  const SortedSetView set = ViewOfSortedSet(entry);
  double score = 0;
  uint64_t rank = 0;
  if (entry == nullptr || !set.Find(context.args[2], &score, &rank)) {
    return with_score ? context.reply.NullArray() : context.reply.Null();
  }
  if (reverse) rank = set.size() - 1 - rank;
  if (with_score) context.reply.Array(2);
  context.reply.Integer(static_cast<int64_t>(rank));
  if (with_score) context.reply.Double(score);
}

void ReplyAt(ReplySink& reply, const SortedSetView& set, uint64_t rank, bool with_scores) {
  const SortedSetView::Cursor at = set.At(rank);
  ReplyElement(reply, at.member(), at.score(), with_scores);
}

// `count` different elements, fewer than there are.
void ReplySample(ReplySink& reply, const SortedSetView& set, uint64_t count, bool with_scores) {
  Random& random = ThreadRandom();
  const uint64_t size = set.size();
  constexpr uint64_t kWalkFraction = 8;  // from where on a walk is cheaper than seeking each
  if (count > size / kWalkFraction || set.is_packed()) {
    uint64_t wanted = count;
    uint64_t left = size;
    for (SortedSetView::Cursor at = set.At(0); wanted > 0; at.Next(), left--) {
      if (random.Uniform(left) >= wanted) continue;
      ReplyElement(reply, at.member(), at.score(), with_scores);
      wanted--;
    }
    return;
  }
  // Floyd's way: every subset is equally likely, and no draw is for nothing.
  std::unordered_set<uint64_t> drawn;
  for (uint64_t top = size - count; top < size; top++) {
    uint64_t rank = random.Uniform(top + 1);
    if (!drawn.insert(rank).second) {
      rank = top;
      drawn.insert(rank);
    }
    ReplyAt(reply, set, rank, with_scores);
  }
}

// As ZRANDMEMBER's count says: that many different elements, fewer than there are, or, below 0, as many draws.
void ReplyRandom(ReplySink& reply, const SortedSetView& set, int64_t count, bool with_scores) {
  const auto elements = static_cast<uint64_t>(std::abs(count));
  ReplyElementsHeader(reply, elements, with_scores);
  if (count >= 0) return ReplySample(reply, set, elements, with_scores);
  // The same element may come more than once, and the order is random, too.
  for (uint64_t i = 0; i < elements && !reply.abandoned(); i++)
    ReplyAt(reply, set, ThreadRandom().Uniform(set.size()), with_scores);
}

// A score as ZSCAN answers it: Redis copies what its listpack holds, where integers up to 2^62 have all their digits.
char* WriteScannedScore(char* to, double score, bool packed) {
  if (packed && std::abs(score) <= 0x1p62 && std::trunc(score) == score) return WriteInt(to, static_cast<int64_t>(score));
  return WriteDouble(to, score);
}

}  // namespace

void ZCard(CommandContext& context) {
  const Entry* entry = nullptr;
  if (!FindSet(context, &entry)) return;
  context.reply.Integer(static_cast<int64_t>(ViewOfSortedSet(entry).size()));
}

void ZCount(CommandContext& context) { CountRange(context, RangeKind::kScore); }
void ZLexCount(CommandContext& context) { CountRange(context, RangeKind::kMember); }

void ZScore(CommandContext& context) {
  const Entry* entry = nullptr;
  if (!FindSet(context, &entry)) return;
  double score = 0;
  if (entry == nullptr || !ViewOfSortedSet(entry).Find(context.args[2], &score)) return context.reply.Null();
  context.reply.Double(score);
}

void ZMScore(CommandContext& context) {
  const Entry* entry = nullptr;
  if (!FindSet(context, &entry)) return;
  const SortedSetView set = ViewOfSortedSet(entry);
  context.reply.Array(context.args.size() - 2);
  for (const std::string_view member : context.args.subspan(2)) {
    double score = 0;
    if (set.Find(member, &score)) {
      context.reply.Double(score);
    } else {
      context.reply.Null();
    }
  }
}

void ZRank(CommandContext& context) { ReplyRank(context, false); }
void ZRevRank(CommandContext& context) { ReplyRank(context, true); }

void ZRandMember(CommandContext& context) {
  const bool counted = context.args.size() > 2;
  int64_t count = 1;
  bool with_scores = false;
  if (counted) {
    if (!ReadIntBetween(context, 2, -INT64_MAX, INT64_MAX, &count)) return;
    if (context.args.size() > 4 || (context.args.size() == 4 && !EqualsIgnoreCase(context.args[3], "withscores"))) {
      return context.SyntaxError();
    }
    with_scores = context.args.size() == 4;
    if (with_scores && (count < -INT64_MAX / 2 || count > INT64_MAX / 2)) {
      return context.reply.Error("ERR value is out of range");
    }
  }
  const Entry* entry = nullptr;
  if (!FindSet(context, &entry)) return;
  if (entry == nullptr) return counted ? context.reply.Array(0) : context.reply.Null();
  const SortedSetView set = ViewOfSortedSet(entry);
  const uint64_t size = set.size();
  if (!counted) return ReplyAt(context.reply, set, ThreadRandom().Uniform(size), false);
  if (count >= 0 && static_cast<uint64_t>(count) >= size) return ReplyElementsLater(context, set, 0, size, false, with_scores);
  if (set.is_packed() || std::abs(count) < static_cast<int64_t>(kLongReplyElements)) {
    return ReplyRandom(context.reply, set, count, with_scores);
  }
  const std::shared_ptr<LargeValue> retained = set.large().Share();
  context.Defer(static_cast<uint64_t>(std::abs(count)), [=](ReplySink& reply) {
    ReplyRandom(reply, SortedSetView(static_cast<const SortedSet&>(*retained)), count, with_scores);
  });
}

void ZScan(CommandContext& context) {
  uint64_t cursor = 0;
  if (!ReadScanCursor(context, 2, &cursor)) return;
  const Entry* entry = nullptr;
  if (!FindSet(context, &entry)) return;
  if (entry == nullptr) return ReplyNothingScanned(context.reply);
  ScanOptions options;
  if (!ReadScanOptions(context, 3, kScanNoScores, &options)) return;
  const SortedSetView set = ViewOfSortedSet(entry);
  std::vector<SortedSetElement> found;
  uint64_t next = 0;
  std::string text;  // of members that a listpack holds as numbers
  if (set.is_packed()) {
    text.reserve(set.size() * kIntTextMaxBytes);
    for (SortedSetView::Cursor at = set.At(0); at.valid(); at.Next()) {
      if (!options.Matches(at.member())) continue;
      std::string_view member = at.member();
      if (member.size() <= kIntTextMaxBytes) {
        const size_t begin = text.size();
        text.append(member);
        member = std::string_view(text).substr(begin);
      }
      found.push_back({at.score(), member});
    }
  } else {
    next = set.large().Scan(cursor, static_cast<uint64_t>(options.count), [&](std::string_view member, double score) {
      if (options.Matches(member)) found.push_back({score, member});
    });
  }
  ReplyScanHeader(context.reply, next, options.no_values ? found.size() : 2 * found.size());
  for (const SortedSetElement& element : found) {
    context.reply.Bulk(element.member);
    if (options.no_values) continue;
    char score[kDoubleTextMaxBytes];
    context.reply.Bulk({score, static_cast<size_t>(WriteScannedScore(score, element.score, set.is_packed()) - score)});
  }
}

}  // namespace cairn::sorted_set_commands
