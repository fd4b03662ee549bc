// Commands and transactions through Store::Run: results, WATCH, what the log holds.

#include <vector>

#include "base/resp_request.h"
#include "tests/engine/store_test_support.h"
#include "wal/log_reader.h"

namespace cairn {
namespace {

class ExecutorTest : public StoreTest {
 protected:
  void SetUp() override { Open(); }

  // Every record of the log, arguments joined by spaces.
  std::vector<std::string> LogRecords() {
    std::vector<std::string> records;
    LogOptions options;
    options.directory = "db/log";
    options.fs = memory_.get();
    options.clock = &RealClock();
    LogRecoveryResult result;
    const Status read = ReadLog(
        options, 0,
        [&](const LogFrame& frame) {
          RequestReader reader(frame.payload);
          while (reader.Next()) {
            std::string record;
            for (const std::string_view arg : reader.args()) record += (record.empty() ? "" : " ") + std::string(arg);
            records.push_back(record);
          }
          return reader.status();
        },
        &result);
    EXPECT_TRUE(read.ok()) << read.ToString();
    return records;
  }
};

TEST_F(ExecutorTest, RunsCommandsAndReportsErrors) {
  EXPECT_EQ(Text({"SET", "k", "v"}), "OK");
  EXPECT_EQ(Text({"GET", "k"}), "\"v\"");
  EXPECT_EQ(Text({"GET", "absent"}), "(nil)");
  EXPECT_EQ(Text({"INCR", "k"}), "(error) ERR value is not an integer or out of range");
  EXPECT_EQ(Text({"NOSUCH", "x"}), "(error) ERR unknown command 'NOSUCH', with args beginning with: 'x' ");
  EXPECT_EQ(Text({"GET"}), "(error) ERR wrong number of arguments for 'get' command");
  EXPECT_EQ(Text({"MSET", "a", "1", "b", "2"}), "OK");
  EXPECT_EQ(Text({"MGET", "a", "b", "c"}), "[\"1\", \"2\", (nil)]");
  EXPECT_EQ(Text({"DEL", "a", "b", "c"}), "(integer) 2");
}

TEST_F(ExecutorTest, LargeValuesAreLinkedAndRead) {
  const std::string large(1'000'000, 'x');
  EXPECT_TRUE(Run({"SET", "large", large}).is_ok());
  EXPECT_EQ(Run({"GET", "large"}).text, large);
  EXPECT_EQ(Text({"APPEND", "large", "y"}), "(integer) 1000001");
  Close();
  Open();
  EXPECT_EQ(Run({"GET", "large"}).text, large + "y");
}

TEST_F(ExecutorTest, LogsWhatChangedAndNothingElse) {
  Run({"SET", "a", "1"});
  Run({"GET", "a"});
  Run({"DEL", "absent"});
  Run({"INCRBYFLOAT", "a", "0.5"});
  client_.database = 3;
  Run({"SET", "b", "2"});
  client_.database = 0;
  const std::vector<std::string> records = LogRecords();
  EXPECT_EQ(records, (std::vector<std::string>{"SELECT 0", "SET a 1", "SET a 1.5 KEEPTTL", "SELECT 3", "SET b 2"}));
}

TEST_F(ExecutorTest, TransactionsAreOneUnit) {
  EXPECT_EQ(Text({"MULTI"}), "OK");
  EXPECT_EQ(Text({"SET", "a", "1"}), "QUEUED");
  EXPECT_EQ(Text({"INCR", "a"}), "QUEUED");
  EXPECT_EQ(Text({"GET", "a"}), "QUEUED");
  EXPECT_EQ(Text({"EXEC"}), "[OK, (integer) 2, \"2\"]");
  EXPECT_EQ(LogRecords(), (std::vector<std::string>{"SELECT 0", "MULTI", "SET a 1", "INCR a", "EXEC"}));
  EXPECT_EQ(Text({"EXEC"}), "(error) ERR EXEC without MULTI");
}

TEST_F(ExecutorTest, ErrorsInTransactions) {
  Run({"MULTI"});
  Run({"SET", "a", "x"});
  Run({"INCR", "a"});
  EXPECT_EQ(Text({"EXEC"}), "[OK, (error) ERR value is not an integer or out of range]");
  Run({"MULTI"});
  EXPECT_TRUE(Run({"GET"}).is_error());
  EXPECT_EQ(Text({"EXEC"}), "(error) EXECABORT Transaction discarded because of previous errors.");
  Run({"MULTI"});
  Run({"SET", "b", "1"});
  EXPECT_EQ(Text({"DISCARD"}), "OK");
  EXPECT_EQ(Text({"EXISTS", "b"}), "(integer) 0");
}

TEST_F(ExecutorTest, WatchBreaksTransactions) {
  Client other;
  EXPECT_EQ(Text({"WATCH", "w"}), "OK");
  store_->Run(other, {"SET", "w", "theirs"});
  Run({"MULTI"});
  Run({"SET", "w", "mine"});
  EXPECT_EQ(Text({"EXEC"}), "(nil)");
  EXPECT_EQ(Text({"GET", "w"}), "\"theirs\"");
  EXPECT_EQ(client_.watch, nullptr);
  Run({"WATCH", "w"});
  Run({"UNWATCH"});
  EXPECT_EQ(client_.watch, nullptr);
  store_->Run(other, {"SET", "w", "again"});
  Run({"MULTI"});
  Run({"SET", "w", "mine"});
  EXPECT_EQ(Text({"EXEC"}), "[OK]");
}

TEST_F(ExecutorTest, WholeKeyspaceCommandsInTransactions) {
  Run({"SET", "a", "1"});
  Run({"MULTI"});
  Run({"SET", "b", "1"});
  Run({"DBSIZE"});
  Run({"FLUSHALL"});
  Run({"DBSIZE"});
  EXPECT_EQ(Text({"EXEC"}), "[OK, (integer) 2, OK, (integer) 0]");
  Run({"SET", "after", "1"});
  Close();
  Open();
  EXPECT_EQ(ContentsOf(*store_), (Contents{{{0, "after"}, {"1", -1}}}));
}

TEST_F(ExecutorTest, RepliesNameWhatTheyWaitFor) {
  const CommandRow* set = store_->commands().FindByName("set");
  const std::string_view args[] = {"SET", "k", "v"};
  ReplyValueSink sink;
  const Outcome outcome = store_->Execute(client_, {.row = set, .args = args}, sink);
  EXPECT_EQ(outcome.kind, Outcome::Kind::kDone);
  EXPECT_TRUE(store_->WaitDurable(store_->end_lsn()).ok());
  EXPECT_GE(store_->durable_lsn(), outcome.visible_lsn);
  const CommandRow* get = store_->commands().FindByName("get");
  const std::string_view get_args[] = {"GET", "k"};
  EXPECT_EQ(store_->Execute(client_, {.row = get, .args = get_args}, sink).visible_lsn, 0u);
}

class EventRecorder : public ChangeListener {
 public:
  uint32_t wanted_classes() const override { return ~0u; }
  void OnEvents(std::span<const KeyspaceEvent> events, Lsn lsn) override {
    MutexLock lock(mutex_);
    for (const KeyspaceEvent& event : events) seen_.push_back(std::string(event.name) + " " + event.key);
    last_lsn_ = lsn;
  }
  std::vector<std::string> seen() {
    MutexLock lock(mutex_);
    return seen_;
  }

 private:
  Mutex mutex_;
  std::vector<std::string> seen_ CAIRN_GUARDED_BY(mutex_);
  Lsn last_lsn_ CAIRN_GUARDED_BY(mutex_) = 0;
};

TEST_F(ExecutorTest, ExpiredKeysGoPromptlyWithEventAndRecord) {
  EventRecorder events;
  store_->SetChangeListener(&events);
  for (int i = 0; i < 20'000; i++) Run({"SET", "later" + std::to_string(i), "v", "PX", "1000000"});
  const auto began = std::chrono::steady_clock::now();
  store_->Run(client_, {"SET", "soon", "v", "PX", "50"}, Store::Durability::kDoNotAwait);
  const auto expired = [&] {
    const auto seen = events.seen();
    return std::find(seen.begin(), seen.end(), "expired soon") != seen.end();
  };
  EXPECT_TRUE(Eventually(expired));
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, std::chrono::milliseconds(49));
  EXPECT_LT(took, std::chrono::milliseconds(250));  // a loaded machine; 60 on an idle one
  store_->SetChangeListener(nullptr);
  const std::vector<std::string> records = LogRecords();
  EXPECT_TRUE(Eventually([&] { return LogRecords().back() == "DEL soon"; }));
  EXPECT_EQ(Text({"DBSIZE"}), "(integer) 20000");
}

}  // namespace
}  // namespace cairn
