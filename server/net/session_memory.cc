// What a session holds, for CLIENT LIST, for maxmemory and for maxmemory-clients.
#include "server/net/session_io.h"

namespace cairn {
namespace {

// Below this, buffers are not worth a visit to the counters that all threads share.
constexpr uint64_t kCountedFromBytes = 4096;
// A subscription or watched key with its place in the hub's or a shard's table; names are taken to be short.
constexpr uint64_t kRegistrationBytes = 192;
// Redis gives an idle client's query buffer back after as long.
constexpr int64_t kInputRoomKeptMs = 2000;

}  // namespace

// Shared slices count in full for every session that has still to send them: each of them keeps the slice alive.
uint64_t Session::Io::BufferBytes() const {
  uint64_t registrations = session_.subscription_count() + session_.shard_channels.size();
  if (session_.watch != nullptr) registrations += session_.watch->keys.size();
  const uint64_t unfinished = partial_ != nullptr ? partial_->memory_bytes() : 0;
  const uint64_t queued = session_.transaction.commands.empty() ? 0 : transaction_bytes_;
  return pending_.capacity() + unfinished + queued + OutputBytes() + registrations * kRegistrationBytes;
}

SessionBuffers Session::Io::Buffers() const {
  const uint64_t unfinished = partial_ != nullptr ? partial_->held_bytes() : 0;
  SessionBuffers buffers;
  buffers.query_bytes = unfinished > 0 ? unfinished : unparsed().size();
  buffers.query_room_bytes = unfinished > 0 ? unfinished : pending_.empty() ? 0 : pending_.capacity();
  const bool active = thread_.loop().now_ms() - session_.info.last_active_ms <= kInputRoomKeptMs;
  if (active) buffers.query_room_bytes = std::max(buffers.query_room_bytes, input_room_bytes_);
  buffers.transaction_bytes = session_.transaction.commands.empty() ? 0 : transaction_bytes_;
  buffers.output_segments = output_.segment_count();
  buffers.output_bytes = OutputBytes();
  buffers.total_bytes = sizeof(Session) + sizeof(Io) + BufferBytes();
  return buffers;
}

void Session::Io::CountMemory() {
  ClientMemory::Share now;
  if (!closed()) {
    const uint64_t buffers = BufferBytes();
    now.bytes = sizeof(Session) + sizeof(Io) + (buffers < kCountedFromBytes ? 0 : buffers);
    now.evictable = !session_.no_evict;
  }
  if (now == counted_ && now.bytes == stored_bytes_) [[likely]]
    return;
  shared_.client_memory.Change(counted_, now);
  counted_ = now;
  Store* const store = shared_.store.load(std::memory_order_acquire);
  if (store == nullptr) return;  // told when the first change after loading is counted, within a second
  store->AddClientMemory(static_cast<int64_t>(now.bytes) - static_cast<int64_t>(stored_bytes_));
  stored_bytes_ = now.bytes;
}

}  // namespace cairn
