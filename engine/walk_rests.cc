#include "engine/walk_rests.h"

#include <algorithm>

namespace cairn {
namespace {

// Of the time worked, where clients are busy: a worker then takes a thirtieth of a core, less what its sleeps are late, or a tenth while
// it is behind the schedule. Where they are less busy than that it rests less.
constexpr int64_t kRestShare = 29;
constexpr int64_t kRestShareBehind = 9;
constexpr int64_t kScheduleUs = 120'000'000;  // for all entries
constexpr int64_t kRestMostUs = 20'000;

constexpr int64_t kLookUs = 5'000;
// In that time. Where each comes in a request of its own, a core has no time for many more.
constexpr int64_t kBusyAccesses = 100;

}  // namespace

WalkRests::WalkRests(int64_t now_us) : began_us_(now_us), accesses_(kBusyAccesses) {}

bool WalkRests::LookIsDue(int64_t now_us) const { return now_us - looked_us_ >= kLookUs; }

void WalkRests::Look(const View& view) {
  if (looked_us_ != 0) {
    const int64_t windows = (view.now_us - looked_us_) / kLookUs;  // the worker may have been away for longer
    accesses_ = std::min(static_cast<int64_t>(view.accesses - accesses_before_) / std::max<int64_t>(windows, 1), kBusyAccesses);
  }
  looked_us_ = view.now_us;
  accesses_before_ = view.accesses;
  const double due = static_cast<double>(view.now_us - began_us_) / kScheduleUs;
  behind_ = static_cast<double>(view.entries_done) < due * static_cast<double>(view.entries);
}

int64_t WalkRests::RestUs(int64_t worked_us) const {
  const int64_t share = behind_ ? kRestShareBehind : kRestShare;
  return std::min(worked_us * share * accesses_ / kBusyAccesses, kRestMostUs);
}

}  // namespace cairn
