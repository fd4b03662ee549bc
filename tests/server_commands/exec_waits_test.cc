// EXEC runs administrative commands while it holds shards, beside others that change settings, the log or the whole data set and wait for
// those shards: nobody waits for ever.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/server_net/test_server.h"

namespace cairn {
namespace {

using Words = std::vector<std::string>;

class ExecWaitsTest : public ::testing::Test {
 protected:
  // Runs a transaction over many shards with `administrative` among its commands again and again, on some connections, while `others` run
  // on one each, for about a second. All of them must go on being answered.
  void RunBeside(const Words& administrative, const std::vector<Words>& others) {
    TestServer server({"--threads", "4", "--enable-debug-command", "yes", "--save", ""});
    std::string transaction = Encode({"MULTI"});
    for (int i = 0; i < 100; i++) transaction += Encode({"GET", "k" + std::to_string(i)});
    transaction += Encode(administrative) + Encode({"PING", "end"}) + Encode({"EXEC"});
    std::atomic<bool> stop{false};
    std::atomic<int> answered{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 3; i++) {
      clients.emplace_back([&] {
        TestClient client(server.port());
        while (!stop) {
          client.Send(transaction);
          std::string line;
          while (line != "end\r\n") {
            line = client.ReceiveLine();
            ASSERT_NE(line, "") << "no answer";
          }
          answered++;
        }
      });
    }
    for (const Words& other : others) {
      clients.emplace_back([&] {
        TestClient client(server.port());
        while (!stop) ASSERT_NE(client.Call(other), "") << other.back();
      });
    }
    std::this_thread::sleep_for(std::chrono::seconds(1));
    stop = true;
    for (std::thread& client : clients) client.join();
    EXPECT_GT(answered, 3);
    TestClient client(server.port());
    EXPECT_EQ(client.Call({"PING"}), "+PONG\r\n");
  }
};

TEST_F(ExecWaitsTest, NotForWhoSwitchesTheLog) {
  RunBeside({"LASTSAVE"}, {{"CONFIG", "SET", "appendonly", "yes"}, {"CONFIG", "SET", "appendonly", "no"}});
}

TEST_F(ExecWaitsTest, NotForAnotherChangeOfTheConfiguration) {
  RunBeside({"CONFIG", "SET", "maxmemory-samples", "7"}, {{"CONFIG", "SET", "appendonly", "yes"},
                                                          {"CONFIG", "SET", "appendonly", "no"},
                                                          {"CONFIG", "SET", "maxmemory-samples", "5"}});
}

TEST_F(ExecWaitsTest, NotForAReload) {
  RunBeside({"CONFIG", "SET", "maxmemory-samples", "7"}, {{"DEBUG", "RELOAD"}, {"CONFIG", "SET", "maxmemory-samples", "5"}});
}

}  // namespace
}  // namespace cairn
