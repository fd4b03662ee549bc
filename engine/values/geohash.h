// Places on earth as Redis keeps them in sorted sets: a 52-bit geohash as the score, whose neighbours on earth mostly have scores near
// by. Pure functions with the same order of floating-point operations as Redis 7.0: scores, distances and coordinates come out alike.
//
// A hash interleaves 26 bits of latitude (even positions, from the lowest) with 26 of longitude; the latitude's range is that of the Web
// Mercator projection, so the poles have none. Scores come from clients: any double decodes to some place. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cairn {

inline constexpr double kGeoLongitudeMax = 180;
inline constexpr double kGeoLatitudeMax = 85.05112878;

struct GeoPoint {
  double longitude = 0, latitude = 0;  // degrees
};

// Whether a point can have a hash. Not for NaN.
inline bool GeoPointInRange(const GeoPoint& point) {
  return point.longitude >= -kGeoLongitudeMax && point.longitude <= kGeoLongitudeMax && point.latitude >= -kGeoLatitudeMax &&
         point.latitude <= kGeoLatitudeMax;
}

// The hash of a point in range, as a score.
double GeoScore(const GeoPoint& point);
// The middle of the cell that a score stands for.
GeoPoint GeoPointOf(double score);
// Metres along the great circle (haversine, mean radius of WGS-84).
double GeoDistance(const GeoPoint& from, const GeoPoint& to);

inline constexpr size_t kGeohashChars = 11;
// The standard geohash text of a score's place, whose last character is always '0'.
void WriteGeohash(double score, char (&text)[kGeohashChars]);

inline constexpr size_t kGeoDistanceMaxChars = 24;
// A distance with four digits after the point, as all commands answer it. Returns the end.
char* WriteGeoDistance(char (&text)[kGeoDistanceMaxChars], double distance);

// What a search looks for: a circle, or a box that lies along the meridian.
struct GeoShape {
  enum Kind : uint8_t { kCircle, kBox } kind = kCircle;
  GeoPoint center;
  double radius = 0, width = 0, height = 0;  // >= 0, perhaps infinite; in units of `unit_m` metres
  double unit_m = 1;

  // *distance_m becomes the distance from the centre where the point lies in the shape.
  bool Contains(const GeoPoint& point, double* distance_m) const;
};

// Scores from `min` on and below `max`.
struct GeoScoreRange {
  double min = 0, max = 0;
};

// Ranges of scores that together hold every point of a shape, and others: at most nine cells, in the order in which Redis looks at them.
struct GeoCover {
  std::array<GeoScoreRange, 9> ranges;
  size_t count = 0;
};
GeoCover GeoCoverOf(const GeoShape& shape);

// The length of a unit ("m", "km", "ft", "mi", in any case) in metres; 0 for another word.
double GeoUnit(std::string_view name);

}  // namespace cairn
