// Which commands MONITOR shows, and when; tests/server_commands shows that it hides secrets.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server_net/test_server.h"

namespace cairn {
namespace {

using Words = std::vector<std::string>;

const Words kNoLog = {"--appendonly", "no"};

// What a monitor sees of the next commands, without the times.
class Watcher {
 public:
  explicit Watcher(int port) : client_(port) { EXPECT_EQ(client_.Call({"MONITOR"}), "+OK\r\n"); }
  // So many lines: the database's number, then the command.
  std::vector<std::string> Lines(int count) {
    std::vector<std::string> lines;
    for (int i = 0; i < count; i++) {
      const std::string line = client_.ReceiveLine();
      const size_t database = line.find('[') + 1, command = line.find(']') + 1;
      EXPECT_TRUE(line.ends_with("\r\n"));
      lines.push_back(line.substr(database, line.find(' ', database) - database) +
                      line.substr(command, line.size() - command - 2));
    }
    return lines;
  }

 private:
  TestClient client_;
};

TEST(Monitor, ShowsTheCommandsOfATransactionWhereTheyRan) {
  TestServer server(kNoLog);
  TestClient client(server.port()), other(server.port());
  Watcher watcher(server.port());
  client.Call({"WATCH", "k"});
  other.Call({"SET", "k", "1"});
  client.Call({"MULTI"});
  client.Call({"GET", "left out"});
  EXPECT_EQ(client.Call({"EXEC"}), "*-1\r\n");
  EXPECT_EQ(watcher.Lines(4), (Words{"0 \"WATCH\" \"k\"", "0 \"SET\" \"k\" \"1\"", "0 \"MULTI\"", "0 \"EXEC\""}));
  client.Call({"MULTI"});
  client.Call({"NOSUCH"});
  client.Call({"GET", "left out"});
  EXPECT_TRUE(client.Call({"EXEC"}).starts_with("-EXECABORT"));
  EXPECT_EQ(watcher.Lines(2), (Words{"0 \"MULTI\"", "0 \"EXEC\""}));
  client.Call({"MULTI"});
  client.Call({"SELECT", "5"});
  client.Call({"AUTH", "x", "y"});
  client.Call({"CONFIG", "GET", "port"});
  client.Call({"GET", "k"});
  EXPECT_TRUE(client.Call({"EXEC"}).starts_with("*4"));
  EXPECT_EQ(watcher.Lines(5), (Words{"0 \"MULTI\"", "5 \"SELECT\" \"5\"", "5 \"AUTH\" \"(redacted)\" \"(redacted)\"",
                                     "5 \"GET\" \"k\"", "5 \"EXEC\""}));
}

TEST(Monitor, ShowsWhatWaitsOnceAndWhatIsRefusedNotAtAll) {
  TestServer server(kNoLog);
  TestClient client(server.port()), other(server.port());
  Watcher watcher(server.port());
  client.Send(Encode({"BLPOP", "l", "0"}));
  EXPECT_EQ(watcher.Lines(1), (Words{"0 \"BLPOP\" \"l\" \"0\""}));
  other.Call({"RPUSH", "l", "e"});
  EXPECT_EQ(client.ReceiveReply(), "*2\r\n$1\r\nl\r\n$1\r\ne\r\n");
  client.Call({"GET"});
  client.Call({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_TRUE(client.Call({"SET", "k", "v"}).starts_with("-OOM"));
  client.Call({"PING"});
  EXPECT_EQ(watcher.Lines(2), (Words{"0 \"RPUSH\" \"l\" \"e\"", "0 \"PING\""}));
}

}  // namespace
}  // namespace cairn
