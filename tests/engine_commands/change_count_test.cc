// What rdb_changes_since_last_save counts: elements, as Redis does.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/engine_commands/command_harness.h"

namespace cairn {
namespace {

TEST(ChangeCount, CountsElements) {
  struct Call {
    const char* command;
    uint64_t changes;
  };
  const std::vector<Call> calls = {{"RPUSH l a b c", 3},
                                   {"LPUSHX l d", 1},
                                   {"LPUSHX none a b", 0},
                                   {"LREM l 0 a", 1},
                                   {"LTRIM l 0 0", 2},
                                   {"RPUSH l x y z", 3},
                                   {"LPOP l 3", 3},
                                   {"LMPOP 1 l LEFT COUNT 5", 1},
                                   {"SADD s a b c a", 3},
                                   {"SADD s a d e", 2},
                                   {"SADD s a", 0},
                                   {"SREM s a b none", 2},
                                   {"ZADD z 1 a 2 b 3 c", 3},
                                   {"ZADD z 1 a 5 b 6 d", 2},
                                   {"ZREM z a b none", 2},
                                   {"ZADD z 1 a 2 b", 2},
                                   {"ZREMRANGEBYRANK z 0 1", 2},
                                   {"ZPOPMAX z 2", 2},
                                   {"HSET h a 1 b 2 c 3", 3},
                                   {"HMSET h a 1", 1},
                                   {"HDEL h a b none", 2},
                                   {"PFADD p a b c", 4},
                                   {"PFADD p a b c", 0},
                                   {"MSET x 1 y 2", 2},
                                   {"DEL x y none", 2},
                                   {"SET x 1", 1},
                                   {"APPEND x 1", 1},
                                   {"SADD s f g h", 3},
                                   {"SPOP s 2", 2},
                                   {"GEOADD g 1 1 a 2 2 b", 2},
                                   {"SORT s ALPHA STORE m", 4},
                                   {"SPOP s 9", 4}};
  CommandHarness harness;
  for (const Call& call : calls) {
    const uint64_t before = harness.keyspace.stats().changes;
    EXPECT_FALSE(harness.Run(call.command).starts_with("-")) << call.command;
    EXPECT_EQ(harness.keyspace.stats().changes - before, call.changes) << call.command;
  }
}

}  // namespace
}  // namespace cairn
