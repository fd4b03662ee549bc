// A client that hangs up: where it waits for others it ends, as in Redis; where its command merely takes its time it is answered.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "engine/commands/command_context.h"
#include "tests/server_net/test_server.h"

namespace cairn {
namespace {

using Words = std::vector<std::string>;

std::atomic<uint64_t> busy_session{0};

// BUSY: is answered when the test says so.
void Busy(CommandContext& context) {
  Session& session = SessionOf(context);
  session.Block();
  busy_session = session.id();
}

constexpr CommandRow kRows[] = {
    {.name = "busy", .arity = 1, .flags = kReadOnly, .handler = Busy, .summary = "-", .since = "1", .group = "test"},
};

class HangUpTest : public ::testing::Test {
 protected:
  HangUpTest() : server_({"--appendfsync", "always", "--enable-debug-command", "yes"}) {
    server_.server().store().commands().Register(kRows);
  }

  // What `send` does meanwhile reaches the server at once: bytes and the end behind them.
  void WhileNobodyIsServed(const std::function<void()>& send) {
    TestClient sleeper(server_.port());
    EXPECT_EQ(sleeper.Call({"PING"}), "+PONG\r\n");
    sleeper.Send(Encode({"DEBUG", "SLEEP", "0.2"}));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    send();
    EXPECT_EQ(sleeper.ReceiveReply(), "+OK\r\n");
  }
  bool AwaitSessions(uint64_t count) {
    for (int i = 0; i < 5'000 && server_.server().session_count() != count; i++) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return server_.server().session_count() == count;
  }

  TestServer server_;
};

TEST_F(HangUpTest, WhoLeftBeforeItsWaitWasReadIsClosed) {
  TestClient stays(server_.port());
  EXPECT_EQ(stays.Call({"PING"}), "+PONG\r\n");
  for (const Words& wait : {Words{"WAIT", "1", "0"}, Words{"WAITAOF", "0", "1", "0"}, Words{"BLPOP", "k", "0"}}) {
    std::vector<std::unique_ptr<TestClient>> leave;
    for (int i = 0; i < 8; i++) {
      leave.push_back(std::make_unique<TestClient>(server_.port()));
      EXPECT_EQ(leave.back()->Call({"PING"}), "+PONG\r\n");
    }
    WhileNobodyIsServed([&] {
      for (const auto& client : leave) client->Send(Encode(wait));
      leave.clear();
    });
    EXPECT_TRUE(AwaitSessions(1)) << wait[0];
    EXPECT_EQ(server_.server().blocked_session_count(), 0u) << wait[0];
  }
}

TEST_F(HangUpTest, WhatWasAnsweredBeforeAWaitStillLeaves) {
  for (const Words& wait : {Words{"WAIT", "1", "0"}, Words{"BLPOP", "k", "0"}}) {
    TestClient client(server_.port());
    EXPECT_EQ(client.Call({"PING"}), "+PONG\r\n");
    WhileNobodyIsServed([&] {
      client.Send(Encode({"SET", "a", "1"}) + Encode(wait));
      client.ShutdownWrite();
    });
    EXPECT_EQ(client.ReceiveAll(), "+OK\r\n") << wait[0];
  }
  TestClient other(server_.port());
  EXPECT_EQ(other.Call({"RPUSH", "k", "e"}), ":1\r\n");
  EXPECT_EQ(other.Call({"LLEN", "k"}), ":1\r\n");
}

TEST_F(HangUpTest, APausedClientEndsAndItsWriteNeverRuns) {
  TestClient other(server_.port());
  const std::string input = Encode({"GET", "a"}) + Encode({"SET", "x", "1"}) + Encode({"GET", "x"});
  for (const bool with_its_bytes : {true, false}) {
    TestClient half_closed(server_.port());
    auto closed = std::make_unique<TestClient>(server_.port());
    EXPECT_EQ(half_closed.Call({"PING"}) + closed->Call({"PING"}), "+PONG\r\n+PONG\r\n");
    EXPECT_EQ(other.Call({"CLIENT", "PAUSE", "100000", "WRITE"}), "+OK\r\n");
    const auto send = [&] {
      half_closed.Send(input);
      closed->Send(input);
    };
    const auto leave = [&] {
      half_closed.ShutdownWrite();
      closed.reset();
    };
    if (with_its_bytes) {
      WhileNobodyIsServed([&] {
        send();
        leave();
      });
    } else {
      send();
      EXPECT_EQ(half_closed.ReceiveReply() + closed->ReceiveReply(), "$-1\r\n$-1\r\n");
      leave();
    }
    EXPECT_EQ(half_closed.ReceiveAll(), with_its_bytes ? "$-1\r\n" : "");
    EXPECT_TRUE(AwaitSessions(1)) << with_its_bytes;
    EXPECT_EQ(other.Call({"CLIENT", "UNPAUSE"}), "+OK\r\n");
    EXPECT_EQ(server_.server().blocked_session_count(), 0u);
    EXPECT_EQ(other.Call({"GET", "x"}), "$-1\r\n");
  }
}

TEST_F(HangUpTest, WhoIsAnsweredNothingIsClosedAllTheSame) {
  const std::string silent_write = Encode({"CLIENT", "REPLY", "OFF"}) + Encode({"SET", "a", "1"});
  for (const std::string& end : {Encode({"QUIT"}), std::string("*1\r\n$-7\r\n")}) {
    TestClient client(server_.port());
    client.Send(silent_write + end);
    EXPECT_EQ(client.ReceiveAll(), "") << end;
    EXPECT_TRUE(AwaitSessions(0)) << end;
  }
  for (const bool at_once : {true, false}) {
    TestClient client(server_.port());
    client.Send(silent_write + Encode({"BLPOP", "k", "0"}));
    for (int i = 0; i < 5'000 && !at_once && server_.server().blocked_session_count() == 0; i++) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    client.ShutdownWrite();
    EXPECT_EQ(client.ReceiveAll(), "") << at_once;
    EXPECT_TRUE(AwaitSessions(0)) << at_once;
  }
}

// More than the kernel's buffers hold, so that the end behind it is seen only by who reads.
const std::string& ALotOfInput() {
  static const std::string input = [] {
    std::string made;
    while (made.size() < 16u << 20) made += Encode({"SET", "z", std::string(20'000, 'x')});
    return made;
  }();
  return input;
}

TEST_F(HangUpTest, AnEndBehindMuchInputIsSeen) {
  TestClient other(server_.port());
  EXPECT_EQ(other.Call({"PING"}), "+PONG\r\n");
  for (const Words& wait : {Words{"BLPOP", "k", "0"}, Words{"WAIT", "1", "0"}, Words{"SET", "paused", "1"}}) {
    auto client = std::make_unique<TestClient>(server_.port());
    EXPECT_EQ(client->Call({"PING"}), "+PONG\r\n");
    if (wait[0] == "SET") EXPECT_EQ(other.Call({"CLIENT", "PAUSE", "100000", "WRITE"}), "+OK\r\n");
    ASSERT_TRUE(client->Send(Encode(wait) + ALotOfInput())) << wait[0];
    client.reset();
    EXPECT_TRUE(AwaitSessions(1)) << wait[0];
    EXPECT_EQ(server_.server().blocked_session_count(), 0u) << wait[0];
  }
  EXPECT_EQ(other.Call({"CLIENT", "UNPAUSE"}), "+OK\r\n");
  EXPECT_EQ(other.Call({"RPUSH", "k", "e"}) + other.Call({"LLEN", "k"}), ":1\r\n:1\r\n");
  EXPECT_EQ(other.Call({"EXISTS", "z", "paused"}), ":0\r\n");
}

TEST_F(HangUpTest, WhatWasReadAheadOfAWaitRunsBehindIt) {
  TestClient client(server_.port()), other(server_.port());
  const std::string large(3'000'000, 'y');
  // The last argument is begun before the wait and ends within it, and so do small ones behind it.
  client.Send(Encode({"BLPOP", "k", "0"}) + Encode({"SET", "large", large}).substr(0, 100'000));
  for (int i = 0; i < 5'000 && server_.server().blocked_session_count() == 0; i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_TRUE(client.Send(Encode({"SET", "large", large}).substr(100'000) + ALotOfInput() + Encode({"STRLEN", "large"})));
  EXPECT_EQ(other.Call({"RPUSH", "k", "e"}), ":1\r\n");
  EXPECT_EQ(client.ReceiveReply(), "*2\r\n$1\r\nk\r\n$1\r\ne\r\n");
  const size_t sets = 1 + ALotOfInput().size() / Encode({"SET", "z", std::string(20'000, 'x')}).size();
  for (size_t i = 0; i < sets; i++) ASSERT_EQ(client.ReceiveReply(), "+OK\r\n") << i;
  EXPECT_EQ(client.ReceiveReply(), ":3000000\r\n");
}

TEST_F(HangUpTest, WhoHalfClosesGetsTheAnswerThatTakesItsTime) {
  for (const bool at_once : {true, false}) {
    TestClient client(server_.port());
    busy_session = 0;
    client.Send(Encode({"BUSY"}) + Encode({"ECHO", "x"}));
    if (at_once) client.ShutdownWrite();
    while (busy_session == 0) std::this_thread::yield();
    if (!at_once) client.ShutdownWrite();
    EXPECT_TRUE(client.IsQuietFor(50)) << at_once;
    server_.server().PostToSession(busy_session,
                                   [](Session& session) { session.Unblock([](ReplySink& reply) { reply.Simple("DONE"); }); });
    EXPECT_EQ(client.ReceiveAll(), "+DONE\r\n$1\r\nx\r\n") << at_once;
  }
  for (const Words& command : {Words{"SAVE"}, Words{"DEBUG", "RELOAD"}, Words{"CONFIG", "SET", "maxmemory", "0"}}) {
    TestClient client(server_.port());
    client.Send(Encode(command));
    client.ShutdownWrite();
    EXPECT_EQ(client.ReceiveAll(), "+OK\r\n") << command[0];
  }
  EXPECT_TRUE(AwaitSessions(0));
}

}  // namespace
}  // namespace cairn
