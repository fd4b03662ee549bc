#include "server/net/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/logger.h"
#include "server/config/config.h"
#include "server/net/socket_address.h"
#include "server/stats.h"

namespace cairn {
namespace {

constexpr int kAcceptsPerEvent = 256;

constexpr int64_t kPauseMs = 100;

constexpr std::string_view kProtectedModeError =
    "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. "
    "Connections are therefore taken from this machine only. To connect from elsewhere do one of these: 1) set a password with "
    "requirepass; 2) from this machine send CONFIG SET protected-mode no, if nobody unwanted can reach this port, and CONFIG "
    "REWRITE "
    "to keep it; 3) write protected-mode no into the configuration file, or start with --protected-mode no, and restart.\r\n";

}  // namespace

class Listener::Socket final : public EventHandler {
 public:
  Socket(Listener& listener, int fd, bool unix_socket) : listener_(listener), fd_(fd), unix_socket_(unix_socket) {}
  ~Socket() { Close(); }
  void OnEvents(uint32_t) override {
    if (fd_ >= 0) listener_.Accept(*this);
  }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  int fd() const { return fd_; }
  bool unix_socket() const { return unix_socket_; }

 private:
  Listener& listener_;
  std::atomic<int> fd_;
  const bool unix_socket_;
};

Listener::Listener(NetworkShared& shared, const std::vector<std::unique_ptr<NetworkThread>>& threads)
    : shared_(shared), threads_(threads) {}

Listener::~Listener() { Close(); }

Status Listener::MakeTcp(std::vector<std::unique_ptr<Socket>>* sockets) {
  const Config& config = shared_.config;
  const int port = static_cast<int>(config.Number("port"));
  if (port == 0) return Status::Ok();
  for (std::string address : config.BindAddresses()) {
    const bool optional = address.starts_with("-");
    if (optional) address.erase(0, 1);
    Result<int> fd = ListenTcp(address, port, static_cast<int>(config.Number("tcp-backlog")));
    if (fd.ok()) {
      sockets->push_back(std::make_unique<Socket>(*this, *fd, false));
      continue;
    }
    if (optional && fd.status().code() == StatusCode::kNotFound) continue;
    return Status::IoError("Could not create server TCP listening socket " + std::string(fd.status().message()) +
                           "\nFailed listening on port " + std::to_string(port) + " (TCP), aborting.");
  }
  return Status::Ok();
}

Status Listener::Open() {
  std::vector<std::unique_ptr<Socket>> sockets;
  CAIRN_RETURN_IF_ERROR(MakeTcp(&sockets));
  BasicLock lock(mutex_);
  tcp_ = std::move(sockets);
  const std::string path = shared_.config.PathInDirectory("unixsocket");
  if (!path.empty()) {
    // It may be the place of the socket; the store makes sure of it, but later.
    mkdir(shared_.config.directory().c_str(), 0755);
    const int permissions = static_cast<int>(shared_.config.Number("unixsocketperm"));
    Result<int> fd = ListenUnix(path, permissions, static_cast<int>(shared_.config.Number("tcp-backlog")));
    if (!fd.ok()) return Status::IoError("Failed opening Unix socket: " + std::string(fd.status().message()));
    unix_path_ = path;
    unix_ = std::make_unique<Socket>(*this, *fd, true);
  }
  if (tcp_.empty() && unix_ == nullptr) return Status::InvalidArgument("Configured to not listen anywhere, exiting.");
  return Status::Ok();
}

Status Listener::AcceptFrom(Socket& socket) { return threads_[0]->loop().AddListening(socket.fd(), &socket); }

Status Listener::StartAccepting() {
  BasicLock lock(mutex_);
  for (const auto& socket : tcp_) CAIRN_RETURN_IF_ERROR(AcceptFrom(*socket));
  return unix_ == nullptr ? Status::Ok() : AcceptFrom(*unix_);
}

Status Listener::ReopenTcp() {
  std::vector<std::unique_ptr<Socket>> sockets;
  // The old sockets may hold the addresses that the new list still has: they go first and come back if that fails.
  BasicLock lock(mutex_);
  for (auto& socket : tcp_) {
    socket->Close();
    retired_.push_back(std::move(socket));
  }
  tcp_.clear();
  CAIRN_RETURN_IF_ERROR(MakeTcp(&sockets));
  tcp_ = std::move(sockets);
  for (const auto& socket : tcp_) CAIRN_RETURN_IF_ERROR(AcceptFrom(*socket));
  return Status::Ok();
}

void Listener::Close() {
  BasicLock lock(mutex_);
  for (auto& socket : tcp_) socket->Close();
  if (unix_ != nullptr) unix_->Close();
  if (!unix_path_.empty()) {
    Log(LogLevel::kNotice, "Removing the unix socket file.");
    unlink(unix_path_.c_str());
    unix_path_.clear();
  }
}

bool Listener::TurnedAway(int fd, const sockaddr_storage& peer, bool unix_socket) {
  std::string_view reason;
  const auto limit = static_cast<uint64_t>(shared_.maxclients.load(std::memory_order_relaxed));
  if (shared_.sessions.load(std::memory_order_relaxed) >= limit) {
    reason = "-ERR max number of clients reached\r\n";
  } else if (!unix_socket && shared_.password_size.load(std::memory_order_relaxed) == 0 && !IsLoopback(peer) &&
             shared_.config.Bool("protected-mode")) {
    reason = kProtectedModeError;
  }
  if (reason.empty()) return false;
  [[maybe_unused]] const ssize_t sent = send(fd, reason.data(), reason.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  threads_[0]->stats().Add(Counter::kRejectedConnections);
  close(fd);
  return true;
}

void Listener::Pause(Socket& socket) {
  EventLoop& loop = threads_[0]->loop();
  {
    BasicLock lock(mutex_);
    if (socket.fd() < 0) return;
    loop.Remove(socket.fd());
  }
  loop.At(loop.now_ms() + kPauseMs, [this, &socket] {
    BasicLock lock(mutex_);
    if (socket.fd() < 0) return;
    const Status status = AcceptFrom(socket);
    if (!status.ok()) Log(LogLevel::kWarning, "No more connections are accepted: " + std::string(status.message()));
  });
}

void Listener::Accept(Socket& socket) {
  for (int i = 0; i < kAcceptsPerEvent; i++) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    const int fd = accept4(socket.fd(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      if (errno == EINTR || errno == ECONNABORTED) continue;
      const int error_number = errno;
      const int64_t now_ms = threads_[0]->loop().now_ms();
      if (now_ms - last_complaint_ms_ > 1000) {
        LogF(LogLevel::kWarning, "Accepting client connection: accept: %s", strerror(error_number));
        last_complaint_ms_ = now_ms;
      }
      Pause(socket);
      return;
    }
    if (TurnedAway(fd, peer, socket.unix_socket())) continue;
    NewConnection connection{.fd = fd, .id = next_id_++, .address = {}, .local_address = {}, .unix_socket = socket.unix_socket()};
    if (socket.unix_socket()) {
      connection.address = connection.local_address = shared_.config.Text("unixsocket") + ":0";
    } else {
      PrepareTcp(fd, shared_.tcp_keepalive_s.load(std::memory_order_relaxed));
      connection.address = FormatAddress(peer);
      connection.local_address = LocalAddress(fd);
    }
    shared_.sessions.fetch_add(1, std::memory_order_relaxed);
    threads_[0]->stats().Add(Counter::kConnections);
    // Which thread has a session follows from its id, so nobody has to keep a table.
    NetworkThread& thread = *threads_[connection.id % threads_.size()];
    thread.Adopt(std::move(connection));
  }
}

}  // namespace cairn
