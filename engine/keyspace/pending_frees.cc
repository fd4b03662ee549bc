#include "engine/keyspace/pending_frees.h"

#include <chrono>

#include "base/epoch.h"
#include "engine/keyspace/shard.h"
#include "engine/values/large_value.h"
#include "engine/values/rope.h"

namespace cairn {

namespace {

constexpr uint32_t kEntriesPerStep = 256;
constexpr uint32_t kSlicesPerStep = 64;
constexpr uint32_t kNodesPerStep = 256;

}  // namespace

PendingFrees::PendingFrees() = default;

PendingFrees::~PendingFrees() {
  while (FreeFor(1000000)) {
  }
}

void PendingFrees::Add(Rope* rope) {
  pending_.fetch_add(1, std::memory_order_relaxed);
  SpinLockHolder hold(lock_);
  ropes_.push_back(rope);
}

void PendingFrees::Add(LargeValue* large) {
  pending_.fetch_add(1, std::memory_order_relaxed);
  SpinLockHolder hold(lock_);
  larges_.push_back(large);
}

void PendingFrees::Add(std::shared_ptr<Table> table) {
  SpinLockHolder hold(lock_);
  if (table.use_count() > 1) {
    table.reset();
    return;
  }
  pending_.fetch_add(table->dictionary.size(), std::memory_order_relaxed);
  tables_.push_back(std::move(table));
}

bool PendingFrees::TakeNext() {
  if (rope_ != nullptr || large_ != nullptr || table_ != nullptr) return true;
  SpinLockHolder hold(lock_);
  if (!ropes_.empty()) {
    rope_.reset(ropes_.front());
    ropes_.pop_front();
  } else if (!larges_.empty()) {
    large_.reset(larges_.front());
    larges_.pop_front();
  } else if (!tables_.empty()) {
    table_ = std::move(tables_.front());
    tables_.pop_front();
  } else {
    return false;
  }
  return true;
}

bool PendingFrees::FreeFor(int64_t budget_us) {
  MutexLock hold(freeing_);
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(budget_us);
  while (TakeNext()) {
    uint64_t freed = 0;
    if (rope_ != nullptr) {
      if (!rope_->FreeStep(kSlicesPerStep)) {
        rope_.reset();
        freed = 1;
      }
    } else if (large_ != nullptr) {
      if (!large_->FreeStep(kNodesPerStep)) {
        large_.reset();
        freed = 1;
      }
    } else if (!table_->expiry.FreeStep(kNodesPerStep) && !table_->inner_expiry.FreeStep(kNodesPerStep) &&
               !table_->dictionary.FreeStep(kEntriesPerStep, &freed)) {
      AwaitReaders();
      table_.reset();
    }
    pending_.fetch_sub(freed, std::memory_order_relaxed);
    freed_.fetch_add(freed, std::memory_order_relaxed);
    if (std::chrono::steady_clock::now() >= end) break;
  }
  return TakeNext();
}

}  // namespace cairn
