// A reply that a worker writes for a session: RESP bytes in pieces, which the session links into its output as they come.
//
// Memory stays bounded: the worker rests while too much of what it wrote has not left, unless others are in line for it; then the
// session's output limits decide. Made by the session's thread, which hands it to one worker and shares the atomics with it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "server/resp/output_queue.h"

namespace cairn {

class ReplySink;
class ReplyWorkers;
class RespSink;

class LongReply {
 public:
  // Hears every piece on the worker's thread; the last one, which may be empty, is marked.
  using Deliver = std::function<void(std::shared_ptr<OutputQueue> piece, bool last)>;
  LongReply(ReplyWorkers& workers, int protocol, Deliver deliver)
      : workers_(workers), protocol_(protocol), deliver_(std::move(deliver)) {}

  // The worker's part.
  void Write(const std::function<void(ReplySink&)>& produce);

  // The session's part: how much of the reply has left; and that nobody will read the rest.
  void NoteSent(uint64_t bytes) { sent_bytes_.store(bytes, std::memory_order_relaxed); }
  void Abandon() { abandoned_.store(true, std::memory_order_relaxed); }

  // The session's own notes.
  Lsn visible_lsn = 0;                // what the reply waits for
  std::vector<uint64_t> read_hashes;  // Client's
  static constexpr uint64_t kNotBegun = UINT64_MAX;
  uint64_t begin_offset = kNotBegun;  // in the output's stream
  bool begun() const { return begin_offset != kNotBegun; }
  // Messages that came since it began: they leave behind it, for a client would take one amid its elements for an element.
  OutputQueue held;
  Lsn held_lsn = 0;  // what they wait for

 private:
  void Cut(OutputQueue& queue, RespSink& sink);
  bool MustRest() const;

  ReplyWorkers& workers_;
  const int protocol_;
  const Deliver deliver_;
  uint64_t delivered_bytes_ = 0;  // the worker's
  std::atomic<uint64_t> sent_bytes_{0};
  std::atomic<bool> abandoned_{false};
};

}  // namespace cairn
