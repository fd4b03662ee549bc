// The state of a data directory at some moment, loaded into memory, where a tool can look at it with commands.
#pragma once

#include <memory>
#include <string>

#include "engine/point_in_time.h"
#include "engine/recovery.h"
#include "engine/store.h"
#include "tools/common/source_directory.h"

namespace cairn {

// A clock whose wall time stands still: keys expire as of the moment that is looked at, not as of today.
class StandingClock final : public Clock {
 public:
  explicit StandingClock(int64_t wall_us) : wall_us_(wall_us) {}
  int64_t WallUs() override { return wall_us_; }
  int64_t MonotonicUs() override { return RealClock().MonotonicUs(); }

 private:
  const int64_t wall_us_;
};

// What was loaded.
struct LoadedState {
  Lsn lsn = 0;          // the state is the one at this LSN
  int64_t unix_us = 0;  // and belongs to this moment
  uint64_t log_records = 0;
  uint64_t torn_bytes = 0;  // at the log's end, never complete: left out, and logged
};

// Fills a store that is being opened (StoreOptions::fill) with the state of `source` at `point`. Both outlive the opening.
std::function<Status(StoreCore&)> FillFrom(const SourceDirectory& source, const Manifest& manifest, const ResolvedPoint& point,
                                           LoadedState* state);

// The state of `source` at `point` as a store in memory.
struct LoadedStore {
  LoadedState state;
  std::unique_ptr<StandingClock> clock;  // the store's: standing at the moment
  std::unique_ptr<Store> store;
};
Result<LoadedStore> LoadStore(const SourceDirectory& source, const PointInTime& point, uint32_t databases);

// How tools open stores of their own: nothing is evicted, expired, or saved by itself.
StoreOptions ToolStoreOptions(uint32_t databases);

// ResolvePoint for a source.
Result<ResolvedPoint> ResolveIn(const SourceDirectory& source, const Manifest& manifest, const PointInTime& point);

}  // namespace cairn
