#include "server/net/input_moderation.h"

#include <algorithm>
#include <utility>

namespace cairn {
namespace {

constexpr int64_t kWindowUs = 10'000;
constexpr int64_t kShareOfCycle = 10;     // a wait is at most one part in so many of a session's time between turns
constexpr uint32_t kWorthwhileTurns = 3;  // fewer are not worth a wait
constexpr uint32_t kEnoughTurns = 16;     // a round of so many has shared out its costs without one
constexpr uint32_t kWaitsToJudge = 16;
constexpr int64_t kRestUs = 1'000'000;

}  // namespace

int64_t InputModeration::EndRound(int64_t now_us, int64_t limit_us) {
  const uint32_t turns = std::exchange(turns_in_round_, 0);
  turns_ += turns;
  if (std::exchange(waited_, false)) Judge(turns);
  if (now_us - window_began_us_ >= kWindowUs || failed_) BeginWindow(now_us, limit_us);
  if (turns == 0 || turns >= kEnoughTurns) return 0;
  waited_ = wait_us_ > 0;
  return wait_us_;
}

void InputModeration::Judge(uint32_t gathered) {
  gathered_ += gathered;
  if (++waits_ < kWaitsToJudge) return;
  failed_ = gathered_ < kWorthwhileTurns * kWaitsToJudge;
  waits_ = gathered_ = 0;
}

void InputModeration::BeginWindow(int64_t now_us, int64_t limit_us) {
  if (std::exchange(failed_, false)) rests_until_us_ = now_us + kRestUs;
  const auto length_us = static_cast<uint64_t>(std::max<int64_t>(now_us - window_began_us_, 1));
  const uint64_t turns = std::exchange(turns_, 0);
  const uint64_t sessions = std::exchange(sessions_, 0);
  window_began_us_ = now_us;
  if (++window_ == 0) window_ = 1;
  wait_us_ = 0;
  if (turns == 0 || now_us < rests_until_us_) return;
  const uint64_t cycle_us = sessions * length_us / turns;
  const auto wait_us = std::min<uint64_t>(cycle_us / kShareOfCycle, static_cast<uint64_t>(limit_us));
  if (turns * wait_us >= kWorthwhileTurns * length_us) wait_us_ = static_cast<int64_t>(wait_us);
}

}  // namespace cairn
