// One client connection: its protocol state, its subscriptions and its output. A Session belongs to one network thread (its loop);
// members are touched only there, except where a comment says otherwise. Other threads reach it by Server::PostToSession.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/bytes.h"
#include "engine/client.h"
#include "engine/commands/command_context.h"

namespace cairn {

class NetworkThread;
class RespSink;
class Server;

enum class ReplyMode : uint8_t { kOn, kOff, kSkipNext };

// Strings and numbers that CLIENT LIST and CLIENT INFO print; written by the owning thread, copied there for others.
struct SessionInfo {
  std::string address, local_address;  // "127.0.0.1:50000", or "PATH:0" of a Unix socket
  int fd = -1;
  int64_t created_ms = 0;  // monotonic
  int64_t last_active_ms = 0;
  std::string name, library_name, library_version;
  std::string user = "default";
  const CommandRow* last_command = nullptr;
  bool unix_socket = false;
};

// What a session holds in memory, for CLIENT LIST and MEMORY STATS.
struct SessionBuffers {
  uint64_t query_bytes = 0;  // input not yet executed; where a large argument is under way, its bytes
  uint64_t query_room_bytes =
      0;  // with the room beside them: while the session is active, what it uses of its thread's buffer too
  uint64_t transaction_bytes = 0;  // queued by MULTI
  uint64_t output_segments = 0;
  uint64_t output_bytes = 0;  // with bookkeeping: what output limits are compared with
  uint64_t total_bytes = 0;   // all that is the session's own, and the session itself
};

class Session : public Client {
 public:
  Session(Server& server, NetworkThread& thread, uint64_t id);
  ~Session() override;

  Server& server() { return server_; }
  NetworkThread& thread() { return thread_; }
  uint64_t id() const { return id_; }

  void OnQueuedCommandRan(const CommandRow& row, ArgSpan args, uint64_t errors) override;

  SessionInfo info;
  int protocol = 2;            // HELLO
  bool authenticated = false;  // true at once where no password is set
  bool is_monitor = false;
  bool no_evict = false;  // CLIENT NO-EVICT
  ReplyMode reply_mode = ReplyMode::kOn;
  bool silenced = false;  // what the command under way writes is dropped; cleared by one whose output goes out all the same
  bool close_after_reply = false;  // QUIT, protocol errors: nothing more is executed, closes when the output is written
  Lsn visible_lsn = 0;             // newest LSN that any reply so far waits for: what the client may have seen

  // Subscriptions, kept in step with the hub by server/pubsub.
  std::unordered_set<std::string> channels, patterns, shard_channels;
  size_t subscription_count() const { return channels.size() + patterns.size(); }

  // --- output (own thread) ----------------------------------------------------------------------------------------------
  // The sink for replies to the command under way.
  ReplySink& reply();
  // A message out of turn (push under RESP3, array under RESP2): already encoded for this session's protocol; leaves once `lsn` is durable.
  void PushEncoded(SharedBytes encoded, Lsn lsn);
  uint64_t output_bytes() const;  // waiting to be sent
  SessionBuffers Buffers() const;
  // The command under way writes no reply now (WAITAOF and SAVE do not hold the thread): further input waits until Unblock().
  void Block();
  // Ends Block(): writes the reply through `write` (may be null) and goes on with buffered input. Does nothing if not blocked. Call it
  // from PostToSession's work, not from the handler that called Block().
  void Unblock(const std::function<void(ReplySink&)>& write);
  bool blocked() const { return blocked_; }
  // Set by who called Block(), before its command returns, where CLIENT UNBLOCK may end it: answers as after a timeout, or the error; calls
  // Unblock. Empty otherwise. Where it is set the client's hanging up ends the wait, and the session, too.
  std::function<void(Session&, bool with_error)> on_client_unblock;
  // Closes, dropping output (CLIENT KILL, output limits). The object lives on to the end of the loop's round. Of the session whose command
  // runs, what it has answered before is dropped too: to kill oneself set close_after_reply instead.
  void CloseNow(std::string_view reason);
  bool closed() const;

 private:
  friend class NetworkThread;
  Server& server_;
  NetworkThread& thread_;
  const uint64_t id_;
  bool blocked_ = false;
  class Io;
  std::unique_ptr<Io> io_;  // socket, input, output queue (server/net/session_io.h)
};

// The session behind a handler of the server's own commands; aborts when the client is not one (an embedded caller).
Session& SessionOf(CommandContext& context);

}  // namespace cairn
