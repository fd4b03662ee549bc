#include "server/net/target_connection.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"

namespace cairn {
namespace {

constexpr size_t kLineMaxBytes = 64 * 1024;
constexpr int64_t kLookEveryMs = 100;  // whether the wait was cancelled

struct AddressList {
  addrinfo* first = nullptr;
  ~AddressList() {
    if (first != nullptr) freeaddrinfo(first);
  }
};

}  // namespace

Result<std::unique_ptr<TargetConnection>> TargetConnection::Connect(const std::string& host, const std::string& port,
                                                                    int64_t timeout_ms, const std::atomic<bool>* cancelled) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  AddressList addresses;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &addresses.first); error != 0) {
    return Status::IoError("resolve " + host + ": " + gai_strerror(error));
  }
  Status last = Status::IoError("resolve " + host + ": no address");
  for (const addrinfo* at = addresses.first; at != nullptr; at = at->ai_next) {
    const int fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
    if (fd < 0) {
      last = Status::FromErrno(errno, "socket");
      continue;
    }
    std::unique_ptr<TargetConnection> connection(new TargetConnection(fd, cancelled));
    if (connect(fd, at->ai_addr, at->ai_addrlen) != 0 && errno != EINPROGRESS) {
      last = Status::FromErrno(errno, "connect to " + host);
      continue;
    }
    last = connection->Await(POLLOUT, timeout_ms);
    if (!last.ok()) continue;
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      last = error == ECONNREFUSED ? Status::NotFound("connect to " + host + ": nobody listens")
                                   : Status::FromErrno(error, "connect to " + host);
      continue;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return connection;
  }
  return last;
}

TargetConnection::~TargetConnection() { close(fd_); }

Status TargetConnection::Await(short events, int64_t timeout_ms) const {
  const int64_t deadline_ms = RealClock().MonotonicMs() + timeout_ms;
  while (!cancelled_.load(std::memory_order_relaxed)) {
    const int64_t left_ms = deadline_ms - RealClock().MonotonicMs();
    if (left_ms <= 0) return Status::Unavailable("the other side took too long");
    pollfd waited{fd_, events, 0};
    const int ready = poll(&waited, 1, static_cast<int>(std::min(left_ms, kLookEveryMs)));
    if (ready > 0) return Status();
    if (ready < 0 && errno != EINTR) return Status::FromErrno(errno, "poll");
  }
  return Status::Unavailable("the server shuts down");
}

Status TargetConnection::Send(std::string_view bytes, int64_t timeout_ms) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      return Status::FromErrno(errno, "send");
    } else {
      CAIRN_RETURN_IF_ERROR(Await(POLLOUT, timeout_ms));
    }
  }
  return Status();
}

Result<std::string> TargetConnection::ReadLine(int64_t timeout_ms) {
  while (true) {
    const size_t end = received_.find("\r\n");
    if (end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 2);
      return line;
    }
    if (received_.size() > kLineMaxBytes) return Status::IoError("the other side sends no line's end");
    char bytes[4096];
    const ssize_t got = recv(fd_, bytes, sizeof(bytes), 0);
    if (got > 0) {
      received_.append(bytes, static_cast<size_t>(got));
    } else if (got == 0) {
      return Status::IoError("the other side closed the connection");
    } else if (errno != EAGAIN && errno != EINTR) {
      return Status::FromErrno(errno, "recv");
    } else {
      CAIRN_RETURN_IF_ERROR(Await(POLLIN, timeout_ms));
    }
  }
}

}  // namespace cairn
