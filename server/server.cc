#include "server/server.h"

#include <algorithm>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "server/server_impl.h"

namespace cairn {
namespace {

size_t ThreadsWanted(const Config& config) {
  int64_t threads = config.Number("threads");
  if (threads == 0 && config.Number("io-threads") > 1) threads = config.Number("io-threads");
  if (threads == 0) threads = std::thread::hardware_concurrency();
  return static_cast<size_t>(std::max<int64_t>(threads, 1));
}

std::string PidFilePath(const Config& config) {
  const std::string path = config.PathInDirectory("pidfile");
  return path.empty() && config.Bool("daemonize") ? "/var/run/cairn.pid" : path;
}

}  // namespace

Server::Impl::Impl(Server& server_in, std::unique_ptr<Config> config_in)
    : server(server_in),
      config(std::move(config_in)),
      thread_count(ThreadsWanted(*config)),
      run_id(SecureRandomHex(40)),
      started_unix_ms(RealClock().WallMs()),
      stats(*config, thread_count),
      hub([this](uint64_t session_id, std::shared_ptr<const PubSubMessage> message, Lsn lsn) {
        server.PostToSession(session_id, [message, lsn](Session& session) {
          if (message->WantedBy(session)) session.PushEncoded(message->For(session.protocol), lsn);
        });
      }),
      shared(server_in, *config, stats, hub),
      pid_file_(PidFilePath(*config)) {
  hub.monitors().SetPost([this](uint64_t session_id, SharedBytes line) {
    server.PostToSession(session_id, [line](Session& session) {
      if (session.is_monitor) session.PushEncoded(line, 0);
    });
  });
}

Server::Server(std::unique_ptr<Config> config) : impl_(std::make_unique<Impl>(*this, std::move(config))) {}
Server::~Server() = default;

Status Server::Start() { return impl_->Start(); }
int Server::Run() { return impl_->Run(); }
void Server::HandleSignals(int signal_fd) { impl_->signal_fd = signal_fd; }
void Server::RequestShutdown(int save, bool force, uint64_t session_id) { impl_->RequestShutdown(save, force, session_id); }

Config& Server::config() { return *impl_->config; }
PubSubHub& Server::pubsub() { return impl_->hub; }
ServerStats& Server::stats() { return impl_->stats; }
AdminWorker& Server::admin_worker() { return impl_->admin_worker; }
AdminWorker& Server::waits() { return impl_->waits; }
AdminWorker& Server::backup_worker() { return impl_->backup_worker; }
Migrator& Server::migrator() { return impl_->migrator; }

const Scrubber& Server::scrubber() const { return *impl_->scrubber; }
NetworkShared& Server::shared() { return impl_->shared; }

Store& Server::store() {
  Store* const store = impl_->shared.store.load(std::memory_order_acquire);
  CAIRN_CHECK(store != nullptr);
  return *store;
}

bool Server::loading() const { return impl_->shared.store.load(std::memory_order_acquire) == nullptr; }

LoadingProgress Server::loading_progress() const {
  return {impl_->loading_started_unix_s.load(), impl_->loading_done_bytes.load(), impl_->loading_total_bytes.load(),
          impl_->loading_keys.load()};
}

CommandTable& Server::commands() { return *impl_->shared.CurrentView().table; }
const std::string& Server::run_id() const { return impl_->run_id; }
int64_t Server::started_unix_ms() const { return impl_->started_unix_ms; }

void Server::PostToSession(uint64_t session_id, std::function<void(Session&)> work) {
  if (impl_->threads.empty()) return;
  impl_->threads[session_id % impl_->threads.size()]->PostToSession(session_id, std::move(work));
}

void Server::ForEachSession(std::function<void(Session&)> work, uint64_t session_id, std::function<void(Session&)> done) {
  auto left = std::make_shared<std::atomic<size_t>>(impl_->threads.size());
  for (const auto& thread : impl_->threads) {
    thread->PostToAll(work, [this, left, session_id, done] {
      if (left->fetch_sub(1, std::memory_order_acq_rel) == 1 && done != nullptr) PostToSession(session_id, done);
    });
  }
}

uint64_t Server::session_count() const { return impl_->shared.sessions.load(std::memory_order_relaxed); }
uint64_t Server::blocked_session_count() const { return impl_->shared.blocked_sessions.load(std::memory_order_relaxed); }

void Server::PauseClients(int64_t until_monotonic_ms, bool writes_only) { impl_->PauseClients(until_monotonic_ms, writes_only); }

void Server::Impl::PauseClients(int64_t until_monotonic_ms, bool writes_only) {
  MutexLock lock(pause_mutex_);
  const int64_t running_until_ms = shared.pause_until_ms.load(std::memory_order_relaxed);
  if (until_monotonic_ms != 0 && running_until_ms > RealClock().MonotonicMs()) {
    until_monotonic_ms = std::max(until_monotonic_ms, running_until_ms);
    writes_only = writes_only && shared.pause_writes_only.load(std::memory_order_relaxed);
  }
  shared.pause_writes_only.store(writes_only, std::memory_order_relaxed);
  shared.pause_until_ms.store(until_monotonic_ms, std::memory_order_relaxed);
  HoldExpiry(until_monotonic_ms != 0);
  const auto over = [this, until_monotonic_ms] {
    MutexLock pause_lock(pause_mutex_);
    if (shared.pause_until_ms.load(std::memory_order_relaxed) == until_monotonic_ms) HoldExpiry(false);
  };
  // Under the lock: of two pauses every thread's timer is the later one's.
  for (const auto& thread : threads) thread->SetPause(until_monotonic_ms, over);
}

// While clients are paused nothing changes by itself either.
void Server::Impl::HoldExpiry(bool hold) {
  Store* const open = shared.store.load(std::memory_order_acquire);
  if (open != nullptr) open->HoldExpiry(hold);
}

const std::vector<std::unique_ptr<NetworkThread>>& Server::threads() const { return impl_->threads; }

}  // namespace cairn
