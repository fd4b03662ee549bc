// GEOSEARCH, GEORADIUS and their kin: one search with several grammars.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/commands/apart.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/geo_commands.h"
#include "engine/commands/sorted_set_support.h"

namespace cairn::geo_commands {
namespace {

enum class Grammar : uint8_t { kRadius, kRadiusByMember, kSearch, kSearchStore };

struct Search {
  Grammar grammar = Grammar::kSearch;
  bool may_store = false;  // GEORADIUS and GEORADIUSBYMEMBER without _RO
  const KeyRef* source = nullptr;
  const KeyRef* target = nullptr;  // null: the result is the reply
  SortedSetView set;
  bool exists = false;
  GeoShape shape;
  bool has_center = false, from_member = false, has_radius = false, has_box = false;
  bool with_distance = false, with_hash = false, with_point = false, store_distance = false;
  enum Order : uint8_t { kUnordered, kNearest, kFarthest } order = kUnordered;
  bool any = false;
  int64_t count = 0;  // 0: all

  bool is_search() const { return grammar == Grammar::kSearch || grammar == Grammar::kSearchStore; }
};

// The centre at a member; nothing where the key is absent, which is answered later.
bool ReadCenterAt(CommandContext& context, size_t index, Search* search) {
  double score = 0;
  if (!search->exists) return true;
  if (!search->set.Find(context.args[index], &score)) {
    context.reply.Error("ERR could not decode requested zset member");
    return false;
  }
  search->shape.center = GeoPointOf(score);
  return true;
}

// A radius and its unit.
bool ReadRadius(CommandContext& context, size_t index, Search* search) {
  GeoShape& shape = search->shape;
  shape.kind = GeoShape::kCircle;
  if (!ReadScore(context, index, &shape.radius, "ERR need numeric radius")) return false;
  if (shape.radius < 0) {
    context.reply.Error("ERR radius cannot be negative");
    return false;
  }
  return ReadGeoUnit(context, index + 1, &shape.unit_m);
}

// Width, height and their unit.
bool ReadBox(CommandContext& context, size_t index, Search* search) {
  GeoShape& shape = search->shape;
  shape.kind = GeoShape::kBox;
  if (!ReadScore(context, index, &shape.width, "ERR need numeric width")) return false;
  if (!ReadScore(context, index + 1, &shape.height, "ERR need numeric height")) return false;
  if (shape.width < 0 || shape.height < 0) {
    context.reply.Error("ERR height or width cannot be negative");
    return false;
  }
  return ReadGeoUnit(context, index + 2, &shape.unit_m);
}

// An option that says what is looked for or where the result goes. *used: how many arguments it took, 0 where it is none of these.
bool ReadPlaceOption(CommandContext& context, size_t index, Search* search, size_t* used) {
  const std::string_view word = context.args[index];
  const size_t left = context.args.size() - index - 1;
  *used = 0;
  if (!search->is_search()) {
    const bool distance = EqualsIgnoreCase(word, "storedist");
    if (!search->may_store || left < 1 || !(distance || EqualsIgnoreCase(word, "store"))) return true;
    search->target = &context.key(1);
    search->store_distance = distance;
    *used = 2;
  } else if (EqualsIgnoreCase(word, "storedist") && search->grammar == Grammar::kSearchStore) {
    search->store_distance = true;
    *used = 1;
  } else if (EqualsIgnoreCase(word, "frommember") && left >= 1 && !(search->has_center && !search->from_member)) {
    search->has_center = search->from_member = true;
    *used = 2;
    return ReadCenterAt(context, index + 1, search);
  } else if (EqualsIgnoreCase(word, "fromlonlat") && left >= 2 && !search->from_member) {
    search->has_center = true;
    *used = 3;
    return ReadGeoPoint(context, index + 1, &search->shape.center);
  } else if (EqualsIgnoreCase(word, "byradius") && left >= 2 && !search->has_box) {
    search->has_radius = true;
    *used = 3;
    return ReadRadius(context, index + 1, search);
  } else if (EqualsIgnoreCase(word, "bybox") && left >= 3 && !search->has_radius) {
    search->has_box = true;
    *used = 4;
    return ReadBox(context, index + 1, search);
  }
  return true;
}

bool ReadOptions(CommandContext& context, size_t first, Search* search) {
  for (OptionReader options(context, first); options.More();) {
    const size_t index = options.index();
    std::string_view count;
    if (options.Take("withdist")) {
      search->with_distance = true;
    } else if (options.Take("withhash")) {
      search->with_hash = true;
    } else if (options.Take("withcoord")) {
      search->with_point = true;
    } else if (options.Take("any")) {
      search->any = true;
    } else if (options.Take("asc")) {
      search->order = Search::kNearest;
    } else if (options.Take("desc")) {
      search->order = Search::kFarthest;
    } else if (options.Take("count", &count)) {
      if (!ReadInt(context, index + 1, &search->count)) return false;
      if (search->count <= 0) {
        context.reply.Error("ERR COUNT must be > 0");
        return false;
      }
    } else {
      size_t used = 0;
      if (!ReadPlaceOption(context, index, search, &used)) return false;
      if (used == 0) {
        context.SyntaxError();
        return false;
      }
      options = OptionReader(context, index + used);
    }
  }
  return true;
}

// What of the options does not go together.
bool CheckOptions(CommandContext& context, const Search& search) {
  const std::string name(context.args[0]);
  std::string error;
  if (search.target != nullptr && (search.with_distance || search.with_hash || search.with_point)) {
    error = std::string(search.is_search() ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS") +
            " is not compatible with WITHDIST, WITHHASH and WITHCOORD options";
  } else if (search.is_search() && !search.has_center) {
    error = "exactly one of FROMMEMBER or FROMLONLAT can be specified for " + name;
  } else if (search.is_search() && !search.has_radius && !search.has_box) {
    error = "exactly one of BYRADIUS and BYBOX can be specified for " + name;
  } else if (search.any && search.count == 0) {
    error = "the ANY argument requires COUNT argument";
  }
  if (!error.empty()) context.reply.Error("ERR " + error);
  return error.empty();
}

// The arguments in Redis's order, which decides what error an erroneous call gets.
bool ReadSearch(CommandContext& context, Search* search) {
  size_t first = search->grammar == Grammar::kSearchStore ? 3 : 2;
  if (search->grammar == Grammar::kRadius) {
    first = 6;
    if (!ReadGeoPoint(context, 2, &search->shape.center) || !ReadRadius(context, 4, search)) return false;
  } else if (search->grammar == Grammar::kRadiusByMember) {
    first = 5;
    if (search->exists && (!ReadCenterAt(context, 2, search) || !ReadRadius(context, 3, search))) return false;
  }
  return ReadOptions(context, first, search) && CheckOptions(context, *search);
}

struct Match {
  GeoPoint point;
  double distance_m = 0;
  double score = 0;
  size_t name_begin = 0, name_end = 0;  // in Matches::names
};

struct Matches {
  std::vector<Match> list;
  std::string names;  // cursors of packed sets do not keep their members

  std::string_view name(const Match& match) const {
    return std::string_view(names).substr(match.name_begin, match.name_end - match.name_begin);
  }
};

// How many elements are looked at: those whose scores lie in the cells that cover the shape. Of small sets, at most.
uint64_t LookedAt(const Search& search, const SortedSetView& set) {
  if (set.size() < kLongReplyElements) return set.size();
  uint64_t elements = 0;
  const GeoCover cover = GeoCoverOf(search.shape);
  for (size_t i = 0; i < cover.count; i++) {
    const GeoScoreRange& range = cover.ranges[i];
    elements += set.CountBefore({range.max, false, false, {}}) - set.CountBefore({range.min, false, false, {}});
  }
  return elements;
}

void Collect(const Search& search, const SortedSetView& set, Matches* matches) {
  const size_t most = search.any ? static_cast<size_t>(search.count) : SIZE_MAX;
  const GeoCover cover = GeoCoverOf(search.shape);
  for (size_t i = 0; i < cover.count; i++) {
    const GeoScoreRange& range = cover.ranges[i];
    SortedSetView::Cursor at = set.At(set.CountBefore({range.min, false, false, {}}));
    for (; at.valid() && at.score() < range.max; at.Next()) {
      Match match;
      match.point = GeoPointOf(at.score());
      if (!search.shape.Contains(match.point, &match.distance_m)) continue;
      match.score = at.score();
      match.name_begin = matches->names.size();
      matches->names += at.member();
      match.name_end = matches->names.size();
      matches->list.push_back(match);
      if (matches->list.size() >= most) return;
    }
  }
}

// The wanted ones in the wanted order; equal distances stay as they were found.
void Arrange(const Search& search, std::vector<Match>* list) {
  const bool limited = search.count > 0 && static_cast<size_t>(search.count) < list->size();
  const size_t wanted = limited ? static_cast<size_t>(search.count) : list->size();
  const bool farthest = search.order == Search::kFarthest;
  const auto before = [&](const Match& a, const Match& b) {
    if (a.distance_m != b.distance_m) return farthest ? a.distance_m > b.distance_m : a.distance_m < b.distance_m;
    return a.name_begin < b.name_begin || (a.name_begin == b.name_begin && a.name_end < b.name_end);
  };
  // Without ANY a count means the nearest.
  if (search.order != Search::kUnordered || (search.count > 0 && !search.any)) {
    if (limited) {
      std::partial_sort(list->begin(), list->begin() + static_cast<std::ptrdiff_t>(wanted), list->end(), before);
    } else {
      std::sort(list->begin(), list->end(), before);
    }
  }
  list->resize(wanted);
}

int64_t HashNumber(double score) {
  constexpr double kTwo63 = 9223372036854775808.0;
  return score >= -kTwo63 && score < kTwo63 ? static_cast<int64_t>(score) : INT64_MIN;
}

Matches Find(const Search& search, const SortedSetView& set) {
  Matches matches;
  Collect(search, set, &matches);
  Arrange(search, &matches.list);
  return matches;
}

void Reply(ReplySink& reply, const Search& search, const Matches& matches) {
  const size_t extras = (search.with_distance ? 1u : 0u) + (search.with_hash ? 1u : 0u) + (search.with_point ? 1u : 0u);
  reply.Array(matches.list.size());
  for (const Match& match : matches.list) {
    if (extras > 0) reply.Array(1 + extras);
    reply.Bulk(matches.name(match));
    if (search.with_distance) ReplyGeoDistance(reply, match.distance_m / search.shape.unit_m);
    if (search.with_hash) reply.Integer(HashNumber(match.score));
    if (search.with_point) ReplyGeoPoint(reply, match.point);
  }
}

SortedSetResult StoredMatches(const Search& search, const Matches& matches, const ValueLimits& limits) {
  std::vector<SortedSetElement> elements;
  elements.reserve(matches.list.size());
  for (const Match& match : matches.list) {
    elements.push_back({search.store_distance ? match.distance_m / search.shape.unit_m : match.score, matches.name(match)});
  }
  return SortedSetResult(limits, elements);
}

// A search that looks at many elements does so without the lock.
void Run(CommandContext& context, Search search) {
  const bool stores = search.grammar == Grammar::kSearchStore;
  search.source = &context.key(stores ? 1 : 0);
  if (stores) search.target = &context.key(0);
  const Entry* entry = nullptr;
  if (!context.FindTyped(*search.source, ValueType::kSortedSet, Keyspace::Access::kRead, &entry)) return;
  search.exists = entry != nullptr;
  search.set = ViewOfSortedSet(entry);
  if (!ReadSearch(context, &search)) return;
  KeptValue source(entry);
  const uint64_t elements = search.exists ? LookedAt(search, search.set) : 0;
  if (search.target == nullptr) {
    if (!search.exists) return Reply(context.reply, search, Matches());
    if (elements < kLongReplyElements) return Reply(context.reply, search, Find(search, search.set));
    source.Keep();
    return context.Defer(elements,
                         [search, source](ReplySink& reply) { Reply(reply, search, Find(search, source.sorted_set())); });
  }
  std::optional<SortedSetResult> stored = ComputeApart<SortedSetResult>(
      context, {source}, elements, [search, &limits = context.limits()](std::span<const KeptValue> found) {
        return StoredMatches(search, search.exists ? Find(search, found[0].sorted_set()) : Matches(), limits);
      });
  if (stored.has_value())
    StoreSortedSet(context, *search.target, *stored, search.is_search() ? "geosearchstore" : "georadiusstore");
}

}  // namespace

void GeoSearch(CommandContext& context) { Run(context, {.grammar = Grammar::kSearch}); }
void GeoSearchStore(CommandContext& context) { Run(context, {.grammar = Grammar::kSearchStore}); }
void GeoRadius(CommandContext& context) { Run(context, {.grammar = Grammar::kRadius, .may_store = true}); }
void GeoRadiusRo(CommandContext& context) { Run(context, {.grammar = Grammar::kRadius}); }
void GeoRadiusByMember(CommandContext& context) { Run(context, {.grammar = Grammar::kRadiusByMember, .may_store = true}); }
void GeoRadiusByMemberRo(CommandContext& context) { Run(context, {.grammar = Grammar::kRadiusByMember}); }

Status GeoRadiusKeys(ArgSpan args, std::vector<int>* key_indexes) {
  key_indexes->push_back(1);
  int target = 0;
  for (size_t i = 5; i + 1 < args.size(); i++) {
    if (!EqualsIgnoreCase(args[i], "store") && !EqualsIgnoreCase(args[i], "storedist")) continue;
    target = static_cast<int>(++i);
  }
  if (target != 0) key_indexes->push_back(target);
  return Status();
}

}  // namespace cairn::geo_commands
