#include "engine/values/geohash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/numbers.h"
#include "tests/engine_keyspace/keyspace_fixture.h"

namespace cairn {
namespace {

std::string Distance(double distance) {
  char text[kGeoDistanceMaxChars];
  return {text, WriteGeoDistance(text, distance)};
}

std::string Geohash(double score) {
  char text[kGeohashChars];
  WriteGeohash(score, text);
  return {text, kGeohashChars};
}

// What redis-server 7.0.15 answers for the same points.
TEST(Geohash, MakesTheNumbersOfRedis) {
  struct Row {
    GeoPoint point;
    double score;
    std::string longitude, latitude, geohash, distance;  // from the first
  };
  const Row rows[] = {
      {{13.361389, 38.115556}, 3479099956230698, "13.36138933897018433", "38.11555639549629859", "sqc8b49rny0", "0.0000"},
      {{15.087269, 37.502669}, 3479447370796909, "15.08726745843887329", "37.50266842333162032", "sqdtr74hyu0", "166274.1516"},
      {{-180, -85.05112878}, 0, "-179.99999731779098511", "-85.05112751263942528", "00bh0hbj200", "14784257.5187"},
      {{180, 85.05112878}, 13510798882111488, "180", "85.0511287799999991", "bp05b5048p0", "6307362.7206"},
      {{0, 0}, 3377699720527872, "0.00000268220901489", "0.00000126736058093", "s0000000000", "4454733.0204"},
      {{-73.9798091, 40.7598464},
       1791875712733669,
       "-73.97980660200119019",
       "40.75984594638999425",
       "dr5rus1e390",
       "7173182.2606"},
      {{179.99999, -0.00001}, 3377699720527864, "179.99999195337295532", "-0.00000887152405227", "rzzzzzzzzy0", "15566001.4537"},
      {{-5.6, 42.6}, 2157242200379188, "-5.59999912977218628", "42.6000002789257266", "ezs42e44yx0", "1678521.5523"},
      {{-122.4194155, 37.7749295},
       1367859919124776,
       "-122.41941779851913452",
       "37.77493042721969374",
       "9q8yyk8yuv0",
       "10441390.7799"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(GeoScore(row.point), row.score);
    const GeoPoint point = GeoPointOf(row.score);
    EXPECT_EQ(FormatLongDouble(point.longitude), row.longitude);
    EXPECT_EQ(FormatLongDouble(point.latitude), row.latitude);
    EXPECT_EQ(Geohash(row.score), row.geohash);
    EXPECT_EQ(Distance(GeoDistance(GeoPointOf(rows[0].score), point)), row.distance);
  }
}

TEST(Geohash, DistancesHaveFourDigits) {
  EXPECT_EQ(Distance(0), "0.0000");
  EXPECT_EQ(Distance(0.00004), "0.0000");
  EXPECT_EQ(Distance(0.0001), "0.0001");
  EXPECT_EQ(Distance(0.775), "0.7750");
  EXPECT_EQ(Distance(12.00006), "12.0001");
  EXPECT_EQ(Distance(std::nan("")), "0.0000");
}

TEST(Geohash, EveryScoreIsSomePlace) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double score : {-1.0, -kInfinity, kInfinity, 1e18, 1e19, 1e300, -1e300, 0.5, 9007199254740993.0}) {
    EXPECT_TRUE(GeoPointInRange(GeoPointOf(score))) << score;
    EXPECT_EQ(Geohash(score).size(), kGeohashChars);
  }
}

GeoPoint RandomPoint(Random& random) {
  const double scale = random.OneIn(3) ? 1 : random.OneIn(2) ? 0.01 : 0.0001;
  const double longitude = (random.UnitDouble() * 2 - 1) * kGeoLongitudeMax,
               latitude = (random.UnitDouble() * 2 - 1) * kGeoLatitudeMax;
  return {longitude * scale, latitude * scale};
}

TEST(Geohash, CellsAreSmallerThanAMetre) {
  CAIRN_SEEDED(random);
  for (int i = 0; i < 10000; i++) {
    const GeoPoint point = RandomPoint(random);
    const double score = GeoScore(point);
    EXPECT_LT(GeoDistance(point, GeoPointOf(score)), 1.0);
    EXPECT_EQ(GeoScore(GeoPointOf(score)), score);
  }
}

// Every point of a shape has its score in exactly one range of the cover. Beyond some thousand kilometres and at the poles Redis's
// cover, which this is, leaves points out.
TEST(Geohash, CoversHoldTheirShapes) {
  CAIRN_SEEDED(random);
  int inside = 0;
  for (int round = 0; round < 2000; round++) {
    GeoShape shape;
    shape.kind = random.OneIn(2) ? GeoShape::kCircle : GeoShape::kBox;
    shape.center = RandomPoint(random);
    shape.center.latitude = std::clamp(shape.center.latitude, -60.0, 60.0);
    shape.center.longitude = std::clamp(shape.center.longitude, -120.0, 120.0);
    shape.unit_m = random.OneIn(2) ? 1 : 1000;
    shape.radius = random.UnitDouble() * (shape.unit_m == 1 ? 100'000 : 1000);
    shape.width = random.UnitDouble() * (shape.unit_m == 1 ? 100'000 : 1000);
    shape.height = random.UnitDouble() * (shape.unit_m == 1 ? 100'000 : 1000);
    const GeoCover cover = GeoCoverOf(shape);
    ASSERT_GE(cover.count, 1u);
    const double reach = std::max({shape.radius, shape.width, shape.height}) * shape.unit_m / 111'000 * 1.2;
    for (int i = 0; i < 50; i++) {
      const GeoPoint point{std::clamp(shape.center.longitude + (random.UnitDouble() * 2 - 1) * reach * 2, -180.0, 180.0),
                           std::clamp(shape.center.latitude + (random.UnitDouble() * 2 - 1) * reach, -85.0, 85.0)};
      const double score = GeoScore(point);
      double distance = 0;
      if (!shape.Contains(GeoPointOf(score), &distance)) continue;
      inside++;
      const auto holds = [&](const GeoScoreRange& range) { return score >= range.min && score < range.max; };
      ASSERT_EQ(std::count_if(cover.ranges.begin(), cover.ranges.begin() + static_cast<int>(cover.count), holds), 1)
          << shape.kind << " " << shape.center.longitude << " " << shape.center.latitude << " " << shape.radius << " "
          << shape.width << " " << shape.height << " " << shape.unit_m << " " << point.longitude << " " << point.latitude;
    }
  }
  EXPECT_GT(inside, 1000);
}

TEST(Geohash, Units) {
  EXPECT_EQ(GeoUnit("m"), 1);
  EXPECT_EQ(GeoUnit("KM"), 1000);
  EXPECT_EQ(GeoUnit("ft"), 0.3048);
  EXPECT_EQ(GeoUnit("Mi"), 1609.34);
  EXPECT_EQ(GeoUnit("yd"), 0);
  EXPECT_EQ(GeoUnit(""), 0);
}

}  // namespace
}  // namespace cairn
