// Changes of long lists that are prepared without locks and put in place if the list is still the same.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/commands/list_apart.h"
#include "tests/engine/store_test_support.h"

namespace cairn {
namespace {

// Keeps the work that it is asked for, for the test to do it.
class Port final : public WaitPort {
 public:
  void OnBlocked(const std::shared_ptr<Waiter>&) override {}
  bool OnDeferred(uint64_t, std::function<void(ReplySink&)>&) override { return false; }
  bool OnApartWork(const std::shared_ptr<ApartWork>& work) override {
    asked = work;
    return true;
  }

  std::shared_ptr<ApartWork> asked;
};

class ApartTest : public StoreTest {
 protected:
  static constexpr int kElements = 3 * static_cast<int>(kNearElements);

  void SetUp() override {
    Open();
    for (int i = 0; i < kElements;) {
      std::vector<std::string> texts = {"RPUSH", "l"};
      for (const int end = i + 10'000; i < end; i++) texts.push_back("e" + std::to_string(i));
      Do(texts);
    }
  }
  void TearDown() override { Close(); }

  std::string Do(const std::vector<std::string>& words) {
    const std::vector<std::string_view> args(words.begin(), words.end());
    return Shown(store_->Run(client_, args));
  }
  // Once, with the work done before; what was answered, or "" where the command asked for work (port_.asked).
  std::string Try(const std::vector<std::string>& words, ApartWork* apart) {
    const std::vector<std::string_view> args(words.begin(), words.end());
    ReplyValueSink sink;
    Client client;
    client.wait_port = &port_;
    const Outcome outcome = store_->Execute(client, {.row = store_->commands().Find(args), .args = args, .apart = apart}, sink);
    return outcome.kind == Outcome::Kind::kApart ? "" : Shown(sink.Take());
  }

  static std::string Shown(const ReplyValue& reply) {
    if (reply.kind == ReplyValue::Kind::kInteger) return std::to_string(reply.integer);
    return reply.kind == ReplyValue::Kind::kString || reply.kind == ReplyValue::Kind::kStatus ? reply.text : reply.ToString();
  }

  Port port_;
};

TEST_F(ApartTest, PutInPlaceWhereNothingChanged) {
  const std::string pivot = "e" + std::to_string(kElements - 5);
  const std::vector<std::string> insert = {"LINSERT", "l", "AFTER", pivot, "new"};
  EXPECT_EQ(Try(insert, nullptr), "");
  ASSERT_NE(port_.asked, nullptr);
  port_.asked->Run();
  EXPECT_EQ(Try(insert, port_.asked.get()), std::to_string(kElements + 1));
  EXPECT_EQ(Do({"LPOS", "l", "new"}), std::to_string(kElements - 4));
  // The same work does not fit any more.
  EXPECT_EQ(Try(insert, port_.asked.get()), "");
}

TEST_F(ApartTest, TriesEndUnderTheLock) {
  const std::vector<std::string> remove = {"LREM", "l", "0", "e" + std::to_string(kElements / 2)};
  std::shared_ptr<ApartWork> work;
  int tries = 0;
  while (Try(remove, work.get()).empty()) {
    work = port_.asked;
    work->Run();
    Do({"RPUSH", "l", "x"});
    ASSERT_LT(++tries, 10);
  }
  EXPECT_GT(tries, 1);
  EXPECT_EQ(Do({"LLEN", "l"}), std::to_string(kElements - 1 + tries));
  EXPECT_EQ(Do({"LPOS", "l", "x"}), std::to_string(kElements - 1));
}

TEST_F(ApartTest, ForgottenWithTheKey) {
  const std::vector<std::string> trim = {"LTRIM", "l", "5", "-" + std::to_string(kNearElements + 10)};
  EXPECT_EQ(Try(trim, nullptr), "");
  const std::shared_ptr<ApartWork> work = port_.asked;
  work->Run();
  Do({"DEL", "l"});
  EXPECT_EQ(Try(trim, work.get()), "OK");
  EXPECT_EQ(Do({"EXISTS", "l"}), "0");
  Do({"RPUSH", "l", "a", "b"});
  EXPECT_EQ(Try(trim, work.get()), "OK");
  EXPECT_EQ(Do({"EXISTS", "l"}), "0");  // nothing of so short a list is in the range
}

TEST_F(ApartTest, SameAfterARestart) {
  const auto element = [](int i) { return "e" + std::to_string(i); };
  EXPECT_EQ(Do({"LINSERT", "l", "BEFORE", element(kElements - 7), "new"}), std::to_string(kElements + 1));
  EXPECT_EQ(Do({"LINSERT", "l", "BEFORE", "nobody", "new"}), "-1");
  EXPECT_EQ(Do({"LREM", "l", "-1", element(100)}), "1");
  EXPECT_EQ(Do({"LREM", "l", "0", "nobody"}), "0");
  EXPECT_EQ(Do({"LTRIM", "l", std::to_string(kNearElements + 1), "-2"}), "OK");
  const int left = kElements - static_cast<int>(kNearElements) - 2;
  for (int round = 0; round < 2; round++) {
    EXPECT_EQ(Do({"LLEN", "l"}), std::to_string(left));
    EXPECT_EQ(Do({"LINDEX", "l", "0"}), element(static_cast<int>(kNearElements) + 2));
    EXPECT_EQ(Do({"LINDEX", "l", "-7"}), "new");
    EXPECT_EQ(Do({"LINDEX", "l", "-1"}), element(kElements - 2));
    if (round > 0) break;
    Close();
    Open();
  }
}

}  // namespace
}  // namespace cairn
