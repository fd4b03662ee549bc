// A server at a Unix socket, and files of it that are named relative to its directory.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "server/config/config.h"
#include "tests/server_net/test_server.h"

namespace cairn {
namespace {

TEST(UnixSocket, RelativePathsAreWithinTheDirectory) {
  TestServer server({"--appendonly", "no", "--unixsocket", "s.sock", "--pidfile", "x.pid"});
  TestClient client(server.directory() + "/s.sock");
  EXPECT_EQ(client.Call({"PING"}), "+PONG\r\n");
  std::ifstream file(server.directory() + "/x.pid");
  pid_t written = 0;
  file >> written;
  EXPECT_EQ(written, getpid());
  EXPECT_FALSE(std::filesystem::exists("s.sock"));
  EXPECT_FALSE(std::filesystem::exists("x.pid"));
}

TEST(UnixSocket, AddressesAreThePathAndNoPort) {
  TestServer server({"--appendonly", "no", "--unixsocket", "s.sock"});
  TestClient watcher(server.port()), client(server.directory() + "/s.sock"), other(server.directory() + "/s.sock");
  EXPECT_EQ(watcher.Call({"MONITOR"}), "+OK\r\n");
  EXPECT_NE(client.Call({"CLIENT", "INFO"}).find(" addr=s.sock:0 laddr=s.sock:0 "), std::string::npos);
  const std::string line = watcher.ReceiveLine();
  EXPECT_NE(line.find(" [0 unix:s.sock] \"CLIENT\" \"INFO\"\r\n"), std::string::npos) << line;
  EXPECT_EQ(other.Call({"PING"}), "+PONG\r\n");
  EXPECT_EQ(client.Call({"CLIENT", "KILL", "LADDR", "s.sock"}), ":0\r\n");
  EXPECT_EQ(client.Call({"CLIENT", "KILL", "LADDR", "s.sock:0"}), ":1\r\n");
  EXPECT_EQ(other.ReceiveAll(), "");
}

// A data set that is a pipe takes as long to load as the test likes.
class LoadingTest : public ::testing::Test {
 protected:
  LoadingTest() {
    char name[] = "/tmp/cairn-loading-test-XXXXXX";
    directory_ = mkdtemp(name);
    EXPECT_EQ(mkfifo((directory_ + "/dump.rdb").c_str(), 0600), 0);
    const std::vector<std::string> args = {"--port", "0", "--unixsocket", SocketPath(), "--dir", directory_,
                                           "--save", "",  "--appendonly", "no"};
    auto config = Config::FromCommandLine(args);
    server_ = std::make_unique<Server>(std::move(config).value());
    starter_ = std::thread([this] { EXPECT_FALSE(server_->Start().ok()); });
    while (!std::filesystem::exists(SocketPath())) std::this_thread::yield();
  }
  ~LoadingTest() override {
    { std::ofstream pipe(directory_ + "/dump.rdb"); }  // no data set at all
    starter_.join();
    server_.reset();
    std::filesystem::remove_all(directory_);
  }
  std::string SocketPath() const { return directory_ + "/s.sock"; }

  std::string directory_;
  std::unique_ptr<Server> server_;
  std::thread starter_;
};

TEST_F(LoadingTest, MessagesArriveAndCommandsCount) {
  TestClient subscriber(SocketPath()), publisher(SocketPath());
  EXPECT_TRUE(publisher.Call({"GET", "k"}).starts_with("-LOADING"));
  EXPECT_EQ(subscriber.Call({"SUBSCRIBE", "c"}), "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
  EXPECT_EQ(publisher.Call({"PUBLISH", "c", "text"}), ":1\r\n");
  EXPECT_EQ(subscriber.ReceiveReply(), "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$4\r\ntext\r\n");
  EXPECT_EQ(publisher.Call({"HELLO", "9"}).substr(0, 9), "-NOPROTO ");
  const std::string info = publisher.Call({"INFO", "commandstats"});
  EXPECT_NE(info.find("cmdstat_publish:calls=1,"), std::string::npos) << info;
  EXPECT_NE(info.find("cmdstat_get:calls=0,"), std::string::npos) << info;
  EXPECT_NE(info.find("rejected_calls=0,failed_calls=1\r\n"), std::string::npos) << info;
}

}  // namespace
}  // namespace cairn
