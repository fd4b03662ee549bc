// Many threads at once: what each may rely on. Run under the thread sanitizer too.

#include <atomic>
#include <vector>

#include "tests/engine/store_test_support.h"

namespace cairn {
namespace {

class StoreThreadsTest : public StoreTest {
 protected:
  void Parallel(int threads, const std::function<void(int, Client&)>& work) {
    std::vector<std::thread> all;
    all.reserve(static_cast<size_t>(threads));
    for (int i = 0; i < threads; i++) {
      all.emplace_back([&, i] {
        Client client;
        work(i, client);
      });
    }
    for (std::thread& thread : all) thread.join();
  }
};

TEST_F(StoreThreadsTest, CountersLoseNothing) {
  runtime_.append_fsync = FsyncPolicy::kEverySecond;
  Open();
  constexpr int kPerThread = 3000;
  Parallel(4, [&](int, Client& client) {
    for (int i = 0; i < kPerThread; i++) store_->Run(client, {"INCR", "counter" + std::to_string(i % 7)});
  });
  int64_t sum = 0;
  for (int i = 0; i < 7; i++) sum += std::stoll(Run({"GET", "counter" + std::to_string(i)}).text);
  EXPECT_EQ(sum, 4 * kPerThread);
  const Contents before = ContentsOf(*store_);
  Close();
  Open();
  EXPECT_TRUE(ContentsOf(*store_) == before);
}

TEST_F(StoreThreadsTest, WatchedIncrementsLoseNothing) {
  runtime_.append_fsync = FsyncPolicy::kEverySecond;
  Open();
  Run({"SET", "n", "0"});
  std::atomic<int> succeeded{0};
  Parallel(4, [&](int, Client& client) {
    for (int i = 0; i < 300; i++) {
      store_->Run(client, {"WATCH", "n"});
      const int value = std::stoi(store_->Run(client, {"GET", "n"}).text);
      store_->Run(client, {"MULTI"});
      store_->Run(client, {"SET", "n", std::to_string(value + 1)});
      if (!store_->Run(client, {"EXEC"}).is_null()) succeeded++;
    }
  });
  EXPECT_EQ(Run({"GET", "n"}).text, std::to_string(succeeded.load()));
  EXPECT_GT(succeeded.load(), 0);
}

// Transfers between accounts keep the sum, for readers in transactions, for snapshots and for the log.
TEST_F(StoreThreadsTest, TransactionsAreAtomicForEverybody) {
  runtime_.append_fsync = FsyncPolicy::kEverySecond;
  Open();
  constexpr int kAccounts = 8;
  for (int i = 0; i < kAccounts; i++) Run({"SET", "account" + std::to_string(i), "100"});
  std::atomic<bool> stop{false};
  std::thread saver([&] {
    while (!stop.load()) (void)store_->SaveAndWait();
  });
  Parallel(3, [&](int number, Client& client) {
    Random random(static_cast<uint64_t>(number) + 1);
    for (int i = 0; i < 500; i++) {
      if (number == 0) {
        int sum = 0;
        store_->Run(client, {"MULTI"});
        for (int a = 0; a < kAccounts; a++) store_->Run(client, {"GET", "account" + std::to_string(a)});
        for (const ReplyValue& value : store_->Run(client, {"EXEC"}).elements) sum += std::stoi(value.text);
        EXPECT_EQ(sum, kAccounts * 100);
      } else {
        const std::string from = "account" + std::to_string(random.Uniform(kAccounts));
        const std::string to = "account" + std::to_string(random.Uniform(kAccounts));
        store_->Run(client, {"MULTI"});
        store_->Run(client, {"DECRBY", from, "7"});
        store_->Run(client, {"INCRBY", to, "7"});
        store_->Run(client, {"EXEC"});
      }
    }
  });
  stop = true;
  saver.join();
  ASSERT_TRUE(store_->WaitDurable(store_->end_lsn()).ok());
  Crash();
  Open();
  int sum = 0;
  for (int a = 0; a < kAccounts; a++) sum += std::stoi(Run({"GET", "account" + std::to_string(a)}).text);
  EXPECT_EQ(sum, kAccounts * 100);
}

TEST_F(StoreThreadsTest, EverythingAtOnce) {
  runtime_.append_fsync = FsyncPolicy::kEverySecond;
  runtime_.maxmemory_bytes = 8 << 20;
  runtime_.maxmemory_policy = EvictionPolicy::kAllKeysLru;
  Open();
  std::atomic<bool> stop{false};
  std::thread administrator([&] {
    Client client;
    for (int i = 0; !stop.load(); i++) {
      if (i % 3 == 0) (void)store_->SaveAndWait();
      if (i % 5 == 1) (void)store_->Reload(true);
      if (i % 7 == 2) store_->Run(client, {"FLUSHALL"});
      if (i % 4 == 3) (void)store_->Info();
      store_->ForEachKey(0, [](std::string_view, const Entry&) {});
    }
  });
  Parallel(3, [&](int number, Client& client) {
    Random random(static_cast<uint64_t>(number) + 10);
    for (int i = 0; i < 3000; i++) {
      const std::string key = "k" + std::to_string(random.Uniform(2000));
      switch (random.Uniform(6)) {
        case 0: store_->Run(client, {"GET", key}); break;
        case 1: store_->Run(client, {"SET", key, random.Bytes(random.Uniform(5000)), "PX", "20"}); break;
        case 2: store_->Run(client, {"MSET", key, "1", key + "x", "2"}); break;
        case 3: store_->Run(client, {"DEL", key, key + "x"}); break;
        case 4: store_->Run(client, {"APPEND", key, random.Bytes(random.Uniform(20'000))}); break;
        default: store_->Run(client, {"SET", key, random.Bytes(100)}); break;
      }
    }
  });
  stop = true;
  administrator.join();
  const Status saved = store_->SaveAndWait();
  EXPECT_TRUE(saved.ok()) << saved.ToString();
}

}  // namespace
}  // namespace cairn
