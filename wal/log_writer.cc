#include "wal/log_writer.h"

#include <algorithm>
#include <utility>

#include "wal/append_buffer.h"
#include "wal/commit_state.h"
#include "wal/group_commit.h"
#include "wal/segment_set.h"
#include "wal/thread_waker.h"

namespace cairn {

LogWriter::LogWriter() = default;

LogWriter::~LogWriter() = default;

Result<std::unique_ptr<LogWriter>> LogWriter::Open(const LogOptions& given, Lsn next_lsn, const LogRecoveryResult& found) {
  LogOptions options = given;
  if (next_lsn < found.next_lsn) {
    return Status::InvalidArgument("LSN " + std::to_string(next_lsn) + " may have been used; the next is " +
                                   std::to_string(found.next_lsn));
  }
  options.max_frame_bytes = std::clamp<uint64_t>(options.max_frame_bytes, kMinFrameBytes, kMaxPayloadBytes);
  std::unique_ptr<LogWriter> log(new LogWriter);
  log->waker_ = std::make_unique<ThreadWaker>();
  log->segments_ = std::make_unique<SegmentSet>(options.fs, options.directory, found.segments);
  log->state_ = std::make_unique<CommitState>(options.clock, options.max_undurable_bytes, options.policy, next_lsn);
  log->buffer_ =
      std::make_unique<AppendBuffer>(next_lsn, options.max_frame_bytes, log->waker_.get(), log->state_->durable_slot());
  if (!options.enabled) {
    (void)log->buffer_->StopKeeping();
    log->buffer_->FollowEnd();
    log->state_->NoteSwitchedOff(next_lsn);
  }
  log->options_ = options;
  log->commit_ = std::make_unique<GroupCommit>(options, log->buffer_.get(), log->state_.get(), log->segments_.get(),
                                               found.last_wall_us, log->waker_.get());
  if (options.enabled) {
    CAIRN_RETURN_IF_ERROR(log->segments_->EnsureDirectory());
    CAIRN_RETURN_IF_ERROR(log->commit_->OpenFirstSegment(found.end_lsn));
  }
  log->commit_->Start();
  return log;
}

Admission LogWriter::Admit(size_t bytes) {
  return state_->Admit(bytes, [this] { return buffer_->end_lsn(); });
}

void LogWriter::BeginBatch() {
  if (state_->policy() == FsyncPolicy::kAlways && buffer_->keeping()) buffer_->HoldWakes(kBatchUnitsMost);
}

void LogWriter::EndBatch() {
  if (buffer_->ReleaseWakes()) commit_->CommitHere();
}

void LogWriter::PrefetchForAppend() const { buffer_->PrefetchForAppend(); }

bool LogWriter::AdmitsAny() const { return state_->admits_any(); }

std::string LogWriter::refusal_reason() const { return state_->refusal_reason(); }

Lsn LogWriter::Append(std::string_view unit) { return Append(AppendBuffer::kNoDatabase, unit, AppendBuffer::kNoDatabase); }

Lsn LogWriter::Append(std::span<const LogPiece> pieces) { return Append(AppendBuffer::kNoDatabase, pieces); }

Lsn LogWriter::Append(uint32_t database, std::string_view unit) { return Append(database, unit, database); }

Lsn LogWriter::Append(uint32_t database, std::span<const LogPiece> pieces) {
  const Lsn end = buffer_->Append(database, pieces);
  state_->NoteAppended(end);
  return end;
}

Lsn LogWriter::Append(uint32_t database, std::string_view unit, uint32_t database_after) {
  const Lsn end = buffer_->Append(database, unit, database_after);
  state_->NoteAppended(end);
  return end;
}

Lsn LogWriter::Count(uint64_t bytes) { return buffer_->Count(bytes); }

Lsn LogWriter::Cut() { return buffer_->Cut(); }

Lsn LogWriter::end_lsn() const { return buffer_->end_lsn(); }

// While the log is off nothing waits for the disk.
Lsn LogWriter::durable_lsn() const { return buffer_->following() ? buffer_->end_lsn() : state_->durable_lsn(); }

void LogWriter::SetCommitListener(std::function<void(Lsn durable)> listener) { state_->SetListener(std::move(listener)); }

Status LogWriter::WaitDurable(Lsn lsn) {
  if (buffer_->following()) return Status::Ok();
  // A batch may hold back the wake-up for it, and may itself be waiting for the caller.
  if (state_->durable_lsn() < lsn && buffer_->MustWake(UINT64_MAX)) waker_->Wake();
  return state_->WaitDurable(lsn);
}

bool LogWriter::VisitUndurable(const std::function<void(std::string_view units)>& visit, Lsn* end_lsn) {
  return commit_->VisitUndurable(visit, end_lsn);
}

Status LogWriter::RequestSync() {
  CAIRN_RETURN_IF_ERROR(state_->error());
  commit_->RequestSync();
  return Status::Ok();
}

FsyncPolicy LogWriter::policy() const { return state_->policy(); }

void LogWriter::SetPolicy(FsyncPolicy policy) {
  state_->set_policy(policy);
  commit_->NotePolicyChange();
}

Status LogWriter::Enable() {
  CAIRN_RETURN_IF_ERROR(segments_->EnsureDirectory());
  return commit_->Give(GroupCommit::Order::kEnable);
}

Status LogWriter::Disable() { return commit_->Give(GroupCommit::Order::kDisable); }

bool LogWriter::enabled() const { return buffer_->keeping(); }

Status LogWriter::RotateSegment() {
  CAIRN_RETURN_IF_ERROR(state_->error());
  commit_->RequestRotation();
  return Status::Ok();
}

Status LogWriter::DropSegmentsBefore(Lsn lsn) { return segments_->DropBefore(lsn); }

uint64_t LogWriter::StreamBytesBetween(Lsn from, Lsn to) const { return segments_->StreamBytesBetween(from, to); }

uint64_t LogWriter::newest_file_id() const { return segments_->newest_file_id(); }

LogStats LogWriter::stats() const {
  LogStats stats;
  commit_->FillStats(&stats);
  stats.enabled = enabled();
  stats.error = refusal_reason();
  stats.refusing = !stats.error.empty();
  stats.durable_lsn = durable_lsn();
  stats.end_lsn = end_lsn();
  stats.synced_lsn = state_->synced_lsn();
  stats.first_lsn = segments_->first_lsn();
  stats.bytes_on_disk = segments_->bytes_on_disk();
  stats.segments = segments_->count();
  stats.pending_bytes = stats.end_lsn > stats.durable_lsn ? stats.end_lsn - stats.durable_lsn : 0;
  stats.delayed_syncs = state_->delayed_count();
  stats.buffer_bytes = buffer_->block_bytes();
  return stats;
}

Status LogWriter::CloseCleanly() {
  Status status = commit_->Give(GroupCommit::Order::kClose);
  commit_->Stop();
  state_->NoteClosed();
  return status;
}

}  // namespace cairn
