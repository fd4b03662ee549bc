// Sessions whose server waits for a disk that does not answer.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "tests/server_net/test_server.h"

namespace {

std::atomic<bool> disk_stands_still{false};

}  // namespace

// In place of the C library's: this program syncs no sooner than the test lets it.
extern "C" int fdatasync(int fd) {
  static const auto sync = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, "fdatasync"));
  while (disk_stands_still) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return sync(fd);
}

extern "C" int fsync(int fd) {
  static const auto sync = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, "fsync"));
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

// The administrative worker waits for the disk: to switch the log off, and for the snapshot of a reload.
class BusyWorkerTest : public SlowDiskTest {
 protected:
  BusyWorkerTest() : server_({"--appendfsync", "everysec", "--enable-debug-command", "yes"}), busy_(server_.port()) {
    for (int i = 0; i < 4; i++) others_.push_back(std::make_unique<TestClient>(server_.port()));
    for (const auto& client : others_) EXPECT_EQ(client->Call({"SET", "k", "v"}), "+OK\r\n");
  }
  void Begin(const std::vector<std::string>& work) {
    disk_stands_still = true;
    busy_.Send(Encode(work));
    EXPECT_TRUE(busy_.IsQuietFor(200)) << work[0];
  }
  void End() {
    disk_stands_still = false;
    EXPECT_EQ(busy_.ReceiveReply(), "+OK\r\n");
  }

  TestServer server_;
  TestClient busy_;
  std::vector<std::unique_ptr<TestClient>> others_;  // some on each thread
};

TEST_F(BusyWorkerTest, DeadlinesHold) {
  for (const auto& work : {std::vector<std::string>{"DEBUG", "RELOAD"}, {"CONFIG", "SET", "appendonly", "no"}}) {
    Begin(work);
    for (const auto& client : others_) client->Send(Encode({"WAIT", "1", "100"}) + Encode({"WAITAOF", "0", "1", "100"}));
    for (const auto& client : others_) {
      EXPECT_EQ(client->ReceiveReply(), ":0\r\n");
      EXPECT_TRUE(client->ReceiveReply().starts_with("*2\r\n"));
    }
    EXPECT_TRUE(busy_.IsQuietFor(0));
    End();
  }
}

TEST_F(BusyWorkerTest, WhoChangesTheConfigurationWaitsAlone) {
  for (const auto& work : {std::vector<std::string>{"DEBUG", "RELOAD"}, {"CONFIG", "SET", "appendonly", "no"}}) {
    Begin(work);
    others_[0]->Send(Encode({"CONFIG", "SET", "maxmemory-samples", "6"}) + Encode({"CONFIG", "GET", "maxmemory-samples"}));
    others_[1]->Send(Encode({"DEBUG", "SET-ACTIVE-EXPIRE", "1"}) + Encode({"ECHO", "x"}));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(others_[2]->Call({"PING"}) + others_[3]->Call({"PING"}), "+PONG\r\n+PONG\r\n");
    EXPECT_TRUE(others_[0]->IsQuietFor(0) && others_[1]->IsQuietFor(0));
    End();
    EXPECT_EQ(others_[0]->ReceiveReply(), "+OK\r\n");
    EXPECT_EQ(others_[0]->ReceiveReply(), "*2\r\n$17\r\nmaxmemory-samples\r\n$1\r\n6\r\n");
    EXPECT_EQ(others_[1]->ReceiveReply() + others_[1]->ReceiveReply(), "+OK\r\n$1\r\nx\r\n");
    EXPECT_EQ(others_[0]->Call({"CONFIG", "SET", "maxmemory-samples", "5"}), "+OK\r\n");
  }
}

}  // namespace
}  // namespace cairn
