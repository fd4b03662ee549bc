#include "base/epoch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <new>
#include <thread>
#include <vector>

#include "base/allocator.h"

namespace cairn {
namespace {

struct Node {
  std::atomic<uint64_t> number;
};

Node* NewNode(uint64_t number) {
  Node* node = new (AllocateBytes(sizeof(Node))) Node;
  node->number.store(number, std::memory_order_relaxed);
  return node;
}

// What a reader holds keeps its content until the reader leaves, however often the writers put something else in its place: what is
// freed is allocated again at once, so that a reader of freed memory would see another number.
TEST(Epoch, NothingIsFreedUnderItsReaders) {
  constexpr int kReaders = 3;
  constexpr uint64_t kChanges = 60'000;
  std::atomic<Node*> shared{NewNode(0)};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> looks{0}, changed_under_reader{0};
  std::vector<std::thread> readers;
  readers.reserve(kReaders);
  for (int i = 0; i < kReaders; i++) {
    readers.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        const ReadSection section;
        ASSERT_TRUE(section.entered());
        const Node* node = shared.load(std::memory_order_acquire);
        const uint64_t number = node->number.load(std::memory_order_relaxed);
        for (int again = 0; again < 2'000; again++) {
          if (node->number.load(std::memory_order_relaxed) != number) changed_under_reader++;
        }
        looks++;
      }
    });
  }
  for (uint64_t number = 1; number <= kChanges || looks.load() < 1000; number++) {
    FreeAfterReaders(shared.exchange(NewNode(number), std::memory_order_acq_rel), sizeof(Node));
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(changed_under_reader, 0u);
  FreeAfterReaders(shared.load(), sizeof(Node));
}

TEST(Epoch, AwaitsThoseWhoReadNowAndNoLaterOnes) {
  std::atomic<bool> reading{false}, leave{false}, awaited{false};
  std::thread reader([&] {
    const ReadSection section;
    reading = true;
    while (!leave) std::this_thread::yield();
    EXPECT_FALSE(awaited);
  });
  while (!reading) std::this_thread::yield();
  std::thread waiter([&] {
    AwaitReaders();
    awaited = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(awaited);
  leave = true;
  reader.join();
  waiter.join();
  AwaitReaders();
}

TEST(Epoch, WithoutReadersMemoryIsFreedAtOnce) {
  if (AllocatedBytes() == ResidentBytes()) GTEST_SKIP() << "the allocator does not tell what is allocated";
  AwaitReaders();  // frees what other tests left
  FlushThreadAllocatorCache();
  const uint64_t before = AllocatedBytes();
  for (int i = 0; i < 1000; i++) FreeAfterReaders(AllocateBytes(100'000), 100'000);
  FlushThreadAllocatorCache();
  EXPECT_LT(AllocatedBytes(), before + 1'000'000);
}

}  // namespace
}  // namespace cairn
