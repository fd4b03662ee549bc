#include "tests/torture/scenario.h"

#include <cerrno>

namespace cairn::torture {
namespace {

// Too small for zeros ahead and a reserve. The long load of everysec has no place on it: after a kill its log is rewritten beside itself.
constexpr uint64_t kSmallDiskBytes = 24 << 20;
constexpr uint64_t kRoomyDiskBytes = uint64_t{4} << 30;

}  // namespace

Scenario ScenarioOf(uint64_t seed, bool deterministic) {
  Random random(seed);
  Scenario scenario;
  scenario.seed = seed;
  scenario.deterministic = deterministic;
  scenario.capacity_bytes = random.OneIn(4) ? kRoomyDiskBytes : kSmallDiskBytes;
  scenario.generations = 1 + static_cast<uint32_t>(random.Uniform(3));
  scenario.operations = 20 + static_cast<uint32_t>(random.Uniform(80));
  scenario.sync_delay_us = random.OneIn(3) ? 0 : 50 + static_cast<uint32_t>(random.Uniform(400));
  if (deterministic) {
    scenario.clients = 1;
    scenario.capacity_bytes = kSmallDiskBytes;
    scenario.generations = 1;
    scenario.images = 400;
    scenario.crashes_per_image = 2;
    scenario.sync_delay_us = 0;
    return scenario;
  }
  const uint64_t kind = random.Uniform(100);
  scenario.faults = kind < 30;
  scenario.damage = kind >= 30 && kind < 38;
  if (kind == 38) {
    scenario.policy = FsyncPolicy::kEverySecond;
    scenario.promise = Promise::kOneSecond;
    scenario.capacity_bytes = kRoomyDiskBytes;
    scenario.operations = 3000;
    scenario.images = 40;
  } else if (kind == 39) {
    scenario.policy = FsyncPolicy::kNo;
    scenario.promise = Promise::kPrefix;
  } else if (scenario.damage) {
    scenario.promise = Promise::kPrefix;
  }
  if (scenario.promise != Promise::kEverything) scenario.generations = 1;
  return scenario;
}

std::vector<FileFault> FaultsOf(Random& random) {
  static constexpr FileOperation kOperations[] = {
      FileOperation::kWrite,         FileOperation::kSync,     FileOperation::kSync,  FileOperation::kSync,
      FileOperation::kOpen,          FileOperation::kRename,   FileOperation::kWrite, FileOperation::kZeroFill,
      FileOperation::kSyncDirectory, FileOperation::kTruncate, FileOperation::kRemove};
  static constexpr int kErrors[] = {EIO, ENOSPC, EDQUOT};
  static constexpr const char* kPlaces[] = {"", "log/", "log/", "snapshots/", "MANIFEST"};
  std::vector<FileFault> faults;
  const uint64_t count = 1 + random.Uniform(4);
  for (uint64_t i = 0; i < count; i++) {
    FileFault fault;
    fault.operation = kOperations[random.Uniform(std::size(kOperations))];
    fault.path_part = kPlaces[random.Uniform(std::size(kPlaces))];
    fault.let_pass = random.Uniform(40);
    fault.fail_count = random.OneIn(4) ? 1000 : 1 + random.Uniform(3);
    fault.error_number = kErrors[random.Uniform(std::size(kErrors))];
    fault.written_bytes = random.OneIn(2) ? random.Uniform(300) : 0;
    fault.sync_happened = random.OneIn(4);
    faults.push_back(fault);
  }
  return faults;
}

std::string ToString(const Scenario& scenario) {
  static constexpr const char* kPolicies[] = {"always", "everysec", "no"};
  return std::string(kPolicies[static_cast<int>(scenario.policy)]) + ", " + std::to_string(scenario.generations) +
         " generations of " + std::to_string(scenario.clients) + " clients" + (scenario.deterministic ? ", deterministic" : "") +
         (scenario.faults ? ", with faults" : "") + (scenario.damage ? ", with damage" : "");
}

}  // namespace cairn::torture
