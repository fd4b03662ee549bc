#include "server/net/client_memory.h"

#include <gtest/gtest.h>

namespace cairn {
namespace {

constexpr ClientMemory::Share kNothing;

TEST(ClientMemory, SumsWhatClientsHold) {
  ClientMemory memory;
  const ClientMemory::Share small{1000, true}, large{1 << 20, true}, spared{5000, false};
  memory.Change(kNothing, small);
  memory.Change(kNothing, spared);
  EXPECT_EQ(memory.total_bytes(), 6000u);
  memory.Change(small, large);
  EXPECT_EQ(memory.total_bytes(), 5000u + (1 << 20));
  memory.Change(large, kNothing);
  memory.Change(spared, kNothing);
  EXPECT_EQ(memory.total_bytes(), 0u);
}

TEST(ClientMemory, TheLargestClassThatIsEnoughGoesFirst) {
  ClientMemory memory;
  const ClientMemory::Share small{100'000, true}, large{3'000'000, true};
  for (int i = 0; i < 3; i++) {
    memory.Change(kNothing, small);
    memory.Change(kNothing, large);
  }
  EXPECT_EQ(memory.SmallestClassToEvict(5'000'000), ClientMemory::ClassOf(large.bytes));
  EXPECT_EQ(memory.SmallestClassToEvict(300'000), ClientMemory::ClassOf(large.bytes));
  EXPECT_EQ(memory.SmallestClassToEvict(200'000), ClientMemory::ClassOf(small.bytes));
}

TEST(ClientMemory, SparedClientsAreNotCountedOn) {
  ClientMemory memory;
  const ClientMemory::Share spared{50'000'000, false}, small{1000, true};
  memory.Change(kNothing, spared);
  memory.Change(kNothing, small);
  EXPECT_EQ(memory.SmallestClassToEvict(1'000'000), 1u);
}

}  // namespace
}  // namespace cairn
