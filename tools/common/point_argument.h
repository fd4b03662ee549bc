// A moment as users write it: --at and --at-lsn.
//
//   2026-11-23 10:15:00           in the time zone of the machine that runs the tool (TZ); also with T, and with .fraction
//   2026-11-23 10:15:00Z          in UTC; also " UTC"
//   2026-11-23 10:15:00+02:00     in the zone that is so far east of UTC
//   1795428900, 1795428900.25     Unix time in seconds (up to 11 digits)
//   1795428900250                 Unix time in milliseconds (12 to 14 digits; from 15 on: microseconds)
//   lsn:8812                      as --at-lsn 8812
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/point_in_time.h"

namespace cairn {

// Neither given: the end. kInvalidArgument where a text is none of these (an empty one is none), or both are given.
Result<PointInTime> ParsePoint(std::optional<std::string_view> at, std::optional<std::string_view> at_lsn);

// Microseconds since 1970, UTC. `zone`: of a date and time that names none. A local time that the clock showed twice, or never, when it was
// put forward or back is kInvalidArgument, with the two moments that may be meant.
enum class Zone : uint8_t { kLocal, kUtc };
Result<int64_t> ParseTime(std::string_view text, Zone zone = Zone::kLocal);

}  // namespace cairn
