// Resident bytes per key: 2M strings of a 16-byte key and a 64-byte value, and of a 16-byte value with a TTL, at several sizes.
//   keyspace_memory [keys]
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/allocator.h"
#include "engine/keyspace/keyspace.h"

namespace cairn {
namespace {

std::string KeyName(uint64_t n) {
  char name[32];
  std::snprintf(name, sizeof(name), "key:%012llu", static_cast<unsigned long long>(n));
  return name;
}

void Measure(const char* what, size_t value_bytes, bool with_ttl, uint64_t keys) {
  FlushThreadAllocatorCache();
  PurgeAllocator();
  const uint64_t resident_before = ResidentBytes();
  Keyspace keyspace{KeyspaceOptions{}};
  const std::string value(value_bytes, 'v');
  const uint64_t steps = 8;
  std::printf("%s\n", what);
  uint64_t n = 0;
  for (uint64_t step = 1; step <= steps; step++) {
    for (const uint64_t end = keys * step / steps; n < end; n++) {
      const std::string name = KeyName(n);
      const KeyRef key = KeyRef::Of(name);
      ChangeScope scope;
      scope.now_ms = 1000;
      scope.locked_shards.set(key.shard());
      keyspace.LockShard(key.shard());
      const int64_t expiry_ms = with_ttl ? 100000000 + static_cast<int64_t>((n * 2654435761u) % 1000000) : -1;
      keyspace.SetString(scope, 0, key, {value}, {.expiry_ms = expiry_ms});
      keyspace.UnlockShard(key.shard());
    }
    const double count = static_cast<double>(n);
    const uint64_t resident = ResidentBytes() - resident_before;
    std::printf("  %9llu keys: %6.1f resident, %6.1f accounted, %5.2f dictionary bytes a key\n",
                static_cast<unsigned long long>(n), static_cast<double>(resident) / count,
                static_cast<double>(keyspace.memory_bytes()) / count, static_cast<double>(keyspace.dictionary_bytes(0)) / count);
  }
  PurgeAllocator();
  const AllocatorStats stats = ReadAllocatorStats();
  const double count = static_cast<double>(n);
  std::printf("  after a purge: %.1f resident; allocator: %.1f allocated, %.1f active, %.1f metadata a key\n",
              static_cast<double>(ResidentBytes() - resident_before) / count, static_cast<double>(stats.allocated_bytes) / count,
              static_cast<double>(stats.active_bytes) / count, static_cast<double>(stats.metadata_bytes) / count);
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  const uint64_t keys = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2000000;
  cairn::Measure("16-byte key, 64-byte value", 64, false, keys);
  cairn::Measure("16-byte key, 16-byte value, TTL", 16, true, keys);
  return 0;
}
