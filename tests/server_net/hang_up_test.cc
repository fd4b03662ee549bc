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
