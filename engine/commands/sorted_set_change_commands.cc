#include <cmath>
#include <memory>
#include <vector>

#include "engine/commands/apart.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/change_count.h"
#include "engine/commands/sorted_set_commands.h"
#include "engine/commands/sorted_set_support.h"

namespace cairn::sorted_set_commands {
namespace {

struct AddOptions {
  bool only_new = false;       // NX
  bool only_existing = false;  // XX
  bool only_greater = false;   // GT
  bool only_less = false;      // LT
  bool count_changed = false;  // CH
  bool increment = false;      // INCR
};

// What became of one pair.
enum class Added : uint8_t { kNothing, kSame, kUpdated, kNew, kNotANumber };

Added AddOne(SortedSetEdit& set, const AddOptions& options, std::string_view member, double* score) {
  double old_score = 0;
  if (!set.Find(member, &old_score)) {
    if (options.only_existing) return Added::kNothing;
    set.Insert(member, *score);
    return Added::kNew;
  }
  if (options.only_new) return Added::kNothing;
  if (options.increment) {
    *score += old_score;
    if (std::isnan(*score)) return Added::kNotANumber;
  }
  if ((options.only_greater && *score <= old_score) || (options.only_less && *score >= old_score)) return Added::kNothing;
  if (*score == old_score) return Added::kSame;
  set.SetScore(member, *score);
  return Added::kUpdated;
}

// The scores of all pairs, read before anything is changed. Most commands bring few.
class Scores {
 public:
  bool Read(CommandContext& context, size_t first, size_t pairs) {
    if (pairs > kFew) many_.resize(pairs);
    data_ = pairs > kFew ? many_.data() : few_;
    for (size_t i = 0; i < pairs; i++) {
      if (!ReadScore(context, first + 2 * i, &data_[i])) return false;
    }
    return true;
  }
  double operator[](size_t i) const { return data_[i]; }

 private:
  static constexpr size_t kFew = 16;
  double few_[kFew];
  std::vector<double> many_;
  double* data_ = few_;
};

// Pairs from args[first] on.
void Add(CommandContext& context, size_t first, const AddOptions& options) {
  const size_t pairs = (context.args.size() - first) / 2;
  Scores scores;
  if (!scores.Read(context, first, pairs)) return;
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kSortedSet)) return;
  SortedSetEdit set(edit, context.limits());
  int64_t added = 0;
  int64_t updated = 0;
  double score = 0;
  Added last = Added::kNothing;
  for (size_t i = 0; i < pairs; i++) {
    score = scores[i];
    last = AddOne(set, options, context.args[first + 2 * i + 1], &score);
    added += last == Added::kNew ? 1 : 0;
    updated += last == Added::kUpdated ? 1 : 0;
  }
  CountElements(context, context.key(), added + updated);
  if (last == Added::kNotANumber) return context.reply.Error("ERR resulting score is not a number (NaN)");
  if (added + updated > 0) context.Event(kEventSortedSet, options.increment ? "zincr" : "zadd", context.key());
  if (!options.increment) return context.reply.Integer(options.count_changed ? added + updated : added);
  if (last == Added::kNothing) return context.reply.Null();
  context.reply.Double(score);
}

bool ReadAddOptions(CommandContext& context, size_t* first, AddOptions* options) {
  OptionReader reader(context, 2);
  while (reader.More()) {
    if (reader.Take("nx")) {
      options->only_new = true;
    } else if (reader.Take("xx")) {
      options->only_existing = true;
    } else if (reader.Take("ch")) {
      options->count_changed = true;
    } else if (reader.Take("incr")) {
      options->increment = true;
    } else if (reader.Take("gt")) {
      options->only_greater = true;
    } else if (reader.Take("lt")) {
      options->only_less = true;
    } else {
      break;
    }
  }
  *first = reader.index();
  const size_t rest = context.args.size() - *first;
  std::string_view error;
  if (rest % 2 != 0 || rest == 0) {
    error = "ERR syntax error";
  } else if (options->only_new && options->only_existing) {
    error = "ERR XX and NX options at the same time are not compatible";
  } else if (options->only_new + options->only_greater + options->only_less > 1) {
    error = "ERR GT, LT, and/or NX options at the same time are not compatible";
  } else if (options->increment && rest > 2) {
    error = "ERR INCR option supports a single increment-element pair";
  }
  if (!error.empty()) context.reply.Error(error);
  return error.empty();
}

ApartChange<SortedSet> RemoveRanks(uint64_t first, uint64_t count) {
  return [first, count](const SortedSet& set, int64_t* removed) {
    std::unique_ptr<SortedSet> changed = ShareOf(set);
    changed->RemoveRange(first, count);
    *removed = static_cast<int64_t>(count);
    return changed;
  };
}

void RemoveRange(CommandContext& context, RangeKind kind, std::string_view event) {
  SortedSetRange range;
  if (!range.Read(context, 2, kind, false)) return;
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kSortedSet)) return;
  SortedSetEdit set(edit, context.limits());
  uint64_t first = 0;
  const uint64_t count = range.Resolve(set.view(), false, &first);
  if (count > 0) {
    int64_t removed = 0;
    const bool quick = count <= kNearElements || count == set.view().size();
    const Apart apart = quick ? Apart::kHere : ChangeApart(context, set, RemoveRanks(first, count), &removed);
    if (apart == Apart::kAsked) return;
    if (apart == Apart::kHere) set.RemoveRange(first, count);
    CountElements(context, context.key(), static_cast<int64_t>(count));
    context.Event(kEventSortedSet, event, context.key());
    if (edit.entry() == nullptr) context.Event(kEventGeneric, "del", context.key());
  }
  context.reply.Integer(static_cast<int64_t>(count));
}

}  // namespace

void ZAdd(CommandContext& context) {
  AddOptions options;
  size_t first = 2;
  if (ReadAddOptions(context, &first, &options)) Add(context, first, options);
}

void ZIncrBy(CommandContext& context) {
  AddOptions options;
  options.increment = true;
  Add(context, 2, options);
}

void ZRem(CommandContext& context) {
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kSortedSet)) return;
  SortedSetEdit set(edit, context.limits());
  int64_t removed = 0;
  for (size_t i = 2; i < context.args.size() && edit.entry() != nullptr; i++) {
    double score = 0;
    if (!set.Find(context.args[i], &score)) continue;
    set.Erase();
    removed++;
  }
  CountElements(context, context.key(), removed);
  if (removed > 0) {
    context.Event(kEventSortedSet, "zrem", context.key());
    if (edit.entry() == nullptr) context.Event(kEventGeneric, "del", context.key());
  }
  context.reply.Integer(removed);
}

void ZRemRangeByRank(CommandContext& context) { RemoveRange(context, RangeKind::kRank, "zremrangebyrank"); }
void ZRemRangeByScore(CommandContext& context) { RemoveRange(context, RangeKind::kScore, "zremrangebyscore"); }
void ZRemRangeByLex(CommandContext& context) { RemoveRange(context, RangeKind::kMember, "zremrangebylex"); }

}  // namespace cairn::sorted_set_commands
