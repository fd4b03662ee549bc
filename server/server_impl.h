// The parts of a server and the order of their lives: members are destroyed from the last to the first, so that threads end before
// what they use.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/thread_annotations.h"
#include "engine/scrubber.h"
#include "engine/store.h"
#include "server/admin_worker.h"
#include "server/config/config.h"
#include "server/migrator.h"
#include "server/net/listener.h"
#include "server/net/network_shared.h"
#include "server/net/network_thread.h"
#include "server/pid_file.h"
#include "server/pubsub/hub.h"
#include "server/server.h"
#include "server/stats.h"

namespace cairn {

class Server::Impl {
 public:
  Impl(Server& server, std::unique_ptr<Config> config_in);
  ~Impl();

  Status Start();
  int Run();
  void PauseClients(int64_t until_monotonic_ms, bool writes_only) CAIRN_EXCLUDES(pause_mutex_);
  void RequestShutdown(int save, bool force, uint64_t session_id) CAIRN_EXCLUDES(mutex_);

  // Constant after the constructor.
  Server& server;
  const std::unique_ptr<Config> config;
  const size_t thread_count;
  const std::string run_id;
  const int64_t started_unix_ms;

  ServerStats stats;
  PubSubHub hub;
  CommandTable loading_table;
  NetworkShared shared;
  std::unique_ptr<Store> store;        // written once by the loader before shared.store
  std::unique_ptr<Scrubber> scrubber;  // of the store; written by the loader before shared.store
  bool closed_well = true;             // the store, at the end
  AdminWorker admin_worker{"admin"}, backup_worker{"backup"}, waits{"waits"};
  Migrator migrator;
  std::vector<std::unique_ptr<NetworkThread>> threads;
  std::unique_ptr<Listener> listener;
  int signal_fd = -1;

  std::atomic<int64_t> loading_started_unix_s{0};
  std::atomic<uint64_t> loading_done_bytes{0}, loading_total_bytes{0}, loading_keys{0};

 private:
  // What all that asked for it since the last try want together.
  struct ShutdownRequest {
    bool wanted = false;
    int save = -1;  // what the last of them said
    bool force = false;
    std::vector<uint64_t> session_ids;  // who is told that it failed
  };

  Status OpenStore();
  Status Load();  // opens the store on a thread of its own; watches for signals meanwhile
  // Raises the limit of open files to what `maxclients` needs, where that may be done; returns for how many clients it is enough.
  int64_t RaiseDescriptorLimit();
  Status LimitClients();  // at the start: as many as the limit of open files leaves room for
  void ConnectNetworkSettings();
  void WaitForEvents(int timeout_ms);  // signals and requests
  void HandleSignal(int number);
  bool ShutDown(const ShutdownRequest& request);  // false: it failed and the server goes on
  void CallOff(const ShutdownRequest& request);
  Status SaveForShutdown(const ShutdownRequest& request);
  void StopServing();
  void HoldExpiry(bool hold) CAIRN_REQUIRES(pause_mutex_);
  // Runs `work` on every network thread and waits until all have.
  void OnEveryThread(const std::function<void(NetworkThread&)>& work);

  int wake_fd_ = -1;
  PidFile pid_file_;
  std::thread loader_;
  Mutex mutex_;
  ShutdownRequest request_ CAIRN_GUARDED_BY(mutex_);
  Mutex pause_mutex_;                // shared.pause_until_ms, pause_writes_only and whether expiry is held change together
  std::atomic<bool> loaded_{false};  // the loader has ended
};

}  // namespace cairn
