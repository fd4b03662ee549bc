#include "server/net/session_io.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstring>

#include "base/logger.h"
#include "server/net/socket_calls.h"
#include "server/stats.h"

namespace cairn {
namespace {

// Unfinished input up to this size is completed in the thread's buffer, longer in its own.
constexpr size_t kCompleteInBufferBytes = NetworkThread::kReadBufferBytes / 2;
constexpr size_t kOwnBufferStepBytes = 256 * 1024;
// Reads of one session before others have their turn.
constexpr int kReadsPerTurn = 2;

}  // namespace

Session::Io::Io(Session& session, int fd)
    : session_(session), thread_(session.thread_), shared_(session.thread_.shared()), fd_(fd) {
  session.wait_port = this;
  CountMemory();
}

Session::Io::~Io() {
  if (fd_ >= 0) close(fd_);
}

void Session::Io::OnEvents(uint32_t epoll_events) {
  if (closed()) return;
  if (epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) hung_up_ = true;
  if (epoll_events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
    readable_ = true;
    if (hung_up_ && WaitsInVain()) EndInVain();
    if (hung_up_ && session_.close_after_reply && output_.empty()) return Close("closed by the client while it waited");
    if (!listed_ready_) {
      listed_ready_ = true;
      thread_.Put(NetworkThread::List::kReady, session_);
    }
  }
  if ((epoll_events & EPOLLOUT) && !closed() && output_.sendable_bytes() > 0) Flush();
}

bool Session::Io::WaitsInVain() const {
  return hold_ == Hold::kPaused || (session_.blocked_ && session_.on_client_unblock != nullptr);
}

void Session::Io::EndInVain() {
  if (waiter_ != nullptr) (void)LeaveWait();
  session_.close_after_reply = true;
}

bool Session::Io::IsServersTurn() const {
  if (session_.blocked_ || output_.gated() || listed_ready_ || listed_readable_) return true;
  return hold_ != Hold::kNone && (hold_ != Hold::kLongReply || output_.empty());
}

bool Session::Io::CanExecute() const {
  return !session_.blocked_ && hold_ == Hold::kNone && !session_.close_after_reply && !closed() &&
         !shared_.draining.load(std::memory_order_relaxed);
}

void Session::Io::ReadAndRun() {
  if (!CanExecute()) return ReadAhead();
  for (int i = 0; i < kReadsPerTurn; i++) {
    if (!ReadOnce()) return;
  }
  ListReadable();
}

void Session::Io::ReadAhead() {
  for (int i = 0; i < kReadsPerTurn; i++) {
    if (!readable_ || closed() || session_.close_after_reply || !WaitsInVain()) return;
    if (shared_.draining.load(std::memory_order_relaxed)) return;
    if (partial_ != nullptr && partial_->reading_direct()) {
      if (!ReadDirect(*partial_)) return;
      continue;
    }
    char* const buffer = thread_.read_buffer();
    const ssize_t bytes = Receive(fd_, buffer, NetworkThread::kReadBufferBytes);
    if (!CheckRead(bytes)) return;
    if (static_cast<size_t>(bytes) < NetworkThread::kReadBufferBytes && !hung_up_) readable_ = false;
    pending_.append(buffer, static_cast<size_t>(bytes));
    CheckQueryLimit();
    CountMemory();
    if (shared_.ClientsOverLimit()) [[unlikely]]
      thread_.EvictClients();
  }
  if (!closed() && readable_) ListReadable();
}

void Session::Io::ListReadable() {
  if (listed_readable_) return;
  listed_readable_ = true;
  thread_.Put(NetworkThread::List::kReadable, session_);
}

bool Session::Io::CheckRead(ssize_t bytes) {
  if (bytes > 0) {
    session_.info.last_active_ms = thread_.loop().now_ms();
    input_room_bytes_ = std::max({kInputRoomBytesMin, input_room_bytes_ / 2, static_cast<uint64_t>(bytes)});
    thread_.stats().Add(Counter::kReadsProcessed);
    thread_.stats().Add(Counter::kNetInputBytes, static_cast<uint64_t>(bytes));
    return true;
  }
  if (bytes == 0) {
    OnPeerClosed();
  } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
    readable_ = false;
  } else if (errno != EINTR) {
    Close(strerror(errno));
  }
  return false;
}

bool Session::Io::ReadOnce() {
  if (!readable_ || peer_closed_ || turn_over_ || !CanExecute()) return false;
  if (partial_ != nullptr && partial_->reading_direct()) return ReadDirect(*partial_);
  if (unparsed().size() > kCompleteInBufferBytes) {
    const size_t old_size = pending_.size();
    pending_.resize(old_size + kOwnBufferStepBytes);
    const ssize_t bytes = Receive(fd_, pending_.data() + old_size, kOwnBufferStepBytes);
    pending_.resize(old_size + static_cast<size_t>(std::max<ssize_t>(bytes, 0)));
    if (!CheckRead(bytes)) return false;
    if (static_cast<size_t>(bytes) < kOwnBufferStepBytes && !hung_up_) readable_ = false;
    RunInput(unparsed(), true);
    return readable_ && !turn_over_;
  }
  char* const buffer = thread_.read_buffer();
  const size_t kept = unparsed().size();
  const ssize_t bytes = Receive(fd_, buffer + kept, NetworkThread::kReadBufferBytes - kept);
  if (!CheckRead(bytes)) return false;
  if (static_cast<size_t>(bytes) < NetworkThread::kReadBufferBytes - kept && !hung_up_) readable_ = false;
  if (kept > 0) std::memcpy(buffer, unparsed().data(), kept);
  RunInput({buffer, kept + static_cast<size_t>(bytes)}, false);
  return readable_ && !turn_over_;
}

size_t Session::Io::ReadSlice(char* to, size_t room) {
  const ssize_t bytes = Receive(fd_, to, room);
  if (!CheckRead(bytes)) return 0;
  if (static_cast<size_t>(bytes) < room && !hung_up_) readable_ = false;
  return static_cast<size_t>(bytes);
}

void Session::Io::RunSlice(std::string_view bytes) {
  if (closed()) return;
  RunInput(bytes, false);
  if (!closed() && readable_) ListReadable();
}

bool Session::Io::ReadDirect(PartialRequest& partial) {
  const std::span<char> room = partial.DirectRoom();
  const ssize_t bytes = Receive(fd_, room.data(), room.size());
  if (!CheckRead(bytes)) return false;
  if (static_cast<size_t>(bytes) < room.size() && !hung_up_) readable_ = false;
  partial.DirectFilled(static_cast<size_t>(bytes));
  CheckQueryLimit();
  if (closed()) return false;
  input_room_bytes_ = std::max(input_room_bytes_, partial.held_bytes());
  CountMemory();
  if (shared_.ClientsOverLimit()) [[unlikely]]
    thread_.EvictClients();
  return readable_ && !closed();
}

void Session::Io::OnPeerClosed() {
  peer_closed_ = true;
  readable_ = false;
  if (WaitsInVain()) EndInVain();
  // Whoever half-closes may still read: what its commands answered leaves first, when it is durable.
  if (output_.empty()) return Close("closed by the client");
  session_.close_after_reply = true;
}

void Session::Io::RunInput(std::string_view input, bool in_pending) {
  if (shared_.ClientsOverLimit()) [[unlikely]] {
    thread_.EvictClients();
    if (closed()) return;
  }
  running_ = true;
  const size_t done = RunRequests(input);
  running_ = false;
  if (closed()) return;
  KeepRest(input, done, in_pending);
  if ((turn_over_ || (readable_ && WaitsInVain())) && !closed()) ListReadable();
  CountMemory();
  if (session_.close_after_reply && output_.empty() && !thread_.deferring()) Close("closed after its last reply");
}

void Session::Io::KeepRest(std::string_view input, size_t done, bool in_pending) {
  std::string_view rest = input.substr(done);
  if (partial_ != nullptr) rest = rest.substr(0, partial_->TakeCut());
  if (rest.empty()) {
    if (!pending_.empty()) std::string().swap(pending_);  // an idle session holds nothing
    pending_begin_ = 0;
  } else if (in_pending) {
    pending_.resize(static_cast<size_t>(rest.data() - pending_.data()) + rest.size());
    pending_begin_ += done;
    if (pending_begin_ >= pending_.size() / 2) {  // so a byte is moved once on average, however many turns a long input takes
      pending_.erase(0, pending_begin_);
      pending_begin_ = 0;
    }
  } else {
    pending_.assign(rest);
    pending_begin_ = 0;
  }
  CheckQueryLimit();
}

void Session::Io::CheckQueryLimit() {
  const uint64_t parsed = partial_ != nullptr ? std::min<uint64_t>(partial_->parsed_bytes(), unparsed().size()) : 0;
  const uint64_t held = unparsed().size() - parsed + (partial_ != nullptr ? partial_->large_bytes() : 0);
  if (held <= static_cast<uint64_t>(shared_.query_buffer_limit_bytes.load(std::memory_order_relaxed))) [[likely]]
    return;
  LogF(LogLevel::kWarning, "Closing client that reached max query buffer length: id=%" PRIu64 " addr=%s held=%" PRIu64,
       session_.id(), session_.info.address.c_str(), held);
  thread_.stats().Add(Counter::kQueryBufferLimitDisconnections);
  Close("query buffer limit");
}

void Session::Io::Resume() {
  if (!CanExecute()) return ReadAhead();
  turn_over_ = false;
  if (!pending_.empty() && !(partial_ != nullptr && partial_->reading_direct())) RunInput(unparsed(), true);
  if (CanExecute() && readable_) ReadAndRun();
}

void Session::Io::WaitFor(Hold hold) {
  hold_ = hold;
  if (hold == Hold::kParked && !listed_parked_) {
    listed_parked_ = true;
    thread_.Put(NetworkThread::List::kParked, session_);
  } else if (hold == Hold::kPaused && !listed_paused_) {
    listed_paused_ = true;
    thread_.Put(NetworkThread::List::kPaused, session_);
    shared_.blocked_sessions.fetch_add(1, std::memory_order_relaxed);
  }
}

void Session::Io::OnProgress(Lsn durable, const OutputQueue::ReadsWereDurable& were_durable) {
  if (closed()) return;
  if (output_.gated()) {
    const bool more_to_send = output_.OpenGates(durable, were_durable);
    if (more_to_send || (session_.close_after_reply && !output_.gated())) Flush();
  }
  if (closed()) return;
  if (hold_ == Hold::kParked || (hold_ == Hold::kGated && !output_.gated())) {
    hold_ = Hold::kNone;
    Resume();
  }
}

void Session::Io::OnPauseChanged() {
  shared_.blocked_sessions.fetch_sub(1, std::memory_order_relaxed);
  if (closed() || hold_ != Hold::kPaused) return;
  hold_ = Hold::kNone;
  Resume();
}

void Session::Io::Unblock(const std::function<void(ReplySink&)>& write) {
  if (!session_.blocked_) return;
  session_.blocked_ = false;
  shared_.blocked_sessions.fetch_sub(1, std::memory_order_relaxed);
  if (closed()) return;
  if (write != nullptr && !session_.silenced) {
    BeginOutput();
    write(thread_.sink());
    batch_lsn_ = session_.visible_lsn;
    EndOutput();
  }
  if (closed()) return;
  CountMemory();
  if (session_.close_after_reply && output_.empty()) return Close("closed after its last reply");
  ListReadable();
}

void Session::Io::Close(std::string_view reason) {
  if (closed()) return;
  if (LogEnabled(LogLevel::kVerbose)) {
    LogF(LogLevel::kVerbose, "Client closed: id=%" PRIu64 " addr=%s reason=%.*s", session_.id(), session_.info.address.c_str(),
         static_cast<int>(reason.size()), reason.data());
  }
  if (thread_.sink().bound() == &output_) {
    thread_.sink().DropGathered();
  }
  if (session_.blocked_) {
    session_.blocked_ = false;
    shared_.blocked_sessions.fetch_sub(1, std::memory_order_relaxed);
  }
  ForgetLater();
  close(fd_);
  fd_ = -1;
  std::string().swap(pending_);
  pending_begin_ = 0;
  partial_.reset();
  CountMemory();
  thread_.Bury(session_);
}

void Session::Io::CheckTimes(int64_t now_ms) {
  if (closed()) return;
  const int64_t timeout_ms = 1000 * shared_.timeout_s.load(std::memory_order_relaxed);
  const bool subscribed = session_.subscription_count() + session_.shard_channels.size() > 0;
  if (timeout_ms > 0 && !subscribed && !session_.is_monitor && !IsServersTurn() &&
      now_ms - session_.info.last_active_ms > timeout_ms) {
    return Close("idle");
  }
  if (!output_.empty() && OverOutputLimit()) return;
  CountMemory();
}

}  // namespace cairn
