// Replies that take long are written after the locks are released, from what the values were then.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/engine/store_test_support.h"

namespace cairn {
namespace {

// Keeps the reply that it is given to write.
class Port final : public WaitPort {
 public:
  void OnBlocked(const std::shared_ptr<Waiter>&) override {}
  bool OnDeferred(uint64_t count, std::function<void(ReplySink&)>& produce) override {
    elements = count;
    deferred = std::move(produce);
    return true;
  }
  bool OnApartWork(const std::shared_ptr<ApartWork>&) override { return false; }

  uint64_t elements = 0;
  std::function<void(ReplySink&)> deferred;
};

class DeferredTest : public StoreTest {
 protected:
  static constexpr uint64_t kLong = 10'000;  // from so many elements on the network's threads give a reply away

  void SetUp() override { Open(); }
  void TearDown() override { Close(); }

  ReplyValue Do(const std::vector<std::string>& words) {
    const std::vector<std::string_view> args(words.begin(), words.end());
    return store_->Run(client_, args);
  }
  // The text of the reply, written after `meanwhile` was done; its weight must be at least `least`.
  std::string Deferred(const std::vector<std::string>& words, uint64_t least, const std::vector<std::string>& meanwhile) {
    const std::vector<std::string_view> args(words.begin(), words.end());
    Port port;
    Client client;
    client.wait_port = &port;
    ReplyValueSink sink;
    store_->Execute(client, {.row = store_->commands().Find(args), .args = args}, sink);
    EXPECT_TRUE(port.deferred != nullptr) << words[0];
    if (port.deferred == nullptr) return sink.Take().text;
    EXPECT_GE(port.elements, least);
    Do(meanwhile);
    port.deferred(sink);
    const ReplyValue reply = sink.Take();
    return reply.kind == ReplyValue::Kind::kInteger ? std::to_string(reply.integer) : reply.text;
  }
};

TEST_F(DeferredTest, DumpOfALongString) {
  Do({"SET", "a", std::string(1'000'000, 'x')});
  Do({"APPEND", "a", "behind"});
  const std::string payload = Deferred({"DUMP", "a"}, kLong, {"SETRANGE", "a", "10", "changed"});
  Do({"RESTORE", "b", "0", payload});
  EXPECT_EQ(Do({"STRLEN", "b"}).integer, 1'000'006);
  EXPECT_EQ(Do({"GETRANGE", "b", "8", "18"}).text, "xxxxxxxxxxx");
  EXPECT_EQ(Do({"GETRANGE", "b", "-7", "-1"}).text, "xbehind");
}

TEST_F(DeferredTest, DumpOfALargeValue) {
  for (int i = 0; i < 20'000; i++) Do({"RPUSH", "l", "element " + std::to_string(i)});
  const std::string payload = Deferred({"DUMP", "l"}, kLong, {"LTRIM", "l", "5", "7"});
  Do({"RESTORE", "m", "0", payload});
  EXPECT_EQ(Do({"LLEN", "m"}).integer, 20'000);
  EXPECT_EQ(Do({"LINDEX", "m", "19999"}).text, "element 19999");
}

TEST_F(DeferredTest, LongestCommonSubsequence) {
  std::string a, b;
  for (int i = 0; i < 1000; i++) a += "ab", b += "ba";
  Do({"SET", "{t}a", a});
  Do({"SET", "{t}b", b});
  EXPECT_EQ(Deferred({"LCS", "{t}a", "{t}b", "LEN"}, kLong, {"SET", "{t}a", "none"}), "1999");
  Do({"SET", "{t}a", a});
  EXPECT_EQ(Deferred({"LCS", "{t}a", "{t}b"}, kLong, {"DEL", "{t}a", "{t}b"}).size(), 1999u);
}

}  // namespace
}  // namespace cairn
