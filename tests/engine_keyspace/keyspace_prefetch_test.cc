// Keyspace::Prefetch looks at tables, directories and segments without their shard's lock while everything about them changes. That
// nothing it reads was freed is for the sanitizers to say; without them a crash does.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/random.h"
#include "keyspace_fixture.h"

namespace cairn {
namespace {

TEST(KeyspacePrefetch, WhileKeysComeAndGo) {
  constexpr uint64_t kKeys = 60'000;  // segments split several times, directories double
  Keyspace keyspace{KeyspaceOptions{}};
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  readers.reserve(2);
  for (int i = 0; i < 2; i++) {
    readers.emplace_back([&, i] {
      Random random(static_cast<uint64_t>(i));
      std::vector<std::string> names(16);
      std::vector<KeyRef> keys(16);
      while (!stop.load(std::memory_order_relaxed)) {
        for (size_t k = 0; k < keys.size(); k++) {
          names[k] = std::to_string(random.Uniform(kKeys));
          keys[k] = KeyRef::Of(names[k]);
        }
        // The last has no place in the array that is read without a lock.
        for (const uint32_t database : {0u, 1u, 16u}) keyspace.Prefetch(keys, database);
      }
    });
  }
  for (int round = 0; round < 3; round++) {
    const auto for_each_key = [&](auto&& change) {
      for (uint64_t first = 0; first < kKeys; first += 500) {
        AllLocked locked(keyspace);
        for (uint64_t i = first; i < first + 500; i++) change(locked.scope, std::to_string(i));
      }
    };
    for_each_key([&](ChangeScope& scope, const std::string& name) { keyspace.SetString(scope, 0, KeyRef::Of(name), {"v"}, {}); });
    if (round == 1) {
      for_each_key(
          [&](ChangeScope& scope, const std::string& name) { EXPECT_TRUE(keyspace.Delete(scope, 0, KeyRef::Of(name))); });
    } else {
      AllLocked locked(keyspace);
      keyspace.SwapDatabases(locked.scope, 0, 1);
      EXPECT_EQ(keyspace.Flush(locked.scope, 1, false), kKeys);
    }
    EXPECT_EQ(keyspace.Size(0), 0u);
    while (keyspace.FreePending(1000)) {
    }
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(keyspace.lazy_freed_objects(), 2 * kKeys);
  EXPECT_EQ(keyspace.memory_bytes(), RecountMemory(keyspace));
}

}  // namespace
}  // namespace cairn
