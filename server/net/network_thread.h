// One network thread: its loop, its sessions, and the buffers they share so that an idle connection holds none.
//
// A round: what other threads posted; then the sessions whose sockets became readable, in groups: all read, all keys prefetched, all
// executed, all answered, so that each of the four finds its code and its data in the caches; then replies whose LSN became durable leave,
// sessions that waited go on, pushed messages are written, dead sessions are freed.
// Functions are for the thread itself except where "any thread" is said.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "server/net/command_clock.h"
#include "server/net/event_loop.h"
#include "server/net/input_moderation.h"
#include "server/net/network_shared.h"
#include "server/net/request_batch.h"
#include "server/resp/request_parser.h"
#include "server/resp/resp_sink.h"
#include "server/session.h"

namespace cairn {

class ThreadStats;

// A connection just accepted, on its way to its thread.
struct NewConnection {
  int fd = -1;
  uint64_t id = 0;
  std::string address, local_address;
  bool unix_socket = false;
};

class NetworkThread final : public RoundListener {
 public:
  NetworkThread(NetworkShared& shared, size_t index);
  ~NetworkThread();

  // Any one thread. Start() makes the thread; Stop() ends its loop and waits for it; sessions that are left are closed by ~NetworkThread.
  Status Init();
  void Start();
  void Stop();

  // --- any thread -----------------------------------------------------------------------------------------------------------
  size_t index() const { return index_; }
  EventLoop& loop() { return loop_; }
  void Adopt(NewConnection connection);  // makes a session of it
  void PostToSession(uint64_t session_id, std::function<void(Session&)> work);
  void PostToAll(std::function<void(Session&)> work, std::function<void()> done);
  // After the store made progress: wakes the thread if it sleeps and one of its sessions waits for that.
  void OnStoreProgress() {
    if (waits_for_store_.load(std::memory_order_seq_cst)) loop_.Wake();
  }
  // CLIENT PAUSE began, changed or ended: paused sessions look again, now and when it is over (monotonic ms; 0: it is), when `over` is
  // called too, on the thread.
  void SetPause(int64_t until_ms, std::function<void()> over);

  // Every session goes on (a shutdown was called off); sends what may leave, closes nothing.
  void ResumeAll();
  void FlushAll();

  // --- for sessions -----------------------------------------------------------------------------------------------------------
  static constexpr size_t kReadBufferBytes = 128 * 1024;
  static constexpr size_t kSliceBytes = 16 * 1024;  // what one session may read with others
  char* read_buffer() { return read_buffer_.get(); }
  RespSink& sink() { return sink_; }
  RequestParser& parser() { return parser_; }
  RequestBatch& batch() { return batch_; }
  ThreadStats& stats() { return stats_; }
  NetworkShared& shared() { return shared_; }
  // Each list is looked through once a round; a session is put on it once.
  enum class List : uint8_t { kReady, kFlush, kReadable, kGated, kParked, kPaused, kCount };
  void Put(List list, Session& session) { lists_[static_cast<size_t>(list)].push_back(&session); }
  void Bury(Session& session);  // closed: freed when the round ends
  // While a group executes replies stay in the sink's buffer, to be sent when all have run.
  bool deferring() const { return deferring_; }
  void Defer(Session& session, std::string_view bytes) { deferred_.push_back({&session, bytes}); }
  void SendDeferred();
  // Its last reading is when the last command ended: the next one of the group begins then.
  CommandClock& command_clock() { return command_clock_; }
  // maxmemory-clients is exceeded: closes the largest of its sessions as far as needed, and has the other threads do the same. Not from
  // within a session's batch.
  void EvictClients();

 private:
  bool EndRound() override;
  int64_t GatherUs(int64_t now_us) override;
  bool MustNotSleep() override;
  void RunReady();
  void RunSlices();
  void PrefetchSlices();
  std::vector<Session*> Take(List list);
  void HandleProgress();
  void LookAtWaiting();  // what may leave or go on now, does
  void ResumePausedHere();
  void CheckSessions();  // once a second: idle time-outs, soft output limits
  void FreeBuried();
  void EvictOwnClients();
  void Forget(Session& session);

  NetworkShared& shared_;
  const size_t index_;
  ThreadStats& stats_;
  EventLoop loop_;
  InputModeration moderation_;
  std::thread thread_;
  std::unordered_map<uint64_t, std::unique_ptr<Session>> sessions_;
  std::vector<Session*> buried_;
  struct Slice {
    Session* session;
    std::string_view bytes;  // of the read buffer, or of the sink's
  };
  std::vector<Slice> slices_, deferred_;
  std::vector<Session*> ready_, alone_;
  bool deferring_ = false;
  std::vector<Session*> lists_[static_cast<size_t>(List::kCount)];
  uint64_t progress_seen_ = 0;
  bool looks_again_ = false;  // at the waiting, in a moment
  EventLoop::TimerHandle pause_timer_;
  std::atomic<bool> waits_for_store_{false};
  std::atomic<bool> asked_to_evict_{false};
  const std::unique_ptr<char[]> read_buffer_;
  RespSink sink_;
  CommandClock command_clock_;
  RequestParser parser_;
  RequestBatch batch_;
};

}  // namespace cairn
