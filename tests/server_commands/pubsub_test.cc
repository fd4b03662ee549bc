// Channels, patterns and keyspace events as clients see them.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/server_net/test_server.h"

namespace cairn {
namespace {

const std::vector<std::string> kNoLog = {"--appendonly", "no"};

std::string Bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }

TEST(PubSub, MessagesArriveInOrderAfterTheirWrites) {
  TestServer server({"--appendonly", "yes"});
  TestClient publisher(server.port()), subscriber(server.port());
  EXPECT_EQ(subscriber.Call({"PSUBSCRIBE", "c*"}), "*3\r\n" + Bulk("psubscribe") + Bulk("c*") + ":1\r\n");
  EXPECT_EQ(publisher.Call({"PUBLISH", "c1", "hello"}), ":1\r\n");
  publisher.Send(Encode({"MULTI"}) + Encode({"SET", "k", "v"}) + Encode({"PUBLISH", "c2", "a"}) + Encode({"PUBLISH", "c2", "b"}) +
                 Encode({"EXEC"}));
  for (int i = 0; i < 4; i++) publisher.ReceiveReply();
  EXPECT_EQ(publisher.ReceiveReply(), "*3\r\n+OK\r\n:1\r\n:1\r\n");
  for (const auto& [channel, text] : {std::pair<std::string, std::string>{"c1", "hello"}, {"c2", "a"}, {"c2", "b"}}) {
    EXPECT_EQ(subscriber.ReceiveReply(), "*4\r\n" + Bulk("pmessage") + Bulk("c*") + Bulk(channel) + Bulk(text));
  }
  EXPECT_EQ(publisher.Call({"PUBSUB", "NUMPAT"}), ":1\r\n");
  EXPECT_EQ(publisher.Call({"CONFIG", "SET", "notify-keyspace-events", "KEA"}), "+OK\r\n");
  EXPECT_EQ(subscriber.Call({"PSUBSCRIBE", "__key*"}), "*3\r\n" + Bulk("psubscribe") + Bulk("__key*") + ":2\r\n");
  EXPECT_EQ(publisher.Call({"SET", "foo", "bar"}), "+OK\r\n");
  EXPECT_EQ(subscriber.ReceiveReply(), "*4\r\n" + Bulk("pmessage") + Bulk("__key*") + Bulk("__keyspace@0__:foo") + Bulk("set"));
  EXPECT_EQ(subscriber.ReceiveReply(), "*4\r\n" + Bulk("pmessage") + Bulk("__key*") + Bulk("__keyevent@0__:set") + Bulk("foo"));
}

TEST(PubSub, ShardChannelsAreNotSubscribedToWithinMulti) {
  TestServer server(kNoLog);
  TestClient client(server.port());
  client.Call({"MULTI"});
  client.Call({"SSUBSCRIBE", "a", "b"});
  client.Call({"SUBSCRIBE", "c"});
  EXPECT_EQ(client.Call({"EXEC"}), "*2\r\n-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client\r\n*3\r\n" +
                                       Bulk("subscribe") + Bulk("c") + ":1\r\n");
  EXPECT_EQ(client.Call({"UNSUBSCRIBE"}), "*3\r\n" + Bulk("unsubscribe") + Bulk("c") + ":0\r\n");
  EXPECT_EQ(client.Call({"SSUBSCRIBE", "a"}), "*3\r\n" + Bulk("ssubscribe") + Bulk("a") + ":1\r\n");
}

// A message behind the confirmation would be taken for the reply to the next command.
TEST(PubSub, NothingComesBehindTheEndOfASubscription) {
  TestServer server(kNoLog);
  std::atomic<bool> done{false};
  std::thread publishing([&] {
    TestClient publisher(server.port());
    std::string batch;
    for (int i = 0; i < 50; i++) batch += Encode({"PUBLISH", "c", "text"});
    while (!done) {
      publisher.Send(batch);
      for (int i = 0; i < 50; i++) publisher.ReceiveReply();
    }
  });
  TestClient client(server.port());
  for (int i = 0; i < 300; i++) {
    const bool resets = i % 3 == 0, by_pattern = i % 3 == 1;
    client.Send(Encode({by_pattern ? "PSUBSCRIBE" : "SUBSCRIBE", "c"}));
    while (client.ReceiveReply().find("message") == std::string::npos) {
    }
    const std::string end = resets ? "RESET" : by_pattern ? "PUNSUBSCRIBE" : "UNSUBSCRIBE";
    client.Send(Encode({end}) + Encode({"PING"}));
    while (client.ReceiveReply().find("message") != std::string::npos) {
    }
    EXPECT_EQ(client.ReceiveReply(), "+PONG\r\n") << end;
    EXPECT_EQ(client.Call({"ECHO", "x"}), Bulk("x")) << end;
  }
  done = true;
  publishing.join();
}

TEST(PubSub, WhatWasPublishedBeforeTheEndOfASubscriptionIsHeard) {
  TestServer server(kNoLog);
  TestClient client(server.port()), publisher(server.port());
  for (const char* end : {"UNSUBSCRIBE", "RESET"}) {
    EXPECT_EQ(client.Call({"HELLO", "3"}), "%7\r\n");
    for (int i = 0; i < 14; i++) client.ReceiveReply();
    client.Call({"SUBSCRIBE", "c"});
    client.Send(Encode({"PUBLISH", "c", "own"}) + Encode({end}));
    EXPECT_EQ(client.ReceiveReply(), ":1\r\n");
    EXPECT_EQ(client.ReceiveReply(), ">3\r\n" + Bulk("message") + Bulk("c") + Bulk("own")) << end;
    client.ReceiveReply();
    // Whoever heard that it was received may have the receiver unsubscribe.
    client.Call({"SUBSCRIBE", "c"});
    for (int i = 0; i < 50; i++) {
      EXPECT_EQ(publisher.Call({"PUBLISH", "c", "text"}), ":1\r\n");
      client.Send(Encode({end}));
      EXPECT_NE(client.ReceiveReply().find("text"), std::string::npos) << end;
      client.ReceiveReply();
      client.Call({"SUBSCRIBE", "c"});
    }
    client.Call({"RESET"});
  }
}

TEST(PubSub, EventsTellTheFieldsOfHashes) {
  TestServer server(kNoLog);
  TestClient publisher(server.port()), subscriber(server.port());
  EXPECT_EQ(publisher.Call({"CONFIG", "SET", "notify-keyspace-events", "hS"}), "+OK\r\n");
  EXPECT_EQ(subscriber.Call({"SUBSCRIBE", "__subkeyspace@0__:h"}),
            "*3\r\n" + Bulk("subscribe") + Bulk("__subkeyspace@0__:h") + ":1\r\n");
  const auto expect = [&](const std::string& payload) {
    EXPECT_EQ(subscriber.ReceiveReply(), "*3\r\n" + Bulk("message") + Bulk("__subkeyspace@0__:h") + Bulk(payload));
  };
  const auto call = [&](const std::vector<std::string>& command) {
    EXPECT_FALSE(publisher.Call(command).starts_with("-")) << command[0];
  };
  call({"HSET", "h", "a", "1", "b", "2", "c", "3"});
  expect("hset|1:a,1:b,1:c");
  call({"HSETNX", "h", "a", "9"});  // it was there
  call({"HDEL", "h", "absent", "b", "c", "b"});
  expect("hdel|1:b,1:c");
  call({"HINCRBY", "h", "n", "2"});
  expect("hincrby|1:n");
  call({"HINCRBYFLOAT", "h", "n", "0.5"});
  expect("hincrbyfloat|1:n");
  call({"HSETEX", "h", "EX", "100", "FIELDS", "2", "x", "1", "y", "2"});
  expect("hset|1:x,1:y");
  expect("hexpire|1:x,1:y");
  call({"HPERSIST", "h", "FIELDS", "2", "x", "a"});
  expect("hpersist|1:x");
  call({"HGETDEL", "h", "FIELDS", "2", "x", "absent"});
  expect("hdel|1:x");
  call({"HPEXPIRE", "h", "1", "FIELDS", "2", "y", "absent"});
  expect("hexpire|1:y");
  expect("hexpired|1:y");
}

}  // namespace
}  // namespace cairn
