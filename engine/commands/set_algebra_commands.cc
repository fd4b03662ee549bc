// Intersections, unions and differences. Small sets are combined where they lie; as soon as one is large, reads share it (and copy the
// small ones) and combine them after the locks are released, and the STORE forms build their result apart from the keyspace (apart.h).
#include <algorithm>
#include <climits>

#include "engine/commands/apart.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/set_commands.h"
#include "engine/commands/set_support.h"
#include "engine/values/hyperloglog.h"

namespace cairn::set_commands {
namespace {

// Up to so many sets a member is looked for in each; more are put together first.
constexpr size_t kLookupsMax = 8;

enum class Combination : uint8_t { kIntersection, kUnion, kDifference };

std::vector<SetView> ViewsOf(std::span<const KeptValue> values) {
  std::vector<SetView> views;
  views.reserve(values.size());
  for (const KeptValue& value : values) views.push_back(value.set());
  return views;
}

bool InAll(std::span<const SetView> sets, const SetMember& member) {
  return std::all_of(sets.begin(), sets.end(), [&](const SetView& set) { return set.Contains(member); });
}
bool InAny(std::span<const SetView> sets, const SetMember& member) {
  return std::any_of(sets.begin(), sets.end(), [&](const SetView& set) { return set.Contains(member); });
}

void AddAll(const SetView& set, MemorySet* to) {
  set.ForEach([&](const SetMember& member) {
    to->Add(member);
    return true;
  });
}

// visit(const SetMember&) -> bool, until it returns false; each member once.
template <typename Visit>
void Intersect(std::span<const SetView> sets, Visit&& visit) {
  std::vector<SetView> by_size(sets.begin(), sets.end());
  std::sort(by_size.begin(), by_size.end(), [](const SetView& a, const SetView& b) { return a.count() < b.count(); });
  const std::span<const SetView> others = std::span(by_size).subspan(1);
  by_size[0].ForEach([&](const SetMember& member) { return !InAll(others, member) || visit(member); });
}

template <typename Visit>
void Unite(std::span<const SetView> sets, const ValueLimits& limits, Visit&& visit) {
  if (sets.size() > kLookupsMax) {
    MemorySet all(limits);
    for (const SetView& set : sets) AddAll(set, &all);
    all.view().ForEach(visit);
    return;
  }
  for (size_t i = 0; i < sets.size(); i++) {
    if (!sets[i].ForEach([&](const SetMember& member) { return InAny(sets.first(i), member) || visit(member); })) return;
  }
}

template <typename Visit>
void Subtract(std::span<const SetView> sets, const ValueLimits& limits, Visit&& visit) {
  std::span<const SetView> others = sets.subspan(1);
  SetView together;
  MemorySet all(limits);
  if (sets[0].count() > 0 && others.size() > kLookupsMax) {
    for (const SetView& set : others) AddAll(set, &all);
    together = all.view();
    others = {&together, 1};
  }
  sets[0].ForEach([&](const SetMember& member) { return InAny(others, member) || visit(member); });
}

template <typename Visit>
void Combine(Combination how, std::span<const SetView> sets, const ValueLimits& limits, Visit&& visit) {
  switch (how) {
    case Combination::kIntersection: return Intersect(sets, visit);
    case Combination::kUnion: return Unite(sets, limits, visit);
    case Combination::kDifference: return Subtract(sets, limits, visit);
  }
}

// The number of members stands before them, so they are found first: as views of the sets, which do not change meanwhile.
void ReplyCombined(Combination how, std::span<const SetView> sets, const ValueLimits& limits, ReplySink& reply) {
  if (how == Combination::kUnion && sets.size() > kLookupsMax) {
    MemorySet all(limits);
    for (const SetView& set : sets) AddAll(set, &all);
    return ReplyMembers(reply, all.view());
  }
  std::vector<SetMember> members;
  Combine(how, sets, limits, [&](const SetMember& member) {
    members.push_back(member);
    return true;
  });
  reply.Set(members.size());
  for (const SetMember& member : members) ReplyMember(reply, member);
}

MemorySet CombinedSet(Combination how, std::span<const SetView> sets, const ValueLimits& limits) {
  MemorySet result(limits);
  if (how == Combination::kUnion) {
    for (const SetView& set : sets) AddAll(set, &result);
    return result;
  }
  Combine(how, sets, limits, [&](const SetMember& member) {
    result.Add(member);
    return true;
  });
  return result;
}

// The sets of keys()[first...]; false where WRONGTYPE was answered.
bool FindSets(CommandContext& context, size_t first, std::vector<KeptValue>* sets) {
  sets->reserve(context.keys().size() - first);
  for (const KeyRef& key : context.keys().subspan(first)) {
    const Entry* entry = nullptr;
    if (!context.FindTyped(key, ValueType::kSet, Keyspace::Access::kRead, &entry)) return false;
    sets->emplace_back(entry);
  }
  return true;
}

// Runs `read` with the sets: at once where all are small, otherwise without locks. `elements`: how many it looks at.
template <typename Read>
void ReadSets(CommandContext& context, std::vector<KeptValue> sets, uint64_t elements, Read read) {
  const bool large = std::any_of(sets.begin(), sets.end(), [](const KeptValue& set) { return set.large() != nullptr; });
  if (!large) return read(ViewsOf(sets), context.reply);
  for (KeptValue& set : sets) set.Keep();
  context.Defer(elements, [kept = std::move(sets), read](ReplySink& reply) { read(ViewsOf(kept), reply); });
}

uint64_t LookedAt(Combination how, std::span<const KeptValue> sets) {
  uint64_t least = UINT64_MAX;
  uint64_t all = 0;
  for (const KeptValue& set : sets) {
    const uint64_t count = set.set().count();
    least = std::min(least, count);
    all += count;
  }
  if (how == Combination::kUnion) return all;
  return how == Combination::kIntersection ? least : sets[0].set().count();
}

void Reply(CommandContext& context, Combination how) {
  std::vector<KeptValue> sets;
  if (!FindSets(context, 0, &sets)) return;
  const uint64_t elements = LookedAt(how, sets);
  ReadSets(context, std::move(sets), elements,
           [how, &limits = context.limits()](std::span<const SetView> found, ReplySink& reply) {
             ReplyCombined(how, found, limits, reply);
           });
}

void Store(CommandContext& context, Combination how, std::string_view event) {
  std::vector<KeptValue> sets;
  if (!FindSets(context, 1, &sets)) return;
  const uint64_t elements = LookedAt(how, sets);
  std::optional<MemorySet> result = ComputeApart<MemorySet>(
      context, std::move(sets), elements,
      [how, &limits = context.limits()](std::span<const KeptValue> found) { return CombinedSet(how, ViewsOf(found), limits); });
  if (result.has_value()) StoreSetResult(context, context.key(0), *result, event);
}

// An estimate of how many members the sets have together, in the memory of one HyperLogLog.
uint64_t EstimateUnion(std::span<const SetView> sets) {
  HllRegisters registers{};
  char buffer[kIntTextMaxBytes];
  for (const SetView& set : sets) {
    set.ForEach([&](const SetMember& member) {
      const HllMark mark = HllMarkOf(member.Text(buffer));
      registers[mark.index] = std::max(registers[mark.index], mark.value);
      return true;
    });
  }
  return HllCount(registers);
}

void ReplyCardinality(CommandContext& context, Combination how) {
  int64_t limit = 0;
  bool approximate = false;
  for (OptionReader options(context, 2 + context.keys().size()); options.More();) {
    std::string_view number;
    size_t index = 0;
    if (how == Combination::kUnion && options.Take("approx")) {
      approximate = true;
    } else if (options.Take("limit", &number, &index)) {
      if (!ReadIntBetween(context, index, 0, LONG_MAX, &limit, "ERR LIMIT can't be negative")) return;
    } else {
      return context.SyntaxError();
    }
  }
  std::vector<KeptValue> sets;
  if (!FindSets(context, 0, &sets)) return;
  const uint64_t most = limit == 0 ? UINT64_MAX : static_cast<uint64_t>(limit);
  const uint64_t elements = LookedAt(how, sets);
  ReadSets(context, std::move(sets), elements,
           [how, approximate, most, &limits = context.limits()](std::span<const SetView> found, ReplySink& reply) {
             uint64_t count = 0;
             if (approximate) {
               count = std::min(EstimateUnion(found), most);
             } else {
               Combine(how, found, limits, [&](const SetMember&) { return ++count < most; });
             }
             reply.Integer(static_cast<int64_t>(count));
           });
}

}  // namespace

void SInter(CommandContext& context) { Reply(context, Combination::kIntersection); }
void SUnion(CommandContext& context) { Reply(context, Combination::kUnion); }
void SDiff(CommandContext& context) { Reply(context, Combination::kDifference); }
void SInterStore(CommandContext& context) { Store(context, Combination::kIntersection, "sinterstore"); }
void SUnionStore(CommandContext& context) { Store(context, Combination::kUnion, "sunionstore"); }
void SDiffStore(CommandContext& context) { Store(context, Combination::kDifference, "sdiffstore"); }

void SInterCard(CommandContext& context) { ReplyCardinality(context, Combination::kIntersection); }
void SUnionCard(CommandContext& context) { ReplyCardinality(context, Combination::kUnion); }
void SDiffCard(CommandContext& context) { ReplyCardinality(context, Combination::kDifference); }

Status CardKeys(ArgSpan args, std::vector<int>* key_indexes) {
  int64_t keys = 0;
  if (!ParseInt64(args[1], &keys) || keys < 1) return Status::InvalidArgument("ERR numkeys should be greater than 0");
  if (keys > static_cast<int64_t>(args.size()) - 2) {
    return Status::InvalidArgument("ERR Number of keys can't be greater than number of args");
  }
  for (int64_t i = 0; i < keys; i++) key_indexes->push_back(static_cast<int>(2 + i));
  return Status::Ok();
}

}  // namespace cairn::set_commands
