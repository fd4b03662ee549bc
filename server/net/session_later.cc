// The part of Session::Io for commands that answer later: those that wait for a key, long replies that a worker writes, and long work
// before a change.
#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "engine/keyspace/waiters.h"
#include "engine/recording_sink.h"
#include "server/net/long_reply.h"
#include "server/net/session_io.h"
#include "server/server.h"
#include "server/stats.h"

namespace cairn {
namespace {

constexpr uint64_t kLongReplyElements = 10'000;

}  // namespace

// --- waiting for a key ---------------------------------------------------------------------------------------------------------

void Session::Io::OnBlocked(const std::shared_ptr<Waiter>& waiter) {
  waiter_ = waiter;
  session_.Block();
  waiter->done = [&server = session_.server_, id = session_.id_](std::shared_ptr<RecordingSink> reply, Lsn visible_lsn) {
    if (reply == nullptr) return;  // the store is closed, and the connection soon will be
    server.PostToSession(
        id, [reply = std::move(reply), visible_lsn](Session& session) { session.io_->FinishWait(*reply, visible_lsn); });
  };
}

// Once the locks are released.
void Session::Io::BeginWait() {
  session_.on_client_unblock = [](Session& session, bool with_error) { session.io_->BreakWait(with_error); };
  if (waiter_->timeout_ms == 0) return;
  const int64_t now_ms = (RealClock().MonotonicUs() + 999) / 1000;  // never too early
  wait_timer_ = thread_.loop().StartTimer(now_ms + waiter_->timeout_ms, [this] {
    wait_timer_ = {};
    BreakWait(false);
  });
}

// Forgets the waiter; false where it was served, and the reply is on its way here.
bool Session::Io::LeaveWait() {
  const std::shared_ptr<Waiter> waiter = std::move(waiter_);
  waiter_.reset();
  session_.on_client_unblock = nullptr;
  thread_.loop().CancelTimer(wait_timer_);
  wait_timer_ = {};
  return shared_.store.load(std::memory_order_acquire)->CancelWait(*waiter);
}

void Session::Io::BreakWait(bool with_error) {
  const std::shared_ptr<Waiter> waiter = waiter_;
  if (waiter == nullptr || !LeaveWait()) return;
  session_.Unblock([with_error](ReplySink& reply) {
    if (with_error) return reply.Error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
    reply.NullArray();
  });
  AfterWait(*waiter, with_error);
}

void Session::Io::FinishWait(const RecordingSink& reply, Lsn visible_lsn) {
  const std::shared_ptr<Waiter> waiter = waiter_;
  if (waiter != nullptr) (void)LeaveWait();
  session_.visible_lsn = std::max(session_.visible_lsn, visible_lsn);
  const bool failed = reply.error_count() > 0;
  if (waiter != nullptr) {
    AfterWait(*waiter, failed);
  } else {  // its time was up when it was served
    thread_.stats().CommandDone(*session_.info.last_command, 0, failed);
  }
  session_.Unblock([&reply](ReplySink& sink) { reply.Replay(sink); });
}

// As in Redis the wait is no part of the command's time.
void Session::Io::AfterWait(const Waiter& waiter, bool failed) {
  std::vector<std::string_view> args;
  args.reserve(waiter.args.size());
  for (const SharedBytes& arg : waiter.args) args.push_back(arg.view());
  AfterCommand(*waiter.row, args, 0, failed);
}

// --- long replies --------------------------------------------------------------------------------------------------------------

bool Session::Io::OnDeferred(uint64_t elements, std::function<void(ReplySink&)>& produce) {
  if (elements < kLongReplyElements) return false;
  if (session_.silenced) {  // nobody will read it
    produce = [](ReplySink& reply) { reply.Null(); };
    return false;
  }
  Server& server = session_.server_;
  long_reply_ = std::make_shared<LongReply>(
      shared_.reply_workers, session_.protocol, [&server, id = session_.id_](std::shared_ptr<OutputQueue> piece, bool last) {
        server.PostToSession(id, [piece = std::move(piece), last](Session& session) { session.io_->TakePiece(*piece, last); });
      });
  hold_ = Hold::kLongReply;
  shared_.reply_workers.Run([reply = long_reply_, produce = std::move(produce)] { reply->Write(produce); });
  return true;
}

void Session::Io::TakePiece(OutputQueue& piece, bool last) {
  if (long_reply_ == nullptr) return;
  const uint64_t begin = output_.end_offset();
  if (!long_reply_->begun()) long_reply_->begin_offset = begin;
  output_.Splice(piece);
  GateFrom(begin, long_reply_->visible_lsn, long_reply_->read_hashes);
  if (last) {
    const std::shared_ptr<LongReply> done = std::exchange(long_reply_, nullptr);
    const uint64_t behind = output_.end_offset();
    output_.Splice(done->held);
    GateFrom(behind, done->held_lsn);
  }
  Flush();
  if (closed() || OverOutputLimit() || !last) return;
  GoOn();
}

void Session::Io::GoOn() {
  hold_ = Hold::kNone;
  if (output_.gated()) HoldBackIfGated();
  if (hold_ == Hold::kNone) ListReadable();
}

void Session::Io::NoteLongReplySent() {
  const uint64_t sent_to = output_.end_offset() - output_.size_bytes();
  if (long_reply_->begin_offset < sent_to) long_reply_->NoteSent(sent_to - long_reply_->begin_offset);
}

// --- work before a change ------------------------------------------------------------------------------------------------------

bool Session::Io::OnApartWork(const std::shared_ptr<ApartWork>& work) {
  hold_ = Hold::kApart;
  const auto run = [&server = session_.server_, id = session_.id_, work] {
    work->Run();
    server.PostToSession(id, [work](Session& session) {
      session.io_->apart_ = work;
      session.io_->GoOn();
    });
  };
  if (work->brief()) {
    run();
  } else {
    shared_.reply_workers.Run(run);
  }
  return true;
}

void Session::Io::DropApartWork(std::shared_ptr<ApartWork> work) {
  shared_.reply_workers.Run([work = std::move(work)] {});
}

void Session::Io::ForgetLater() {
  if (apart_ != nullptr) DropApartWork(std::move(apart_));
  if (long_reply_ != nullptr) long_reply_->Abandon();
  long_reply_.reset();
  if (waiter_ != nullptr) (void)LeaveWait();
}

}  // namespace cairn
