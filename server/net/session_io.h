// The machinery of one session: socket, input, execution, output. Everything here runs on the session's thread.
//
//   socket -> read buffer of the thread -> RequestBatch -> checks and execution -> RespSink -> socket
//                                                                                     \-> OutputQueue (gated, or the socket is full)
//
// What cannot run yet stays in `pending_` and is parsed again. Reading stops while nothing may be executed, so a client's pipeline waits in
// its own kernel buffers; except while the client waits for others, when only reading shows that it has left.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/net/event_loop.h"
#include "server/net/network_thread.h"
#include "server/resp/output_queue.h"
#include "server/session.h"

namespace cairn {

class RecordingSink;

class LongReply;

class Session::Io final : public EventHandler, public WaitPort {
 public:
  Io(Session& session, int fd);
  ~Io();

  void OnEvents(uint32_t epoll_events) override;
  // Goes on with what is pending and what the socket has, where execution is allowed again.
  void Resume();
  // Sends what may leave; closes where that was the last thing to do.
  void Flush();
  // The store made progress, or CLIENT PAUSE changed.
  void OnProgress(Lsn durable, const OutputQueue::ReadsWereDurable& were_durable);
  void OnPauseChanged();
  void PushEncoded(const SharedBytes& encoded, Lsn lsn);
  void AfterQueuedCommand(const CommandRow& row, ArgSpan args, uint64_t errors);  // one of EXEC's
  void Unblock(const std::function<void(ReplySink&)>& write);
  void Close(std::string_view reason);
  bool closed() const { return fd_ < 0; }
  // Once a second.
  void CheckTimes(int64_t now_ms);
  // Tells the sums of all clients' memory what this one holds now.
  void CountMemory();
  // What may be closed for its memory, and how much that gives back.
  const ClientMemory::Share& memory_share() const { return counted_; }

  const OutputQueue& output() const { return output_; }
  uint64_t output_bytes() const;
  SessionBuffers Buffers() const;

 private:
  friend class NetworkThread;
  // Why execution waits, beside Session::blocked_.
  enum class Hold : uint8_t {
    kNone,
    kParked,     // the store said so: until it makes progress
    kPaused,     // CLIENT PAUSE
    kGated,      // too much output waits for the disk
    kLongReply,  // a worker writes the reply
    kApart,      // a worker prepares the command
  };
  enum class Ran : uint8_t { kNext, kAgain };  // kAgain: nothing happened, run it later

  // --- input (session_io.cc); the first three for the thread's groups
  bool ReadsInGroup() const {
    return !closed() && readable_ && pending_.empty() && partial_ == nullptr && !peer_closed_ && CanExecute();
  }
  size_t ReadSlice(char* to, size_t room);  // 0: nothing to run
  void RunSlice(std::string_view bytes);
  bool CanExecute() const;
  // A client that hangs up now ends, as in Redis: it is paused, or waits for what others do. A command that only takes its time is finished
  // and answered, for whoever half-closes may still read.
  bool WaitsInVain() const;
  // It has hung up: nothing more is executed for it, it is closed when what was answered before has left.
  void EndInVain();
  // What comes next is up to the server: the client does nothing and yet is not idle.
  bool IsServersTurn() const;
  void ReadAndRun();
  // Reads without running, as Redis does for who waits for others: an end is behind all that was sent, which may be more than the kernel's
  // buffers hold. The thread's read buffer must be free.
  void ReadAhead();
  std::string_view unparsed() const { return std::string_view(pending_).substr(pending_begin_); }
  bool ReadOnce();  // false where the socket is empty or closed, or execution must wait
  bool ReadDirect(PartialRequest& partial);
  bool CheckRead(ssize_t bytes);  // what recv returned: false where there is nothing to run
  void RunInput(std::string_view input, bool in_pending);
  void KeepRest(std::string_view input, size_t done, bool in_pending);
  void OnPeerClosed();
  void CheckQueryLimit();

  // --- execution (session_execute.cc)
  size_t RunRequests(std::string_view input);  // returns how much of it is done
  size_t RunBatch(RequestBatch& batch);        // returns the input offset behind the last request that ran
  RequestParser::Kind ParseBatch(std::string_view input, RequestBatch& batch, size_t* skipped);
  Ran RunOne(const RequestBatch::Item& item, ArgSpan args);
  bool Refused(const CommandRow* row, ArgSpan args);  // answered with an error (or the connection was closed)
  bool MustPause(const CommandRow& row) const;
  bool Does(const CommandRow& row,
            uint32_t flags) const;  // the command, or one that it would execute from the queue, has such a flag
  void Reject(const CommandRow* row, std::string_view message);
  void Queue(const CommandRow& row, ArgSpan args, std::span<const SharedBytes> owners);
  Ran Execute(const CommandRow& row, ArgSpan args, const RequestBatch::Item& item, std::span<const SharedBytes> owners);
  void ExecuteWhileLoading(const CommandRow& row, ArgSpan args);
  void AfterCommand(const CommandRow& row, ArgSpan args, uint64_t duration_ns, bool failed);
  void FeedMonitors(const CommandRow& row, ArgSpan args);
  void FailProtocol(std::string_view error);
  void WaitFor(Hold hold);
  void ListReadable();  // goes on in the next round

  // --- output (session_output.cc)
  void BeginOutput();
  void EndOutput();  // gates or sends what was gathered
  void SendDeferred(std::string_view bytes);
  void SendNow(std::string_view bytes);  // what does not fit into the socket goes into the queue
  bool Send(const char* bytes, size_t size, size_t* sent);
  void NoteSent(size_t bytes);
  bool SendQueue();   // false where the socket is full or broken; what is more than a turn's share is sent in the next round
  void FlushLater();  // in this round's end, or the next one's
  bool OverOutputLimit();
  uint64_t OutputBytes() const;  // with bookkeeping, and what a long reply holds back
  void NoteWait(Lsn lsn);        // the command that just ran waits for the LSN
  // The output's bytes from there on wait for the LSN where it is not durable; `read_hashes` as for OutputQueue::AddGate.
  void GateFrom(uint64_t begin, Lsn lsn, std::vector<uint64_t> read_hashes = {});
  void HoldBackIfGated();

  // --- answers that come later (session_later.cc)
  void OnBlocked(const std::shared_ptr<Waiter>& waiter) override;
  bool OnDeferred(uint64_t elements, std::function<void(ReplySink&)>& produce) override;
  bool OnApartWork(const std::shared_ptr<ApartWork>& work) override;
  // Has it freed by a worker: it may be the last holder of a huge value.
  void DropApartWork(std::shared_ptr<ApartWork> work);
  void GoOn();  // the hold is over: in this round, with what is pending
  void BeginWait();
  bool LeaveWait();
  void BreakWait(bool with_error);  // its time is up, or CLIENT UNBLOCK
  void FinishWait(const RecordingSink& reply, Lsn visible_lsn);
  void AfterWait(const Waiter& waiter, bool failed);
  void TakePiece(OutputQueue& piece, bool last);
  void NoteLongReplySent();
  void ForgetLater();  // the session is closed

  // --- memory (session_memory.cc)
  static constexpr uint64_t kInputRoomBytesMin = 16 * 1024;
  uint64_t BufferBytes() const;

  Session& session_;
  NetworkThread& thread_;
  NetworkShared& shared_;
  int fd_;
  OutputQueue output_;
  std::string pending_;  // input; from pending_begin_ on that of the oldest request that has not run
  size_t pending_begin_ = 0;
  std::unique_ptr<PartialRequest> partial_;  // what is known of it
  Hold hold_ = Hold::kNone;
  bool readable_ = false;     // the socket may have more
  bool hung_up_ = false;      // an end was announced: read until it is seen
  bool peer_closed_ = false;  // nothing more will come
  bool turn_over_ = false;    // it ran for its share of the round: what is pending comes in the next one, before anything is read
  bool running_ = false;      // a batch is under way: output is not sent in between
  bool listed_ready_ = false, listed_flush_ = false, listed_readable_ = false, listed_gated_ = false, listed_parked_ = false,
       listed_paused_ = false;
  uint32_t input_window_ = 0;                // of InputModeration
  uint64_t output_begin_ = 0;                // stream offset where the batch's output begins
  Lsn batch_lsn_ = 0;                        // the newest LSN that the batch's replies wait for
  std::vector<uint64_t> batch_read_hashes_;  // what they show, if that is all that they wait for; otherwise empty
  uint64_t turn_ends_ns_ = 0;
  int64_t batch_now_ms_ = 0;  // Unix ms that the batch's commands see
  int64_t soft_limit_since_ms_ = 0;
  uint64_t input_room_bytes_ = 0;   // what the latest reads took of the thread's buffer; halves with each that is smaller
  uint64_t transaction_bytes_ = 0;  // queued by MULTI
  uint64_t queued_errors_ = 0;      // that the commands of the EXEC under way have answered
  std::shared_ptr<Waiter> waiter_;  // while the command under way waits for a key
  EventLoop::TimerHandle wait_timer_;
  std::shared_ptr<LongReply> long_reply_;  // while a worker writes it
  std::shared_ptr<ApartWork> apart_;       // done for the oldest request that has not run
  ClientMemory::Share counted_;
  uint64_t stored_bytes_ = 0;  // of counted_, what the store was told
};

}  // namespace cairn
