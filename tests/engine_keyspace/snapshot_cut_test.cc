#include "engine/keyspace/snapshot_cut.h"

#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "keyspace_fixture.h"
#include "snapshot/rdb_string_decoder.h"

namespace cairn {
namespace {

using Image = std::map<std::pair<uint32_t, std::string>, std::pair<std::string, int64_t>>;

Image ImageOf(Keyspace& keyspace, ChangeScope& scope) {
  Image image;
  for (uint32_t database = 0; database < keyspace.databases(); database++) {
    keyspace.ForEach(scope, database, [&](const Entry& entry) {
      image[{database, std::string(entry.key())}] = {ValueOf(&entry), entry.has_expiry() ? entry.expiry_ms() : -1};
    });
  }
  return image;
}

// Reads the cut with some threads, as the store's checkpoint does.
class Reader {
 public:
  void Put(const EntryHead& head, std::string_view key, std::string value) {
    const int64_t expiry_ms = head.has_expiry ? head.expiry_unix_ms : -1;
    std::lock_guard<std::mutex> hold(mutex_);
    EXPECT_TRUE(image_.emplace(std::pair(head.database, std::string(key)), std::pair(std::move(value), expiry_ms)).second) << key;
  }
  void Run(SnapshotCut& cut, uint64_t relieve_from_bytes) {
    EntryBlock block;
    std::vector<LargeEntry> large;
    while (cut.NextBlock(&block, &large, relieve_from_bytes)) {
      EntryReader reader(block.raw(), block.entry_count());
      for (EntryView entry; reader.Next(&entry);) {
        std::string_view rest = entry.value;
        RdbString value;
        std::string scratch;
        ASSERT_TRUE(DecodeRdbString(&rest, &value, &scratch).ok());
        EXPECT_EQ(KeyRef::Of(entry.key).shard(), block.shard());
        Put(entry.head, entry.key, value.is_int ? std::to_string(value.number) : std::string(value.bytes));
      }
      ASSERT_TRUE(reader.status().ok()) << reader.status().ToString();
      for (const LargeEntry& entry : large) {
        std::string encoded;
        StringRdbSink sink(&encoded);
        entry.value.Encode(sink);
        std::string_view rest = encoded;
        RdbString value;
        std::string scratch;
        ASSERT_TRUE(DecodeRdbString(&rest, &value, &scratch).ok());
        Put(entry.head, entry.key, std::string(value.bytes));
      }
      large.clear();
    }
  }
  const Image& image() const { return image_; }

 private:
  std::mutex mutex_;
  Image image_;
};

std::string RandomValue(Random& random) {
  if (random.OneIn(500)) return random.Bytes(400000);
  if (random.OneIn(50)) return random.Bytes(16000 + random.Uniform(3000));
  if (random.OneIn(3)) return std::to_string(random.Next() >> random.Uniform(64));
  return random.Bytes(random.Uniform(200));
}

// One change, with all shards or the key's locked by the caller.
void RandomChange(Keyspace& keyspace, ChangeScope& scope, Random& random, uint32_t database, const KeyRef& key) {
  switch (random.Uniform(6)) {
    case 0: keyspace.Delete(scope, database, key); break;
    case 1: keyspace.AppendString(scope, database, key, RandomValue(random).substr(0, 100)); break;
    case 2: keyspace.OverwriteString(scope, database, key, random.Uniform(300), "overwritten"); break;
    case 3:
      keyspace.SetExpiry(scope, database, key, random.OneIn(3) ? -1 : 1000000 + static_cast<int64_t>(random.Uniform(1000000)));
      break;
    default: keyspace.SetString(scope, database, key, {RandomValue(random)}, {.expiry_ms = random.OneIn(3) ? 5000000 : -1});
  }
}

// From how many handed-over bytes on they are taken first: always, sometimes, never.
uint64_t AnyThreshold(Random& random) {
  const uint64_t thresholds[] = {0, 64 * 1024, UINT64_MAX};
  return thresholds[random.Uniform(3)];
}

TEST(SnapshotCut, WhatWasHandedOverIsGivenOutFirst) {
  constexpr int kKeys = 50'000;
  constexpr int kChanges = 50;
  Keyspace keyspace{KeyspaceOptions{.databases = 1}};
  AllLocked locked(keyspace);
  const auto set = [&](int i) { keyspace.SetString(locked.scope, 0, KeyRef::Of("k" + std::to_string(i)), {"value"}, {}); };
  for (int i = 0; i < kKeys; i++) set(i);
  const std::shared_ptr<SnapshotCut> cut = keyspace.MakeCut();
  keyspace.BeginCut(*cut);
  for (int i = 0; i < kChanges; i++) set(i * 997 % kKeys);
  keyspace.UnlockShards(locked.scope.locked_shards);
  ASSERT_GT(cut->handed_over_bytes(), 0u);
  EntryBlock block;
  std::vector<LargeEntry> large;
  uint64_t before = UINT64_MAX;
  while (cut->handed_over_bytes() > 0) {
    ASSERT_LT(cut->handed_over_bytes(), before);
    before = cut->handed_over_bytes();
    ASSERT_TRUE(cut->NextBlock(&block, &large, 1));
  }
  EXPECT_GE(cut->entries_done(), uint64_t{kChanges});
  EXPECT_LT(cut->entries_done(), uint64_t{kKeys / 10}) << "it walked, too";
  Reader reader;
  reader.Run(*cut, 1);
  EXPECT_EQ(cut->entries_done(), uint64_t{kKeys});
  keyspace.EndCut(*cut);
  keyspace.LockShards(locked.scope.locked_shards);
}

TEST(SnapshotCut, EqualsTheKeyspaceAtTheCut) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 6; round++) {
    Keyspace keyspace{KeyspaceOptions{.databases = 4}};
    AllLocked locked(keyspace);
    const uint64_t names = 1 + random.Uniform(round % 2 ? 20000 : 300);
    const auto change = [&](uint64_t times) {
      for (uint64_t i = 0; i < times; i++) {
        const std::string name = "k" + std::to_string(random.Uniform(names));
        RandomChange(keyspace, locked.scope, random, static_cast<uint32_t>(random.Uniform(3)), KeyRef::Of(name));
      }
    };
    change(random.Uniform(20000));
    const Image expected = ImageOf(keyspace, locked.scope);
    const std::shared_ptr<SnapshotCut> cut = keyspace.MakeCut();
    keyspace.BeginCut(*cut);
    EXPECT_EQ(cut->entry_count(), expected.size());
    change(random.Uniform(30000));
    if (random.OneIn(2)) keyspace.SwapDatabases(locked.scope, 0, 1);
    change(random.Uniform(3000));
    if (random.OneIn(2)) keyspace.Flush(locked.scope, random.OneIn(2) ? -1 : 1, random.OneIn(2));
    change(random.Uniform(3000));
    keyspace.UnlockShards(locked.scope.locked_shards);
    while (keyspace.FreePending(1000)) {
    }
    Reader reader;
    reader.Run(*cut, AnyThreshold(random));
    EXPECT_EQ(cut->handed_over_bytes(), 0u);
    EXPECT_EQ(cut->entries_done(), expected.size());
    keyspace.EndCut(*cut);
    while (keyspace.FreePending(1000)) {
    }
    keyspace.LockShards(locked.scope.locked_shards);
    EXPECT_TRUE(reader.image() == expected);
    EXPECT_EQ(keyspace.memory_bytes(), RecountMemory(keyspace));
    // A second cut of what became of it, ended before it was read.
    std::shared_ptr<SnapshotCut> unread = keyspace.MakeCut();
    keyspace.BeginCut(*unread);
    change(100);
    keyspace.UnlockShards(locked.scope.locked_shards);
    keyspace.EndCut(*unread);
    unread.reset();
    keyspace.LockShards(locked.scope.locked_shards);
    change(100);
  }
}

TEST(SnapshotCut, ExactUnderConcurrentWriters) {
  CAIRN_SEEDED(random);
  Keyspace keyspace{KeyspaceOptions{.databases = 3}};
  {
    AllLocked locked(keyspace);
    for (int i = 0; i < 20000; i++) {
      RandomChange(keyspace, locked.scope, random, static_cast<uint32_t>(random.Uniform(3)),
                   KeyRef::Of("k" + std::to_string(random.Uniform(15000))));
    }
  }
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (int t = 0; t < 3; t++) {
    writers.emplace_back([&, seed = random.Next()] {
      Random mine(seed);
      while (!stop.load(std::memory_order_relaxed)) {
        const std::string name = "k" + std::to_string(mine.Uniform(20000));
        const KeyRef key = KeyRef::Of(name);
        ChangeScope scope;
        scope.now_ms = 1000;
        if (mine.OneIn(20000)) {
          AllLocked all(keyspace);
          if (mine.OneIn(2))
            keyspace.Flush(all.scope, 2, false);
          else
            keyspace.SwapDatabases(all.scope, 0, 1);
          continue;
        }
        scope.locked_shards.set(key.shard());
        keyspace.LockShard(key.shard());
        RandomChange(keyspace, scope, mine, static_cast<uint32_t>(mine.Uniform(3)), key);
        keyspace.UnlockShard(key.shard());
        if (mine.OneIn(1000)) keyspace.FreePending(50);
      }
    });
  }
  for (int round = 0; round < 4; round++) {
    Image expected;
    std::shared_ptr<SnapshotCut> cut;
    {
      AllLocked locked(keyspace);
      expected = ImageOf(keyspace, locked.scope);
      cut = keyspace.MakeCut();
      keyspace.BeginCut(*cut);
    }
    Reader reader;
    std::vector<std::thread> workers;
    for (int t = 0; t < 2; t++) {
      workers.emplace_back([&, relieve_from_bytes = AnyThreshold(random)] { reader.Run(*cut, relieve_from_bytes); });
    }
    for (std::thread& worker : workers) worker.join();
    keyspace.EndCut(*cut);
    EXPECT_TRUE(reader.image() == expected) << reader.image().size() << " of " << expected.size();
    EXPECT_EQ(cut->entries_done(), cut->entry_count());
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(keyspace.memory_bytes(), RecountMemory(keyspace));
}

}  // namespace
}  // namespace cairn
