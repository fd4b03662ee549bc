#include "engine/values/geohash.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/numbers.h"

namespace cairn {
namespace {

constexpr uint32_t kFullSteps = 26;  // bits of each coordinate in a score
constexpr double kRadiansPerDegree = M_PI / 180.0;
constexpr double kEarthRadiusM = 6372797.560856;
constexpr double kMercatorMaxM = 20037726.37;
constexpr double kStandardLatitudeMax = 90;  // of geohash texts

double Radians(double degrees) { return degrees * kRadiansPerDegree; }
double Degrees(double radians) { return radians / kRadiansPerDegree; }

// A cell of the grid of 2^steps columns and rows; steps 0: none.
struct Cell {
  uint64_t bits = 0;
  uint32_t steps = 0;
  bool operator==(const Cell&) const = default;
};

struct Area {
  GeoPoint min, max;
  GeoPoint middle() const { return {(min.longitude + max.longitude) / 2, (min.latitude + max.latitude) / 2}; }
};

// The bits of x at the even positions, those of y at the odd ones.
uint64_t Spread(uint32_t x) {
  uint64_t bits = x;
  bits = (bits | bits << 16) & 0x0000FFFF0000FFFF;
  bits = (bits | bits << 8) & 0x00FF00FF00FF00FF;
  bits = (bits | bits << 4) & 0x0F0F0F0F0F0F0F0F;
  bits = (bits | bits << 2) & 0x3333333333333333;
  return (bits | bits << 1) & 0x5555555555555555;
}

// The bits at the even positions.
uint32_t Gather(uint64_t bits) {
  bits &= 0x5555555555555555;
  bits = (bits | bits >> 1) & 0x3333333333333333;
  bits = (bits | bits >> 2) & 0x0F0F0F0F0F0F0F0F;
  bits = (bits | bits >> 4) & 0x00FF00FF00FF00FF;
  bits = (bits | bits >> 8) & 0x0000FFFF0000FFFF;
  return static_cast<uint32_t>(bits | bits >> 16);
}

// The upper end of a range falls into the column after the last: one bit more than the others.
Cell CellOf(const GeoPoint& point, uint32_t steps, double latitude_max) {
  double latitude = (point.latitude + latitude_max) / (latitude_max - -latitude_max);
  double longitude = (point.longitude + kGeoLongitudeMax) / (kGeoLongitudeMax - -kGeoLongitudeMax);
  latitude *= static_cast<double>(1ull << steps);
  longitude *= static_cast<double>(1ull << steps);
  return {Spread(static_cast<uint32_t>(latitude)) | Spread(static_cast<uint32_t>(longitude)) << 1, steps};
}

Area AreaOf(const Cell& cell) {
  constexpr double kLatitudes = kGeoLatitudeMax - -kGeoLatitudeMax, kLongitudes = kGeoLongitudeMax - -kGeoLongitudeMax;
  const auto cells = static_cast<double>(1ull << cell.steps);
  const uint32_t row = Gather(cell.bits), column = Gather(cell.bits >> 1);
  Area area;
  area.min.latitude = -kGeoLatitudeMax + (row * 1.0 / cells) * kLatitudes;
  area.max.latitude = -kGeoLatitudeMax + ((row + 1) * 1.0 / cells) * kLatitudes;
  area.min.longitude = -kGeoLongitudeMax + (column * 1.0 / cells) * kLongitudes;
  area.max.longitude = -kGeoLongitudeMax + ((column + 1) * 1.0 / cells) * kLongitudes;
  return area;
}

// The cell that many columns and rows (-1, 0, 1) further; the world is round in both directions.
Cell Neighbour(const Cell& cell, int columns, int rows) {
  const uint64_t all = ~uint64_t{0} >> (64 - cell.steps * 2);
  const uint64_t even = 0x5555555555555555 & all, odd = 0xAAAAAAAAAAAAAAAA & all;
  uint64_t column = cell.bits & 0xAAAAAAAAAAAAAAAA, row = cell.bits & 0x5555555555555555;
  // Ones at the other coordinate's positions carry a borrow or carry across them.
  if (columns > 0) column = (column + even + 1) & odd;
  if (columns < 0) column = ((column | even) - (even + 1)) & odd;
  if (rows > 0) row = (row + odd + 1) & even;
  if (rows < 0) row = ((row | odd) - (odd + 1)) & even;
  return {column | row, cell.steps};
}

// How fine a grid may be for the shape to lie in one cell and its neighbours.
uint32_t StepsFor(double radius_m, double latitude) {
  if (radius_m == 0) return kFullSteps;
  int steps = 1;
  for (; radius_m < kMercatorMaxM; radius_m *= 2) steps++;
  steps -= 2;
  // Cells grow narrow towards the poles.
  if (latitude > 66 || latitude < -66) {
    steps--;
    if (latitude > 80 || latitude < -80) steps--;
  }
  if (steps < 1) return 1;
  return steps > static_cast<int>(kFullSteps) ? kFullSteps : static_cast<uint32_t>(steps);
}

Area BoundsOf(const GeoShape& shape) {
  const bool circle = shape.kind == GeoShape::kCircle;
  const GeoPoint& center = shape.center;
  const double height = shape.unit_m * (circle ? shape.radius : shape.height / 2);
  const double width = shape.unit_m * (circle ? shape.radius : shape.width / 2);
  const double latitudes = Degrees(height / kEarthRadiusM);
  // The edge nearer to the pole spans more degrees.
  const double edge = center.latitude < 0 ? center.latitude - latitudes : center.latitude + latitudes;
  const double longitudes = Degrees(width / kEarthRadiusM / std::cos(Radians(edge)));
  return {{center.longitude - longitudes, center.latitude - latitudes},
          {center.longitude + longitudes, center.latitude + latitudes}};
}

// The cell of the centre in the grid, and whether its neighbours end beyond the bounds on every side.
bool NeighboursCover(const Cell& cell, const Area& bounds) {
  return !(AreaOf(Neighbour(cell, 0, 1)).max.latitude < bounds.max.latitude ||
           AreaOf(Neighbour(cell, 0, -1)).min.latitude > bounds.min.latitude ||
           AreaOf(Neighbour(cell, 1, 0)).max.longitude < bounds.max.longitude ||
           AreaOf(Neighbour(cell, -1, 0)).min.longitude > bounds.min.longitude);
}

double LatitudeDistance(double from, double to) { return kEarthRadiusM * std::fabs(Radians(to) - Radians(from)); }

// A score's bits, also of what no hash is: as x86 converts it, defined for every double.
uint64_t ScoreBits(double score) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (score >= kTwo63) return score < 2 * kTwo63 ? static_cast<uint64_t>(score) : 0;
  if (score < -kTwo63) return uint64_t{1} << 63;
  return static_cast<uint64_t>(static_cast<int64_t>(score));
}

double Clamp(double value, double max) { return value > max ? max : value < -max ? -max : value; }

}  // namespace

double GeoScore(const GeoPoint& point) { return static_cast<double>(CellOf(point, kFullSteps, kGeoLatitudeMax).bits); }

GeoPoint GeoPointOf(double score) {
  const GeoPoint middle = AreaOf({ScoreBits(score), kFullSteps}).middle();
  return {Clamp(middle.longitude, kGeoLongitudeMax), Clamp(middle.latitude, kGeoLatitudeMax)};
}

double GeoDistance(const GeoPoint& from, const GeoPoint& to) {
  const double v = std::sin((Radians(to.longitude) - Radians(from.longitude)) / 2);
  if (v == 0) return LatitudeDistance(from.latitude, to.latitude);
  const double from_latitude = Radians(from.latitude), to_latitude = Radians(to.latitude);
  const double u = std::sin((to_latitude - from_latitude) / 2);
  const double a = u * u + std::cos(from_latitude) * std::cos(to_latitude) * v * v;
  // Rounding may take points opposite each other beyond 1.
  return 2.0 * kEarthRadiusM * std::asin(std::sqrt(std::min(a, 1.0)));
}

void WriteGeohash(double score, char (&text)[kGeohashChars]) {
  const uint64_t bits = CellOf(GeoPointOf(score), kFullSteps, kStandardLatitudeMax).bits;
  for (size_t i = 0; i < kGeohashChars - 1; i++) text[i] = "0123456789bcdefghjkmnpqrstuvwxyz"[bits >> (47 - i * 5) & 31];
  text[kGeohashChars - 1] = '0';  // 52 bits fill ten characters; Redis answers eleven
}

char* WriteGeoDistance(char (&text)[kGeoDistanceMaxChars], double distance) {
  // No distance on earth has more than 13 digits; NaN counts as zero.
  const long long scaled = std::isnan(distance) ? 0 : llrint(distance * 10000);
  char* end = WriteInt(text, scaled / 10000);
  *end++ = '.';
  for (long long digit = 1000, rest = scaled % 10000; digit > 0; digit /= 10) *end++ = static_cast<char>('0' + rest / digit % 10);
  return end;
}

bool GeoShape::Contains(const GeoPoint& point, double* distance_m) const {
  if (kind == kCircle) {
    *distance_m = GeoDistance(center, point);
    return !(*distance_m > radius * unit_m);
  }
  if (LatitudeDistance(point.latitude, center.latitude) > height * unit_m / 2) return false;
  if (GeoDistance(point, {center.longitude, point.latitude}) > width * unit_m / 2) return false;
  *distance_m = GeoDistance(center, point);
  return true;
}

GeoCover GeoCoverOf(const GeoShape& shape) {
  const Area bounds = BoundsOf(shape);
  const double half_width = shape.width / 2, half_height = shape.height / 2;
  const double radius =
      shape.kind == GeoShape::kCircle ? shape.radius : std::sqrt(half_width * half_width + half_height * half_height);
  uint32_t steps = StepsFor(radius * shape.unit_m, shape.center.latitude);
  Cell cell = CellOf(shape.center, steps, kGeoLatitudeMax);
  if (steps > 1 && !NeighboursCover(cell, bounds)) cell = CellOf(shape.center, --steps, kGeoLatitudeMax);
  // Sides of the middle cell beyond which nothing of the shape lies.
  const Area area = AreaOf(cell);
  const bool exclude = steps >= 2;
  const bool south = !(exclude && area.min.latitude < bounds.min.latitude);
  const bool north = !(exclude && area.max.latitude > bounds.max.latitude);
  const bool west = !(exclude && area.min.longitude < bounds.min.longitude);
  const bool east = !(exclude && area.max.longitude > bounds.max.longitude);
  const struct {
    int columns, rows;
    bool wanted;
  } neighbours[] = {{0, 0, true},          {0, 1, north},          {0, -1, south},         {1, 0, east},           {-1, 0, west},
                    {1, 1, north && east}, {-1, 1, north && west}, {1, -1, south && east}, {-1, -1, south && west}};
  GeoCover cover;
  Cell last;
  for (const auto& side : neighbours) {
    if (!side.wanted) continue;
    const Cell next = side.columns == 0 && side.rows == 0 ? cell : Neighbour(cell, side.columns, side.rows);
    // Of very coarse grids several neighbours are the same cell.
    if (cover.count > 1 && next == last) continue;
    const uint32_t shift = 52 - next.steps * 2;
    cover.ranges[cover.count++] = {static_cast<double>(next.bits << shift), static_cast<double>((next.bits + 1) << shift)};
    last = next;
  }
  return cover;
}

double GeoUnit(std::string_view name) {
  if (EqualsIgnoreCase(name, "m")) return 1;
  if (EqualsIgnoreCase(name, "km")) return 1000;
  if (EqualsIgnoreCase(name, "ft")) return 0.3048;
  return EqualsIgnoreCase(name, "mi") ? 1609.34 : 0;
}

}  // namespace cairn
