#include "base/epoch.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <thread>

#include "base/allocator.h"
#include "base/cpu.h"
#include "base/thread_annotations.h"

namespace cairn {

// The epoch in which the thread began to read; kIdle while it does not. A line of its own: only those who free look at others'.
struct alignas(64) ReadSection::Place {
  static constexpr uint64_t kIdle = UINT64_MAX;
  std::atomic<uint64_t> epoch{kIdle};
};

struct ReadSections {
  static constexpr uint32_t kPlaces = 63;
  struct Unlinked {
    void* pointer;
    size_t size_bytes;
    uint64_t epoch;  // who began later does not find it
  };

  // Never destroyed: threads may end after static objects.
  static ReadSections& All() {
    static auto* all = new ReadSections;
    return *all;
  }
  // Ends the epoch; returns its number. What was unlinked before is not found by who begins to read afterwards.
  uint64_t NextEpoch() {
    const uint64_t ended = epoch.fetch_add(1, std::memory_order_seq_cst);
    // Pairs with the fence of a reader: either it is seen here, or it sees what was unlinked.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return ended;
  }
  // The earliest epoch in which somebody who still reads began.
  uint64_t OldestReader() const {
    uint64_t oldest = ReadSection::Place::kIdle;
    const uint32_t used = places_used.load(std::memory_order_seq_cst);
    for (uint32_t i = 0; i < used; i++) oldest = std::min(oldest, places[i].epoch.load(std::memory_order_acquire));
    return oldest;
  }

  // Frees some of what was unlinked before that epoch, in which or after which all began who still read; false where nothing was left.
  bool FreeSome(uint64_t before) {
    // Few at a time: they are freed when the lock has been left, and whoever frees may have clients waiting.
    constexpr size_t kMost = 16;
    Unlinked ready[kMost];
    size_t count = 0;
    {
      SpinLockHolder hold(lock);
      while (count < kMost && !unlinked.empty() && unlinked.front().epoch < before) {
        ready[count++] = unlinked.front();
        unlinked.pop_front();
      }
    }
    for (size_t i = 0; i < count; i++) FreeBytes(ready[i].pointer, ready[i].size_bytes);
    return count != 0;
  }

  std::atomic<uint64_t> epoch{0};
  std::atomic<uint32_t> places_used{0};
  std::array<ReadSection::Place, kPlaces> places;
  SpinLock lock;
  std::deque<Unlinked> unlinked CAIRN_GUARDED_BY(lock);  // by epoch
};

namespace {

// Makes those who free look at this thread's place, too, from now on.
void UsePlace(std::atomic<uint32_t>& used, uint32_t number) {
  for (uint32_t seen = used.load(std::memory_order_relaxed); seen <= number;) {
    if (used.compare_exchange_weak(seen, number + 1, std::memory_order_seq_cst)) return;
  }
}

}  // namespace

ReadSection::ReadSection() {
  ReadSections& all = ReadSections::All();
  const uint32_t number = ThisThreadNumber();
  place_ = number < ReadSections::kPlaces ? &all.places[number] : nullptr;
  if (place_ == nullptr) return;
  if (all.places_used.load(std::memory_order_relaxed) <= number) [[unlikely]]
    UsePlace(all.places_used, number);
  place_->epoch.store(all.epoch.load(std::memory_order_relaxed), std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

ReadSection::~ReadSection() {
  if (place_ != nullptr) place_->epoch.store(Place::kIdle, std::memory_order_release);
}

void FreeAfterReaders(void* pointer, size_t size_bytes) {
  if (pointer == nullptr) return;
  ReadSections& all = ReadSections::All();
  uint64_t ended;
  {
    SpinLockHolder hold(all.lock);
    ended = all.NextEpoch();
    all.unlinked.push_back({pointer, size_bytes, ended});
  }
  // Not what others unlink from now on: who begins to read behind the look at the readers may have found that.
  all.FreeSome(std::min(all.OldestReader(), ended + 1));
}

void AwaitReaders() {
  ReadSections& all = ReadSections::All();
  const uint64_t ended = all.NextEpoch();
  while (all.OldestReader() <= ended) std::this_thread::yield();
  while (all.FreeSome(ended)) {
  }
}

}  // namespace cairn
