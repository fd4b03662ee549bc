// What a session still has to send: copied bytes and shared slices in order, with gates that hold back what is not durable yet.
//
// Offsets count every byte ever appended. Owned by one session, used on its thread. An empty queue holds no memory.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace cairn {

class OutputQueue {
 public:
  void Append(std::string_view bytes);                              // copies
  void Link(const SharedBytes& owner, size_t offset, size_t size);  // shares owner[offset, offset + size)

  // What was appended from stream offset `begin` on leaves only when `lsn` is durable; whatever comes later stays behind it. If that is
  // only for what was read of some keys, `read_hashes` are theirs (Client::read_hashes).
  void AddGate(uint64_t begin, Lsn lsn, std::vector<uint64_t> read_hashes = {});
  // Opens the oldest gates as long as `durable` reaches them, or they wait only for reads and `were_durable` says so of these; true where
  // bytes became sendable.
  using ReadsWereDurable = std::function<bool(std::span<const uint64_t> read_hashes, Lsn lsn)>;
  bool OpenGates(Lsn durable, const ReadsWereDurable& were_durable = nullptr);
  bool gated() const { return first_gate_ < gates_.size(); }
  size_t gate_count() const { return gates_.size() - first_gate_; }

  // Sendable bytes as up to `limit` pieces; returns how many. Valid until the queue changes.
  size_t Gather(iovec* pieces, size_t limit) const;
  void Consume(size_t bytes);        // the first `bytes` were sent
  void TruncateTo(uint64_t offset);  // forgets what was appended from `offset` on, none of which was sent
  void Clear();
  // Moves everything out into another queue, or another queue's bytes behind one's own; nothing is copied. Gates stay where they are: the
  // queue that is moved has none.
  OutputQueue TakeAll();
  void Splice(OutputQueue& other);

  bool empty() const { return begin_offset_ == end_offset_; }
  uint64_t size_bytes() const { return end_offset_ - begin_offset_; }
  uint64_t sendable_bytes() const { return (gated() ? gates_[first_gate_].begin : end_offset_) - begin_offset_; }
  uint64_t end_offset() const { return end_offset_; }
  // Bytes with what their bookkeeping costs: what output limits are compared with.
  uint64_t memory_bytes() const { return size_bytes() + (segments_.size() - first_segment_) * sizeof(Segment); }
  size_t segment_count() const { return segments_.size() - first_segment_; }

 private:
  struct Segment {
    SharedBytes bytes;
    size_t begin, end;
    bool copied;  // ours alone: appended to while there is room
  };
  struct Gate {
    uint64_t begin;
    Lsn lsn;
    std::vector<uint64_t> read_hashes;  // empty: it waits for more than reads
  };
  static void Merge(Gate& into, const Gate& gate);
  void Compact();

  std::vector<Segment> segments_;  // live from first_segment_ on
  std::vector<Gate> gates_;        // live from first_gate_ on; begins and LSNs grow
  size_t first_segment_ = 0, first_gate_ = 0;
  uint64_t begin_offset_ = 0, end_offset_ = 0;
};

}  // namespace cairn
