// Random commands on sets in step with a model, and what they log replayed into a second keyspace that must become the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/random.h"
#include "tests/engine_commands/command_harness.h"
#include "tests/engine_keyspace/keyspace_fixture.h"

namespace cairn {
namespace {

using Members = std::set<std::string>;

// The members of a reply like ["a" "b"], none of which needs escaping; fails where one comes twice.
Members ParseReply(const std::string& reply) {
  Members members;
  size_t count = 0;
  for (size_t at = reply.find('"'); at != std::string::npos; count++) {
    const size_t end = reply.find('"', at + 1);
    members.insert(reply.substr(at + 1, end - at - 1));
    at = reply.find('"', end + 1);
  }
  EXPECT_EQ(members.size(), count) << reply;
  return members;
}

class RandomSets {
 public:
  explicit RandomSets(Random& random) : random_(random) {}

  void Step() {
    const std::string key = Key();
    Members& set = model_[key];
    switch (random_.Uniform(14)) {
      case 0:
      case 1:
      case 2:
      case 3: Change("SADD", key, true); break;
      case 4: Change("SREM", key, false); break;
      case 5: Move(key); break;
      case 6: Pop(key); break;
      case 7: Combine(); break;
      case 8: Store(key); break;
      case 9: Draw(key); break;
      case 10: ASSERT_EQ(Run({"SCARD", key}), ":" + std::to_string(set.size())); break;
      case 11: Scan(key); break;
      case 12: {
        const std::string member = Member();
        ASSERT_EQ(Run({"SISMEMBER", key, member}), set.count(member) == 1 ? ":1" : ":0");
        break;
      }
      default: ASSERT_EQ(ParseReply(Run({"SMEMBERS", key})), set);
    }
  }

  void CheckAll() {
    for (const auto& [key, set] : model_) {
      ASSERT_EQ(ParseReply(Run({"SMEMBERS", key})), set);
      ASSERT_EQ(ParseReply(replica_.RunArgs({"SMEMBERS", key})), set) << "replayed";
      ASSERT_EQ(replica_.RunArgs({"EXISTS", key}), set.empty() ? ":0" : ":1");
    }
  }

 private:
  std::string Key() { return std::string(1, static_cast<char>('a' + random_.Uniform(4))); }
  std::string Member() {
    if (random_.OneIn(3)) return std::to_string(random_.Uniform(700));
    return "m" + std::to_string(random_.Uniform(random_.OneIn(2) ? 40 : 2000));
  }

  std::string Run(const std::vector<std::string>& args) {
    std::string reply = harness_.RunArgs(args);
    replica_.replaying = true;
    for (const auto& record : harness_.record_args()) replica_.RunArgs(record);
    replica_.replaying = false;
    return reply;
  }

  void Change(const std::string& command, const std::string& key, bool add) {
    std::vector<std::string> args = {command, key};
    const uint64_t count = 1 + random_.Uniform(random_.OneIn(20) ? 800 : 4);
    size_t changed = 0;
    for (uint64_t i = 0; i < count; i++) {
      args.push_back(Member());
      changed += add ? model_[key].insert(args.back()).second : model_[key].erase(args.back());
    }
    ASSERT_EQ(Run(args), ":" + std::to_string(changed));
    if (changed == 0) ASSERT_EQ(harness_.changes(), 0u);
  }

  void Move(const std::string& from) {
    const std::string to = Key(), member = Member();
    const bool there = model_[from].count(member) == 1;
    ASSERT_EQ(Run({"SMOVE", from, to, member}), there ? ":1" : ":0");
    if (!there) return;
    model_[from].erase(member);
    model_[to].insert(member);
  }

  void Pop(const std::string& key) {
    Members& set = model_[key];
    const uint64_t count = random_.Uniform(random_.OneIn(10) ? 1500 : 5);
    const Members popped = ParseReply(count == 0 ? Run({"SPOP", key}) : Run({"SPOP", key, std::to_string(count)}));
    ASSERT_EQ(popped.size(), std::min<size_t>(count == 0 ? 1 : count, set.size()));
    for (const std::string& member : popped) ASSERT_EQ(set.erase(member), 1u);
  }

  void Draw(const std::string& key) {
    const Members& set = model_[key];
    const uint64_t count = random_.Uniform(random_.OneIn(10) ? 1500 : 5);
    const Members drawn = ParseReply(Run({"SRANDMEMBER", key, std::to_string(count)}));
    ASSERT_EQ(drawn.size(), std::min<size_t>(count, set.size()));
    ASSERT_TRUE(std::includes(set.begin(), set.end(), drawn.begin(), drawn.end()));
  }

  // SINTER, SUNION or SDIFF over some keys, with what it must give.
  Members Expected(size_t how, const std::vector<std::string>& keys) {
    Members result = model_[keys[0]];
    for (size_t i = 1; i < keys.size(); i++) {
      const Members& set = model_[keys[i]];
      Members next;
      if (how == 0) std::set_intersection(result.begin(), result.end(), set.begin(), set.end(), std::inserter(next, next.end()));
      if (how == 1) std::set_union(result.begin(), result.end(), set.begin(), set.end(), std::inserter(next, next.end()));
      if (how == 2) std::set_difference(result.begin(), result.end(), set.begin(), set.end(), std::inserter(next, next.end()));
      result = std::move(next);
    }
    return result;
  }
  std::vector<std::string> Keys() {
    std::vector<std::string> keys;
    const uint64_t count = 1 + random_.Uniform(random_.OneIn(10) ? 12 : 4);
    for (uint64_t i = 0; i < count; i++) keys.push_back(Key());
    return keys;
  }

  void Combine() {
    static constexpr const char* kCommands[] = {"SINTER", "SUNION", "SDIFF"};
    static constexpr const char* kCounts[] = {"SINTERCARD", "SUNIONCARD", "SDIFFCARD"};
    const size_t how = random_.Uniform(3);
    const std::vector<std::string> keys = Keys();
    const Members expected = Expected(how, keys);
    std::vector<std::string> args = {kCommands[how]};
    args.insert(args.end(), keys.begin(), keys.end());
    ASSERT_EQ(ParseReply(Run(args)), expected);
    args.insert(args.begin() + 1, std::to_string(keys.size()));
    args[0] = kCounts[how];
    ASSERT_EQ(Run(args), ":" + std::to_string(expected.size()));
  }

  void Store(const std::string& to) {
    static constexpr const char* kCommands[] = {"SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"};
    const size_t how = random_.Uniform(3);
    const std::vector<std::string> keys = Keys();
    const Members expected = Expected(how, keys);
    std::vector<std::string> args = {kCommands[how], to};
    args.insert(args.end(), keys.begin(), keys.end());
    ASSERT_EQ(Run(args), ":" + std::to_string(expected.size()));
    model_[to] = expected;
  }

  void Scan(const std::string& key) {
    Members seen;
    std::string cursor = "0";
    do {
      const std::string reply = Run({"SSCAN", key, cursor, "COUNT", "100"});  // ["17" ["a" "b"]]
      const size_t inner = reply.find('[', 1);
      cursor = reply.substr(2, reply.find('"', 2) - 2);
      for (const std::string& member : ParseReply(reply.substr(inner))) ASSERT_TRUE(seen.insert(member).second);
    } while (cursor != "0");
    ASSERT_EQ(seen, model_[key]);
  }

  Random& random_;
  CommandHarness harness_, replica_;
  std::map<std::string, Members> model_;
};

TEST(SetCommands, FollowAModel) {
  CAIRN_SEEDED(random);
  for (int round = 0; round < 4; round++) {
    RandomSets sets(random);
    for (int step = 0; step < 1500 && !::testing::Test::HasFatalFailure(); step++) sets.Step();
    sets.CheckAll();
  }
}

TEST(SetCommands, EveryMemberIsDrawnAlike) {
  CAIRN_SEEDED(random);
  for (const int members : {10, 200, 2000}) {
    CommandHarness harness;
    std::vector<std::string> args = {"SADD", "s"};
    for (int i = 0; i < members; i++) args.push_back("m" + std::to_string(i));
    harness.RunArgs(args);
    constexpr int kDrawsEach = 60;
    std::map<std::string, int> drawn;
    for (int i = 0; i < members * kDrawsEach; i++) drawn[harness.RunArgs({"SRANDMEMBER", "s"})]++;
    EXPECT_EQ(drawn.size(), static_cast<size_t>(members));
    double chi_square = 0;
    for (const auto& [member, times] : drawn) chi_square += (times - kDrawsEach) * (times - kDrawsEach) / double{kDrawsEach};
    // Mean members - 1, variance twice that: seven deviations are out of the question.
    EXPECT_LT(chi_square, members - 1 + 7 * std::sqrt(2.0 * (members - 1)));
  }
}

}  // namespace
}  // namespace cairn
