// Sessions whose server waits for a disk that does not answer.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/server_net/test_server.h"

namespace {

std::atomic<bool> disk_stands_still{false};

}  // namespace

// In place of the C library's: this program's log syncs no sooner than the test lets it.
extern "C" int fdatasync(int fd) {
  static const auto sync = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, "fdatasync"));
  while (disk_stands_still) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return sync(fd);
}

namespace cairn {
namespace {

class SlowDiskTest : public ::testing::Test {
 protected:
  ~SlowDiskTest() override { disk_stands_still = false; }
};

// Writes under `everysec` until one is not admitted; returns how many were sent.
int WriteUntilOneWaits(TestClient& client) {
  int sent = 0;
  bool waits = false;
  while (!waits && sent < 1'000) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    client.Send(Encode({"SET", "k", std::to_string(++sent)}));
    waits = client.IsQuietFor(500);
    if (!waits) EXPECT_EQ(client.ReceiveReply(), "+OK\r\n");
  }
  EXPECT_TRUE(waits);
  return sent;
}

TEST_F(SlowDiskTest, MonitorShowsACommandOnceAndNotBeforeItRuns) {
  TestServer server({"--appendfsync", "everysec"});
  TestClient watcher(server.port()), client(server.port());
  EXPECT_EQ(watcher.Call({"MONITOR"}), "+OK\r\n");
  disk_stands_still = true;
  const int sent = WriteUntilOneWaits(client);
  for (int i = 1; i < sent; i++) {
    EXPECT_TRUE(watcher.ReceiveLine().ends_with("\"SET\" \"k\" \"" + std::to_string(i) + "\"\r\n"));
  }
  EXPECT_TRUE(watcher.IsQuietFor(50));
  disk_stands_still = false;
  EXPECT_EQ(client.ReceiveReply(), "+OK\r\n");
  EXPECT_EQ(client.Call({"ECHO", "end"}), "$3\r\nend\r\n");
  EXPECT_TRUE(watcher.ReceiveLine().ends_with("\"SET\" \"k\" \"" + std::to_string(sent) + "\"\r\n"));
  EXPECT_TRUE(watcher.ReceiveLine().ends_with("\"ECHO\" \"end\"\r\n"));
}

TEST_F(SlowDiskTest, WhoseCommandWaitsForTheDiskIsNotIdle) {
  TestServer server({"--appendfsync", "everysec", "--timeout", "1"});
  TestClient client(server.port());
  disk_stands_still = true;
  WriteUntilOneWaits(client);
  EXPECT_NE(client.ReceiveReply(), "");  // that the disk does not sync, after a while
  disk_stands_still = false;
}

TEST_F(SlowDiskTest, WhoseReplyWaitsForTheDiskIsNotIdle) {
  TestServer server({"--appendfsync", "always", "--timeout", "1"});
  TestClient first(server.port()), client(server.port());
  EXPECT_EQ(first.Call({"PING"}) + client.Call({"PING"}), "+PONG\r\n+PONG\r\n");
  disk_stands_still = true;
  first.Send(Encode({"SET", "k", "v"}));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  client.Send(Encode({"SET", "k", "v"}));
  EXPECT_TRUE(client.IsQuietFor(3'000));
  disk_stands_still = false;
  EXPECT_EQ(client.ReceiveReply(), "+OK\r\n");
}

}  // namespace
}  // namespace cairn
