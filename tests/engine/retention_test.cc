#include "engine/retention.h"

#include <gtest/gtest.h>

#include "base/resp_request.h"
#include "engine/point_in_time.h"

namespace cairn {
namespace {

constexpr int64_t kHourMs = 3'600'000;

SnapshotInfo At(Lsn lsn, int64_t hour, uint64_t size_bytes = 100) {
  return {.directory_name = "s", .lsn = lsn, .wall_time_unix_ms = hour * kHourMs, .size_bytes = size_bytes};
}

class RetentionTest : public testing::Test {
 protected:
  void Adopt(const SnapshotInfo& snapshot, const Retention& retention) {
    AdoptSnapshot(manifest_, snapshot, true, retention, snapshot.wall_time_unix_ms, [](Lsn from, Lsn to) { return to - from; });
  }
  std::vector<Lsn> Older() const {
    std::vector<Lsn> lsns;
    for (const SnapshotInfo& older : manifest_.older_snapshots) lsns.push_back(older.lsn);
    return lsns;
  }
  Manifest manifest_{.has_log = true, .log_first_segment_lsn = 7};
};

TEST_F(RetentionTest, WithoutItOnlyTheNewestStays) {
  Adopt(At(1000, 1), {});
  Adopt(At(2000, 2), {});
  EXPECT_TRUE(Older().empty());
  EXPECT_EQ(manifest_.log_first_segment_lsn, 2000u);
}

TEST_F(RetentionTest, TheEmptyBeginningIsABaseUntilASnapshotIsOldEnough) {
  const Retention two_hours{.ms = 2 * kHourMs};
  Adopt(At(1000, 1), two_hours);
  EXPECT_EQ(manifest_.log_first_segment_lsn, 7u);
  EXPECT_TRUE(ReachesBeginning(manifest_));
  EXPECT_EQ(OldestRestorable(manifest_).lsn, 7u);
  Adopt(At(2000, 2), two_hours);
  EXPECT_EQ(Older(), std::vector<Lsn>({1000}));
  Adopt(At(3000, 4), two_hours);  // the one of hour 2 is two hours old: what is before it goes
  EXPECT_EQ(Older(), std::vector<Lsn>({2000}));
  EXPECT_EQ(manifest_.log_first_segment_lsn, 2000u);
  EXPECT_FALSE(ReachesBeginning(manifest_));
  EXPECT_EQ(OldestRestorable(manifest_).lsn, 2000u);
}

TEST_F(RetentionTest, BytesCountBehindTheSnapshotAndTheLargerPromiseWins) {
  const Retention bytes{.bytes = 1500};
  for (int i = 1; i <= 4; i++) Adopt(At(static_cast<Lsn>(i) * 1000, i), bytes);
  EXPECT_EQ(Older(), std::vector<Lsn>({3000, 2000}));
  const Retention both{.ms = 24 * kHourMs, .bytes = 1};
  Adopt(At(5000, 5), both);
  EXPECT_EQ(Older(), std::vector<Lsn>({4000, 3000, 2000}));
}

TEST_F(RetentionTest, SnapshotsThatSaveLessThanTheyTakeGo) {
  const Retention hours{.ms = 100 * kHourMs};
  for (Lsn lsn = 100; lsn <= 1000; lsn += 100) Adopt(At(lsn, 1, 250), hours);
  EXPECT_EQ(Older(), std::vector<Lsn>({900, 600, 300}));
}

TEST_F(RetentionTest, WhatAnUnloggedTimeLeftIsNoBase) {
  manifest_.has_log = false;
  manifest_.current_snapshot = At(500, 1);
  Adopt(At(1000, 2), {.ms = kHourMs});
  EXPECT_TRUE(Older().empty());
  EXPECT_EQ(manifest_.log_first_segment_lsn, 1000u);
}

TEST(WholeUnits, AreNeverCut) {
  std::string stream;
  std::vector<Lsn> ends = {0};
  const auto add = [&](std::initializer_list<std::initializer_list<std::string_view>> unit) {
    for (const auto& record : unit) stream += EncodeRequest(record);
    ends.push_back(stream.size());
  };
  add({{"SELECT", "1"}, {"SET", "a", "1"}});
  add({{"MULTI"}, {"SET", "multi", "2"}, {"SET", "exec", "2"}, {"EXEC"}});
  add({{"SELECT", "0"}, {"MULTI"}, {"DEL", "a"}, {"INCR", "b"}, {"EXEC"}});
  add({{"SET", "c", "3"}});
  constexpr Lsn kFirst = 1000;
  const LogFrame frame{.first_lsn = kFirst, .payload = stream};
  for (Lsn until = 0; until <= stream.size() + 5; until++) {
    const Lsn whole = *std::prev(std::upper_bound(ends.begin(), ends.end(), until));
    EXPECT_EQ(WholeUnitsUpTo(frame, kFirst + until).payload.size(), whole) << until;
  }
  EXPECT_TRUE(WholeUnitsUpTo(frame, 0).payload.empty());
}

}  // namespace
}  // namespace cairn
