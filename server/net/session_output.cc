// The output half of Session::Io: what leaves at once, what waits for the disk, what waits for the reader.
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstring>

#include "base/logger.h"
#include "server/net/long_reply.h"
#include "server/net/session_io.h"
#include "server/net/socket_calls.h"
#include "server/stats.h"

namespace cairn {
namespace {

constexpr size_t kPiecesPerWrite = 64;
constexpr size_t kRoomForReplies = 16 * 1024;  // of the sink's buffer, when a session begins to answer
// How far a session may run ahead of the disk.
constexpr uint64_t kGatedBytesMax = 1 << 20;
constexpr size_t kGatesMax = 256;
constexpr size_t kBatchReadsMost = 1024;  // a batch that shows more keys waits for their stripes
// What one session sends before others have their turn: a fast reader of a long reply would keep the thread to itself.
constexpr uint64_t kSendBytesPerTurn = 512 * 1024;

}  // namespace

uint64_t Session::Io::output_bytes() const {
  const RespSink& sink = thread_.sink();
  return output_.size_bytes() + (sink.bound() == &output_ ? sink.gathered().size() : 0);
}

void Session::Io::BeginOutput() {
  RespSink& sink = thread_.sink();
  if (sink.room() < kRoomForReplies) thread_.SendDeferred();
  sink.Bind(&output_, &session_.protocol);
  output_begin_ = output_.end_offset();
  batch_lsn_ = 0;
  batch_read_hashes_.clear();
}

void Session::Io::EndOutput() {
  RespSink& sink = thread_.sink();
  Store* const store = shared_.store.load(std::memory_order_acquire);
  const bool wrote = !sink.gathered().empty() || output_.end_offset() > output_begin_;  // replies may be silenced
  if (closed()) {
    sink.DropGathered();
  } else if (wrote && batch_lsn_ != 0 && store != nullptr && store->durable_lsn() < batch_lsn_) {
    sink.Spill();
    output_.AddGate(output_begin_, batch_lsn_, std::move(batch_read_hashes_));
    HoldBackIfGated();
  } else if (!output_.empty()) {
    sink.Spill();
    Flush();
  } else if (!thread_.deferring()) {
    SendNow(sink.gathered());
    sink.DropGathered();
  } else if (!sink.gathered().empty() || session_.close_after_reply) {
    thread_.Defer(session_, sink.Detach());
  }
  sink.Bind(nullptr, nullptr);
  if (!closed() && !output_.empty()) OverOutputLimit();
}

void Session::Io::SendDeferred(std::string_view bytes) {
  if (closed()) return;
  SendNow(bytes);
  if (!closed() && !output_.empty()) OverOutputLimit();
  if (!closed()) CountMemory();
  if (!closed() && session_.close_after_reply && output_.empty()) Close("closed after its last reply");
}

void Session::Io::HoldBackIfGated() {
  if (!listed_gated_) {
    listed_gated_ = true;
    thread_.Put(NetworkThread::List::kGated, session_);
  }
  if (hold_ == Hold::kNone && (output_.gate_count() > kGatesMax || output_.size_bytes() > kGatedBytesMax)) hold_ = Hold::kGated;
}

bool Session::Io::Send(const char* bytes, size_t size, size_t* sent) {
  *sent = 0;
  while (*sent < size) {
    const ssize_t count = SendSome(fd_, bytes + *sent, size - *sent);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) Close(strerror(errno));
      return false;
    }
    *sent += static_cast<size_t>(count);
  }
  return true;
}

void Session::Io::NoteSent(size_t bytes) {
  if (bytes > 0) session_.info.last_active_ms = thread_.loop().now_ms();  // who reads is not idle
  thread_.stats().Add(Counter::kWritesProcessed);
  thread_.stats().Add(Counter::kNetOutputBytes, bytes);
}

void Session::Io::SendNow(std::string_view bytes) {
  if (bytes.empty()) return;
  // A reply over the limit is not begun, so that its reader sees an end and not a part.
  const uint64_t hard = static_cast<uint64_t>(shared_.normal_limit.hard_bytes.load(std::memory_order_relaxed));
  if (hard > 0 && bytes.size() >= hard) [[unlikely]] {
    output_.Append(bytes);
    SendQueue();
    return;
  }
  size_t sent = 0;
  Send(bytes.data(), bytes.size(), &sent);
  if (closed()) return;
  NoteSent(sent);
  if (sent < bytes.size()) output_.Append(bytes.substr(sent));
}

bool Session::Io::SendQueue() {
  if (OverOutputLimit()) return false;
  uint64_t sent_bytes = 0;
  while (output_.sendable_bytes() > 0) {
    if (sent_bytes >= kSendBytesPerTurn) {
      FlushLater();
      return true;
    }
    iovec pieces[kPiecesPerWrite];
    const size_t count = output_.Gather(pieces, kPiecesPerWrite);
    size_t sent = 0;
    bool all = true;
    if (count == 1) {
      all = Send(static_cast<const char*>(pieces[0].iov_base), pieces[0].iov_len, &sent);
    } else {
      msghdr message{};
      message.msg_iov = pieces;
      message.msg_iovlen = count;
      const ssize_t bytes = sendmsg(fd_, &message, MSG_NOSIGNAL);
      if (bytes < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) Close(strerror(errno));
      all = bytes >= 0 || errno == EINTR;
      sent = static_cast<size_t>(std::max<ssize_t>(bytes, 0));
    }
    if (closed()) return false;
    NoteSent(sent);
    output_.Consume(sent);
    sent_bytes += sent;
    if (long_reply_ != nullptr) [[unlikely]]
      NoteLongReplySent();
    if (!all) return false;
  }
  return true;
}

void Session::Io::Flush() {
  if (closed()) return;
  SendQueue();
  if (!closed()) CountMemory();
  if (!closed() && session_.close_after_reply && output_.empty()) Close("closed after its last reply");
}

bool Session::Io::OverOutputLimit() {
  const bool subscribed = session_.subscription_count() + session_.shard_channels.size() > 0;
  const OutputLimit& limit = subscribed ? shared_.pubsub_limit : shared_.normal_limit;
  const uint64_t hard = static_cast<uint64_t>(limit.hard_bytes.load(std::memory_order_relaxed));
  const uint64_t soft = static_cast<uint64_t>(limit.soft_bytes.load(std::memory_order_relaxed));
  const uint64_t used = OutputBytes();
  bool over = hard > 0 && used >= hard;
  if (soft > 0 && used >= soft) {
    const int64_t now_ms = thread_.loop().now_ms();
    if (soft_limit_since_ms_ == 0) soft_limit_since_ms_ = now_ms;
    over = over || now_ms - soft_limit_since_ms_ > 1000 * limit.soft_seconds.load(std::memory_order_relaxed);
  } else {
    soft_limit_since_ms_ = 0;
  }
  if (!over) [[likely]]
    return false;
  LogF(LogLevel::kWarning,
       "Client id=%" PRIu64 " addr=%s name=%s omem=%" PRIu64 " closed for overcoming of output buffer limits.", session_.id(),
       session_.info.address.c_str(), session_.info.name.c_str(), used);
  thread_.stats().Add(Counter::kOutputBufferLimitDisconnections);
  Close("output buffer limit");
  return true;
}

uint64_t Session::Io::OutputBytes() const {
  return output_.memory_bytes() + (long_reply_ == nullptr ? 0 : long_reply_->held.memory_bytes());
}

void Session::Io::NoteWait(Lsn lsn) {
  const bool only_reads = batch_lsn_ == 0 || !batch_read_hashes_.empty();
  const std::vector<uint64_t>& hashes = session_.read_hashes;
  if (only_reads && !hashes.empty() && batch_read_hashes_.size() < kBatchReadsMost) {
    batch_read_hashes_.insert(batch_read_hashes_.end(), hashes.begin(), hashes.end());
  } else {
    batch_read_hashes_.clear();
  }
  batch_lsn_ = std::max(batch_lsn_, lsn);
  session_.visible_lsn = std::max(session_.visible_lsn, lsn);
}

void Session::Io::GateFrom(uint64_t begin, Lsn lsn, std::vector<uint64_t> read_hashes) {
  Store* const store = shared_.store.load(std::memory_order_acquire);
  if (lsn == 0 || store == nullptr || store->durable_lsn() >= lsn) return;
  output_.AddGate(begin, lsn, std::move(read_hashes));
  HoldBackIfGated();
}

void Session::Io::PushEncoded(const SharedBytes& encoded, Lsn lsn) {
  if (closed()) return;
  const bool held = long_reply_ != nullptr && long_reply_->begun();
  if (thread_.sink().bound() == &output_) thread_.sink().Spill();
  const uint64_t begin = output_.end_offset();
  OutputQueue& queue = held ? long_reply_->held : output_;
  if (encoded.size() < 256) {
    queue.Append(encoded.view());
  } else {
    queue.Link(encoded, 0, encoded.size());
  }
  if (held) {
    long_reply_->held_lsn = std::max(long_reply_->held_lsn, lsn);
  } else {
    GateFrom(begin, lsn);
  }
  if (OverOutputLimit()) return;
  CountMemory();
  FlushLater();
}

void Session::Io::FlushLater() {
  if (listed_flush_) return;
  listed_flush_ = true;
  thread_.Put(NetworkThread::List::kFlush, session_);
}

}  // namespace cairn
