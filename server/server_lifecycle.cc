// How a server begins and ends.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <latch>
#include <optional>

#include "base/clock.h"
#include "base/logger.h"
#include "base/scheduling.h"
#include "engine/commands/command_context.h"
#include "server/commands/registry.h"
#include "server/process_title.h"
#include "server/server_impl.h"
#include "server/version.h"

namespace cairn {
namespace {

constexpr int kTickMs = 100;
constexpr useconds_t kSaveAgainUs = 200'000;
// For so long a client that connects while the store is loaded waits, instead of being told -LOADING: programs that start a server
// write to it as soon as it accepts them, and do not expect that of a server with little data, since Redis never says it then.
constexpr int64_t kUnseenLoadMs = 250;
// Clients do not get the descriptors that the server needs for itself: without one for its next segment the log would refuse writes.
constexpr uint64_t kOtherDescriptors = 64;  // listening sockets, log, snapshots
constexpr uint64_t kThreadDescriptors = 2;  // a network thread's loop

}  // namespace

Server::Impl::~Impl() {
  if (loader_.joinable()) loader_.join();
  if (listener != nullptr) listener->Close();
  admin_worker.Stop();
  waits.Stop();
  backup_worker.Stop();
  migrator.Stop();
  shared.reply_workers.Stop();
  if (store != nullptr) store->SetProgressListener(nullptr);
  for (const auto& thread : threads) thread->Stop();
  threads.clear();  // sessions go before the store and the hub they are known to
  listener.reset();
  if (store != nullptr) store->SetChangeListener(nullptr);
  scrubber.reset();
  store.reset();
  if (wake_fd_ >= 0) close(wake_fd_);
}

int64_t Server::Impl::RaiseDescriptorLimit() {
  const auto clients = static_cast<uint64_t>(config->Number("maxclients"));
  const rlim_t others = kOtherDescriptors + kThreadDescriptors * thread_count;
  const rlim_t wanted = clients + others;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return static_cast<int64_t>(clients);
  rlimit raised = limit;
  raised.rlim_cur = wanted;
  raised.rlim_max = std::max(limit.rlim_max, wanted);
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return static_cast<int64_t>(clients);
  raised = limit;
  raised.rlim_cur = std::min(limit.rlim_max, wanted);
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return static_cast<int64_t>(std::min<uint64_t>(clients, limit.rlim_cur > others ? limit.rlim_cur - others : 0));
}

Status Server::Impl::LimitClients() {
  const int64_t wanted = config->Number("maxclients");
  const int64_t allowed = RaiseDescriptorLimit();
  if (allowed >= wanted) return {};
  if (allowed == 0) {
    return Status::InvalidArgument(
        "The system allows fewer open files than a server needs without any client: raise 'ulimit -n' to at least " +
        std::to_string(kOtherDescriptors + kThreadDescriptors * thread_count + 1));
  }
  LogF(LogLevel::kWarning,
       "The system allows too few open files for maxclients %lld, which was reduced to %lld. For more clients raise 'ulimit -n'.",
       static_cast<long long>(wanted), static_cast<long long>(allowed));
  return config->LoadText("maxclients " + std::to_string(allowed), "the limit of open files");
}

void Server::Impl::ConnectNetworkSettings() {
  const auto reopen = [this](const char* error) {
    Status status = listener->ReopenTcp();
    if (status.ok()) return status;
    LogF(LogLevel::kWarning, "%s", std::string(status.message()).c_str());
    return Status(status.code(), error);
  };
  config->OnChange({"port"}, [reopen] { return reopen("Unable to listen on this port. Check server logs."); });
  config->OnChange({"bind"}, [reopen] { return reopen("Failed to bind to specified addresses."); });
  config->OnChange({"port", "bind", "proc-title-template"}, [this] {
    ShowProcessTitle(*config);
    return Status();
  });
  config->OnChange({"client-output-buffer-limit"}, [this] {
    shared.ReadOutputLimits();
    return Status();
  });
  config->OnChange({"maxclients"}, [this] {
    const int64_t allowed = RaiseDescriptorLimit();
    if (allowed >= config->Number("maxclients")) return Status();
    return Status::InvalidArgument("The operating system is not able to handle the specified number of clients, try with " +
                                   std::to_string(allowed));
  });
}

Status Server::Impl::Start() {
  loading_started_unix_s.store(RealClock().WallMs() / 1000);
  if (!admin_worker.Start() || !waits.Start() || !backup_worker.Start() || !migrator.StartWorker())
    return Status::Unavailable(std::string(kNoThreadText));
  wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd_ < 0) return Status::FromErrno(errno, "eventfd");
  CAIRN_RETURN_IF_ERROR(LimitClients());
  RegisterEngineCommands(loading_table);
  RegisterServerCommands(loading_table);
  shared.loading_view = CommandView::Of(loading_table);
  CAIRN_RETURN_IF_ERROR(ApplyRenames(*config, loading_table));
  shared.loading_keyspace = std::make_unique<Keyspace>(KeyspaceOptions{static_cast<uint32_t>(config->Number("databases"))});
  for (size_t i = 0; i < thread_count; i++) {
    threads.push_back(std::make_unique<NetworkThread>(shared, i));
    CAIRN_RETURN_IF_ERROR(threads.back()->Init());
  }
  listener = std::make_unique<Listener>(shared, threads);
  ConnectSettings(server);
  ConnectNetworkSettings();
  CAIRN_RETURN_IF_ERROR(listener->Open());
  ShowProcessTitle(*config);
  for (const auto& thread : threads) thread->Start();
  LogF(LogLevel::kNotice, "Running mode=standalone, port=%d, threads=%zu, PID: %d", static_cast<int>(config->Number("port")),
       thread_count, static_cast<int>(getpid()));
  Log(LogLevel::kNotice, "Server initialized");  // what Redis's own test suites wait for since 7.2
  return Load();
}

Status Server::Impl::Load() {
  Status status;
  loader_ = std::thread([&] {
    NameThisThread("loader");
    status = OpenStore();
    loaded_.store(true, std::memory_order_release);
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
  });
  const int64_t accept_from_ms = RealClock().MonotonicMs() + kUnseenLoadMs;
  std::optional<Status> accepting;
  while (!loaded_.load(std::memory_order_acquire)) {
    WaitForEvents(kTickMs);
    if (!accepting && RealClock().MonotonicMs() >= accept_from_ms) accepting = listener->StartAccepting();
    BasicLock lock(mutex_);
    if (!request_.wanted) continue;
    // Nothing was promised to anybody yet, and opening is safe against a crash at any moment: no reason to wait for its end.
    Log(LogLevel::kWarning, "Shutdown asked for while loading: exiting now, bye bye...");
    listener->Close();
    pid_file_.Remove();
    _exit(0);
  }
  loader_.join();
  if (!status.ok()) {
    listener->Close();  // removes the unix socket that nobody will answer at
    pid_file_.Remove();
    return status;
  }
  return accepting ? *accepting : listener->StartAccepting();
}

Status Server::Impl::OpenStore() {
  StoreOptions options = config->MakeStoreOptions();
  options.register_commands = RegisterServerCommands;
  const auto report = [this](const Store::Progress& progress) {
    pid_file_.Write();  // loading has begun, so the directory is this server's
    loading_done_bytes.store(progress.done_bytes, std::memory_order_relaxed);
    loading_total_bytes.store(progress.total_bytes, std::memory_order_relaxed);
    loading_keys.store(progress.keys, std::memory_order_relaxed);
    LogF(LogLevel::kNotice, "Loading (%.*s): %.1f of %.1f MB, %llu keys", static_cast<int>(progress.phase.size()),
         progress.phase.data(), static_cast<double>(progress.done_bytes) / 1e6, static_cast<double>(progress.total_bytes) / 1e6,
         static_cast<unsigned long long>(progress.keys));
  };
  const int64_t started_us = RealClock().MonotonicUs();
  ApplyHugePages(server);
  CAIRN_ASSIGN_OR_RETURN(store, Store::Open(std::move(options), report));
  pid_file_.Write();
  const auto durable_lsn = [this]() { return store->log().enabled() ? std::optional<Lsn>(store->durable_lsn()) : std::nullopt; };
  scrubber = std::make_unique<Scrubber>(RealFileSystem(), RealClock(), store->options().directory,
                                        config->NumberRef("scrub-hours"), durable_lsn);
  shared.view = CommandView::Of(store->commands());
  CAIRN_RETURN_IF_ERROR(ApplyRenames(*config, store->commands()));
  store->SetChangeListener(&hub);
  store->SetProgressListener([this] {
    shared.progress.fetch_add(1, std::memory_order_seq_cst);
    for (const auto& thread : threads) thread->OnStoreProgress();
  });
  shared.store.store(store.get(), std::memory_order_release);
  scrubber->Start();
  ApplySettings(server);
  LogF(LogLevel::kNotice, "DB loaded from disk: %.3f seconds, %llu keys",
       static_cast<double>(RealClock().MonotonicUs() - started_us) / 1e6,
       static_cast<unsigned long long>(store->Info().loaded_keys));
  return {};
}

void Server::Impl::HandleSignal(int number) {
  const bool interrupt = number == SIGINT;
  const int64_t flags = config->Number(interrupt ? "shutdown-on-sigint" : "shutdown-on-sigterm");
  LogF(LogLevel::kWarning, "Received %s scheduling shutdown...", interrupt ? "SIGINT" : "SIGTERM");
  const int save = flags & kShutdownSave ? 1 : flags & kShutdownNoSave ? 0 : -1;
  RequestShutdown(save, (flags & kShutdownForce) != 0, 0);
}

void Server::Impl::WaitForEvents(int timeout_ms) {
  pollfd fds[2] = {{wake_fd_, POLLIN, 0}, {signal_fd, POLLIN, 0}};
  if (poll(fds, signal_fd >= 0 ? 2 : 1, timeout_ms) <= 0) return;
  uint64_t count = 0;
  if (fds[0].revents) [[maybe_unused]]
    const ssize_t got = read(wake_fd_, &count, sizeof(count));
  if (signal_fd < 0 || fds[1].revents == 0) return;
  signalfd_siginfo info{};
  if (read(signal_fd, &info, sizeof(info)) == sizeof(info)) HandleSignal(static_cast<int>(info.ssi_signo));
}

void Server::Impl::RequestShutdown(int save, bool force, uint64_t session_id) {
  {
    BasicLock lock(mutex_);
    request_.wanted = true;
    request_.save = save;
    request_.force |= force;
    if (session_id != 0) request_.session_ids.push_back(session_id);
  }
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

int Server::Impl::Run() {
  Log(LogLevel::kNotice, "Ready to accept connections");
  for (;;) {
    ShutdownRequest request;
    {
      BasicLock lock(mutex_);
      request = std::exchange(request_, {});
    }
    if (request.wanted && ShutDown(request)) return closed_well ? 0 : 1;
    WaitForEvents(kTickMs);
    stats.Sample(RealClock().MonotonicMs());
  }
}

void Server::Impl::OnEveryThread(const std::function<void(NetworkThread&)>& work) {
  std::latch done(static_cast<ptrdiff_t>(threads.size()));
  for (const auto& thread : threads) {
    thread->loop().Post([&, raw = thread.get()] {
      work(*raw);
      done.count_down();
    });
  }
  done.wait();
}

Status Server::Impl::SaveForShutdown(const ShutdownRequest& request) {
  const bool save = request.save == 1 || (request.save < 0 && !config->SavePoints().empty());
  const bool log_begins = config->Bool("appendonly") && (!store->log().enabled() || store->Info().log_awaits_snapshot);
  if (!save && !log_begins) return {};
  if (store->Info().incomplete) {
    Log(LogLevel::kWarning, "Nothing is saved: the data set is incomplete since a reload failed; the directory has it whole.");
    return {};
  }
  Log(LogLevel::kNotice,
      save ? "Saving the final snapshot before exiting." : "Finishing the log's first snapshot before exiting.");
  // A disk that does not answer just now, by which `everysec` refuses writes, may answer in a moment.
  const int64_t until_ms = RealClock().MonotonicMs() + 1000 * config->Number("shutdown-timeout");
  for (;;) {
    Status status = log_begins ? FinishSwitchingLog(server) : Status();
    if (status.ok() && save) status = store->SaveAndWait();
    if (status.code() != StatusCode::kUnavailable || RealClock().MonotonicMs() >= until_ms) return status;
    usleep(kSaveAgainUs);
  }
}

bool Server::Impl::ShutDown(const ShutdownRequest& request) {
  Log(LogLevel::kNotice, "User requested shutdown...");
  shared.draining.store(true);
  OnEveryThread([](NetworkThread&) {});  // what runs has ended
  const Status saved = SaveForShutdown(request);
  if (!saved.ok()) {
    LogF(LogLevel::kWarning, "Error trying to save the DB: %s", saved.ToString().c_str());
    if (!request.force) {
      CallOff(request);
      return false;
    }
  }
  StopServing();
  return true;
}

void Server::Impl::CallOff(const ShutdownRequest& request) {
  Log(LogLevel::kWarning, "Errors trying to shut down the server. Check the logs for more information.");
  shared.draining.store(false);
  OnEveryThread([](NetworkThread& thread) { thread.ResumeAll(); });
  for (const uint64_t session_id : request.session_ids) {
    server.PostToSession(session_id, [](Session& session) {
      session.Unblock([](ReplySink& reply) { reply.Error("ERR Errors trying to SHUTDOWN. Check logs."); });
    });
  }
}

void Server::Impl::StopServing() {
  listener->Close();
  admin_worker.Stop();
  waits.Stop();
  migrator.Stop();
  scrubber->Stop();
  shared.reply_workers.Stop();
  const Status closed = store->Close(false);
  backup_worker.Stop();
  closed_well = closed.ok();
  if (!closed.ok()) LogF(LogLevel::kWarning, "Closing the store: %s", closed.ToString().c_str());
  // Everything is durable now: what waited for that still leaves.
  shared.progress.fetch_add(1);
  OnEveryThread([](NetworkThread& thread) { thread.FlushAll(); });
  for (const auto& thread : threads) thread->Stop();
  pid_file_.Remove();
  Log(LogLevel::kWarning, "Cairn is now ready to exit, bye bye...");
}

}  // namespace cairn
