// The handlers of the geo family, for the rows in geo_command_rows.cc. What each does is said by its row's summary.
// Places are members of sorted sets with geohashes as scores (values/geohash.h), so every sorted set command works on them too.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/commands/command_context.h"
#include "engine/values/geohash.h"

namespace cairn::geo_commands {

// geo_commands.cc
void GeoAdd(CommandContext& context);
void GeoPos(CommandContext& context);
void GeoHash(CommandContext& context);
void GeoDist(CommandContext& context);

// geo_search_commands.cc
void GeoSearch(CommandContext& context);
void GeoSearchStore(CommandContext& context);
void GeoRadius(CommandContext& context);
void GeoRadiusRo(CommandContext& context);
void GeoRadiusByMember(CommandContext& context);
void GeoRadiusByMemberRo(CommandContext& context);
// The source, and the key of the last STORE or STOREDIST.
Status GeoRadiusKeys(ArgSpan args, std::vector<int>* key_indexes);

// --- shared by the family: each answers the error itself and returns false where the command must end ---
bool ReadGeoPoint(CommandContext& context, size_t index, GeoPoint* point);  // longitude, then latitude
bool ReadGeoUnit(CommandContext& context, size_t index, double* unit_m);
void ReplyGeoPoint(ReplySink& reply, const GeoPoint& point);
void ReplyGeoDistance(ReplySink& reply, double distance);

}  // namespace cairn::geo_commands
