// Who gets which message, in which order and when; keyspace events; MONITOR's lines.
#include "server/pubsub/hub.h"

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <thread>

#include "server/config/notify_flags.h"

namespace cairn {
namespace {

struct Delivered {
  uint64_t session;
  std::string resp2;
  Lsn lsn;
};

class HubTest : public testing::Test {
 protected:
  PubSubHub hub_{[this](uint64_t session, std::shared_ptr<const PubSubMessage> message, Lsn lsn) {
    const std::lock_guard lock(mutex_);
    delivered_.push_back({session, std::string(message->For(2).view()), lsn});
    resp3_ = std::string(message->For(3).view());
  }};
  std::mutex mutex_;
  std::vector<Delivered> delivered_;
  std::string resp3_;
};

TEST_F(HubTest, ChannelsPatternsAndShardChannelsAreApart) {
  EXPECT_TRUE(hub_.Subscribe(1, 2, ChannelKind::kChannel, "news"));
  EXPECT_FALSE(hub_.Subscribe(1, 2, ChannelKind::kChannel, "news"));
  hub_.Subscribe(2, 3, ChannelKind::kPattern, "n*");
  hub_.Subscribe(3, 2, ChannelKind::kShard, "news");
  EXPECT_EQ(hub_.Publish("news", "hi", false, 7), 2u);
  ASSERT_EQ(delivered_.size(), 2u);
  EXPECT_EQ(delivered_[0].session, 1u);
  EXPECT_EQ(delivered_[0].resp2, "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
  EXPECT_EQ(delivered_[0].lsn, 7u);
  EXPECT_EQ(delivered_[1].session, 2u);
  EXPECT_EQ(resp3_, ">4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
  EXPECT_EQ(hub_.Publish("news", "hi", true, 0), 1u);
  EXPECT_EQ(delivered_.back().session, 3u);
  EXPECT_EQ(delivered_.back().resp2, "*3\r\n$8\r\nsmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
  EXPECT_EQ(hub_.channel_count(), 1u);
  EXPECT_EQ(hub_.shard_channel_count(), 1u);
  EXPECT_EQ(hub_.pattern_count(), 1u);
  EXPECT_EQ(hub_.SubscriberCount(ChannelKind::kChannel, "news"), 1u);
  EXPECT_TRUE(hub_.Unsubscribe(1, ChannelKind::kChannel, "news"));
  EXPECT_FALSE(hub_.Unsubscribe(1, ChannelKind::kChannel, "news"));
  EXPECT_EQ(hub_.channel_count(), 0u);
  EXPECT_TRUE(hub_.ActiveChannels(ChannelKind::kChannel, "*").empty());
  EXPECT_EQ(hub_.ActiveChannels(ChannelKind::kShard, "*").size(), 1u);
  EXPECT_TRUE(hub_.ActiveChannels(ChannelKind::kShard, "").empty());  // matches no name but the empty one
}

TEST_F(HubTest, OutboxWaitsForTheCommandsEnd) {
  hub_.Subscribe(1, 2, ChannelKind::kChannel, "a");
  EXPECT_EQ(hub_.PublishLater("a", "1", false), 1u);
  EXPECT_EQ(hub_.PublishLater("nobody", "1", false), 0u);
  EXPECT_EQ(hub_.PublishLater("a", "2", false), 1u);
  EXPECT_TRUE(delivered_.empty());
  hub_.DeliverOutbox(99);
  ASSERT_EQ(delivered_.size(), 2u);
  EXPECT_EQ(delivered_[0].lsn, 99u);
  EXPECT_NE(delivered_[1].resp2.find("\r\n2\r\n"), std::string::npos);
  hub_.DeliverOutbox(100);
  EXPECT_EQ(delivered_.size(), 2u);
}

TEST_F(HubTest, EventsAreFreeUntilSomebodyListens) {
  hub_.SetNotifyFlags(*ParseNotifyFlags("KEA"));
  EXPECT_EQ(hub_.wanted_classes(), 0u);
  hub_.Subscribe(1, 2, ChannelKind::kPattern, "*");
  EXPECT_TRUE(hub_.wanted_classes() & kEventString);
  EXPECT_FALSE(hub_.wanted_classes() & kEventKeyMiss);
  const KeyspaceEvent events[] = {{kEventString, "set", 9, "foo"}, {kEventKeyMiss, "keymiss", 9, "bar"}};
  hub_.OnEvents(events, 42);
  ASSERT_EQ(delivered_.size(), 2u);
  EXPECT_NE(delivered_[0].resp2.find("__keyspace@9__:foo\r\n$3\r\nset\r\n"), std::string::npos) << delivered_[0].resp2;
  EXPECT_NE(delivered_[1].resp2.find("__keyevent@9__:set\r\n$3\r\nfoo\r\n"), std::string::npos) << delivered_[1].resp2;
  EXPECT_EQ(delivered_[1].lsn, 42u);
  hub_.SetNotifyFlags(*ParseNotifyFlags("gx"));  // neither K nor E
  EXPECT_EQ(hub_.wanted_classes(), 0u);
}

TEST_F(HubTest, EventsOfHashesTellTheirFields) {
  hub_.Subscribe(1, 2, ChannelKind::kPattern, "*");
  hub_.SetNotifyFlags(*ParseNotifyFlags("gSTIV"));  // not of the class of hashes
  EXPECT_EQ(hub_.wanted_classes(), uint32_t{kEventFields});
  hub_.SetNotifyFlags(*ParseNotifyFlags("AK"));
  EXPECT_FALSE(hub_.wanted_classes() & kEventFields);
  hub_.SetNotifyFlags(*ParseNotifyFlags("AVIST"));
  EXPECT_EQ(FormatNotifyFlags(*ParseNotifyFlags("AVIST")), "ASTIV");
  EXPECT_EQ(hub_.wanted_classes(), uint32_t{kEventHash | kEventFields});
  const KeyspaceEvent events[] = {
      {kEventHash, "hset", 3, "user", {"a", "b,1"}}, {kEventGeneric, "del", 3, "user"}, {kEventHash, "hdel", 3, "x\ny", {"a"}}};
  hub_.OnEvents(events, 42);
  std::vector<std::string> seen;
  for (const auto& message : delivered_) {
    const std::string& resp = message.resp2;  // pmessage, "*", channel and payload
    const size_t channel = resp.find("__subkey"), end = resp.find("\r\n", channel), payload = resp.find("\r\n", end + 2) + 2;
    seen.push_back(resp.substr(channel, end - channel) + " " + resp.substr(payload, resp.size() - 2 - payload));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"__subkeyspace@3__:user hset|1:a,3:b,1", "__subkeyevent@3__:hset 4:user|1:a,3:b,1",
                                            "__subkeyspaceitem@3__:user\na hset", "__subkeyspaceitem@3__:user\nb,1 hset",
                                            "__subkeyspaceevent@3__:hset|user 1:a,3:b,1", "__subkeyspace@3__:x\ny hdel|1:a",
                                            "__subkeyevent@3__:hdel 3:x\ny|1:a", "__subkeyspaceevent@3__:hdel|x\ny 1:a"}));
}

TEST_F(HubTest, EverySubscriberSeesOneOrder) {
  constexpr int kPublishers = 4, kMessages = 500;
  hub_.Subscribe(1, 2, ChannelKind::kChannel, "c");
  hub_.Subscribe(2, 3, ChannelKind::kPattern, "c*");
  std::vector<std::thread> threads;
  threads.reserve(kPublishers);
  for (int p = 0; p < kPublishers; p++) {
    threads.emplace_back([&, p] {
      for (int i = 0; i < kMessages; i++) hub_.Publish("c", std::to_string(p) + ":" + std::to_string(i), false, 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::map<uint64_t, std::vector<std::string>> seen;
  for (const Delivered& one : delivered_) {
    const std::string trimmed = one.resp2.substr(0, one.resp2.size() - 2);
    seen[one.session].push_back(trimmed.substr(trimmed.rfind('\n') + 1));
  }
  ASSERT_EQ(seen[1].size(), static_cast<size_t>(kPublishers * kMessages));
  EXPECT_EQ(seen[1], seen[2]);
  std::map<char, int> next;
  for (const std::string& text : seen[1]) EXPECT_EQ(std::stoi(text.substr(2)), next[text[0]]++);
}

TEST(MonitorFeed, LinesAreQuoted) {
  const std::string_view args[] = {"set", "a b", "x\n\"\x01"};
  EXPECT_EQ(MonitorFeed::Line(args, 3, "127.0.0.1:5", 1339518083107412),
            "+1339518083.107412 [3 127.0.0.1:5] \"set\" \"a b\" \"x\\n\\\"\\x01\"\r\n");
}

TEST(MonitorFeed, HidesPasswordsAndAdministration) {
  MonitorFeed feed;
  std::vector<std::string> lines;
  feed.SetPost([&](uint64_t, SharedBytes line) { lines.emplace_back(line.view()); });
  EXPECT_FALSE(feed.active());
  feed.Add(5);
  EXPECT_TRUE(feed.active());
  const CommandRow auth{.name = "auth"}, admin{.name = "shutdown", .flags = kAdmin};
  const std::string_view args[] = {"auth", "user", "secret"};
  feed.Feed(auth, args, 0, "x", 0);
  feed.Feed(admin, args, 0, "x", 0);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].find("secret"), std::string::npos);
  EXPECT_NE(lines[0].find("\"(redacted)\""), std::string::npos);
  feed.Remove(5);
  EXPECT_FALSE(feed.active());
}

}  // namespace
}  // namespace cairn
