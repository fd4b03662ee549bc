// Commands that answer later, over sockets: those that wait for a key, and long replies. The commands are made for these tests.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/clock.h"
#include "engine/commands/arg_reader.h"
#include "engine/commands/command_context.h"
#include "server/net/network_shared.h"
#include "tests/server_net/test_server.h"
#include "tests/support/take_command.h"

namespace cairn {
namespace {

std::atomic<int> long_replies_alive{0};

// LONG elements: so many numbers, written later.
void Long(CommandContext& context) {
  int64_t elements = 0;
  if (!ReadInt(context, 1, &elements)) return;
  long_replies_alive.fetch_add(1);
  const std::shared_ptr<int> held(new int, [](const int* freed) {
    delete freed;
    long_replies_alive.fetch_sub(1);
  });
  context.Defer(static_cast<uint64_t>(elements), [elements, held](ReplySink& reply) {
    reply.Array(static_cast<size_t>(elements));
    for (int64_t i = 0; i < elements; i++) reply.Bulk(std::to_string(i));
  });
}

constexpr CommandRow kRows[] = {
    kTakeRow,
    {.name = "long", .arity = 2, .flags = kReadOnly, .handler = Long, .summary = "-", .since = "1", .group = "test"},
};

class LaterTest : public ::testing::TestWithParam<const char*> {
 protected:
  LaterTest() : server_({"--appendfsync", GetParam()}) { server_.server().store().commands().Register(kRows); }

  void AwaitBlocked(uint64_t count) {
    for (int i = 0; i < 5'000 && server_.server().blocked_session_count() != count; i++) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_EQ(server_.server().blocked_session_count(), count);
  }
  uint64_t Waiting() { return server_.server().store().keyspace().waiter_count(); }

  TestServer server_;
};

std::string Taken(const std::string& key, const std::string& value) {
  return "*2\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
}

std::string Numbers(int64_t elements) {
  std::string expected = "*" + std::to_string(elements) + "\r\n";
  for (int64_t i = 0; i < elements; i++) {
    const std::string number = std::to_string(i);
    expected += "$" + std::to_string(number.size()) + "\r\n" + number + "\r\n";
  }
  return expected;
}

TEST_P(LaterTest, WaitsAndGoesOnWithItsPipeline) {
  TestClient first(server_.port()), second(server_.port()), other(server_.port());
  first.Send(Encode({"PING"}) + Encode({"TAKE", "a", "k", "0"}) + Encode({"GET", "x"}));
  EXPECT_EQ(first.ReceiveReply(), "+PONG\r\n");
  AwaitBlocked(1);
  second.Send(Encode({"HELLO", "3"}));
  EXPECT_EQ(second.ReceiveLine(), "%7\r\n");
  for (int i = 0; i < 2 * 7; i++) (void)second.ReceiveReply();
  second.Send(Encode({"TAKE", "k", "0"}));
  AwaitBlocked(2);
  EXPECT_TRUE(first.IsQuietFor(50));
  EXPECT_EQ(other.Call({"SET", "k", "1"}), "+OK\r\n");
  EXPECT_EQ(first.ReceiveReply(), Taken("k", "1"));
  EXPECT_EQ(first.ReceiveReply(), "$-1\r\n");
  AwaitBlocked(1);
  EXPECT_EQ(other.Call({"SET", "k", "2"}), "+OK\r\n");
  EXPECT_EQ(other.Call({"GET", "k"}), "$-1\r\n");
  AwaitBlocked(0);
  const std::string expected = "%1\r\n$1\r\nk\r\n$1\r\n2\r\n";  // a map, as it speaks RESP3
  EXPECT_EQ(second.Receive(expected.size()), expected);
}

TEST_P(LaterTest, TimeoutsAreExact) {
  TestClient client(server_.port());
  for (const int timeout_ms : {1, 20, 150}) {
    const int64_t begin_us = RealClock().MonotonicUs();
    EXPECT_EQ(
        client.Call({"TAKE", "k", "0." + std::string(3 - std::to_string(timeout_ms).size(), '0') + std::to_string(timeout_ms)}),
        "*-1\r\n");
    const int64_t waited_us = RealClock().MonotonicUs() - begin_us;
    EXPECT_GE(waited_us, timeout_ms * 1000);
    EXPECT_LT(waited_us, timeout_ms * 1000 + 500'000);  // the machine may be busy
  }
  EXPECT_EQ(Waiting(), 0u);
}

TEST_P(LaterTest, ClientUnblock) {
  TestClient client(server_.port()), other(server_.port());
  const std::string id = client.Call({"CLIENT", "ID"});
  const std::string number = id.substr(1, id.size() - 3);
  EXPECT_EQ(other.Call({"CLIENT", "UNBLOCK", number}), ":0\r\n");
  client.Send(Encode({"TAKE", "k", "0"}));
  AwaitBlocked(1);
  EXPECT_EQ(other.Call({"CLIENT", "UNBLOCK", number}), ":1\r\n");
  EXPECT_EQ(client.ReceiveReply(), "*-1\r\n");
  client.Send(Encode({"TAKE", "k", "100"}));
  AwaitBlocked(1);
  EXPECT_EQ(other.Call({"CLIENT", "UNBLOCK", number, "ERROR"}), ":1\r\n");
  EXPECT_EQ(client.ReceiveReply(), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
  EXPECT_EQ(Waiting(), 0u);
  EXPECT_EQ(other.Call({"CLIENT", "UNBLOCK", number}), ":0\r\n");
}

TEST_P(LaterTest, WhoLeftIsSkipped) {
  TestClient second(server_.port()), other(server_.port());
  {
    TestClient first(server_.port());
    first.Send(Encode({"TAKE", "k", "0"}));
    AwaitBlocked(1);
    second.Send(Encode({"TAKE", "k", "0"}));
    AwaitBlocked(2);
  }
  AwaitBlocked(1);
  EXPECT_EQ(other.Call({"SET", "k", "v"}), "+OK\r\n");
  EXPECT_EQ(second.ReceiveReply(), Taken("k", "v"));
  EXPECT_EQ(Waiting(), 0u);
}

TEST_P(LaterTest, RepliesThatNobodyWants) {
  TestClient client(server_.port()), other(server_.port());
  client.Send(Encode({"CLIENT", "REPLY", "SKIP"}) + Encode({"TAKE", "k", "0"}) + Encode({"ECHO", "x"}));
  AwaitBlocked(1);
  EXPECT_EQ(other.Call({"SET", "k", "v"}), "+OK\r\n");
  EXPECT_EQ(client.ReceiveReply(), "$1\r\nx\r\n");
  client.Send(Encode({"CLIENT", "REPLY", "SKIP"}) + Encode({"LONG", "20000"}) + Encode({"ECHO", "y"}));
  EXPECT_EQ(client.ReceiveReply(), "$1\r\ny\r\n");
}

TEST_P(LaterTest, LongRepliesKeepTheirPlace) {
  TestClient client(server_.port());
  for (const int64_t elements : {0, 10, 9'999, 10'000, 300'000}) {
    client.Send(Encode({"SET", "k", "v"}) + Encode({"LONG", std::to_string(elements)}) + Encode({"GET", "k"}));
    const std::string expected = "+OK\r\n" + Numbers(elements) + "$1\r\nv\r\n";
    EXPECT_EQ(client.Receive(expected.size()), expected) << elements;
  }
  client.Send(Encode({"MULTI"}) + Encode({"LONG", "20000"}) + Encode({"EXEC"}));
  const std::string expected = "+OK\r\n+QUEUED\r\n*1\r\n" + Numbers(20'000);
  EXPECT_EQ(client.Receive(expected.size()), expected);
}

TEST_P(LaterTest, MessagesComeBehindLongRepliesNotAmidThem) {
  const std::string reply = Numbers(30'000);
  TestClient client(server_.port());
  // A map and a push are received word by word, an array as a whole.
  const auto next_array = [&client] {
    std::string received = client.ReceiveReply();
    while (!received.starts_with("*")) received = client.ReceiveReply();
    return received;
  };
  client.Send(Encode({"HELLO", "3"}));
  EXPECT_EQ(next_array(), "*0\r\n");  // its modules
  client.Send(Encode({"SUBSCRIBE", "c"}));
  std::atomic<bool> done{false};
  std::thread publishing([&] {
    TestClient publisher(server_.port());
    while (!done) {
      publisher.Call({"PUBLISH", "c", "text"});
      std::this_thread::sleep_for(std::chrono::microseconds(200));  // or a slow reader never sees their end
    }
  });
  for (int i = 0; i < 4; i++) {
    client.Send(Encode({"LONG", "30000"}));
    EXPECT_TRUE(next_array() == reply);
  }
  done = true;
  publishing.join();
}

TEST_P(LaterTest, LongRepliesReachWhoSendsNothingMore) {
  TestClient client(server_.port());
  client.Send(Encode({"LONG", "50000"}));
  client.ShutdownWrite();
  EXPECT_EQ(client.ReceiveAll(), Numbers(50'000));
}

TEST_P(LaterTest, SlowReadersHoldNeitherOthersNorMuchMemory) {
  constexpr int64_t kElements = 3'000'000;  // some 40 MB
  std::vector<std::unique_ptr<TestClient>> slow;
  for (int i = 0; i < 2; i++) {
    slow.push_back(std::make_unique<TestClient>(server_.port()));
    slow.back()->Send(Encode({"LONG", std::to_string(kElements)}));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(server_.server().shared().client_memory.total_bytes(), 2u * 24 * 1024 * 1024);
  // Both workers rest; somebody else's long reply comes all the same.
  TestClient client(server_.port());
  client.Send(Encode({"LONG", "20000"}));
  const std::string expected = Numbers(20'000);
  EXPECT_EQ(client.Receive(expected.size()), expected);
  EXPECT_EQ(client.Call({"PING"}), "+PONG\r\n");
  const std::string whole = Numbers(kElements);
  EXPECT_TRUE(slow[0]->Receive(whole.size()) == whole);
  slow.clear();  // one was in the middle of its reply
  for (int i = 0; i < 5'000 && long_replies_alive.load() > 0; i++) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(long_replies_alive.load(), 0);
}

TEST_P(LaterTest, OutputLimitsHold) {
  TestClient admin(server_.port()), client(server_.port());
  EXPECT_EQ(admin.Call({"CONFIG", "SET", "client-output-buffer-limit", "normal 1000000 0 0"}), "+OK\r\n");
  client.Send(Encode({"LONG", "3000000"}));
  std::this_thread::sleep_for(std::chrono::seconds(1));  // one that reads at once may keep up, and then nothing piles up
  EXPECT_LT(client.ReceiveAll().size(), 30'000'000u);
  EXPECT_EQ(admin.Call({"PING"}), "+PONG\r\n");
}

INSTANTIATE_TEST_SUITE_P(Durability, LaterTest, ::testing::Values("always", "everysec"));

}  // namespace
}  // namespace cairn
