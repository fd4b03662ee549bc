// Does what a recovered store holds follow from what its clients did and saw?
//
//   registers   linearizable, the recovered value being one more read (register_check.h)
//   counters    no acknowledged step is missing, none was counted twice, no value that was read is taken back
//   lists       every acknowledged element is in exactly one place, popped ones do not come back, order is kept
//   stream      every acknowledged entry is there; a delivery is remembered until it is acknowledged, and never repeated
//   ledgers     of each client's writes exactly a prefix survived, whatever the keys
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/torture/history.h"
#include "tests/torture/observation.h"

namespace cairn::torture {

// The violations, empty where there are none. `history` as HistoryUntil gave it; `now` is a stamp behind all of it.
std::vector<std::string> Judge(const std::vector<Operation>& history, const Observation& found, uint64_t now);

}  // namespace cairn::torture
