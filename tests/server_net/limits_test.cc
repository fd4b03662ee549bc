#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>

#include "base/allocator.h"
#include "server/net/network_shared.h"
#include "tests/server_net/test_server.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CAIRN_KEEPS_WHAT_IS_FREED
#endif
#endif

namespace cairn {
namespace {

// Waits: large values are freed, and logged bytes given back, by other threads.
int64_t AllocatedAboutAs(int64_t before, int64_t more) {
  int64_t now = 0;
  for (int i = 0; i < 500; i++) {
    now = static_cast<int64_t>(AllocatedBytes());
    if (now < before + more) break;
    usleep(10'000);
  }
  return now - before;
}

TEST(Limits, SlowReaderIsClosed) {
  TestServer server({"--appendonly", "no", "--client-output-buffer-limit", "normal 3mb 0 0"});
  TestClient client(server.port());
  EXPECT_EQ(client.Call({"SET", "k", std::string(1'000'000, 'x')}), "+OK\r\n");
  std::string input;
  for (int i = 0; i < 200; i++) input += Encode({"GET", "k"});
  client.Send(input);
  EXPECT_LT(client.ReceiveAll().size(), 100'000'000u);
  TestClient other(server.port());
  EXPECT_EQ(other.Call({"PING"}), "+PONG\r\n");
}

TEST(Limits, AReplyOverTheHardLimitIsNotBegun) {
  TestServer server({"--appendonly", "no", "--client-output-buffer-limit", "normal 100kb 0 0"});
  TestClient client(server.port());
  EXPECT_EQ(client.Call({"SET", "k", std::string(150'000, 'x')}), "+OK\r\n");
  client.Send(Encode({"GET", "k"}));
  EXPECT_EQ(client.ReceiveAll(), "");
}

TEST(Limits, MaxClients) {
  TestServer server({"--appendonly", "no", "--maxclients", "2"});
  TestClient first(server.port()), second(server.port());
  EXPECT_EQ(first.Call({"PING"}), "+PONG\r\n");
  EXPECT_EQ(second.Call({"PING"}), "+PONG\r\n");
  TestClient third(server.port());
  EXPECT_EQ(third.ReceiveAll(), "-ERR max number of clients reached\r\n");
}

TEST(Limits, QueryBuffer) {
  TestServer server({"--appendonly", "no", "--client-query-buffer-limit", "1mb"});
  TestClient client(server.port());
  client.Send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000000\r\n");
  std::string piece(100'000, 'x');
  bool open = true;
  for (int i = 0; i < 900 && open; i++) open = client.Send(piece);
  EXPECT_FALSE(open);
  EXPECT_EQ(client.ReceiveAll(), "");
}

TEST(Limits, ManySmallArgumentsOfAnUnfinishedRequestCount) {
  std::string input = "*1000000\r\n";
  for (int i = 0; i < 50'000; i++) input += "$1\r\na\r\n";  // 350 kB, and more than 1 MB to know where they are
  TestServer server({"--appendonly", "no"});
  TestClient client(server.port());
  client.Send(input);
  const ClientMemory& memory = server.server().shared().client_memory;
  for (int i = 0; i < 5'000 && memory.total_bytes() < 1'500'000; i++) usleep(1'000);
  EXPECT_GE(memory.total_bytes(), 1'500'000u);
}

TEST(Limits, ArgumentsThatAreThereAreNoPartOfTheQueryBuffer) {
  TestServer server({"--appendonly", "no", "--client-query-buffer-limit", "1mb"});
  for (const size_t argument_bytes : {100, 20'000}) {  // in the input, or in buffers of their own
    TestClient client(server.port());
    const size_t arguments = 3'000'000 / argument_bytes;
    client.Send("*" + std::to_string(arguments + 1) + "\r\n$3\r\nDEL\r\n");
    const std::string argument = "$" + std::to_string(argument_bytes) + "\r\n" + std::string(argument_bytes, 'a') + "\r\n";
    for (size_t i = 0; i < arguments; i++) client.Send(argument);
    EXPECT_EQ(client.ReceiveReply(), ":0\r\n") << argument_bytes;
  }
}

TEST(Limits, ReadingAheadOfAWaitHasTheQueryBuffersLimit) {
  TestServer server({"--appendonly", "no", "--client-query-buffer-limit", "1mb"});
  TestClient client(server.port());
  client.Send(Encode({"BLPOP", "k", "0"}));
  // More than the kernel's buffers take, however late the server comes to it.
  bool open = true;
  for (int i = 0; i < 1'000 && open; i++) open = client.Send(Encode({"SET", "a", std::string(100'000, 'x')}));
  EXPECT_FALSE(open);
  for (int i = 0; i < 5'000 && server.server().session_count() > 0; i++) usleep(1'000);
  EXPECT_EQ(server.server().session_count(), 0u);
}

// Many pauses in a row leave no timers of theirs behind.
TEST(Limits, APauseThatWasReplacedOrEndedTakesNoMemory) {
#ifdef CAIRN_KEEPS_WHAT_IS_FREED
  GTEST_SKIP() << "sanitizers keep what is freed";
#endif
  TestServer server({"--appendonly", "no"});
  TestClient client(server.port());
  EXPECT_EQ(client.Call({"PING"}), "+PONG\r\n");
  const auto before = static_cast<int64_t>(AllocatedBytes());
  std::string input;
  for (int i = 0; i < 500; i++) input += Encode({"CLIENT", "PAUSE", "1000000000", "WRITE"}) + Encode({"CLIENT", "UNPAUSE"});
  for (int round = 0; round < 40; round++) {
    client.Send(input);
    for (int i = 0; i < 1'000; i++) ASSERT_EQ(client.ReceiveReply(), "+OK\r\n");
  }
  EXPECT_LT(AllocatedAboutAs(before, 1 << 20), 1 << 20);
}

TEST(Limits, IdleClientsAreClosed) {
  TestServer server({"--appendonly", "no", "--timeout", "1"});
  TestClient client(server.port());
  EXPECT_EQ(client.Call({"PING"}), "+PONG\r\n");
  EXPECT_EQ(client.ReceiveAll(), "");
}

TEST(Limits, APausedClientIsNotIdle) {
  TestServer server({"--appendonly", "no", "--timeout", "1"});
  TestClient client(server.port());
  server.server().PauseClients(INT64_MAX, true);
  client.Send(Encode({"SET", "k", "v"}));
  EXPECT_TRUE(client.IsQuietFor(3'500));
  server.server().PauseClients(0, false);
  EXPECT_EQ(client.ReceiveReply(), "+OK\r\n");
}

TEST(Limits, WhoReceivesIsNotIdle) {
  constexpr size_t kPieceBytes = 500'000, kValueBytes = 40 * kPieceBytes;
  TestServer server({"--appendonly", "no", "--timeout", "2"});
  TestClient client(server.port());
  const int small_bytes = 32 * 1024;  // or all of the reply would leave at once
  setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small_bytes, sizeof(small_bytes));
  EXPECT_EQ(client.Call({"SETRANGE", "k", std::to_string(kValueBytes - 1), "x"}), ":" + std::to_string(kValueBytes) + "\r\n");
  client.Send(Encode({"GET", "k"}));
  EXPECT_EQ(client.ReceiveLine(), "$" + std::to_string(kValueBytes) + "\r\n");
  size_t received = 0;
  for (size_t piece = kPieceBytes; piece == kPieceBytes && received < kValueBytes; received += piece) {
    usleep(100'000);
    piece = client.Receive(kPieceBytes).size();
  }
  EXPECT_EQ(received, kValueBytes);
}

TEST(Limits, WhoHasSentWhatIsNotYetReadIsNotIdle) {
  TestServer server({"--appendonly", "no", "--timeout", "1", "--enable-debug-command", "yes"});
  TestClient sleeper(server.port()), client(server.port());
  EXPECT_EQ(client.Call({"PING"}), "+PONG\r\n");
  sleeper.Send(Encode({"DEBUG", "SLEEP", "2.5"}));  // all threads
  usleep(100'000);
  client.Send(Encode({"PING"}));
  EXPECT_EQ(client.ReceiveReply(), "+PONG\r\n");
}

TEST(Limits, AnIdleConnectionIsSmall) {
#ifdef CAIRN_KEEPS_WHAT_IS_FREED
  GTEST_SKIP() << "sanitizers pad and keep what is freed";
#endif
  TestServer server({"--appendonly", "no"});
  {
    TestClient warm(server.port());
    warm.Call({"SET", "k", std::string(10'000, 'x')});
  }
  constexpr int64_t kClients = 400;
  // Allocated, not resident: pages are given back and touched at times that have nothing to do with connections.
  const auto before = static_cast<int64_t>(AllocatedBytes());
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int64_t i = 0; i < kClients; i++) {
    clients.push_back(std::make_unique<TestClient>(server.port()));
    EXPECT_EQ(clients.back()->Call({"STRLEN", "k"}), ":10000\r\n");
  }
  EXPECT_LT((static_cast<int64_t>(AllocatedBytes()) - before) / kClients, 4096);
}

TEST(Limits, ALargeRequestLeavesNothingBehind) {
#ifdef CAIRN_KEEPS_WHAT_IS_FREED
  GTEST_SKIP() << "sanitizers keep what is freed";
#endif
  constexpr int64_t kMore = 4 << 20;
  TestServer server({"--appendonly", "no"});
  TestClient first(server.port()), second(server.port());  // one on each thread
  EXPECT_EQ(first.Call({"PING"}) + second.Call({"PING"}), "+PONG\r\n+PONG\r\n");
  const auto before = static_cast<int64_t>(AllocatedBytes());
  {
    const std::string value(32 << 20, 'x');
    EXPECT_EQ(first.Call({"SET", "k", value}), "+OK\r\n");
    EXPECT_EQ(first.Call({"DEL", "k"}), ":1\r\n");
  }
  EXPECT_LT(AllocatedAboutAs(before, kMore), kMore) << "after a large argument";
  {
    std::vector<std::string> words{"DEL"};
    for (int i = 0; i < 300'000; i++) words.push_back("key" + std::to_string(i));
    EXPECT_EQ(second.Call(words), ":0\r\n");
  }
  EXPECT_LT(AllocatedAboutAs(before, kMore), kMore) << "after many arguments";
}

}  // namespace
}  // namespace cairn
