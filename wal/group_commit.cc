#include "wal/group_commit.h"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>

#include "base/cpu.h"
#include "base/scheduling.h"
#include "wal/log_writer.h"

namespace cairn {
namespace {

// Without kAlways: how long appends gather before they are written. Long enough that the thread's wake-ups cost nothing per
// request, short enough that a killed process has handed nearly everything to the operating system.
constexpr int64_t kGatherUs = 4'000;
// Timed waits that find nothing before the thread sleeps until the next append.
constexpr int kQuietPolls = 25;
// kEverySecond: a sync starts when the oldest undurable byte is this old, which leaves it as much time to finish.
constexpr int64_t kSyncAgeUs = 500'000;
// ... or when this much was written since the last one, so that the bytes kept in memory stay few.
constexpr uint64_t kSyncBytes = 32 << 20;
constexpr int64_t kIdleAfterUs = 1'000'000;
constexpr int64_t kIdlePollUs = 100'000;
constexpr int64_t kTroublePollUs = 20'000;
constexpr int64_t kCompanyNapUs = 20;
// Waits shorter than this are not worth a sleep.
constexpr int64_t kShortestCompanyUs = 40;
constexpr uint64_t kIdleFillBytes = 4 << 20;
// A thread that has other things to do commits in the log thread's place only where no sync of late took longer.
constexpr int64_t kQuickSyncUs = 3'000;

}  // namespace

GroupCommit::GroupCommit(const LogOptions& options, AppendBuffer* buffer, CommitState* state, SegmentSet* segments,
                         uint64_t last_wall_us, ThreadWaker* waker)
    : options_(options), buffer_(buffer), state_(state), segments_(segments), waker_(waker), wall_us_(last_wall_us) {
  written_ = released_ = buffer_->Collect();
  synced_lsn_ = written_.lsn;
  collected_us_ = last_busy_us_ = NowUs();
}

GroupCommit::~GroupCommit() { Stop(); }

void GroupCommit::Start() {
  thread_ = std::thread([this] { Run(); });
}

void GroupCommit::Stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  waker_->Wake();
  thread_.join();
}

void GroupCommit::Run() {
  // Without this a nap of 20 us takes 70.
  ::prctl(PR_SET_TIMERSLACK, 1'000UL, 0, 0, 0);
  NameThisThread("log");
  PreferShortSlices();
  bool running = true;
  while (running) {
    WaitForWork();
    if (stopping_.load()) break;
    MutexLock step(step_mutex_);
    if (buffer_->keeping()) Step(Stepper::kLogThread);
    {
      MutexLock hold(order_mutex_);
      if (order_ == Order::kNone) continue;
      running = order_ != Order::kClose;
    }
    ObeyOrder();
  }
  MutexLock hold(order_mutex_);
  ended_ = true;
  order_changed_.NotifyAll();
}

// The log thread was not woken for what the caller appended. So either the caller commits it, or whoever is in a step just now, or the
// log thread, which is in no step: then it is awake and about to look, or it has said that it sleeps, and is woken here.
void GroupCommit::CommitHere() {
  threads_here_.fetch_or(uint64_t{1} << (ThisThreadNumber() % 64), std::memory_order_relaxed);
  if (!step_mutex_.TryLock()) {
    if (buffer_->MustWake(UINT64_MAX)) waker_->Wake();
    return;
  }
  if (MayCommitHere()) Step(Stepper::kAppender);
  const Lsn seen = written_.lsn;
  step_mutex_.Unlock();
  const bool idle_work = sleeps_for_long_.exchange(false);
  if (buffer_->MustWake(seen) || idle_work) waker_->Wake();
}

bool GroupCommit::VisitUndurable(const std::function<void(std::string_view units)>& visit, Lsn* end_lsn) {
  if (!step_mutex_.TryLock()) return false;
  if (released_.lsn > synced_lsn_) {  // with kNo, or just after it: part of what no sync has reached is not in memory any longer
    step_mutex_.Unlock();
    return false;
  }
  const AppendBuffer::Position end = buffer_->Collect();
  AppendBuffer::ForEachFrame(released_, end, [&](const AppendBuffer::Slot& slot, std::string_view payload) {
    if (slot.linked == nullptr) {
      visit(payload);
      return;
    }
    std::string unit;
    for (const LogPiece& piece : slot.linked->pieces) unit.append(piece.bytes);
    visit(unit);
  });
  *end_lsn = end.lsn;
  step_mutex_.Unlock();
  return true;
}

bool GroupCommit::MayCommitHere() {
  return buffer_->keeping() && segment_ != nullptr && !segment_->full() && !failed_ && !reserve_spent_ && !stopping_.load() &&
         state_->policy() == FsyncPolicy::kAlways && !rotation_requested_.load() && slow_sync_us_ <= kQuickSyncUs &&
         buffer_->units() - written_.units <= LogWriter::kBatchUnitsMost &&
         (CompanyBoundUs() == 0 || (threads_expected_ & ~threads_here_.load(std::memory_order_relaxed)) == 0);
}

void GroupCommit::Step(Stepper stepper) {
  buffer_->KeepSpare();
  group_threads_ = threads_here_.exchange(0, std::memory_order_relaxed);
  // Before the group is collected: a sync is to cover what was appended before it was asked for, and what the group lacks is younger.
  if (sync_requested_.exchange(false)) sync_wanted_ = true;
  const int64_t now_us = NowUs();
  const AppendBuffer::Position end = buffer_->Collect();
  if (end.lsn != written_.lsn) {
    // What is in this group came after the previous look.
    if (oldest_undurable_us_ == 0) oldest_undurable_us_ = std::max<int64_t>(collected_us_, 1);
    last_busy_us_ = now_us;
    trimmed_ = false;
    quiet_polls_ = 0;
  } else {
    quiet_polls_ = std::min(quiet_polls_ + 1, kQuietPolls);
  }
  collected_us_ = now_us;
  collected_lsn_ = end.lsn;
  state_->BeginDisk(oldest_undurable_us_, now_us);
  if (failed_) {
    if (now_us >= retry_at_us_) Retry(end);
    Publish();
    return;
  }
  Status status = CommitGroup(end);
  if (stepper == Stepper::kAppender) {
    if (!status.ok()) Fail(status);
    Publish();
    return;
  }
  if (status.ok() && rotation_requested_.exchange(false) && segment_->offset() > kSegmentHeaderBytes) status = Rotate();
  if (status.ok() && segment_->full()) status = Rotate();
  if (!status.ok()) Fail(status);
  Publish();
  if (!failed_) DoSpareWork(now_us);
}

// --- Waiting ---

void GroupCommit::WaitForWork() {
  Wait wait;
  {
    MutexLock hold(step_mutex_);
    wait = NextWait();
  }
  if (wait.until_append) {
    if (wait.append_us > 0) {
      waker_->WaitFor(wait.append_us);
    } else {
      waker_->Wait();
    }
    sleeps_for_long_.store(false);
    buffer_->CancelSleep();
    MutexLock hold(step_mutex_);
    collected_us_ = NowUs();
  }
  if (wait.time_us > 0) waker_->WaitFor(wait.time_us);
  if (wait.for_company) AwaitCompany();
}

GroupCommit::Wait GroupCommit::NextWait() {
  Wait wait;
  if (buffer_->keeping() && (failed_ || reserve_spent_)) {
    wait.time_us = kTroublePollUs;
    return wait;
  }
  const bool pending = buffer_->keeping() && buffer_->end_lsn() != written_.lsn;
  const FsyncPolicy policy = state_->policy();
  bool quiet = !pending;
  if (buffer_->keeping() && policy == FsyncPolicy::kAlways) {
    wait.for_company = true;
  } else if (buffer_->keeping()) {
    const bool must_sync = policy == FsyncPolicy::kEverySecond && synced_lsn_ != written_.lsn;
    quiet = quiet && !must_sync && quiet_polls_ >= kQuietPolls;
    wait.time_us = kGatherUs;
  }
  if (quiet && buffer_->PrepareSleep(written_)) {
    wait.until_append = true;
    wait.append_us = buffer_->keeping() && IdleWorkLeft() ? kIdlePollUs : 0;
    sleeps_for_long_.store(wait.append_us == 0);
  }
  return wait;
}

// After a commit its clients get their replies and send their next writes. Syncing at once would split them into two crowds
// that wait for each other's syncs; so a group waits until as many units are there as were on their way, for at most a
// fraction of what a sync costs. Threads that commit by themselves do not wait: the last one of those expected commits for all, and where
// one does not come the log thread does, whom the first one woke.
int64_t GroupCommit::CompanyBoundUs() const {
  const int64_t bound_us = std::min<int64_t>(options_.group_commit_wait_us, sync_us_estimate_ / 4);
  return bound_us < kShortestCompanyUs || cohort_ <= 1 ? 0 : bound_us;
}

void GroupCommit::AwaitCompany() {
  int64_t bound_us;
  uint64_t units;
  {
    MutexLock hold(step_mutex_);
    bound_us = CompanyBoundUs();
    if (bound_us == 0) return;
    units = written_.units + cohort_;
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(bound_us);
  while (buffer_->units() < units && !stopping_.load(std::memory_order_relaxed)) {
    if (std::chrono::steady_clock::now() >= deadline) return;
    std::this_thread::sleep_for(std::chrono::microseconds(kCompanyNapUs));
  }
}

// What no commit waits for.
void GroupCommit::DoSpareWork(int64_t now_us) {
  if (reserve_spent_ && now_us >= retry_at_us_) TryRefillReserve();  // nothing is admitted meanwhile
  const bool grow = ReserveGrowthDue(now_us);
  const bool idle = now_us - last_busy_us_ >= kIdleAfterUs && IdleWorkLeft();
  if (!grow && !idle) return;
  BeginDisk(NowUs());
  if (grow) GrowReserveALittle(now_us);
  if (idle) DoIdleWork();
  Publish();
}

bool GroupCommit::IdleWorkLeft() const { return !trimmed_ || (segment_ != nullptr && segment_->last_stamp() < synced_lsn_); }

void GroupCommit::DoIdleWork() {
  if (segment_ != nullptr && segment_->last_stamp() < synced_lsn_) {
    Status status = WriteMark();
    if (!status.ok()) {
      Fail(status);
      return;
    }
  }
  if (!trimmed_) {
    buffer_->TrimSpares();
    trimmed_ = true;
  }
}

// --- Writing ---

SegmentWriter::Stamp GroupCommit::MakeStamp() {
  wall_us_ = std::max(wall_us_, static_cast<uint64_t>(options_.clock->WallUs()));
  return {synced_lsn_, wall_us_};
}

Status GroupCommit::CommitGroup(const AppendBuffer::Position& end) {
  // Looked at once: a switch in between is for the next step, for which the log thread is woken.
  const FsyncPolicy policy = state_->policy();
  if (end.lsn != written_.lsn) {
    group_units_ = end.units - written_.units;
    CAIRN_RETURN_IF_ERROR(WriteUpTo(end));
    groups_.fetch_add(1, std::memory_order_relaxed);
    segments_->NoteWrite(segment_->file_bytes());
    current_segment_bytes_.store(segment_->offset(), std::memory_order_relaxed);
  }
  // Also what an earlier group has written under another policy.
  if (policy == FsyncPolicy::kNo && released_.lsn != written_.lsn) {
    NoteReleased();
    oldest_undurable_us_ = 0;
  }
  if (SyncDue(policy)) {
    CAIRN_RETURN_IF_ERROR(SyncSegment());
    cohort_ = group_units_ + (buffer_->units() - written_.units);
    threads_expected_ = group_threads_ | threads_here_.load(std::memory_order_relaxed);
  }
  sync_wanted_ = false;  // it is still set after a failure: the sync of all that is rewritten comes first, then another look here
  return Status::Ok();
}

// Compared by LSN: where all before `end` was released meanwhile, the block it points into has been started anew.
Status GroupCommit::WriteUpTo(const AppendBuffer::Position& end) {
  while (written_.lsn != end.lsn) {
    const uint32_t limit = AppendBuffer::FrameLimit(written_, end);
    if (AppendBuffer::EnterNextBlock(&written_, limit)) continue;
    if (segment_->full()) CAIRN_RETURN_IF_ERROR(Rotate());
    CAIRN_RETURN_IF_ERROR(WriteFromBlock(limit));
  }
  written_.units = end.units;
  return Status::Ok();
}

// Writes one linked unit, or as many frames as lie together before `limit` and start before the segment's nominal end.
Status GroupCommit::WriteFromBlock(uint32_t limit) {
  char* const run = written_.block->bytes + written_.offset;
  AppendBuffer::Slot slot = AppendBuffer::ReadSlot(run);
  if (slot.linked != nullptr) {
    CAIRN_RETURN_IF_ERROR(segment_->WriteUnit(slot.first_lsn, slot.linked->pieces, slot.linked->bytes, MakeStamp()));
    written_.lsn = slot.first_lsn + slot.linked->bytes;
    written_.offset += kFrameHeaderBytes;
    return Status::Ok();
  }
  const uint64_t room = segment_->room();
  uint32_t run_bytes = 0;
  Lsn lsn = slot.first_lsn;
  while (true) {
    run_bytes += static_cast<uint32_t>(kFrameHeaderBytes) + slot.payload_bytes;
    lsn += slot.payload_bytes;
    if (written_.offset + run_bytes == limit || run_bytes >= room) break;
    slot = AppendBuffer::ReadSlot(run + run_bytes);
    if (slot.linked != nullptr) break;
  }
  CAIRN_RETURN_IF_ERROR(segment_->WriteRun(run, run_bytes, MakeStamp()));
  written_.lsn = lsn;
  written_.offset += run_bytes;
  return Status::Ok();
}

bool GroupCommit::SyncDue(FsyncPolicy policy) const {
  if (written_.lsn == synced_lsn_) return false;
  if (sync_wanted_) return true;
  switch (policy) {
    case FsyncPolicy::kAlways: return true;
    case FsyncPolicy::kEverySecond:
      return NowUs() - oldest_undurable_us_ >= kSyncAgeUs || written_.lsn - synced_lsn_ >= kSyncBytes;
    case FsyncPolicy::kNo: return false;
  }
  return true;
}

Status GroupCommit::SyncSegment() {
  const int64_t start_us = NowUs();
  BeginDisk(start_us);
  Status status = segment_->Sync();
  if (status.ok()) status = segments_->CommitNewest();
  sync_us_estimate_ = NowUs() - start_us;
  slow_sync_us_ = std::max(sync_us_estimate_, slow_sync_us_ - slow_sync_us_ / 8);
  last_sync_us_.store(static_cast<uint64_t>(sync_us_estimate_), std::memory_order_relaxed);
  CAIRN_RETURN_IF_ERROR(status);
  syncs_.fetch_add(1, std::memory_order_relaxed);
  last_sync_ok_.store(true, std::memory_order_relaxed);
  synced_lsn_ = written_.lsn;
  NoteReleased();
  // Where the segment ends in the middle of the group, the rest is as old as it was.
  if (synced_lsn_ >= collected_lsn_) oldest_undurable_us_ = 0;
  return Status::Ok();
}

Status GroupCommit::WriteMark() {
  if (state_->policy() == FsyncPolicy::kAlways) CAIRN_RETURN_IF_ERROR(segment_->FillAhead(kIdleFillBytes));
  CAIRN_RETURN_IF_ERROR(segment_->WriteControl(FrameKind::kMark, written_.lsn, {}, MakeStamp()));
  segments_->NoteWrite(segment_->file_bytes());
  return SyncSegment();
}

// Everything written need not be kept in memory any longer.
void GroupCommit::NoteReleased() { released_ = written_ = buffer_->Release(written_); }

// What is not in the last group came after it was collected.
void GroupCommit::AgeNewcomers() {
  if (oldest_undurable_us_ == 0 && buffer_->end_lsn() != written_.lsn) oldest_undurable_us_ = std::max<int64_t>(collected_us_, 1);
}

void GroupCommit::BeginDisk(int64_t now_us) {
  AgeNewcomers();
  state_->BeginDisk(oldest_undurable_us_, now_us);
}

void GroupCommit::Publish() {
  AgeNewcomers();
  CommitState::Progress progress;
  progress.synced_lsn = synced_lsn_;
  progress.released_lsn = released_.lsn;
  progress.end_lsn = buffer_->end_lsn();
  progress.oldest_undurable_us = oldest_undurable_us_;
  state_->Publish(progress);
}

void GroupCommit::FillStats(LogStats* stats) const {
  stats->groups = groups_.load(std::memory_order_relaxed);
  stats->syncs = syncs_.load(std::memory_order_relaxed);
  stats->failed_syncs = failures_.load(std::memory_order_relaxed);
  stats->last_sync_us = last_sync_us_.load(std::memory_order_relaxed);
  stats->last_sync_ok = last_sync_ok_.load(std::memory_order_relaxed);
  stats->current_segment_bytes = current_segment_bytes_.load(std::memory_order_relaxed);
}

}  // namespace cairn
