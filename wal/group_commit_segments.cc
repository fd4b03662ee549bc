// The log thread's dealings with segments: starting, ending and replacing them, and the orders that do so.
#include <algorithm>

#include "base/logger.h"
#include "wal/group_commit.h"
#include "wal/log_reader.h"

namespace cairn {
namespace {

constexpr int64_t kRetryPeriodUs = 1'000'000;
constexpr uint64_t kZeroAheadBytes = 1 << 20;
// Nothing is written ahead of need when the disk has less room than this.
constexpr uint64_t kRoomyDiskBytes = uint64_t{256} << 20;
constexpr int64_t kReservePeriodUs = 50'000;
constexpr uint64_t kReserveChunkBytes = 1 << 20;
// A log that never gets longer than this gets no reserve.
constexpr uint64_t kReserveFromBytes = 1 << 20;
// The reserve takes at most one part in so many of the free space.
constexpr uint64_t kReserveShareOfFree = 8;
// Room for the frames that end a segment.
constexpr uint64_t kRewriteMarginBytes = 4096;

}  // namespace

Status GroupCommit::OpenFirstSegment(Lsn continues_from) {
  MutexLock hold(step_mutex_);
  CAIRN_RETURN_IF_ERROR(MakeSegment(continues_from, written_.lsn, written_.lsn, SegmentSet::Kind::kEmpty));
  const Result<uint64_t> reserve_bytes = segments_->ReserveBytes();
  reserve_left_behind_ = reserve_bytes.ok() && *reserve_bytes > 0;
  Publish();
  return Status::Ok();
}

Status GroupCommit::MakeSegment(Lsn continues_from, Lsn first_lsn, Lsn durable_lsn, SegmentSet::Kind kind) {
  if (options_.may_make_segment) CAIRN_RETURN_IF_ERROR(options_.may_make_segment());
  Result<uint64_t> free_bytes = options_.fs->FreeSpace(options_.directory);
  const bool roomy = free_bytes.ok() && *free_bytes >= kRoomyDiskBytes;
  const bool fill_ahead = state_->policy() == FsyncPolicy::kAlways && roomy;
  SegmentHeader header;
  header.continues_from = continues_from;
  header.first_lsn = first_lsn;
  header.durable_lsn = durable_lsn;
  header.wall_us = MakeStamp().wall_us;
  header.directory_id = options_.directory_id;
  const uint64_t zero_ahead = fill_ahead ? std::min(kZeroAheadBytes, options_.segment_bytes) : 0;
  Result<NewSegment> made = segments_->Create(&header, zero_ahead, kind);
  CAIRN_RETURN_IF_ERROR(made.status());
  segment_ = std::make_unique<SegmentWriter>(std::move(made).value(), header, options_.segment_bytes, options_.max_frame_bytes,
                                             fill_ahead);
  current_segment_bytes_.store(segment_->offset(), std::memory_order_relaxed);
  reserve_hopeless_ = false;
  return Status::Ok();
}

// The order matters: the old segment's bytes are durable before the new one claims to continue them, and the new one exists
// durably before the old one names it.
Status GroupCommit::Rotate() {
  CAIRN_RETURN_IF_ERROR(SyncSegment());
  BeginDisk(NowUs());  // what follows has an age of its own
  std::unique_ptr<SegmentWriter> old = std::move(segment_);
  segments_->NoteWrite(old->offset() + kFrameHeaderBytes + kSuccessorPayloadBytes);
  CAIRN_RETURN_IF_ERROR(MakeSegment(written_.lsn, written_.lsn, synced_lsn_, SegmentSet::Kind::kEmpty));
  char payload[kSuccessorPayloadBytes];
  EncodeSuccessor(segment_->file_id(), written_.lsn, payload);
  Status status = old->WriteControl(FrameKind::kSuccessor, written_.lsn, {payload, sizeof(payload)}, MakeStamp());
  if (status.ok()) status = old->Finish();
  // The new segment names its predecessor too, so nothing is lost without the old one's last frame.
  if (!status.ok()) LogF(LogLevel::kWarning, "Log: the end of a finished segment: %s", status.ToString().c_str());
  return Status::Ok();
}

void GroupCommit::Fail(const Status& error) {
  segment_.reset();
  written_ = released_;
  disk_full_ = error.code() == StatusCode::kNoSpace;
  if (!failed_) {
    LogF(LogLevel::kWarning, "Log: writes are refused: %s", error.ToString().c_str());
    // The first retry comes at once: it may be this file only, or there is a reserve.
    retry_at_us_ = NowUs();
  } else {
    retry_at_us_ = NowUs() + kRetryPeriodUs;
  }
  failed_ = true;
  failures_.fetch_add(1, std::memory_order_relaxed);
  last_sync_ok_.store(false, std::memory_order_relaxed);
  state_->Fail(error);
}

// Rewrites everything that is not known durable to a new segment that supersedes the failed one.
void GroupCommit::Retry(const AppendBuffer::Position& end) {
  const bool from_reserve = disk_full_ && segments_->ReserveTakes(RewriteBytes(end));
  Status status = RewriteTo(end, from_reserve ? SegmentSet::Kind::kFromReserve : SegmentSet::Kind::kReplacement);
  if (!status.ok()) {
    segments_->AbandonPending();
    Fail(status);
    return;
  }
  segments_->NoteWrite(segment_->file_bytes());
  failed_ = false;
  if (from_reserve) {
    // All is durable, and reads are served; new writes need room first.
    reserve_spent_ = true;
    retry_at_us_ = NowUs() + kRetryPeriodUs;
    return;
  }
  if (reserve_spent_) return;
  LogF(LogLevel::kNotice, "Log: everything is durable in %s, writes are accepted again",
       segments_->path_of(segment_->file_id()).c_str());
  state_->Recover();
}

Status GroupCommit::RewriteTo(const AppendBuffer::Position& end, SegmentSet::Kind kind) {
  const SegmentListing before = segments_->listing();
  CAIRN_RETURN_IF_ERROR(MakeSegment(synced_lsn_, synced_lsn_, synced_lsn_, kind));
  if (synced_lsn_ < released_.lsn) CAIRN_RETURN_IF_ERROR(CopyUnsynced(before));
  CAIRN_RETURN_IF_ERROR(WriteUpTo(end));
  return SyncSegment();
}

// What a new segment has to take: about, where units are read back from the old one.
uint64_t GroupCommit::RewriteBytes(const AppendBuffer::Position& end) const {
  uint64_t bytes = kSegmentHeaderBytes + kRewriteMarginBytes;
  if (synced_lsn_ < released_.lsn) bytes += (released_.lsn - synced_lsn_) / 16 * 17;
  AppendBuffer::ForEachFrame(released_, end, [&](const AppendBuffer::Slot& slot, std::string_view) {
    const uint64_t payload = slot.linked != nullptr ? slot.linked->bytes : slot.payload_bytes;
    bytes += payload + (payload / options_.max_frame_bytes + 1) * kFrameHeaderBytes;
  });
  return bytes;
}

// kNo: what was written but never synced is no longer in memory. A failed write leaves it readable in the old segment; if it
// is not, nothing can bring it back, and writes stay refused.
Status GroupCommit::CopyUnsynced(const SegmentListing& from) {
  const auto copy = [this](const LogFrame& frame) CAIRN_REQUIRES(step_mutex_) {
    if (frame.first_lsn >= released_.lsn) return Status::Ok();  // of the write that failed: still in the buffer
    const LogPiece piece{frame.payload, frame.owner};
    return segment_->WriteUnit(frame.first_lsn, {&piece, 1}, frame.payload.size(), {synced_lsn_, frame.wall_us});
  };
  LogRecoveryResult found;
  CAIRN_RETURN_IF_ERROR(ReadListedLog(options_, from, synced_lsn_, copy, &found));
  if (found.log_end_lsn >= released_.lsn) return Status::Ok();
  return Status::Damaged("the log lost what was written from LSN " + std::to_string(found.log_end_lsn) +
                         " on: save a snapshot and start again");
}

void GroupCommit::TryRefillReserve() {
  retry_at_us_ = NowUs() + kRetryPeriodUs;
  Result<uint64_t> free_bytes = options_.fs->FreeSpace(options_.directory);
  if (!free_bytes.ok() || *free_bytes < reserve_goal_bytes_ + kReserveChunkBytes) return;
  Result<bool> whole = segments_->GrowReserve(reserve_goal_bytes_, reserve_goal_bytes_);
  if (!whole.ok()) {
    segments_->DiscardReserve();
    return;
  }
  reserve_spent_ = false;
  LogF(LogLevel::kNotice, "Log: there is room again, writes are accepted");
  state_->Recover();
}

// A whole segment, less on a small or nearly full disk; what an earlier start has left is kept.
Result<uint64_t> GroupCommit::ReserveGoalBytes() const {
  CAIRN_ASSIGN_OR_RETURN(const uint64_t present_bytes, segments_->ReserveBytes());
  CAIRN_ASSIGN_OR_RETURN(const uint64_t free_bytes, options_.fs->FreeSpace(options_.directory));
  const uint64_t affordable_bytes = (free_bytes + present_bytes) / kReserveShareOfFree;
  return std::min(options_.segment_bytes, std::max(present_bytes, affordable_bytes));
}

bool GroupCommit::ReserveGrowthDue(int64_t now_us) const {
  if (reserve_spent_ || reserve_hopeless_ || segments_->reserve_whole() || segment_ == nullptr) return false;
  const bool short_log = segment_->offset() < std::min(kReserveFromBytes, options_.segment_bytes) && segments_->count() < 2;
  if (short_log && !reserve_left_behind_) return false;
  return now_us - reserve_grown_us_ >= kReservePeriodUs;
}

// Bit by bit, so that no commit waits for it. What has grown when the disk is full is still of use.
void GroupCommit::GrowReserveALittle(int64_t now_us) {
  reserve_grown_us_ = now_us;
  if (reserve_goal_bytes_ == 0) {
    const Result<uint64_t> goal_bytes = ReserveGoalBytes();
    reserve_hopeless_ = !goal_bytes.ok() || *goal_bytes < std::min(kReserveChunkBytes, options_.segment_bytes);
    if (reserve_hopeless_) return;
    reserve_goal_bytes_ = *goal_bytes;
  }
  Result<bool> whole = segments_->GrowReserve(reserve_goal_bytes_, kReserveChunkBytes);
  if (whole.ok()) return;
  reserve_hopeless_ = true;
  LogF(LogLevel::kWarning, "Log: not as much space as wanted could be held in reserve: %s", whole.status().ToString().c_str());
}

// --- Orders ---

Status GroupCommit::Give(Order order) {
  MutexLock hold(order_mutex_);
  while (order_ != Order::kNone && !ended_) order_changed_.Wait(order_mutex_);
  if (ended_) return Status::Unavailable("the log is closed");
  order_ = order;
  order_done_ = false;
  waker_->Wake();
  while (!order_done_ && !ended_) order_changed_.Wait(order_mutex_);
  Status result = order_done_ ? order_result_ : Status::Unavailable("the log is closed");
  order_ = Order::kNone;
  order_changed_.NotifyAll();
  return result;
}

void GroupCommit::ObeyOrder() {
  Order order;
  {
    MutexLock hold(order_mutex_);
    if (order_done_) return;
    order = order_;
  }
  Status result;
  if (order == Order::kEnable) result = Enable();
  if (order == Order::kDisable) result = Disable();
  if (order == Order::kClose) result = Close();
  MutexLock hold(order_mutex_);
  order_result_ = result;
  order_done_ = true;
  order_changed_.NotifyAll();
}

Status GroupCommit::Enable() {
  if (buffer_->keeping()) return Status::Ok();
  collected_us_ = last_busy_us_ = NowUs();
  oldest_undurable_us_ = 0;
  written_ = released_ = buffer_->StartKeeping();
  synced_lsn_ = written_.lsn;
  BeginDisk(collected_us_);
  Status status = MakeSegment(written_.lsn, written_.lsn, written_.lsn, SegmentSet::Kind::kEmpty);
  if (!status.ok()) {
    written_ = released_ = buffer_->Release(buffer_->StopKeeping());
    buffer_->FollowEnd();
    state_->NoteSwitchedOff(buffer_->end_lsn());
    return status;
  }
  Publish();
  return Status::Ok();
}

Status GroupCommit::Disable() {
  if (!buffer_->keeping()) return Status::Ok();
  const AppendBuffer::Position end = buffer_->StopKeeping();
  Status status = EndSegmentCleanly(end);
  if (!status.ok()) LogF(LogLevel::kWarning, "Log: switched off without a clean end: %s", status.ToString().c_str());
  segment_.reset();
  current_segment_bytes_.store(0, std::memory_order_relaxed);
  written_ = released_ = buffer_->Release(buffer_->Collect());
  synced_lsn_ = end.lsn;
  oldest_undurable_us_ = 0;
  buffer_->FollowEnd();
  if (failed_ || reserve_spent_) state_->Recover();
  failed_ = reserve_spent_ = false;
  state_->NoteSwitchedOff(buffer_->end_lsn());
  return status;
}

Status GroupCommit::Close() {
  if (!buffer_->keeping()) return Status::Ok();
  Status status = EndSegmentCleanly(buffer_->Collect());
  Publish();
  return status;
}

Status GroupCommit::EndSegmentCleanly(const AppendBuffer::Position& end) {
  BeginDisk(NowUs());
  if (failed_) Retry(end);
  if (failed_) return state_->error();
  CAIRN_RETURN_IF_ERROR(WriteUpTo(end));
  if (written_.lsn != synced_lsn_) CAIRN_RETURN_IF_ERROR(SyncSegment());
  CAIRN_RETURN_IF_ERROR(segment_->WriteControl(FrameKind::kCleanEnd, written_.lsn, {}, MakeStamp()));
  CAIRN_RETURN_IF_ERROR(segment_->Finish());
  segments_->NoteWrite(segment_->file_bytes());
  segment_.reset();
  return Status::Ok();
}

void GroupCommit::RequestRotation() {
  rotation_requested_.store(true);
  waker_->Wake();
}

void GroupCommit::RequestSync() {
  sync_requested_.store(true);
  waker_->Wake();
}

}  // namespace cairn
