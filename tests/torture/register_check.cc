#include "tests/torture/register_check.h"

#include <algorithm>
#include <unordered_map>

namespace cairn::torture {
namespace {

struct Cluster {
  uint64_t value = 0;
  uint64_t first_finish = UINT64_MAX;
  uint64_t last_start = 0;
  uint64_t write_start = 0;
  bool written = false;
  bool counts = false;  // certain, or read by somebody
};

struct Zone {
  uint64_t left = 0;
  uint64_t right = 0;
  uint64_t value = 0;
};

std::string Name(const Zone& zone) {
  return std::to_string(zone.value) + " (" + std::to_string(zone.left) + " to " + std::to_string(zone.right) + ")";
}

std::string CheckZones(std::vector<Zone>& forward, const std::vector<Zone>& backward) {
  std::sort(forward.begin(), forward.end(), [](const Zone& a, const Zone& b) { return a.left < b.left; });
  for (size_t i = 1; i < forward.size(); i++) {
    if (forward[i].left < forward[i - 1].right)
      return Name(forward[i - 1]) + " and " + Name(forward[i]) + " replace each other twice";
  }
  for (const Zone& zone : backward) {
    // The only forward zone that it can lie inside is the last that begins before it.
    const auto after = std::upper_bound(forward.begin(), forward.end(), zone.left,
                                        [](uint64_t left, const Zone& other) { return left < other.left; });
    if (after == forward.begin()) continue;
    const Zone& around = *std::prev(after);
    if (around.left < zone.left && zone.right < around.right) return Name(zone) + " is forgotten inside " + Name(around);
  }
  return "";
}

}  // namespace

std::string CheckRegister(const std::vector<RegisterEvent>& events) {
  std::unordered_map<uint64_t, Cluster> clusters;
  clusters[0] = {.first_finish = 0, .written = true, .counts = true};
  for (const RegisterEvent& event : events) {
    Cluster& cluster = clusters[event.value];
    cluster.value = event.value;
    cluster.first_finish = std::min(cluster.first_finish, event.finish);
    cluster.last_start = std::max(cluster.last_start, event.start);
    if (event.is_write) {
      cluster.written = true;
      cluster.write_start = event.start;
    }
    cluster.counts = cluster.counts || event.certain;
  }
  std::vector<Zone> forward;
  std::vector<Zone> backward;
  for (const auto& [value, cluster] : clusters) {
    if (!cluster.written) return std::to_string(value) + " was never written";
    if (!cluster.counts) continue;
    if (cluster.first_finish < cluster.write_start) return std::to_string(value) + " was read before it was written";
    if (cluster.first_finish < cluster.last_start) {
      forward.push_back({cluster.first_finish, cluster.last_start, value});
    } else {
      backward.push_back({cluster.last_start, cluster.first_finish, value});
    }
  }
  return CheckZones(forward, backward);
}

}  // namespace cairn::torture
