// recv and send for the hot path. The C library's are points where a thread may be cancelled, which nobody here is: in a process of
// several threads it brackets each call with two locked instructions. Results and errno are those of recv and send.
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>

namespace cairn {

// At most `room_bytes` of what has arrived; 0 at the end of the stream; -1 with errno.
inline ssize_t Receive(int fd, char* to, size_t room_bytes) {
  return syscall(SYS_recvfrom, fd, to, room_bytes, 0, nullptr, nullptr);
}

// How many of `size_bytes` the socket took, without a signal where the peer is gone; -1 with errno.
inline ssize_t SendSome(int fd, const char* bytes, size_t size_bytes) {
  return syscall(SYS_sendto, fd, bytes, size_bytes, MSG_NOSIGNAL, nullptr, 0);
}

}  // namespace cairn
