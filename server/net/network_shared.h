// What all network threads look at on the way of a command: made before the first of them starts, pointers constant but where said.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/commands/command_table.h"
#include "engine/keyspace/keyspace.h"
#include "engine/store.h"
#include "server/net/client_memory.h"
#include "server/net/reply_workers.h"

namespace cairn {

class Config;
class PubSubHub;
class Server;
class ServerStats;

// A table with the rows that the way of a command must recognise, found before rename-command had its say.
struct CommandView {
  CommandTable* table = nullptr;
  const CommandRow* exec = nullptr;
  const CommandRow* discard = nullptr;
  const CommandRow* reset = nullptr;
  const CommandRow* quit = nullptr;
  std::array<const CommandRow*, 8> while_subscribed{};  // what a RESP2 subscriber may send

  static CommandView Of(CommandTable& table);
  bool AllowedWhileSubscribed(const CommandRow* row) const;
};

// client-output-buffer-limit, kept where the way of a command finds it without a lock.
struct OutputLimit {
  std::atomic<int64_t> hard_bytes{0}, soft_bytes{0}, soft_seconds{0};
};

struct NetworkShared {
  NetworkShared(Server& server_in, const Config& config_in, ServerStats& stats_in, PubSubHub& hub_in);

  Server& server;
  const Config& config;
  ServerStats& stats;
  PubSubHub& hub;

  // Directives read on the way.
  const std::atomic<int64_t>& maxclients;
  const std::atomic<int64_t>& timeout_s;
  const std::atomic<int64_t>& tcp_keepalive_s;
  const std::atomic<int64_t>& input_coalescing_us;
  const std::atomic<int64_t>& proto_max_bulk_bytes;
  const std::atomic<int64_t>& query_buffer_limit_bytes;
  const std::atomic<int64_t>& latency_tracking;
  const std::atomic<int64_t>& password_size;  // requirepass
  const std::atomic<int64_t>& maxmemory_bytes;
  const std::atomic<int64_t>& maxmemory_clients;  // bytes; negative: percent of maxmemory; 0: no limit
  const std::atomic<int64_t>& min_replicas;
  const std::atomic<int64_t>& min_replicas_max_lag_s;
  OutputLimit normal_limit, pubsub_limit;
  void ReadOutputLimits();  // again, after CONFIG SET

  // The store once it is open; null while loading. `view` and `loading_view` are complete before any command looks at them.
  std::atomic<Store*> store{nullptr};
  CommandView view, loading_view;
  std::unique_ptr<Keyspace> loading_keyspace;  // an empty one for the handlers that run meanwhile
  const CommandView& CurrentView() const { return store.load(std::memory_order_acquire) != nullptr ? view : loading_view; }

  ReplyWorkers reply_workers;  // stopped before the network threads end
  ClientMemory client_memory;
  // What maxmemory-clients allows; 0: no limit.
  uint64_t ClientLimitBytes() const;
  bool ClientsOverLimit() const {
    if (maxmemory_clients.load(std::memory_order_relaxed) == 0) [[likely]]
      return false;
    const uint64_t limit = ClientLimitBytes();
    return limit != 0 && client_memory.total_bytes() > limit;
  }
  // There are no replicas, so writes that want any are refused.
  bool WantsReplicas() const {
    return min_replicas.load(std::memory_order_relaxed) > 0 && min_replicas_max_lag_s.load(std::memory_order_relaxed) > 0;
  }

  std::atomic<uint64_t> sessions{0}, blocked_sessions{0};
  std::atomic<uint64_t> progress{0};       // grows whenever the store's progress listener fires
  std::atomic<int64_t> pause_until_ms{0};  // CLIENT PAUSE, monotonic; 0: none
  std::atomic<bool> pause_writes_only{false};
  std::atomic<bool> draining{false};  // shutting down: nothing more is executed
};

}  // namespace cairn
