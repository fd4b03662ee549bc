// The listening sockets: accepts on the first network thread, turns away whom it must, and spreads sessions over all threads.
//
// Open(), StartAccepting() and ReopenTcp() may be called on any thread, one call at a time; accepting runs on the first thread's loop.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/thread_annotations.h"
#include "server/net/network_thread.h"

namespace cairn {

class Listener {
 public:
  Listener(NetworkShared& shared, const std::vector<std::unique_ptr<NetworkThread>>& threads);
  ~Listener();

  // Listens on what bind, port and unixsocket say: clients connect, and wait in the kernel's backlog. The Status's message is complete,
  // with Redis's "Failed listening on port".
  Status Open() CAIRN_EXCLUDES(mutex_);
  // Takes those that wait and all that follow. Once, after Open().
  Status StartAccepting() CAIRN_EXCLUDES(mutex_);
  // CONFIG SET port or bind: the new TCP sockets replace the old ones; where they cannot be made the old ones stay.
  Status ReopenTcp() CAIRN_EXCLUDES(mutex_);
  // Stops listening and removes the Unix socket's file.
  void Close() CAIRN_EXCLUDES(mutex_);

 private:
  class Socket;
  Status MakeTcp(std::vector<std::unique_ptr<Socket>>* sockets);
  Status AcceptFrom(Socket& socket);
  void Accept(Socket& socket);
  // Looks away from a socket for a while whose connections the system has no descriptors for: they stay waiting, and an event that
  // nobody can handle would keep the loop from its sleep.
  void Pause(Socket& socket) CAIRN_EXCLUDES(mutex_);
  // Answers and closes; true where the connection may not stay.
  bool TurnedAway(int fd, const sockaddr_storage& peer, bool unix_socket);

  NetworkShared& shared_;
  const std::vector<std::unique_ptr<NetworkThread>>& threads_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Socket>> tcp_ CAIRN_GUARDED_BY(mutex_);
  std::unique_ptr<Socket> unix_ CAIRN_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Socket>> retired_
      CAIRN_GUARDED_BY(mutex_);  // closed, but the loop may still hold an event of theirs
  std::string unix_path_ CAIRN_GUARDED_BY(mutex_);
  uint64_t next_id_ = 1;           // first thread only
  int64_t last_complaint_ms_ = 0;  // first thread only
};

}  // namespace cairn
