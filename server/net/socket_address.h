// Socket addresses as text, and listening sockets from text. Pure system calls; any thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/status.h"

namespace cairn {

// "127.0.0.1:6379", "[::1]:6379"; "path:0" for a Unix socket is the caller's business.
std::string FormatAddress(const sockaddr_storage& address);
bool IsLoopback(const sockaddr_storage& address);
std::string LocalAddress(int fd);

// A listening TCP socket on a numeric address ("*" for all of IPv4, "::*" for all of IPv6) or a host name.
// kNotFound where the machine has no such address or family; kIoError otherwise, with the reason ("Address already in use").
Result<int> ListenTcp(const std::string& address, int port, int backlog);
// A listening Unix socket; an old one at the path that nobody listens at is removed first, anything else there is kIoError.
// permissions 0: as the umask says.
Result<int> ListenUnix(const std::string& path, int permissions, int backlog);
// No delay, keep-alive after so many seconds (0: none).
void PrepareTcp(int fd, int64_t keepalive_s);

}  // namespace cairn
