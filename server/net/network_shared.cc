#include "server/net/network_shared.h"

#include <algorithm>

#include "server/config/config.h"

namespace cairn {

CommandView CommandView::Of(CommandTable& table) {
  CommandView view;
  view.table = &table;
  view.exec = table.FindByName("exec");
  view.discard = table.FindByName("discard");
  view.reset = table.FindByName("reset");
  view.quit = table.FindByName("quit");
  constexpr std::array<std::string_view, 8> kNames = {"ping",         "subscribe",  "ssubscribe",   "unsubscribe",
                                                      "sunsubscribe", "psubscribe", "punsubscribe", "quit"};
  std::transform(kNames.begin(), kNames.end(), view.while_subscribed.begin(),
                 [&](std::string_view name) { return table.FindByName(name); });
  return view;
}

bool CommandView::AllowedWhileSubscribed(const CommandRow* row) const {
  return row == reset || std::find(while_subscribed.begin(), while_subscribed.end(), row) != while_subscribed.end();
}

NetworkShared::NetworkShared(Server& server_in, const Config& config_in, ServerStats& stats_in, PubSubHub& hub_in)
    : server(server_in),
      config(config_in),
      stats(stats_in),
      hub(hub_in),
      maxclients(config.NumberRef("maxclients")),
      timeout_s(config.NumberRef("timeout")),
      tcp_keepalive_s(config.NumberRef("tcp-keepalive")),
      input_coalescing_us(config.NumberRef("input-coalescing-us")),
      proto_max_bulk_bytes(config.NumberRef("proto-max-bulk-len")),
      query_buffer_limit_bytes(config.NumberRef("client-query-buffer-limit")),
      latency_tracking(config.NumberRef("latency-tracking")),
      password_size(config.NumberRef("requirepass")),
      maxmemory_bytes(config.NumberRef("maxmemory")),
      maxmemory_clients(config.NumberRef("maxmemory-clients")),
      min_replicas(config.NumberRef("min-replicas-to-write")),
      min_replicas_max_lag_s(config.NumberRef("min-replicas-max-lag")) {
  ReadOutputLimits();
}

uint64_t NetworkShared::ClientLimitBytes() const {
  const int64_t setting = maxmemory_clients.load(std::memory_order_relaxed);
  if (setting >= 0) return static_cast<uint64_t>(setting);
  return static_cast<uint64_t>(maxmemory_bytes.load(std::memory_order_relaxed)) / 100 * static_cast<uint64_t>(-setting);
}

void NetworkShared::ReadOutputLimits() {
  const auto read = [this](Config::ClientClass client_class, OutputLimit& limit) {
    const OutputBufferLimit value = config.OutputLimit(client_class);
    limit.hard_bytes.store(value.hard_bytes, std::memory_order_relaxed);
    limit.soft_bytes.store(value.soft_bytes, std::memory_order_relaxed);
    limit.soft_seconds.store(value.soft_seconds, std::memory_order_relaxed);
  };
  read(Config::ClientClass::kNormal, normal_limit);
  read(Config::ClientClass::kPubSub, pubsub_limit);
}

}  // namespace cairn
