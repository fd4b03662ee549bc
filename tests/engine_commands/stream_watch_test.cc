// Which stream commands break a WATCH: those that change entries do; what consumer groups know changes unseen, but is counted and logged.
#include <gtest/gtest.h>

#include "tests/engine_commands/command_harness.h"

namespace cairn {
namespace {

struct Change {
  const char* command;
  bool breaks;
};

// A stream with entries 1-0 to 4-0; of group g 1-0 to 3-0 are pending with c, and 3-0 is deleted. Key s. Key t got
// message a of producer p.
void MakeStream(CommandHarness& harness) {
  for (const char* command :
       {"XADD s 1-0 a 1", "XADD s 2-0 a 2", "XADD s 3-0 a 3", "XADD s 4-0 a 4", "XGROUP CREATE s g 0",
        "XGROUP CREATECONSUMER s g idle", "XREADGROUP GROUP g c COUNT 3 STREAMS s >", "XDEL s 3-0", "XADD t IDMP p a * f 1"}) {
    ASSERT_FALSE(harness.Run(command).starts_with("-")) << command;
  }
}

TEST(StreamWatch, IsBrokenByChangesOfEntriesAlone) {
  constexpr Change kChanges[] = {{"XREADGROUP GROUP g idle STREAMS s 0", false},
                                 {"XREADGROUP GROUP g new STREAMS s 0", false},
                                 {"XREADGROUP GROUP g c STREAMS s 0", false},
                                 {"XREADGROUP GROUP g c STREAMS s >", false},
                                 {"XREADGROUP GROUP g c NOACK STREAMS s >", false},
                                 {"XREADGROUP GROUP g d CLAIM 0 STREAMS s >", false},
                                 {"XACK s g 1-0", false},
                                 {"XACK s g 1-0 2-0", false},
                                 {"XCLAIM s g d 0 1-0", false},
                                 {"XCLAIM s g d 0 3-0", false},
                                 {"XCLAIM s g d 0 9-0 LASTID 8-0", false},
                                 {"XAUTOCLAIM s g d 0 -", false},
                                 {"XNACK s g FAIL IDS 1 1-0", false},
                                 {"XGROUP CREATE s h 0", false},
                                 {"XGROUP CREATE s h $ MKSTREAM", false},
                                 {"XGROUP CREATE other h $ MKSTREAM", true},
                                 {"XGROUP SETID s g 2-0", false},
                                 {"XGROUP DESTROY s g", false},
                                 {"XGROUP CREATECONSUMER s g d", false},
                                 {"XGROUP DELCONSUMER s g c", false},
                                 {"XSETID s 9-0", false},
                                 {"XDELEX s DELREF IDS 1 3-0", false},
                                 {"XDELEX s DELREF IDS 1 1-0", true},
                                 {"XACKDEL s g IDS 1 3-0", false},
                                 {"XACKDEL s g DELREF IDS 2 3-0 1-0", true},
                                 {"XACKDEL s g IDS 2 1-0 3-0", true},
                                 {"XDEL s 1-0", true},
                                 {"XTRIM s MAXLEN 1", true},
                                 {"XTRIM s MAXLEN 0 ACKED", false},
                                 {"XADD t IDMP p a * f 1", false},
                                 {"XADD t IDMP p b * f 1", true},
                                 {"XADD s 5-0 a 5", true},
                                 {"DEL s", true}};
  for (const Change& change : kChanges) {
    SCOPED_TRACE(change.command);
    CommandHarness harness;
    MakeStream(harness);
    harness.Run("WATCH s t other");
    EXPECT_FALSE(harness.Run(change.command).starts_with("-"));
    EXPECT_GT(harness.changes(), 0u);
    EXPECT_EQ(harness.client.watch->dirty, change.breaks);
    harness.Run("UNWATCH");
  }
}

}  // namespace
}  // namespace cairn
