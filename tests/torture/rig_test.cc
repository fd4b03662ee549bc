// The rig itself: the checker tells right histories from wrong ones, and a deterministic run is one.
#include <gtest/gtest.h>

#include "tests/torture/register_check.h"
#include "tests/torture/torture_run.h"
#include "tests/torture/verdict.h"

namespace cairn::torture {
namespace {

RegisterEvent Write(uint64_t value, uint64_t start, uint64_t finish, bool certain = true) {
  return {.value = value, .start = start, .finish = finish, .is_write = true, .certain = certain};
}
RegisterEvent Read(uint64_t value, uint64_t start, uint64_t finish) { return {.value = value, .start = start, .finish = finish}; }

TEST(RegisterCheck, AcceptsWhatAnOrderExplains) {
  EXPECT_EQ(CheckRegister({Read(0, 1, 2)}), "");
  EXPECT_EQ(CheckRegister({Write(1, 1, 2), Read(1, 3, 4)}), "");
  // Two at once: either may be the last.
  EXPECT_EQ(CheckRegister({Write(1, 1, 5), Write(2, 2, 6), Read(1, 7, 8)}), "");
  EXPECT_EQ(CheckRegister({Write(1, 1, 5), Write(2, 2, 6), Read(2, 7, 8)}), "");
  // A doubtful write is there or not.
  EXPECT_EQ(CheckRegister({Write(1, 1, 2), Write(2, 3, 9, false), Read(1, 10, 11)}), "");
  EXPECT_EQ(CheckRegister({Write(1, 1, 2), Write(2, 3, 9, false), Read(2, 10, 11)}), "");
}

TEST(RegisterCheck, FindsWhatNoOrderExplains) {
  EXPECT_NE(CheckRegister({Write(1, 1, 2), Read(0, 3, 4)}), "") << "an acknowledged write is lost";
  EXPECT_NE(CheckRegister({Write(1, 1, 2), Write(2, 3, 4), Read(1, 5, 6)}), "") << "an old value is back";
  EXPECT_NE(CheckRegister({Read(7, 1, 2)}), "") << "nobody wrote it";
  EXPECT_NE(CheckRegister({Read(1, 1, 2), Write(1, 3, 4)}), "") << "read before it was written";
  EXPECT_NE(CheckRegister({Write(1, 1, 9, false), Read(1, 2, 3), Read(0, 10, 11)}), "") << "a value that was read is lost";
  EXPECT_NE(CheckRegister({Write(1, 1, 20), Write(2, 2, 21), Read(1, 3, 4), Read(2, 5, 6), Read(1, 7, 8)}), "")
      << "there and back";
}

TEST(Verdict, FindsLostElementsAndDeliveries) {
  Observation found;
  found.has_group = true;
  const Operation push{.kind = OpKind::kPush, .value = 5, .start = 1, .finish = 2, .acknowledged = true};
  EXPECT_EQ(Judge({push}, found, 9).size(), 1u);
  found.queue = {5};
  EXPECT_TRUE(Judge({push}, found, 9).empty());
  const Operation pop{.kind = OpKind::kPop, .value = 5, .start = 3, .finish = 4, .acknowledged = true};
  EXPECT_EQ(Judge({push, pop}, found, 9).size(), 1u) << "popped and back";
  found.queue.clear();
  const Operation doubtful_pop{.kind = OpKind::kPop, .start = 3, .finish = 4};
  EXPECT_TRUE(Judge({push, doubtful_pop}, found, 9).empty());

  const Operation add{.kind = OpKind::kAdd, .value = 7, .start = 5, .finish = 6, .acknowledged = true};
  const Operation deliver{.kind = OpKind::kDeliver, .object = 1, .value = 7, .start = 7, .finish = 8, .acknowledged = true};
  found.stream = {7};
  found.delivered_up_to = 1;
  EXPECT_EQ(Judge({push, doubtful_pop, add, deliver}, found, 9).size(), 1u) << "the delivery is forgotten";
  found.delivered[1] = {7};
  EXPECT_TRUE(Judge({push, doubtful_pop, add, deliver}, found, 9).empty());
}

TEST(Verdict, ALedgerIsAPrefix) {
  Observation found;
  std::vector<Operation> history;
  for (uint64_t i = 1; i <= 6; i++) history.push_back({.kind = OpKind::kLedger, .value = i, .start = i, .finish = 9});
  found.ledgers[0] = {4, 5, 2, 3};
  EXPECT_TRUE(Judge(history, found, 10).empty());
  found.ledgers[0] = {0, 5, 2, 3};  // 4 is missing although 5 is there
  EXPECT_FALSE(Judge(history, found, 10).empty());
}

TEST(Rig, ADeterministicRunRepeats) {
  Scenario scenario = ScenarioOf(3, true);
  scenario.operations = 40;
  scenario.images = 10;
  const TortureResult first = TortureRun(scenario).Run();
  const TortureResult second = TortureRun(scenario).Run();
  EXPECT_TRUE(first.violations.empty());
  EXPECT_FALSE(first.trace.empty());
  EXPECT_EQ(first.trace, second.trace);
  EXPECT_EQ(first.crashes, second.crashes);
}

}  // namespace
}  // namespace cairn::torture
