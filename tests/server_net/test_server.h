// A server inside the test's process, on a loopback port of its own and in a temporary directory, and a client that speaks bytes.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/server.h"

namespace cairn {

class TestServer {
 public:
  // Further options as on the command line ("--appendfsync", "always"). Fails the test where the server does not start.
  explicit TestServer(std::vector<std::string> options = {});
  ~TestServer();

  Server& server() { return *server_; }
  int port() const { return port_; }
  const std::string& directory() const { return directory_; }
  int AwaitEnd();  // what the process would exit with; server() is gone then

 private:
  std::string directory_;
  int port_ = 0;
  std::unique_ptr<Server> server_;
  std::thread runner_;
  int exit_code_ = -1;
};

// Blocking, with a time-out of ten seconds on everything.
class TestClient {
 public:
  explicit TestClient(int port);
  explicit TestClient(const std::string& unix_socket_path);
  ~TestClient();

  bool Send(std::string_view bytes);  // false where the server has closed
  // Exactly so many bytes, or fewer where the connection ended or nothing came.
  std::string Receive(size_t bytes);
  std::string ReceiveLine();
  // Everything until the server closes.
  std::string ReceiveAll();
  void ShutdownWrite();
  // Sends the words as a request and returns the reply's bytes (of a scalar or a flat array).
  std::string Call(const std::vector<std::string>& words);
  std::string ReceiveReply();
  bool IsQuietFor(int duration_ms) const;  // nothing to receive, and not closed, for so long
  int fd() const { return fd_; }

 private:
  void Connect(const sockaddr& address, socklen_t size);

  int fd_ = -1;
  std::string buffer_;
};

std::string Encode(const std::vector<std::string>& words);

}  // namespace cairn
