// Shutdowns that fail, and those that come while the log is being switched on.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "server/admin_worker.h"
#include "tests/server_net/test_server.h"

namespace cairn {
namespace {

constexpr std::string_view kFailed = "-ERR Errors trying to SHUTDOWN. Check logs.\r\n";

class ShutdownTest : public ::testing::Test {
 protected:
  ShutdownTest() : server_({"--appendonly", "no", "--enable-debug-command", "yes"}), client_(server_.port()) {
    EXPECT_EQ(client_.Call({"PING"}), "+PONG\r\n");
  }

  std::filesystem::path snapshots() const { return server_.directory() + "/snapshots"; }
  void MakeSnapshotsFail() {
    std::filesystem::remove_all(snapshots());
    std::ofstream(snapshots()) << "a file";
  }
  void Mend() {
    std::filesystem::remove(snapshots());
    std::filesystem::create_directory(snapshots());
  }
  std::string Persistence(const std::string& field) {
    const std::string info = client_.Call({"INFO", "persistence"});
    const size_t at = info.find("\n" + field + ":");
    return at == std::string::npos ? "" : info.substr(at + field.size() + 2, info.find('\r', at) - at - field.size() - 2);
  }
  // What a start finds in the directory under the key.
  ReplyValue AfterAStart(const std::string& key) {
    StoreOptions options;
    options.directory = server_.directory();
    auto store = Store::Open(options);
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    Client client;
    return (*store)->Run(client, {"GET", key});
  }

  TestServer server_;
  TestClient client_;
};

TEST_F(ShutdownTest, AllWhoAskedAreToldThatItFailed) {
  MakeSnapshotsFail();
  for (int round = 0; round < 3; round++) {
    std::vector<std::unique_ptr<TestClient>> clients;
    for (int i = 0; i < 8; i++) clients.push_back(std::make_unique<TestClient>(server_.port()));
    for (const auto& client : clients) EXPECT_EQ(client->Call({"PING"}), "+PONG\r\n");
    client_.Send(Encode({"DEBUG", "SLEEP", "0.1"}));  // so that they all come at once
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    for (const auto& client : clients) client->Send(Encode({"SHUTDOWN", "SAVE"}));
    server_.server().RequestShutdown(1, false);  // and a signal among them
    for (const auto& client : clients) EXPECT_EQ(client->ReceiveReply(), kFailed) << round;
    EXPECT_EQ(client_.ReceiveReply(), "+OK\r\n");
  }
}

TEST_F(ShutdownTest, IsRefusedWhereALogThatBeginsWouldBeLost) {
  MakeSnapshotsFail();
  EXPECT_EQ(client_.Call({"CONFIG", "SET", "appendonly", "yes"}), "+OK\r\n");
  EXPECT_EQ(client_.Call({"SET", "k", "v"}), "+OK\r\n");
  EXPECT_EQ(client_.Call({"SHUTDOWN"}), kFailed);
  EXPECT_EQ(client_.Call({"SHUTDOWN", "NOSAVE"}), kFailed);
  server_.server().RequestShutdown(-1, false);  // a signal
  EXPECT_EQ(client_.Call({"WAIT", "1", "300"}), ":0\r\n");
  EXPECT_EQ(client_.Call({"GET", "k"}), "$1\r\nv\r\n");
  Mend();
  client_.Send(Encode({"SHUTDOWN"}));
  EXPECT_EQ(server_.AwaitEnd(), 0);
  EXPECT_EQ(client_.ReceiveAll(), "");
  EXPECT_EQ(AfterAStart("k").text, "v");
}

TEST_F(ShutdownTest, ForceEndsItAllTheSame) {
  MakeSnapshotsFail();
  EXPECT_EQ(client_.Call({"CONFIG", "SET", "appendonly", "yes"}), "+OK\r\n");
  client_.Send(Encode({"SHUTDOWN", "FORCE"}));
  EXPECT_EQ(server_.AwaitEnd(), 1);
  EXPECT_EQ(client_.ReceiveAll(), "");
}

TEST_F(ShutdownTest, WaitAofCountsWhatAStartWouldRead) {
  MakeSnapshotsFail();
  EXPECT_EQ(client_.Call({"CONFIG", "SET", "appendonly", "yes"}), "+OK\r\n");
  EXPECT_EQ(client_.Call({"SET", "k", "v"}), "+OK\r\n");
  EXPECT_EQ(client_.Call({"WAITAOF", "1", "0", "300"}), "*2\r\n:0\r\n:0\r\n");
  EXPECT_EQ(Persistence("aof_rewrite_in_progress"), "1");
  Mend();
  EXPECT_EQ(client_.Call({"SAVE"}), "+OK\r\n");
  EXPECT_EQ(client_.Call({"WAITAOF", "1", "0", "0"}), "*2\r\n:1\r\n:0\r\n");
  EXPECT_EQ(Persistence("aof_rewrite_in_progress"), "0");
}

TEST_F(ShutdownTest, WaitAofTakesALogThatBeginsForOne) {
  for (int i = 0; i < 10; i++) {
    client_.Send(Encode({"CONFIG", "SET", "appendonly", "yes"}) + Encode({"SET", "k", "v"}) + Encode({"WAITAOF", "1", "0", "0"}));
    EXPECT_EQ(client_.ReceiveReply() + client_.ReceiveReply(), "+OK\r\n+OK\r\n");
    EXPECT_EQ(client_.ReceiveReply(), "*2\r\n:1\r\n:0\r\n");
    EXPECT_EQ(client_.Call({"CONFIG", "SET", "appendonly", "no"}), "+OK\r\n");
    EXPECT_TRUE(client_.Call({"WAITAOF", "1", "0", "0"}).starts_with("-ERR WAITAOF cannot be used"));
  }
}

TEST_F(ShutdownTest, ALogThatExecSwitchesOnBeginsBeforeTheEnd) {
  std::atomic<bool> held{true};
  server_.server().admin_worker().Run([&held] {
    while (held) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  client_.Send(Encode({"MULTI"}) + Encode({"CONFIG", "SET", "appendonly", "yes"}) + Encode({"SET", "k", "v"}) + Encode({"EXEC"}));
  for (const std::string_view reply : {"+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n+OK\r\n+OK\r\n"})
    EXPECT_EQ(client_.ReceiveReply(), reply);
  EXPECT_EQ(Persistence("aof_enabled"), "1");
  EXPECT_EQ(Persistence("aof_rewrite_in_progress"), "1");
  client_.Send(Encode({"SHUTDOWN"}));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  held = false;
  EXPECT_EQ(server_.AwaitEnd(), 0);
  EXPECT_EQ(client_.ReceiveAll(), "");
  EXPECT_EQ(AfterAStart("k").text, "v");
}

}  // namespace
}  // namespace cairn
