// A store on a file system in memory that can fail and lose power, and what tests of it share.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "engine/keyspace/keyspace.h"
#include "engine/reply_value.h"
#include "engine/store.h"
#include "engine/values/string_value.h"
#include "tests/support/test_seed.h"

namespace cairn {

// Database, key -> value, expiry (-1: none).
using Contents = std::map<std::pair<uint32_t, std::string>, std::pair<std::string, int64_t>>;

inline Contents ContentsOf(Store& store) {
  Contents contents;
  for (uint32_t database = 0; database < store.keyspace().databases(); database++) {
    store.ForEachKey(database, [&](std::string_view key, const Entry& entry) {
      std::string scratch;
      const std::string value(StringView(&entry).Flatten(&scratch));
      contents[{database, std::string(key)}] = {value, entry.has_expiry() ? entry.expiry_ms() : -1};
    });
  }
  return contents;
}

class StoreTest : public ::testing::Test {
 protected:
  StoreOptions Options() {
    StoreOptions options;
    options.directory = directory_;
    options.threads = 2;
    options.file_system = faulty_.get();
    options.runtime = runtime_;
    return options;
  }
  // `clock`: null for the real one; it must outlive the store.
  void Open(Clock* clock = nullptr) {
    StoreOptions options = Options();
    options.clock = clock;
    Result<std::unique_ptr<Store>> opened = Store::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    store_ = std::move(opened).value();
  }
  void Close() {
    const Status closed = store_->Close(false);
    EXPECT_TRUE(closed.ok()) << closed.ToString();
    store_.reset();
  }
  // As if the power failed at this instant: nothing that was not synced survives (seed 0), or what the seed says. The store that still
  // runs goes on with a disk that nobody will look at again.
  void PowerFails(uint64_t seed = MemoryFileSystem::kDropAll) {
    survives_ = memory_->Image();
    survives_->CrashAndDropUnsynced(seed);
  }
  void PowerReturns() {
    store_.reset();
    faulty_.reset();
    memory_ = std::move(survives_);
    faulty_ = std::make_unique<FaultyFileSystem>(*memory_);
  }
  void Crash(uint64_t seed = MemoryFileSystem::kDropAll) {
    PowerFails(seed);
    PowerReturns();
  }
  ReplyValue Run(std::initializer_list<std::string_view> args) { return store_->Run(client_, args); }
  std::string Text(std::initializer_list<std::string_view> args) { return Run(args).ToString(); }

  std::unique_ptr<MemoryFileSystem> memory_ = std::make_unique<MemoryFileSystem>();
  std::unique_ptr<MemoryFileSystem> survives_;  // the power failure under way
  std::unique_ptr<FaultyFileSystem> faulty_ = std::make_unique<FaultyFileSystem>(*memory_);
  std::string directory_ = "db";
  RuntimeOptions runtime_;
  std::unique_ptr<Store> store_;
  Client client_;
};

// Waits, up to some seconds, until `condition` holds.
template <typename Condition>
bool Eventually(Condition condition, int timeout_ms = 10'000) {
  for (int i = 0; i < timeout_ms; i++) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return condition();
}

}  // namespace cairn
