// Work on values so large that doing it under their shards' locks would keep everybody else waiting: it is done on shares of them, without
// a lock, and its outcome is used if the values have not changed meanwhile (CommandContext::WorkApart). Small values, and MULTI and the
// like, take the same way at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/client.h"
#include "engine/commands/command_context.h"
#include "engine/commands/kept_value.h"

namespace cairn {

// So many elements are searched, combined or taken over under the lock: some tens of microseconds.
inline constexpr uint64_t kNearElements = 20'000;

// --- a value that is changed -----------------------------------------------------------------------------------------------------

enum class Apart : uint8_t {
  kHere,   // not worthwhile, or not possible: to be done under the lock
  kAsked,  // the command ends here and is run again
  kDone,   // the value is changed
};

// `*work` is what was done for this run of the command, where it fits `now` (kDone); otherwise `make` makes the work that is asked for,
// where it may be (kAsked).
template <typename Work, typename Now, typename Make>
Apart FindApart(CommandContext& context, const Now& now, Make&& make, Work** work) {
  *work = context.apart<Work>();
  if (*work != nullptr && (*work)->Fits(now)) return Apart::kDone;
  if (!context.may_work_apart()) return Apart::kHere;
  context.WorkApart(make());
  return Apart::kAsked;
}

// The value as it is to be, sharing nodes with the one that is given; null: it stays as it is. `*result` is what the command answers.
template <typename Value>
using ApartChange = std::function<std::unique_ptr<Value>(const Value& value, int64_t* result)>;

template <typename Value>
class ApartChangeWork final : public ApartWork {
 public:
  ApartChangeWork(const Value& value, ApartChange<Value> change) : value_(ShareOf(value)), change_(std::move(change)) {}

  void Run() override { changed_ = change_(*value_, &result_); }

  // While the share is held, whoever changes the value copies its root.
  bool Fits(const Value& value) const { return value_ != nullptr && value.SameAs(*value_); }
  std::unique_ptr<Value> Take(int64_t* result) {
    // Before the value itself goes to the background, so that this is not the last holder of all its nodes.
    value_.reset();
    *result = result_;
    return std::move(changed_);
  }

 private:
  std::unique_ptr<Value> value_;
  const ApartChange<Value> change_;
  std::unique_ptr<Value> changed_;
  int64_t result_ = 0;
};

// `edit` has large(), the value or null where it is packed, and Replace(), which puts another in its place.
template <typename Edit, typename Value>
Apart ChangeApart(CommandContext& context, Edit& edit, ApartChange<Value> change, int64_t* result) {
  using Work = ApartChangeWork<Value>;
  const Value* const value = edit.large();
  if (value == nullptr) return Apart::kHere;
  Work* work = nullptr;
  const Apart apart = FindApart(
      context, *value, [&] { return std::make_shared<Work>(*value, std::move(change)); }, &work);
  if (apart != Apart::kDone) return apart;
  std::unique_ptr<Value> changed = work->Take(result);
  if (changed != nullptr) edit.Replace(std::move(changed));
  return apart;
}

// --- a result from several values ------------------------------------------------------------------------------------------------

// Uses nothing but the values that it is given and what it owns.
template <typename Result>
using ApartComputation = std::function<Result(std::span<const KeptValue> sources)>;

template <typename Result>
class ApartComputationWork final : public ApartWork {
 public:
  ApartComputationWork(std::vector<KeptValue> sources, ApartComputation<Result> compute)
      : sources_(std::move(sources)), compute_(std::move(compute)) {
    for (KeptValue& source : sources_) source.Keep();
  }

  void Run() override { result_.emplace(compute_(sources_)); }

  bool Fits(std::span<const KeptValue> sources) const {
    return result_.has_value() && std::equal(sources_.begin(), sources_.end(), sources.begin(), sources.end(),
                                             [](const KeptValue& kept, const KeptValue& now) { return kept.SameAs(now); });
  }
  std::optional<Result> Take() {
    sources_.clear();  // as in ApartChangeWork::Take
    return std::exchange(result_, std::nullopt);
  }

 private:
  std::vector<KeptValue> sources_;
  const ApartComputation<Result> compute_;
  std::optional<Result> result_;
};

// What `compute` makes of the sources, of which it looks at about `elements` elements. Nothing: the command ends here and is run again.
template <typename Result>
std::optional<Result> ComputeApart(CommandContext& context, std::vector<KeptValue> sources, uint64_t elements,
                                   ApartComputation<Result> compute) {
  using Work = ApartComputationWork<Result>;
  Work* work = nullptr;
  const auto make = [&] { return std::make_shared<Work>(std::move(sources), std::move(compute)); };
  const Apart apart = elements <= kNearElements ? Apart::kHere : FindApart(context, sources, make, &work);
  if (apart == Apart::kAsked) return std::nullopt;
  return apart == Apart::kDone ? work->Take() : compute(sources);
}

}  // namespace cairn
