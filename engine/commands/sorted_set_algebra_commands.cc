#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/commands/apart.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/sorted_set_commands.h"
#include "engine/commands/sorted_set_support.h"
#include "engine/values/set_value.h"

namespace cairn::sorted_set_commands {
namespace {

enum class Operation : uint8_t { kUnion, kInter, kDiff };
enum class Aggregate : uint8_t { kSum, kMin, kMax, kCount };

// A sorted set, or a set whose members all have the score 1, as an operand. `all_ones`: a sorted set's members have it, too.
class Operand {
 public:
  Operand(const KeptValue& value, double with_weight, bool all_ones = false)
      : weight(with_weight), is_set_(value.type() == ValueType::kSet), all_ones_(all_ones) {
    if (is_set_) {
      set_ = value.set();
    } else {
      sorted_ = value.sorted_set();
    }
  }

  double weight;

  uint64_t size() const { return is_set_ ? set_.count() : sorted_.size(); }
  bool Find(std::string_view member, double* score) const {
    const bool found = is_set_ ? set_.Contains(MemberOf(member)) : sorted_.Find(member, score);
    if (is_set_ || all_ones_) *score = 1;
    return found;
  }
  // visit(member, score) -> bool, until it returns false.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    if (is_set_) {
      char buffer[kIntTextMaxBytes];
      set_.ForEach([&](const SetMember& member) { return visit(member.Text(buffer), 1.0); });
      return;
    }
    for (SortedSetView::Cursor at = sorted_.At(0); at.valid() && visit(at.member(), all_ones_ ? 1.0 : at.score()); at.Next()) {
    }
  }

 private:
  bool is_set_;
  bool all_ones_;
  SetView set_;
  SortedSetView sorted_;
};

// What the arguments say besides the keys.
struct Request {
  Operation operation = Operation::kUnion;
  std::vector<double> weights;  // of the keys
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  int64_t limit = 0;  // of ZINTERCARD; 0: none
};

// The values to be combined. From the smallest on, but for differences: an intersection looks at no more than that. Sums of infinities may
// depend on the order, as in Redis.
std::vector<Operand> OperandsOf(std::span<const KeptValue> values, const Request& request) {
  std::vector<Operand> operands;
  operands.reserve(values.size());
  const bool counts = request.aggregate == Aggregate::kCount;
  for (size_t i = 0; i < values.size(); i++) operands.emplace_back(values[i], request.weights[i], counts);
  if (request.operation != Operation::kDiff) {
    std::stable_sort(operands.begin(), operands.end(), [](const Operand& a, const Operand& b) { return a.size() < b.size(); });
  }
  return operands;
}

// Elements, and their members' bytes.
class Result {
 public:
  std::vector<SortedSetElement> elements;

  std::string_view Keep(std::string_view member) {
    if (blocks_.empty() || member.size() > left_) {
      const size_t block = std::max<size_t>(member.size(), 16 * 1024);
      blocks_.push_back(std::make_unique<char[]>(block));
      free_ = blocks_.back().get();
      left_ = block;
    }
    std::copy(member.begin(), member.end(), free_);
    const std::string_view kept(free_, member.size());
    free_ += member.size();
    left_ -= member.size();
    return kept;
  }
  void Add(std::string_view member, double score) { elements.push_back({score, Keep(member)}); }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  size_t left_ = 0;
};

double Combine(double a, double b, Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::kSum:
    case Aggregate::kCount: {
      const double sum = a + b;
      return std::isnan(sum) ? 0 : sum;  // of both infinities
    }
    case Aggregate::kMin: return b < a ? b : a;
    case Aggregate::kMax: return b > a ? b : a;
  }
  return a;
}

double Weigh(double score, double weight) {
  const double weighed = score * weight;
  return std::isnan(weighed) ? 0 : weighed;  // infinity times nothing
}

void Unite(std::span<const Operand> operands, Aggregate aggregate, Result* result) {
  std::unordered_map<std::string_view, double> scores;
  scores.reserve(operands.back().size());  // the largest
  for (const Operand& operand : operands) {
    operand.ForEach([&](std::string_view member, double score) {
      const double weighed = Weigh(score, operand.weight);
      const auto found = scores.find(member);
      if (found == scores.end()) {
        scores.emplace(result->Keep(member), weighed);
      } else {
        found->second = Combine(found->second, weighed, aggregate);
      }
      return true;
    });
  }
  result->elements.reserve(scores.size());
  for (const auto& [member, score] : scores) result->elements.push_back({score, member});
}

// visit(member, score) -> bool with what is in every operand. The first is the smallest.
template <typename Visit>
void Intersect(std::span<const Operand> operands, Aggregate aggregate, Visit&& visit) {
  operands[0].ForEach([&](std::string_view member, double score) {
    double combined = Weigh(score, operands[0].weight);
    for (const Operand& operand : operands.subspan(1)) {
      double other = 0;
      if (!operand.Find(member, &other)) return true;
      combined = Combine(combined, other * operand.weight, aggregate);
    }
    return visit(member, combined);
  });
}

void Subtract(std::span<const Operand> operands, Result* result) {
  operands[0].ForEach([&](std::string_view member, double score) {
    double unused = 0;
    for (const Operand& operand : operands.subspan(1)) {
      if (operand.Find(member, &unused)) return true;
    }
    result->Add(member, score);
    return true;
  });
}

// --- arguments -------------------------------------------------------------------------------------------------------------------

struct Form {
  Operation operation;
  bool stores = false;
  bool counts = false;  // ZINTERCARD
};

bool ReadAggregate(CommandContext& context, std::string_view text, Aggregate* aggregate) {
  if (EqualsIgnoreCase(text, "sum")) {
    *aggregate = Aggregate::kSum;
  } else if (EqualsIgnoreCase(text, "min")) {
    *aggregate = Aggregate::kMin;
  } else if (EqualsIgnoreCase(text, "max")) {
    *aggregate = Aggregate::kMax;
  } else if (EqualsIgnoreCase(text, "count")) {
    *aggregate = Aggregate::kCount;
  } else {
    context.SyntaxError();
    return false;
  }
  return true;
}

bool ReadOptions(CommandContext& context, const Form& form, size_t first, Request* request) {
  const bool weighs = form.operation != Operation::kDiff && !form.counts;
  std::string_view text;
  size_t at = 0;
  for (OptionReader options(context, first); options.More();) {
    if (weighs && context.args.size() - options.index() > request->weights.size() && options.Take("weights")) {
      for (double& weight : request->weights) {
        if (!ReadScore(context, options.index(), &weight, "ERR weight value is not a float")) return false;
        options.Skip();
      }
    } else if (weighs && options.Take("aggregate", &text)) {
      if (!ReadAggregate(context, text, &request->aggregate)) return false;
    } else if (!form.stores && !form.counts && options.Take("withscores")) {
      request->with_scores = true;
    } else if (form.counts && options.Take("limit", &text, &at)) {
      if (!ReadIntBetween(context, at, 0, INT64_MAX, &request->limit, "ERR LIMIT can't be negative")) return false;
    } else {
      context.SyntaxError();
      return false;
    }
  }
  return true;
}

// The keys, counted by args[index], and the options behind them.
bool ReadRequest(CommandContext& context, const Form& form, size_t index, Request* request, std::vector<KeptValue>* values) {
  int64_t count = 0;
  if (!ReadInt(context, index, &count)) return false;
  if (count < 1) {
    context.reply.Error("ERR at least 1 input key is needed for '" + std::string(context.row.name) + "' command");
    return false;
  }
  if (static_cast<uint64_t>(count) > context.args.size() - index - 1) {
    context.SyntaxError();
    return false;
  }
  const size_t first_key = form.stores ? 1 : 0;
  for (size_t i = 0; i < static_cast<size_t>(count); i++) {
    const Entry* entry = context.Find(context.key(first_key + i), Keyspace::Access::kRead);
    if (entry != nullptr && entry->type() != ValueType::kSortedSet && entry->type() != ValueType::kSet) {
      context.WrongType();
      return false;
    }
    values->emplace_back(entry);
  }
  request->operation = form.operation;
  request->weights.assign(values->size(), 1);
  return ReadOptions(context, form, index + 1 + static_cast<size_t>(count), request);
}

void Compute(const Request& request, std::span<const KeptValue> values, Result* result) {
  const std::vector<Operand> operands = OperandsOf(values, request);
  switch (request.operation) {
    case Operation::kUnion: return Unite(operands, request.aggregate, result);
    case Operation::kDiff: return Subtract(operands, result);
    case Operation::kInter:
      return Intersect(operands, request.aggregate, [&](std::string_view member, double score) {
        result->Add(member, score);
        return true;
      });
  }
}

void ReplyResult(ReplySink& reply, const Request& request, std::span<const KeptValue> values) {
  Result result;
  Compute(request, values, &result);
  std::sort(result.elements.begin(), result.elements.end());
  ReplyElementsHeader(reply, result.elements.size(), request.with_scores);
  for (const SortedSetElement& element : result.elements) {
    ReplyElement(reply, element.member, element.score, request.with_scores);
  }
}

void ReplyCardinality(ReplySink& reply, const Request& request, std::span<const KeptValue> values) {
  int64_t count = 0;
  Intersect(OperandsOf(values, request), request.aggregate, [&](std::string_view, double) { return ++count != request.limit; });
  reply.Integer(count);
}

uint64_t CountAll(std::span<const KeptValue> values) {
  uint64_t elements = 0;
  for (const KeptValue& value : values) elements += Operand(value, 1).size();
  return elements;
}

// Computes and answers, after the locks are released where the operands are large.
void Answer(CommandContext& context, const Form& form,
            void (*write)(ReplySink& reply, const Request& request, std::span<const KeptValue> values)) {
  Request request;
  std::vector<KeptValue> values;
  if (!ReadRequest(context, form, 1, &request, &values)) return;
  const uint64_t elements = CountAll(values);
  if (elements < kLongReplyElements) return write(context.reply, request, values);
  for (KeptValue& value : values) value.Keep();
  context.Defer(elements, [write, request = std::move(request), values = std::move(values)](ReplySink& reply) {
    write(reply, request, values);
  });
}

void Answer(CommandContext& context, Operation operation) { Answer(context, {operation}, ReplyResult); }

void Store(CommandContext& context, Operation operation, std::string_view event) {
  Request request;
  std::vector<KeptValue> values;
  if (!ReadRequest(context, {operation, true}, 2, &request, &values)) return;
  const uint64_t elements = CountAll(values);
  std::optional<SortedSetResult> stored =
      ComputeApart<SortedSetResult>(context, std::move(values), elements,
                                    [request = std::move(request), &limits = context.limits()](std::span<const KeptValue> found) {
                                      Result result;
                                      Compute(request, found, &result);
                                      return SortedSetResult(limits, result.elements);
                                    });
  if (stored.has_value()) StoreSortedSet(context, context.key(0), *stored, event);
}

}  // namespace

void ZUnion(CommandContext& context) { Answer(context, Operation::kUnion); }
void ZInter(CommandContext& context) { Answer(context, Operation::kInter); }
void ZDiff(CommandContext& context) { Answer(context, Operation::kDiff); }
void ZUnionStore(CommandContext& context) { Store(context, Operation::kUnion, "zunionstore"); }
void ZInterStore(CommandContext& context) { Store(context, Operation::kInter, "zinterstore"); }
void ZDiffStore(CommandContext& context) { Store(context, Operation::kDiff, "zdiffstore"); }

void ZInterCard(CommandContext& context) { Answer(context, {Operation::kInter, false, true}, ReplyCardinality); }

}  // namespace cairn::sorted_set_commands
