// MIGRATE: moves or copies keys to another server, on a thread of its own, one call after the other.
//
// A key is watched while it travels: it is deleted here only when the target has it and nobody changed it since it was read; if somebody
// did, it is sent again. What is sent is durable here, and so is the deletion before the caller hears of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_annotations.h"
#include "engine/client.h"
#include "server/admin_worker.h"
#include "server/net/target_connection.h"

namespace cairn {

class Server;
class Store;

struct MigrateRequest {
  std::string host, port;
  std::vector<std::string> keys;
  uint32_t database = 0;
  int64_t target_database = 0;
  int64_t timeout_ms = 1000;
  bool copy = false, replace = false;
  std::vector<std::string> auth;  // AUTH's arguments; empty: none
};

class Migrator {
 public:
  [[nodiscard]] bool StartWorker() { return worker_.Start(); }  // as AdminWorker's
  // Does it on the migrator's thread and answers the session, which has called Block(). Ignored after Stop().
  void Start(Server& server, uint64_t session_id, MigrateRequest request);
  // Ends what is under way with an error. Before the store is closed.
  void Stop();
  // Connections kept for the next call to the same target, for some seconds after the last one.
  uint64_t cached_connections() const { return cached_count_.load(std::memory_order_relaxed); }

 private:
  struct Target {
    std::unique_ptr<TargetConnection> connection;
    int64_t database = -1;  // selected there; -1: not known
    int64_t last_used_ms = 0;
  };
  struct Sent {
    std::vector<std::string> keys;  // in the order of their RESTOREs
    std::string preamble;           // AUTH and SELECT
    int preamble_replies = 0;
    std::string bytes;
  };
  // What the target said of a batch.
  struct Answers {
    std::vector<std::string> taken;  // keys
    std::string error;               // the first one; empty: none
  };

  // The reply's text, with its first byte: "+OK".
  std::string Migrate(Store& store, const MigrateRequest& request);
  std::string Try(Store& store, Client& client, const MigrateRequest& request, bool replace, bool* again);
  static Status Encode(Store& store, const MigrateRequest& request, bool replace, int64_t selected_database, Sent* sent);
  Result<Target*> TargetOf(const MigrateRequest& request);
  static Status Exchange(Target& target, const MigrateRequest& request, const Sent& sent, bool* wrote, Answers* answers);
  void Forget(const MigrateRequest& request);
  void CloseIdle();

  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> cached_count_{0};
  std::map<std::string, Target> targets_;  // by host and port; the migrator's thread's
  AdminWorker worker_{"migrator"};
};

}  // namespace cairn
