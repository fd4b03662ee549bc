#include "tests/server_net/test_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/logger.h"
#include "server/config/config.h"

namespace cairn {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

}  // namespace

TestServer::TestServer(std::vector<std::string> options) {
  SetLogLevel(LogLevel::kWarning);
  char name[] = "/tmp/cairn-net-test-XXXXXX";
  directory_ = mkdtemp(name);
  port_ = FreePort();
  std::vector<std::string> args = {"--port",   std::to_string(port_), "--bind", "127.0.0.1", "--dir",
                                   directory_, "--threads",           "2",      "--save",    ""};
  args.insert(args.end(), options.begin(), options.end());
  auto config = Config::FromCommandLine(args);
  if (!config.ok()) {
    ADD_FAILURE() << config.status().message();
    return;
  }
  server_ = std::make_unique<Server>(std::move(config).value());
  const Status status = server_->Start();
  EXPECT_TRUE(status.ok()) << status.ToString();
  if (status.ok()) runner_ = std::thread([this] { exit_code_ = server_->Run(); });
}

int TestServer::AwaitEnd() {
  runner_.join();
  server_.reset();
  return exit_code_;
}

TestServer::~TestServer() {
  if (runner_.joinable()) {
    server_->RequestShutdown(0, true);
    runner_.join();
  }
  server_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

TestClient::TestClient(int port) {
  const sockaddr_in address = Loopback(port);
  Connect(reinterpret_cast<const sockaddr&>(address), sizeof(address));
}

TestClient::TestClient(const std::string& unix_socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  unix_socket_path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  Connect(reinterpret_cast<const sockaddr&>(address), sizeof(address));
}

void TestClient::Connect(const sockaddr& address, socklen_t size) {
  fd_ = socket(address.sa_family, SOCK_STREAM, 0);
  const timeval timeout{10, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  EXPECT_EQ(connect(fd_, &address, size), 0);
}

TestClient::~TestClient() { close(fd_); }

bool TestClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string TestClient::Receive(size_t bytes) {
  char piece[65536];
  while (buffer_.size() < bytes) {
    const ssize_t got = recv(fd_, piece, sizeof(piece), 0);
    if (got <= 0) break;
    buffer_.append(piece, static_cast<size_t>(got));
  }
  std::string out = buffer_.substr(0, bytes);
  buffer_.erase(0, out.size());
  return out;
}

std::string TestClient::ReceiveLine() {
  std::string line;
  while (!line.ends_with("\r\n")) {
    const std::string byte = Receive(1);
    if (byte.empty()) break;
    line += byte;
  }
  return line;
}

std::string TestClient::ReceiveAll() {
  std::string all = std::move(buffer_);
  buffer_.clear();
  char piece[65536];
  for (;;) {
    const ssize_t got = recv(fd_, piece, sizeof(piece), 0);
    if (got <= 0) return all;
    all.append(piece, static_cast<size_t>(got));
  }
}

bool TestClient::IsQuietFor(int duration_ms) const {
  pollfd waiting{fd_, POLLIN, 0};
  return buffer_.empty() && poll(&waiting, 1, duration_ms) == 0;
}

void TestClient::ShutdownWrite() { shutdown(fd_, SHUT_WR); }

std::string TestClient::ReceiveReply() {
  std::string reply = ReceiveLine();
  if (reply.size() < 3) return reply;
  const long count = std::strtol(reply.c_str() + 1, nullptr, 10);
  if (reply[0] == '$' && count >= 0) return reply + Receive(static_cast<size_t>(count) + 2);
  if (reply[0] != '*' && reply[0] != '>') return reply;
  for (long i = 0; i < count; i++) reply += ReceiveReply();
  return reply;
}

std::string TestClient::Call(const std::vector<std::string>& words) {
  Send(Encode(words));
  return ReceiveReply();
}

std::string Encode(const std::vector<std::string>& words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) out += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return out;
}

}  // namespace cairn
