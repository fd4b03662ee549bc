#include "engine/keyspace/change_scope.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

TEST(ChangeScope, KeysBecomeReadyOnceInTheirOrderHoweverMany) {
  ChangeScope scope;
  for (int again = 0; again < 2; again++) {
    for (int round = 0; round < 3; round++) {
      for (uint32_t database = 0; database < 2; database++) {
        for (int i = 0; i < 100; i++) scope.Ready(database, "k" + std::to_string(i));
      }
    }
    const std::vector<ReadyKey> ready = scope.TakeReady();
    ASSERT_EQ(ready.size(), 200u);
    for (size_t i = 0; i < ready.size(); i++) {
      EXPECT_EQ(ready[i].database, i / 100);
      EXPECT_EQ(ready[i].name, "k" + std::to_string(i % 100));
    }
  }
  scope.Ready(0, "k");
  scope.Clear();
  scope.Ready(0, "k");
  EXPECT_EQ(scope.TakeReady().size(), 1u);
}

}  // namespace
}  // namespace cairn
