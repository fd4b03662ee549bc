#include "server/net/socket_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cairn {
namespace {

Status SocketError(int error_number, const std::string& what) {
  const std::string text = what + ": " + strerror(error_number);
  const bool no_such_address = error_number == EADDRNOTAVAIL || error_number == EAFNOSUPPORT || error_number == EPROTONOSUPPORT;
  return no_such_address ? Status::NotFound(text) : Status::IoError(text);
}

Result<int> Listen(const addrinfo& info, const std::string& name, int backlog) {
  const int fd = socket(info.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return SocketError(errno, name + ": socket");
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (info.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
  if (bind(fd, info.ai_addr, info.ai_addrlen) != 0 || listen(fd, backlog) != 0) {
    const int error_number = errno;
    close(fd);
    return SocketError(error_number, name + ": bind");
  }
  return fd;
}

// Makes way for a socket of that name: one that a killed server left is removed; one where a server listens, and what is no socket, stay.
Status RemoveDeadSocket(const std::string& path, const sockaddr_un& address) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return {};  // mostly there is none; what else is wrong bind() says
  if (!S_ISSOCK(info.st_mode)) return Status::IoError(path + ": there is something else of that name, not a socket");
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return SocketError(errno, path + ": socket");
  const bool dead = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 && errno == ECONNREFUSED;
  close(fd);
  if (!dead) return SocketError(EADDRINUSE, path + ": bind");
  unlink(path.c_str());
  return {};
}

}  // namespace

std::string FormatAddress(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  return "?:0";
}

bool IsLoopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    return (ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24) == 127;
  }
  return address.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

std::string LocalAddress(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "?:0";
  return FormatAddress(address);
}

Result<int> ListenTcp(const std::string& address, int port, int backlog) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  hints.ai_family = address == "*" ? AF_INET : address == "::*" ? AF_INET6 : AF_UNSPEC;
  const bool any = address == "*" || address == "::*";
  addrinfo* found = nullptr;
  const std::string name = address + ":" + std::to_string(port);
  const int failed = getaddrinfo(any ? nullptr : address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) return Status::IoError(name + ": " + gai_strerror(failed));
  Status last = Status::IoError(name + ": no address");
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    Result<int> fd = Listen(*info, name, backlog);
    last = fd.status();
    if (fd.ok()) {
      freeaddrinfo(found);
      return fd;
    }
  }
  freeaddrinfo(found);
  return last;
}

Result<int> ListenUnix(const std::string& path, int permissions, int backlog) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return Status::IoError(path + ": the path is too long for a socket");
  std::copy(path.begin(), path.end(), address.sun_path);
  CAIRN_RETURN_IF_ERROR(RemoveDeadSocket(path, address));
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return SocketError(errno, path + ": socket");
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 || listen(fd, backlog) != 0 ||
      (permissions != 0 && chmod(path.c_str(), static_cast<mode_t>(permissions)) != 0)) {
    const int error_number = errno;
    close(fd);
    return SocketError(error_number, path + ": bind");
  }
  return fd;
}

void PrepareTcp(int fd, int64_t keepalive_s) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  if (keepalive_s <= 0) return;
  const int idle_s = static_cast<int>(std::min<int64_t>(keepalive_s, 32767));
  const int interval_s = std::max(idle_s / 3, 1);
  const int probes = 3;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

}  // namespace cairn
