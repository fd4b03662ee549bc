// The server: network threads with their sessions around one Store. Handlers reach what they need from here by name; no subsystem
// keeps its state in this class.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/store.h"
#include "server/session.h"

namespace cairn {

class AdminWorker;  // server/admin_worker.h: a thread for jobs that must not hold a network thread
class Config;       // server/config/config.h: every directive, its value, CONFIG GET/SET/REWRITE
class Migrator;     // server/migrator.h: MIGRATE
class PubSubHub;    // server/pubsub/hub.h
class ServerStats;  // server/stats.h: counters for INFO, slow log, latency events
class NetworkThread;
class Scrubber;        // engine/scrubber.h: reads the files again now and then
struct NetworkShared;  // server/net/network_shared.h

// How far loading is, for INFO; meaningful while loading().
struct LoadingProgress {
  int64_t started_unix_s = 0;
  uint64_t done_bytes = 0, total_bytes = 0, keys = 0;
};

class Server {
 public:
  // `config` is complete and valid. Nothing listens before Start().
  explicit Server(std::unique_ptr<Config> config);
  ~Server();

  // Listens, opens the store, then serves; clients wait meanwhile, and are told -LOADING where it takes longer. kInvalidArgument,
  // kIoError (port in use...), or the store's Status. A signal to end that comes meanwhile is obeyed by Run().
  Status Start();
  // A signalfd of SIGTERM and SIGINT, which end the server cleanly; before Start(). Without it no signal is looked at.
  void HandleSignals(int signal_fd);
  // Blocks until a shutdown was asked for and done; returns the process's exit code.
  int Run();
  // Ends the process as Redis's SHUTDOWN does. save: 1 snapshot, 0 none, -1 if there are save points. Where that fails and `force` is false
  // the server goes on, and the session, if not 0 (it called Block()), is unblocked with the error, as are all that asked meanwhile. Any
  // thread; returns at once.
  void RequestShutdown(int save, bool force, uint64_t session_id = 0);

  Config& config();
  PubSubHub& pubsub();
  ServerStats& stats();
  AdminWorker& admin_worker();       // for jobs that wait for the disk; stopped before the store is closed
  AdminWorker& waits();              // for conditions with a deadline, which no job may delay; stopped before the store is closed
  AdminWorker& backup_worker();      // for BACKUP, which may take long; what runs there ends when the store is closed
  Migrator& migrator();              // stopped before the store is closed
  Store& store();                    // only when !loading()
  bool loading() const;              // any thread
  const Scrubber& scrubber() const;  // only when !loading()
  LoadingProgress loading_progress() const;
  // The table that commands are looked up in: the server's own while loading, then the store's. Rows of both live as long as the server.
  CommandTable& commands();
  const std::string& run_id() const;
  int64_t started_unix_ms() const;

  // --- sessions (any thread) ----------------------------------------------------------------------------------------------
  // Runs `work` on the session's own thread with the session, if it still exists. Work for one session keeps its order.
  void PostToSession(uint64_t session_id, std::function<void(Session&)> work);
  // Runs `work` on every network thread for each of its sessions, then `done` (may be null) on the thread of `session_id`.
  void ForEachSession(std::function<void(Session&)> work, uint64_t session_id, std::function<void(Session&)> done);
  uint64_t session_count() const;
  uint64_t blocked_session_count() const;  // by Block() or CLIENT PAUSE
  // CLIENT PAUSE: until (monotonic ms); 0 ends it. A pause that runs already becomes longer or stricter, never less.
  void PauseClients(int64_t until_monotonic_ms, bool writes_only);
  const std::vector<std::unique_ptr<NetworkThread>>& threads() const;
  NetworkShared& shared();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cairn
