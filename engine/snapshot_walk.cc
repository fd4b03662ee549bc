#include "engine/snapshot_walk.h"

#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "engine/codec/value_codec.h"

namespace cairn {
namespace {

// Between rests: so long a client that needs the core waits, each time, and a round of 50 clients' commands takes longer than a rest.
constexpr int64_t kWorkUs = 30;

// Takes an encoded value: into a snapshot's big entry, up to the first failure, or, without one, to count its bytes. Calls `between` again
// and again on the way.
class LargeValueSink final : public RdbSink {
 public:
  LargeValueSink(BigEntryWriter* writer, const std::function<void()>& between) : writer_(writer), between_(between) {}
  void Append(std::string_view bytes) override {
    bytes_ += bytes.size();
    if (writer_ != nullptr && status_.ok()) status_ = writer_->Append(bytes);
    if (bytes_ - bytes_at_call_ < kBytesBetweenCalls) return;
    bytes_at_call_ = bytes_;
    between_();
  }
  uint64_t bytes() const { return bytes_; }
  const Status& status() const { return status_; }

 private:
  static constexpr uint64_t kBytesBetweenCalls = 16 * 1024;  // some tens of microseconds

  BigEntryWriter* const writer_;
  const std::function<void()>& between_;
  uint64_t bytes_ = 0;
  uint64_t bytes_at_call_ = 0;
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

void UpdateHandOverGate(StoreCore& core, const SnapshotCut& cut) {
  const uint64_t handed_over = cut.handed_over_bytes();
  const uint64_t limit = core.HandOverLimitBytes();
  if (handed_over > limit) {
    core.SetGate(kGateHandOverFull, true);
  } else if (handed_over < limit - limit / 8 && core.gate_has(kGateHandOverFull)) {
    // Opened again soon, so that nobody waits for more than a few blocks.
    core.SetGate(kGateHandOverFull, false);
    core.NotifyProgress();
  }
}

uint64_t RelieveFromBytes(const StoreCore& core) { return core.HandOverLimitBytes() / 4; }

// A small part of the time, in short pieces, and not a lower priority: a thread that is preempted while it holds a shard's lock keeps
// clients waiting, and one that sleeps often seldom is.
void SnapshotWalk::MayRest(SnapshotPace pace, Stint* stint) {
  const int64_t now_us = core_.clock.MonotonicUs();
  const int64_t worked_us = now_us - stint->since_us;
  if (worked_us < kWorkUs) return;
  UpdateHandOverGate(core_, cut_);
  if (pace == SnapshotPace::kPolite) {
    if (stint->rests.LookIsDue(now_us)) LookForClients(now_us, &stint->rests);
    const bool urgent = cut_.handed_over_bytes() > core_.HandOverLimitBytes() / 2;  // or writers would have to wait for buffers
    if (urgent) {
      std::this_thread::yield();
    } else if (const int64_t rest_us = stint->rests.RestUs(worked_us); rest_us > 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(rest_us));
    }
  }
  stint->since_us = core_.clock.MonotonicUs();
}

void SnapshotWalk::LookForClients(int64_t now_us, WalkRests* rests) const {
  const KeyspaceStats stats = core_.keyspace->stats();
  rests->Look({.now_us = now_us,
               .accesses = stats.hits + stats.misses + stats.changes,
               .entries_done = cut_.entries_done(),
               .entries = cut_.entry_count()});
}

void SnapshotWalk::Work(SnapshotPace pace) {
  EntryBlock block(0, writer_.block_bytes());
  std::vector<LargeEntry> large;
  const int64_t now_us = core_.clock.MonotonicUs();
  Stint stint{.since_us = now_us, .rests = WalkRests(now_us)};
  const std::function<void()> between = [&] { MayRest(pace, &stint); };
  while (!failed_.load(std::memory_order_relaxed)) {
    if (!cut_.NextBlock(&block, &large, RelieveFromBytes(core_), between)) break;
    UpdateHandOverGate(core_, cut_);
    Status status;
    if (core_.gate_has(kGateClosed)) status = Status::Unavailable("the store is closing");
    if (status.ok() && !block.empty()) status = writer_.AddBlock(block);
    for (const LargeEntry& entry : large) {
      if (status.ok()) status = WriteLarge(entry, between);
    }
    large.clear();
    if (!status.ok()) Fail(status);
    MayRest(pace, &stint);
  }
}

Status SnapshotWalk::WriteLarge(const LargeEntry& entry, const std::function<void()>& between) {
  LargeValueSink counted(nullptr, between);
  entry.value.Encode(counted);
  CAIRN_ASSIGN_OR_RETURN(const auto out,
                         writer_.BeginBigEntry(static_cast<uint16_t>(entry.shard), entry.head, entry.key, counted.bytes()));
  LargeValueSink sink(out.get(), between);
  entry.value.Encode(sink);
  CAIRN_RETURN_IF_ERROR(sink.status());
  return out->Finish();
}

}  // namespace cairn
