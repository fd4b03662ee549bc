// Streams after a restart: entries, groups with what is pending to whom, and producers' windows are as they were.

#include <vector>

#include "tests/engine/store_test_support.h"

namespace cairn {
namespace {

class StreamRecoveryTest : public StoreTest {
 protected:
  static constexpr uint64_t kKeys = 4;

  std::string AnyId(Random& random) {
    // Ids are milliseconds since the start in steps of one.
    return std::to_string(1 + random.Uniform(next_ms_)) + "-0";
  }

  void Step(Random& random) {
    const std::string key = "s" + std::to_string(random.Uniform(kKeys)), group = "g" + std::to_string(random.Uniform(2));
    const std::string consumer = "c" + std::to_string(random.Uniform(3)), number = std::to_string(1 + random.Uniform(20));
    const std::string id = AnyId(random), other = AnyId(random), next = std::to_string(next_ms_) + "-0";
    switch (random.Uniform(32)) {
      case 0: Run({"XGROUP", "CREATE", key, group, random.OneIn(2) ? "$" : "0", "MKSTREAM"}); break;
      case 1:
        if (random.OneIn(10)) Run({"XGROUP", "DESTROY", key, group});
        break;
      case 2: Run({"XGROUP", "CREATECONSUMER", key, group, consumer}); break;
      case 3:
        if (random.OneIn(10)) Run({"XGROUP", "DELCONSUMER", key, group, consumer});
        break;
      case 4: Run({"XGROUP", "SETID", key, group, id}); break;
      case 5:
      case 6:
      case 7: Run({"XREADGROUP", "GROUP", group, consumer, "COUNT", number, "STREAMS", key, ">"}); break;
      case 8: Run({"XREADGROUP", "GROUP", group, consumer, "NOACK", "COUNT", number, "STREAMS", key, ">"}); break;
      case 9: Run({"XREADGROUP", "GROUP", group, consumer, "COUNT", number, "STREAMS", key, id}); break;
      case 10: Run({"XREADGROUP", "GROUP", group, consumer, "COUNT", number, "CLAIM", "1", "STREAMS", key, ">"}); break;
      case 11: Run({"XACK", key, group, id, other}); break;
      case 12: Run({"XCLAIM", key, group, consumer, "0", id, other, "IDLE", number}); break;
      case 13: Run({"XCLAIM", key, group, consumer, "0", id, "FORCE", "JUSTID", "LASTID", other}); break;
      case 14: Run({"XAUTOCLAIM", key, group, consumer, random.OneIn(2) ? "0" : "2", id, "COUNT", number}); break;
      case 15: Run({"XNACK", key, group, random.OneIn(2) ? "FAIL" : "SILENT", "IDS", "2", id, other}); break;
      case 16: Run({"XDEL", key, id, other}); break;
      case 17: Run({"XDELEX", key, random.OneIn(2) ? "DELREF" : "ACKED", "IDS", "2", id, other}); break;
      case 18: Run({"XACKDEL", key, group, random.OneIn(2) ? "DELREF" : "ACKED", "IDS", "1", id}); break;
      case 19: Run({"XTRIM", key, "MAXLEN", random.OneIn(2) ? "~" : "=", "300"}); break;
      case 20: Run({"XTRIM", key, "MAXLEN", "~", "200", random.OneIn(2) ? "ACKED" : "DELREF"}); break;
      case 21: Run({"XADD", key, "MAXLEN", "~", "150", "ACKED", next, "f", number}), next_ms_++; break;
      case 22: Run({"XADD", key, "MINID", "~", id, next, "f", number}), next_ms_++; break;
      // These have ids of today, after which all others would be too small: a stream of their own.
      case 23: Run({"XADD", "idempotent", "IDMP", consumer, number, "*", "f", id}); break;
      case 24: Run({"XADD", "idempotent", "IDMPAUTO", consumer, "MAXLEN", "50", "*", "f", number}); break;
      case 25:
        if (random.OneIn(20)) Run({"XCFGSET", "idempotent", "IDMP-MAXSIZE", number});
        break;
      case 26:
        if (random.OneIn(10)) Run({"XSETID", key, next, "ENTRIESADDED", "100000"});
        break;
      default:
        Run({"XADD", key, next, "name", "order.created", "number", number});
        next_ms_++;
        break;
    }
  }

  // All of all streams, but when consumers were seen: asking without getting anything is not logged.
  std::string State() {
    std::string state;
    for (const char* key : {"s0", "s1", "s2", "s3", "idempotent"}) {
      std::string text = Text({"XINFO", "STREAM", key, "FULL", "COUNT", "0"});
      constexpr std::string_view kSeen = "\"seen-time\"";
      for (size_t at = text.find(kSeen); at != std::string::npos; at = text.find(kSeen, at + kSeen.size())) {
        const size_t value = text.find("(integer) ", at);
        text.erase(value, text.find_first_of("\n ", value + 10) - value);
      }
      state += text;
      state += Text({"OBJECT", "ENCODING", key});
    }
    return state;
  }

  uint64_t next_ms_ = 1;
};

TEST_F(StreamRecoveryTest, GroupsGoOnWhereTheyWere) {
  Random random(TestSeed());
  Open();
  for (int round = 0; round < 8; round++) {
    for (int i = 0; i < 700; i++) Step(random);
    if (round % 2 == 1) {
      const Status saved = store_->SaveAndWait();
      ASSERT_TRUE(saved.ok()) << saved.ToString();
      if (round % 4 == 1) {
        for (int i = 0; i < 200; i++) Step(random);
      }
    }
    const std::string before = State();
    if (round % 3 == 0) {
      Close();
    } else {
      ASSERT_TRUE(store_->WaitDurable(store_->end_lsn()).ok());
      Crash();
    }
    Open();
    ASSERT_EQ(State(), before) << "round " << round;
  }
  EXPECT_NE(State().find("iids-added"), std::string::npos);
}

TEST_F(StreamRecoveryTest, WindowsStayAsTheyWereConfiguredWhenTheyBegan) {
  const auto configure = [this](int64_t maxsize) {
    ASSERT_TRUE(
        store_->UpdateOptions([maxsize](RuntimeOptions& options) { options.limits.stream_idmp_maxsize.Set(maxsize); }).ok());
  };
  Open();
  configure(3);
  Run({"XADD", "idempotent", "IDMP", "p", "m", "*", "f", "v"});
  Run({"XADD", "recorded", "1-1", "f", "v"});
  Run({"XIDMPRECORD", "recorded", "p", "m", "1-1"});
  Run({"XADD", "set", "1-1", "f", "v"});
  Run({"XCFGSET", "set", "IDMP-DURATION", "7"});
  configure(4);
  Run({"XADD", "idempotent", "IDMP", "p", "n", "*", "f", "v"});
  const auto windows = [this] {
    std::string text;
    for (const char* key : {"idempotent", "recorded", "set"}) {
      const std::string info = Text({"XINFO", "STREAM", key});
      EXPECT_NE(info.find("\"idmp-maxsize\", (integer) 3"), std::string::npos) << info;
      text += info.substr(info.find("idmp-duration"), info.find("groups") - info.find("idmp-duration"));
    }
    return text;
  };
  const std::string before = windows();
  ASSERT_TRUE(store_->WaitDurable(store_->end_lsn()).ok());
  Crash();
  Open();
  EXPECT_EQ(windows(), before);
}

TEST_F(StreamRecoveryTest, WritesDuringASnapshot) {
  Random random(TestSeed());
  Open();
  for (int i = 0; i < 5000; i++) Step(random);
  ASSERT_TRUE(store_->StartSnapshot(true).ok());
  for (int i = 0; store_->Info().snapshot_in_progress || i < 300; i++) Step(random);
  EXPECT_EQ(store_->Info().snapshots_made, 1u);
  const std::string before = State();
  ASSERT_TRUE(store_->WaitDurable(store_->end_lsn()).ok());
  Crash();
  Open();
  EXPECT_EQ(State(), before);
}

}  // namespace
}  // namespace cairn
