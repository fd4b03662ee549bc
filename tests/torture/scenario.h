// What one seed does: which policy, which load, which faults, when images are taken. Everything random comes from the seed; what
// threads make of it does not, unless `deterministic` (one client, a clock that stands still, every call of the file system an image).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/faulty_file_system.h"
#include "engine/store_options.h"
#include "tests/torture/history.h"

namespace cairn::torture {

struct Scenario {
  uint64_t seed = 0;
  bool deterministic = false;
  FsyncPolicy policy = FsyncPolicy::kAlways;
  Promise promise = Promise::kEverything;
  uint32_t generations = 1;  // each goes on from a crash of the one before
  uint32_t clients = kClients;
  uint32_t operations = 60;  // of each client in each generation
  uint32_t images = 10;      // in each generation
  uint32_t crashes_per_image = 4;
  uint64_t capacity_bytes = 0;
  uint32_t sync_delay_us = 0;  // longest
  bool faults = false;         // the disk fails and heals while clients work
  bool damage = false;         // images are damaged: a recovery may refuse, and may lose a named tail
};

Scenario ScenarioOf(uint64_t seed, bool deterministic);
// The faults of one generation.
std::vector<FileFault> FaultsOf(Random& random);
std::string ToString(const Scenario& scenario);

}  // namespace cairn::torture
