// What stream commands log is taken back by a replay, whatever numbers clients gave before.
#include <gtest/gtest.h>

#include "tests/engine_commands/command_harness.h"

namespace cairn {
namespace {

TEST(StreamReplay, TakesCountersThatOverflowed) {
  CommandHarness written, replayed;
  replayed.replaying = true;
  for (const char* command : {"XADD s 1-1 a b", "XSETID s 2-0 ENTRIESADDED 9223372036854775807", "XADD s 3-0 a b",
                              "XGROUP CREATE s g 0", "XREADGROUP GROUP g c STREAMS s >"}) {
    EXPECT_FALSE(written.Run(command).starts_with("-")) << command;
    for (const std::vector<std::string>& record : written.record_args()) {
      const std::string reply = replayed.RunArgs(record);
      EXPECT_FALSE(reply.starts_with("-")) << command << ": " << reply;
    }
  }
  EXPECT_EQ(replayed.Run("XINFO GROUPS s"), written.Run("XINFO GROUPS s"));
}

}  // namespace
}  // namespace cairn
