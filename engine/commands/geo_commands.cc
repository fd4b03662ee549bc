#include "engine/commands/geo_commands.h"

#include <cstdio>
#include <string>

#include "engine/commands/arg_reader.h"
#include "engine/commands/change_count.h"
#include "engine/commands/sorted_set_support.h"

namespace cairn::geo_commands {
namespace {

using Access = Keyspace::Access;

// As Redis answers it, with the digits of a long double and no more than 17 behind the point.
void ReplyCoordinate(ReplySink& reply, double degrees) {
  const std::string text = FormatLongDouble(degrees);
  if (reply.protocol() == 2) return reply.Bulk(text);
  double told = 0;
  reply.Double(ParseDouble(text, &told) ? told : degrees);
}

// An array with what `answer(score)` writes of each member that the set has, and `absent()` of the others.
template <typename Answer, typename Absent>
void ReplyPlaces(CommandContext& context, Answer answer, Absent absent) {
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kSortedSet, Access::kRead, &entry)) return;
  const SortedSetView set = ViewOfSortedSet(entry);
  context.reply.Array(context.args.size() - 2);
  for (const std::string_view member : context.args.subspan(2)) {
    double score = 0;
    if (set.Find(member, &score)) {
      answer(score);
    } else {
      absent();
    }
  }
}

}  // namespace

bool ReadGeoPoint(CommandContext& context, size_t index, GeoPoint* point) {
  if (!ReadScore(context, index, &point->longitude) || !ReadScore(context, index + 1, &point->latitude)) return false;
  if (GeoPointInRange(*point)) return true;
  char text[700];  // two doubles of 309 digits
  const int size =
      std::snprintf(text, sizeof(text), "ERR invalid longitude,latitude pair %f,%f", point->longitude, point->latitude);
  context.reply.Error({text, static_cast<size_t>(size)});
  return false;
}

bool ReadGeoUnit(CommandContext& context, size_t index, double* unit_m) {
  *unit_m = GeoUnit(context.args[index]);
  if (*unit_m > 0) return true;
  context.reply.Error("ERR unsupported unit provided. please use M, KM, FT, MI");
  return false;
}

void ReplyGeoPoint(ReplySink& reply, const GeoPoint& point) {
  reply.Array(2);
  ReplyCoordinate(reply, point.longitude);
  ReplyCoordinate(reply, point.latitude);
}

void ReplyGeoDistance(ReplySink& reply, double distance) {
  char text[kGeoDistanceMaxChars];
  const char* end = WriteGeoDistance(text, distance);
  reply.Bulk({text, static_cast<size_t>(end - text)});
}

void GeoAdd(CommandContext& context) {
  const ArgSpan args = context.args;
  bool only_new = false, only_existing = false, count_changed = false;
  OptionReader options(context, 2);
  while (options.More()) {
    if (options.Take("nx")) {
      only_new = true;
    } else if (options.Take("xx")) {
      only_existing = true;
    } else if (options.Take("ch")) {
      count_changed = true;
    } else {
      break;
    }
  }
  const size_t first = options.index();
  if (first == args.size() || (args.size() - first) % 3 != 0 || (only_new && only_existing)) return context.SyntaxError();
  // All places are read before anything changes.
  for (size_t i = first; i < args.size(); i += 3) {
    GeoPoint point;
    if (!ReadGeoPoint(context, i, &point)) return;
  }
  ValueEdit edit = context.Edit(context.key());
  if (!context.Expect(edit, ValueType::kSortedSet)) return;
  SortedSetEdit set(edit, context.limits());
  int64_t added = 0, updated = 0;
  for (size_t i = first; i < args.size(); i += 3) {
    GeoPoint point;
    ReadGeoPoint(context, i, &point);
    const double score = GeoScore(point);
    double old_score = 0;
    if (!set.Find(args[i + 2], &old_score)) {
      if (only_existing) continue;
      set.Insert(args[i + 2], score);
      added++;
    } else if (!only_new && old_score != score) {
      set.SetScore(args[i + 2], score);
      updated++;
    }
  }
  CountElements(context, context.key(), added + updated);
  if (added + updated > 0) context.Event(kEventSortedSet, "zadd", context.key());
  context.reply.Integer(count_changed ? added + updated : added);
}

void GeoPos(CommandContext& context) {
  ReplyPlaces(
      context, [&](double score) { ReplyGeoPoint(context.reply, GeoPointOf(score)); }, [&] { context.reply.NullArray(); });
}

void GeoHash(CommandContext& context) {
  const auto answer = [&](double score) {
    char text[kGeohashChars];
    WriteGeohash(score, text);
    context.reply.Bulk({text, sizeof(text)});
  };
  ReplyPlaces(context, answer, [&] { context.reply.Null(); });
}

void GeoDist(CommandContext& context) {
  const ArgSpan args = context.args;
  double unit_m = 1;
  if (args.size() > 5) return context.SyntaxError();
  if (args.size() == 5 && !ReadGeoUnit(context, 4, &unit_m)) return;
  const Entry* entry = nullptr;
  if (!context.FindTyped(context.key(), ValueType::kSortedSet, Access::kRead, &entry)) return;
  const SortedSetView set = ViewOfSortedSet(entry);
  double from = 0, to = 0;
  if (!set.Find(args[2], &from) || !set.Find(args[3], &to)) return context.reply.Null();
  ReplyGeoDistance(context.reply, GeoDistance(GeoPointOf(from), GeoPointOf(to)) / unit_m);
}

}  // namespace cairn::geo_commands
