#include "engine/snapshot_walk.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "engine/codec/value_codec.h"

namespace cairn {
namespace {

constexpr int64_t kRestShare = 5;  // of the time worked: a worker takes a sixth of a core, and is still faster than a fork
constexpr int64_t kRestMostUs = 20'000;

// Writes into a snapshot's big entry, up to the first failure.
class BigEntrySink final : public RdbSink {
 public:
  explicit BigEntrySink(BigEntryWriter& writer) : writer_(writer) {}
  void Append(std::string_view bytes) override {
    if (status_.ok()) status_ = writer_.Append(bytes);
  }
  const Status& status() const { return status_; }

 private:
  BigEntryWriter& writer_;
  Status status_;
};

}  // namespace

Status SnapshotWalk::status() {
  MutexLock lock(mutex_);
  return failure_;
}

void SnapshotWalk::Fail(const Status& status) {
  MutexLock lock(mutex_);
  if (failure_.ok()) failure_ = status;
  failed_.store(true, std::memory_order_relaxed);
}

void SnapshotWalk::UpdateGate() {
  const uint64_t handed_over = cut_.handed_over_bytes();
  const uint64_t limit = core_.HandOverLimitBytes();
  if (handed_over > limit) {
    core_.SetGate(kGateHandOverFull, true);
  } else if (handed_over < limit / 2 && core_.gate_has(kGateHandOverFull)) {
    core_.SetGate(kGateHandOverFull, false);
    core_.NotifyProgress();
  }
}

// A small part of the time, in short pieces, and not a lower priority: a thread that is preempted while it holds a shard's lock keeps
// clients waiting, and one that sleeps often seldom is.
void SnapshotWalk::Rest(int64_t worked_us) {
  if (cut_.handed_over_bytes() > core_.HandOverLimitBytes() / 2) return;  // writers would have to wait
  std::this_thread::sleep_for(std::chrono::microseconds(std::min(worked_us * kRestShare, kRestMostUs)));
}

void SnapshotWalk::Work(bool yields) {
  EntryBlock block;
  std::vector<LargeEntry> large;
  while (!failed_.load(std::memory_order_relaxed)) {
    const int64_t began_us = core_.clock.MonotonicUs();
    if (!cut_.NextBlock(&block, &large)) break;
    UpdateGate();
    Status status;
    if (core_.gate_has(kGateClosed)) status = Status::Unavailable("the store is closing");
    if (status.ok() && !block.empty()) status = writer_.AddBlock(block);
    for (const LargeEntry& entry : large) {
      if (status.ok()) status = WriteLarge(entry);
    }
    large.clear();
    if (!status.ok()) Fail(status);
    if (yields) Rest(core_.clock.MonotonicUs() - began_us);
  }
}

Status SnapshotWalk::WriteLarge(const LargeEntry& entry) {
  CAIRN_ASSIGN_OR_RETURN(const auto out, writer_.BeginBigEntry(static_cast<uint16_t>(entry.shard), entry.head, entry.key,
                                                               entry.value.EncodedBytes()));
  BigEntrySink sink(*out);
  entry.value.Encode(sink);
  CAIRN_RETURN_IF_ERROR(sink.status());
  return out->Finish();
}

}  // namespace cairn
