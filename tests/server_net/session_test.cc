#include <gtest/gtest.h>
#include <poll.h>

#include "tests/server_net/test_server.h"

namespace cairn {
namespace {

using Words = std::vector<std::string>;

std::string Bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }

const Words kNoLog = {"--appendonly", "no"};

TEST(Session, InlineArrayAndPipelines) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  EXPECT_EQ(client.Call({"PING"}), "+PONG\r\n");
  client.Send("SET k \"a b\"\r\nGET k\r\n\r\nPING\r\n");
  EXPECT_EQ(client.ReceiveReply(), "+OK\r\n");
  EXPECT_EQ(client.ReceiveReply(), Bulk("a b"));
  EXPECT_EQ(client.ReceiveReply(), "+PONG\r\n");
}

TEST(Session, LongPipelineInOddPieces) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  std::string input, expected;
  for (int i = 0; i < 20'000; i++) {
    const std::string key = "key" + std::to_string(i % 97), value = "value" + std::to_string(i);
    input += Encode({"SET", key, value}) + Encode({"GET", key});
    expected += "+OK\r\n" + Bulk(value);
  }
  for (size_t at = 0; at < input.size(); at += 9973) ASSERT_TRUE(client.Send(std::string_view(input).substr(at, 9973)));
  EXPECT_TRUE(client.Receive(expected.size()) == expected);
}

// More work than a turn has time for, in one read: others are served in between, and nothing of it is lost or reordered.
TEST(Session, ALongPipelineSharesItsThread) {
  TestServer server({"--appendonly", "no", "--threads", "1"});
  TestClient client(server.port()), other(server.port());
  ASSERT_EQ(client.Call({"SETBIT", "large", "40000000", "1"}), ":0\r\n");
  const std::string value(40'000, 'v');  // begins in one read and ends in another
  std::string input, expected;
  for (int i = 0; i < 2'000; i++) {
    input += Encode({"BITCOUNT", "large"});
    expected += ":1\r\n";
  }
  input += Encode({"SET", "done", value}) + Encode({"STRLEN", "done"});
  expected += "+OK\r\n:40000\r\n";
  ASSERT_TRUE(client.Send(input));
  client.ShutdownWrite();
  EXPECT_EQ(other.Call({"STRLEN", "done"}), ":0\r\n");
  EXPECT_TRUE(client.ReceiveAll() == expected);
}

TEST(Session, RepliesThatWaitForTheDiskKeepTheirOrder) {
  TestServer server({"--appendonly", "yes", "--appendfsync", "always"});
  TestClient client(server.port()), other(server.port());
  std::string input, expected;
  for (int i = 0; i < 3'000; i++) {
    input += Encode({"INCR", "n"}) + Encode({"PING"}) + Encode({"GET", "n"}) + Encode({"NOSUCH"});
    expected += ":" + std::to_string(i + 1) + "\r\n+PONG\r\n" + Bulk(std::to_string(i + 1)) +
                "-ERR unknown command 'NOSUCH', with args beginning with: \r\n";
  }
  ASSERT_TRUE(client.Send(input));
  EXPECT_EQ(other.Call({"SET", "a", "1"}), "+OK\r\n");
  EXPECT_TRUE(client.Receive(expected.size()) == expected);
  EXPECT_EQ(server.server().store().durable_lsn(), server.server().store().end_lsn());
}

TEST(Session, WhoHalfClosesStillGetsItsReplies) {
  TestServer server({"--appendonly", "yes", "--appendfsync", "always"});
  TestClient client(server.port());
  client.Send(Encode({"SET", "a", "1"}) + Encode({"GET", "a"}));
  client.ShutdownWrite();
  EXPECT_EQ(client.ReceiveAll(), "+OK\r\n" + Bulk("1"));
}

TEST(Session, LargeValues) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  for (const size_t size : {size_t{16384}, size_t{16385}, size_t{70'000}, size_t{5'000'000}}) {
    std::string value(size, 'v');
    for (size_t i = 0; i < size; i += 101) value[i] = static_cast<char>(i);
    EXPECT_EQ(client.Call({"SET", "large", value}), "+OK\r\n");
    EXPECT_TRUE(client.Call({"GET", "large"}) == Bulk(value)) << size;
    client.Send(Encode({"SET", "large", value}) + Encode({"STRLEN", "large"}));
    EXPECT_EQ(client.ReceiveReply(), "+OK\r\n");
    EXPECT_EQ(client.ReceiveReply(), ":" + std::to_string(size) + "\r\n");
  }
}

TEST(Session, MalformedInputIsAnsweredAndClosed) {
  TestServer server(kNoLog);
  const std::pair<std::string, std::string> cases[] = {
      {"PING\r\n*3000000000\r\n", "+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n"},
      {"*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
      {"*1\r\nabc\r\n", "-ERR Protocol error: expected '$', got 'a'\r\n"},
      {"SET \"a\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"},
      {std::string(70'000, 'x'), "-ERR Protocol error: too big inline request\r\n"},
      {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", ""},
      {"POST / HTTP/1.1\r\n", ""},
  };
  for (const auto& [input, reply] : cases) {
    TestClient client(server.port());
    client.Send(input);
    EXPECT_EQ(client.ReceiveAll(), reply) << input.substr(0, 30);
  }
  TestClient client(server.port());
  EXPECT_EQ(client.Call({"PING"}), "+PONG\r\n");
}

TEST(Session, Authentication) {
  TestServer server({"--appendonly", "no", "--requirepass", "secret"});
  TestClient client(server.port());
  EXPECT_EQ(client.Call({"GET", "a"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(client.Call({"NOSUCH"}), "-ERR unknown command 'NOSUCH', with args beginning with: \r\n");
  client.Send(Encode({"AUTH", "secret"}) + Encode(Words(20, "MGET")));
  EXPECT_EQ(client.ReceiveReply(), "+OK\r\n");
  EXPECT_EQ(client.ReceiveReply().substr(0, 3), "*19");
  TestClient stranger(server.port());
  stranger.Send(Encode(Words(11, "x")));
  EXPECT_EQ(stranger.ReceiveAll(), "-ERR Protocol error: unauthenticated multibulk length\r\n");
}

TEST(Session, Transactions) {
  TestServer server(kNoLog);
  TestClient client(server.port()), other(server.port());
  EXPECT_EQ(client.Call({"MULTI"}), "+OK\r\n");
  EXPECT_EQ(client.Call({"SET", "a", "1"}), "+QUEUED\r\n");
  EXPECT_EQ(client.Call({"INCR", "a"}), "+QUEUED\r\n");
  EXPECT_EQ(other.Call({"GET", "a"}), "$-1\r\n");
  EXPECT_EQ(client.Call({"EXEC"}), "*2\r\n+OK\r\n:2\r\n");
  client.Call({"MULTI"});
  EXPECT_EQ(client.Call({"GET"}), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_EQ(client.Call({"EXEC"}), "-EXECABORT Transaction discarded because of previous errors.\r\n");
  EXPECT_EQ(client.Call({"WATCH", "a"}), "+OK\r\n");
  other.Call({"SET", "a", "9"});
  client.Call({"MULTI"});
  client.Call({"PING"});
  EXPECT_EQ(client.Call({"EXEC"}), "*-1\r\n");
  EXPECT_EQ(client.Call({"EXEC"}), "-ERR EXEC without MULTI\r\n");
}

TEST(Session, SubscribersUnderResp2MaySendLittle) {
  TestServer server(kNoLog);
  TestClient client(server.port()), other(server.port());
  EXPECT_EQ(client.Call({"SUBSCRIBE", "news"}), "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
  EXPECT_EQ(client.Call({"GET", "a"}),
            "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in "
            "this context\r\n");
  EXPECT_EQ(other.Call({"PUBLISH", "news", "hello"}), ":1\r\n");
  EXPECT_EQ(client.ReceiveReply(), "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n");
  EXPECT_EQ(client.Call({"QUIT"}), "+OK\r\n");
  EXPECT_EQ(client.ReceiveAll(), "");
}

TEST(Session, ReplyModes) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  client.Send("CLIENT REPLY OFF\r\nPING\r\nSET a 1\r\nCLIENT REPLY ON\r\nGET a\r\nCLIENT REPLY SKIP\r\nGET a\r\nECHO end\r\n");
  EXPECT_EQ(client.ReceiveReply(), "+OK\r\n");
  EXPECT_EQ(client.ReceiveReply(), Bulk("1"));
  EXPECT_EQ(client.ReceiveReply(), Bulk("end"));
}

TEST(Session, AProtocolErrorIsSilentWhereRepliesAre) {
  TestServer server;
  for (const std::string mode : {"OFF", "SKIP"}) {
    TestClient client(server.port());
    client.Send(Encode({"CLIENT", "REPLY", mode}) + "*1\r\n$-7\r\n");
    EXPECT_EQ(client.ReceiveAll(), "") << mode;
  }
}

TEST(Session, PausedClientsWait) {
  TestServer server(kNoLog);
  TestClient client(server.port()), other(server.port());
  EXPECT_EQ(other.Call({"CLIENT", "PAUSE", "100000", "WRITE"}), "+OK\r\n");
  client.Send(Encode({"GET", "a"}) + Encode({"SET", "a", "1"}) + Encode({"GET", "a"}));
  EXPECT_EQ(client.ReceiveReply(), "$-1\r\n");
  pollfd waiting{client.fd(), POLLIN, 0};
  EXPECT_EQ(poll(&waiting, 1, 100), 0);
  EXPECT_EQ(server.server().blocked_session_count(), 1u);
  EXPECT_EQ(other.Call({"CLIENT", "UNPAUSE"}), "+OK\r\n");
  EXPECT_EQ(client.ReceiveReply(), "+OK\r\n");
  EXPECT_EQ(client.ReceiveReply(), Bulk("1"));
  EXPECT_EQ(server.server().blocked_session_count(), 0u);
  EXPECT_EQ(other.Call({"CLIENT", "PAUSE", "60"}), "+OK\r\n");
  EXPECT_EQ(client.Call({"PING"}), "+PONG\r\n");
}

TEST(Session, APauseWithinAPauseMakesItNeitherShorterNorLaxer) {
  TestServer server(kNoLog);
  TestClient client(server.port()), other(server.port());
  EXPECT_EQ(other.Call({"CLIENT", "PAUSE", "100000", "WRITE"}), "+OK\r\n");
  EXPECT_EQ(other.Call({"CLIENT", "PAUSE", "1", "WRITE"}), "+OK\r\n");
  pollfd waiting{client.fd(), POLLIN, 0};
  client.Send(Encode({"SET", "a", "1"}));
  EXPECT_EQ(poll(&waiting, 1, 100), 0);
  EXPECT_EQ(other.Call({"CLIENT", "UNPAUSE"}), "+OK\r\n");
  EXPECT_EQ(client.ReceiveReply(), "+OK\r\n");
  EXPECT_EQ(other.Call({"CLIENT", "PAUSE", "400", "ALL"}), "+OK\r\n");
  EXPECT_EQ(client.Call({"GET", "a"}), Bulk("1"));  // waited for its end: the next pause is a new one
  EXPECT_EQ(other.Call({"CLIENT", "PAUSE", "100000", "WRITE"}), "+OK\r\n");
  EXPECT_EQ(client.Call({"GET", "a"}), Bulk("1"));
  EXPECT_EQ(other.Call({"CLIENT", "UNPAUSE"}), "+OK\r\n");
}

}  // namespace
}  // namespace cairn
